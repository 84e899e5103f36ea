"""What an explanation says beside the counts: the mix of the codes, and what never was before."""

import re
from collections.abc import Callable

import numpy as np
import pytest

from detection.scoring.detector import explain, learn, score, tally
from detection.scoring.minutes import Moments
from detection.scoring.policy import Policy
from detection.scoring.state import State

START, CLOSED = 29_000_000, np.ones(1, bool)
Row = list[tuple[str, str, float]]
CODES = ("51", "05", "91", "14")


def usual(minute: int) -> Row:
    each = [("denied", code, 3 + (minute + place) % 2) for place, code in enumerate(CODES)]
    return [("approved", "00", 115 + minute * 7 % 11), *each]


def told(then: Callable[[int], Row], minutes: int = 4) -> str:
    """The first reason after so many minutes of something else."""
    state, policy = State.new(1), Policy.defaults(1)
    for minute in range(400):
        row = usual(minute) if minute < 400 - minutes else then(minute)
        moments, counts = Moments.of([START + minute]), tally(state, [row])
        scores = score(state, policy, moments, counts, closed=CLOSED)
        if minute < 399:
            learn(state, policy, moments, counts, scores)
    return explain(state, scores, counts, 0).reasons[0]


def test_denials_on_all_codes_alike_fall_as_usual() -> None:
    def more(minute: int) -> Row:
        return [
            (status, code, 3 * n if status == "denied" else n) for status, code, n in usual(minute)
        ]

    assert told(more).endswith("expected; they fall on their codes as usual.")


def test_denials_on_one_code_fall_on_others_than_usual() -> None:
    def one(minute: int) -> Row:
        return [*usual(minute), ("denied", "05", 30)]

    assert told(one).endswith("expected; they fall on other codes than usual.")


def test_the_first_failures_ever_are_said_to_be_the_first() -> None:
    def failing(minute: int) -> Row:
        return [*usual(minute), ("failed", "96", 9)]

    reason = told(failing)
    assert "failures" in reason
    assert "not one in " in reason
    assert "so fewer than 1 in " in reason


@pytest.mark.parametrize("status", ["reversed", "refunded"])
def test_other_kinds_say_nothing_of_codes(status: str) -> None:
    def odd(minute: int) -> Row:
        return [*usual(minute), (status, "00", 12)]

    assert "codes" not in told(odd)


def test_an_odd_minute_before_is_not_taken_for_the_onset() -> None:
    def surging(minute: int) -> Row:
        times = 2 if minute == 396 else 6 if minute >= 398 else 1
        return [
            (status, code, times * n if status == "denied" else n)
            for status, code, n in usual(minute)
        ]

    seen, minutes, _expected = numbers(told(surging, 4).split(";")[0])
    assert minutes == 2
    assert seen == sum(n for minute in (398, 399) for _, _, n in surging(minute)[1:])


@pytest.mark.parametrize("quiet", [1, 2, 3])
def test_while_it_seems_to_end_the_minutes_are_counted_with_what_is_in_them(quiet: int) -> None:
    def more(minute: int) -> Row:
        if minute >= 400 - quiet:
            return usual(minute)
        return [(of, code, n + 2 * (of == "denied")) for of, code, n in usual(minute)]

    seen, minutes, _expected = numbers(told(more, 40 + quiet).split(";")[0])
    assert minutes == 40 + quiet
    sent = sum(
        n for minute in range(360 - quiet, 400) for of, _, n in more(minute) if of == "denied"
    )
    assert seen == sent


def numbers(sentence: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", sentence)]

"""The decisions, with a clock that is an argument."""

from typing import Any

import pytest

from alerts.conf import Rules
from alerts.policy import (
    Decision,
    Finding,
    Kin,
    Standing,
    Step,
    decide,
    decide_resolution,
    direction_of,
    quiet_needed,
    relation,
)
from alerts.tests.makers import at

RULES = Rules()


def standing(**values: Any) -> Standing:
    facts: dict[str, Any] = {
        "state": "open",
        "level": "WARNING",
        "first_anomaly": at(0),
        "last_anomaly": at(10),
    }
    return Standing(**{**facts, **values})


def decided(
    minute: float, before: Standing | None, level: str = "WARNING", now: float = 0, **more: Any
) -> Decision:
    return decide(Finding(at(minute), level, **more), before, now=at(now or minute), rules=RULES)


@pytest.mark.parametrize(
    ("minute", "before", "level", "step"),
    [
        (11, None, "WARNING", Step.OPEN),
        (11, standing(), "WARNING", Step.ABSORB),
        (11, standing(), "CRITICAL", Step.RAISE),
        (11, standing(state="acknowledged"), "CRITICAL", Step.RAISE),
        (11, standing(level="CRITICAL"), "WARNING", Step.ABSORB),
        (20, standing(state="resolved", resolved=at(16)), "WARNING", Step.REOPEN),
        (40, standing(state="resolved", resolved=at(16)), "WARNING", Step.REOPEN),
        (41, standing(state="resolved", resolved=at(16)), "WARNING", Step.OPEN),
        (20, standing(state="closed", resolved=at(16)), "WARNING", Step.OPEN),
        (60, standing(state="merged"), "WARNING", Step.OPEN),
        (5, standing(state="resolved", resolved=at(16)), "CRITICAL", Step.ABSORB),
        (10, standing(state="closed", resolved=at(16)), "CRITICAL", Step.ABSORB),
    ],
)
def test_what_an_anomaly_does(
    minute: float, before: Standing | None, level: str, step: Step
) -> None:
    assert decided(minute, before, level).step is step


def test_a_false_positives_own_run_opens_nothing() -> None:
    labelled = standing(state="closed", false_positive=True, resolved=at(10.5))
    assert decided(11, labelled).step is Step.ABSORB
    assert decided(11, labelled, "CRITICAL").step is Step.OPEN
    assert decided(25, labelled).step is Step.OPEN


def test_what_goes_on_after_a_hand_resolved_it_comes_back_when_patience_ends() -> None:
    resolved = standing(state="resolved", by_hand=True, resolved=at(10.5))
    assert decided(11, resolved, now=12).step is Step.ABSORB
    assert decided(15, resolved, now=16).step is Step.REOPEN


def test_past_minutes_never_open_anything() -> None:
    assert decided(11, None, past=True).step is Step.RECORD
    assert decided(11, standing(state="resolved"), "CRITICAL", past=True).step is Step.ABSORB
    assert decided(500, standing(), past=True).step is Step.RECORD


def test_every_decision_has_a_reason() -> None:
    assert decided(11, standing(), "CRITICAL").reason == "rose from WARNING to CRITICAL"


@pytest.mark.parametrize(
    ("judged", "over"), [(None, False), (5, False), (14, False), (15, True), (600, True)]
)
def test_only_judged_minutes_are_quiet(judged: float | None, over: bool) -> None:
    through = None if judged is None else at(judged)
    assert decide_resolution(standing(), judged_through=through, rules=RULES).over is over


def test_each_return_doubles_the_quiet_that_ends_it() -> None:
    flapping = standing(reopened=2)
    assert quiet_needed(2, RULES) == 20
    assert not decide_resolution(flapping, judged_through=at(29), rules=RULES).over
    assert decide_resolution(flapping, judged_through=at(30), rules=RULES).over


@pytest.mark.parametrize(
    ("family", "excess_high", "direction"),
    [
        ("decline", None, "high"),
        ("decline", 5.0, "high"),
        ("decline", -5.0, "low"),
        ("volume_low", -80.0, "low"),
        ("volume_high", 80.0, "high"),
        ("code_mix", 3.0, "shift"),
    ],
)
def test_directions(family: str, excess_high: float | None, direction: str) -> None:
    assert direction_of(family, excess_high) == direction


def kin(source: int = 1, family: str = "decline", **values: Any) -> Kin:
    onset = values.pop("onset", at(0))
    facts: dict[str, Any] = {"source_parent": None, "level": "CRITICAL", "first_anomaly": onset}
    return Kin(source=source, family=family, onset=onset, **{**facts, **values})


@pytest.mark.parametrize(
    ("new", "root", "related"),
    [
        (kin(family="reversal", onset=at(5)), kin(), True),
        (kin(family="reversal", onset=at(50)), kin(), False),
        (kin(family="reversal", onset=at(50), first_anomaly=at(2)), kin(), True),
        (kin(family="reversal", onset=at(50)), kin(returned=at(45)), True),
        (kin(family="reversal", onset=at(50)), kin(returned=at(25)), False),
        (kin(onset=at(50)), kin(family="silence"), True),
        (kin(onset=at(50)), kin(family="volume_low"), True),
        (kin(onset=at(50)), kin(family="volume_low", last_anomaly=at(41)), True),
        (kin(onset=at(50)), kin(family="volume_low", last_anomaly=at(39)), False),
        (kin(2, source_parent=1, onset=at(50)), kin(1, "silence", last_anomaly=at(39)), False),
        (kin(onset=at(50)), kin(family="volume_low", level="WARNING"), False),
        (kin(2, source_parent=9), kin(1, source_parent=9), True),
        (kin(2, source_parent=9, onset=at(50)), kin(1, source_parent=9), False),
        (kin(2, source_parent=9, family="reversal"), kin(1, source_parent=9), False),
        (kin(2, source_parent=1, onset=at(50)), kin(1, "silence"), True),
        (kin(2, source_parent=1, onset=at(3)), kin(1), True),
        (kin(1, onset=at(3)), kin(2, source_parent=1), True),
        (kin(2), kin(1), False),
    ],
)
def test_what_belongs_together(new: Kin, root: Kin, related: bool) -> None:
    assert (relation(new, root, RULES) is not None) is related


@pytest.mark.parametrize(
    ("heard", "onset", "family", "related"),
    [
        (0, 1, "silence", True),
        (1, 1, "silence", True),
        (2, 1, "silence", False),
        (None, 1, "silence", False),
        (0, 50, "silence", False),
        (0, 1, "volume_low", True),
        (2, 1, "volume_low", False),
        (0, 1, "decline", False),
    ],
)
def test_silence_everywhere_is_one_failure(
    heard: float | None, onset: float, family: str, related: bool
) -> None:
    last_heard = None if heard is None else at(heard)
    new, root = kin(2, family, onset=at(onset)), kin(1, family)
    assert (relation(new, root, RULES, last_heard=last_heard) is not None) is related

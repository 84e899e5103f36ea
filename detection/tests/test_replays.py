"""Who replays the past in order is told from who reports here and there in it."""

from itertools import pairwise

import pytest

from detection import conf
from detection.services.replaying import STRAY_MINUTES, Heads
from detection.services.watched import NEVER

START = 1_000


def steps(heads: Heads, *minutes: int, through: int = NEVER) -> list[bool]:
    return [heads.steps_on(1, [minute], through) for minute in minutes]


def test_the_third_minute_in_order_is_a_replay() -> None:
    assert steps(Heads(), START, START + 1, START + 2, START + 3) == [False, False, True, True]


def test_a_source_judged_before_needs_two_minutes() -> None:
    assert steps(Heads(), START + 1, START + 2, through=START) == [False, True]


def test_more_reports_of_a_minute_are_no_steps() -> None:
    assert not any(steps(Heads(), START, START, START + 1, START + 1, START, START + 1))


def test_reports_that_overtake_each_other_do_not_end_a_replay() -> None:
    assert steps(Heads(), 0, 2, 1, 3, 2, 4)[3:] == [True, False, True]


def test_one_step_while_going_back_is_none() -> None:
    down = [START - place + (2 if place % 5 == 4 else 0) for place in range(60)]
    assert not any(steps(Heads(), *down))


def test_jumps_are_no_steps() -> None:
    far = conf.REPORT_MINUTES + 1
    assert not any(steps(Heads(), *(START + far * place for place in range(20))))
    near = conf.REPORT_MINUTES
    assert all(steps(Heads(), *(START + near * place for place in range(20)))[2:])


def test_a_gap_interrupts_a_replay_for_two_minutes() -> None:
    heads = Heads()
    steps(heads, 0, 1, 2)
    assert steps(heads, 100, 101, 102) == [False, False, True]


def test_sources_do_not_lead_each_other_on() -> None:
    heads = Heads()
    assert not any(heads.steps_on(source, [10 + source], NEVER) for source in range(10))


def batches(heads: Heads, *batches: range, through: int = NEVER) -> list[bool]:
    return [heads.go_on(1, list(batch), through) for batch in batches]


@pytest.mark.parametrize("through", [NEVER, START - 500])
def test_batches_in_order_go_on_from_the_first(through: int) -> None:
    hours = [range(START + 60 * hour, START + 60 * hour + 61) for hour in range(4)]
    assert all(first[-1] == second[0] for first, second in pairwise(hours))
    assert batches(Heads(), *hours, through=through) == [True] * 4


def test_batches_of_one_minute_are_steps_too_and_may_be_far_apart() -> None:
    nights = [range(600 * place, 600 * place + 1) for place in range(4)]
    assert batches(Heads(), *nights) == [False, False, True, True]


def test_a_source_among_many_goes_on_in_small_steps_only() -> None:
    def steps_of(apart: int) -> list[bool]:
        heads = Heads()
        return [heads.go_on(1, [apart * n], NEVER, conf.REPORT_MINUTES) for n in range(4)]

    assert steps_of(conf.REPORT_MINUTES) == [False, False, True, True]
    assert not any(steps_of(conf.REPORT_MINUTES + 1))


def test_two_minutes_of_one_batch_are_two_steps() -> None:
    assert batches(Heads(), range(2), range(2, 4)) == [False, True]


def test_a_minute_that_follows_on_what_is_judged_goes_on() -> None:
    assert batches(Heads(), range(START + 1, START + 2), through=START) == [True]
    later = START + conf.REPORT_MINUTES + 1
    assert batches(Heads(), range(later, later + 1), through=START) == [False]


def test_batches_that_go_back_do_not() -> None:
    back = [range(START - 60 * hour, START - 60 * hour + 60) for hour in range(4)]
    assert batches(Heads(), *back) == [True, False, False, False]


def test_a_batch_may_repeat_less_than_half_of_the_one_before() -> None:
    assert batches(Heads(), range(60), range(25, 85)) == [True, False]
    assert batches(Heads(), range(60), range(35, 95)) == [True, True]


def test_a_report_of_the_present_stands_before_no_batch_of_the_past() -> None:
    heads = Heads()
    steps(heads, START)
    assert batches(heads, range(START - 60, START)) == [False]


def test_what_was_known_can_be_forgotten() -> None:
    heads = Heads()
    steps(heads, START, START + 1)
    heads.forget()
    assert not any(steps(heads, START + 2, START + 3))


def test_strays_are_few_minutes_old() -> None:
    assert 0 < STRAY_MINUTES < conf.REPORT_MINUTES

"""What somebody confirmed to be a failure goes on being told, however often it comes back."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from msgspec.structs import replace as replaced

from detection.models import Label
from detection.scoring.series import MINUTES_PER_DAY
from detection.scoring.state import HISTORY_DAYS, State
from detection.selectors.declarations import Declarations, read_declarations
from detection.services.adopting import keep_confirmed
from detection.services.labels import label_deviation, revoke_label
from detection.services.lockstep import Lockstep
from detection.services.watched import unread
from detection.tests.makers import make_source
from ingest import steady_clock

DAY = 20_836
TWO = 8


def doubtful(days: int = 3) -> State:
    """Days on which volume and denials were in an alarm from two to half past."""
    state = State.new(1)
    for day in range(DAY, DAY + days):
        state.history[0, day % HISTORY_DAYS] = np.log1p(50.0)
        state.history[0, day % HISTORY_DAYS, TWO : TWO + 2] = -np.log1p(200.0)
        state.history_day[0, day % HISTORY_DAYS] = day
    state.routine_strength[0, TWO : TWO + 2] = 93
    state.routines[:] = True
    state.through[:] = (DAY + days) * MINUTES_PER_DAY - 1
    state.day[:] = DAY + days - 1
    return state


def window(day: int, family: str = "", ahead: int = 0) -> tuple[int, int, str]:
    begin = day * MINUTES_PER_DAY + 120 - ahead
    return begin, begin + 30, family


def doubted(state: State) -> list[int]:
    """Days of which the quarter hour from two on is doubtful."""
    return sorted((state.history_day[0][state.history[0, :, TWO] < 0] - DAY).tolist())


def test_a_confirmed_loss_of_volume_is_no_day_of_a_habit() -> None:
    state = doubtful()
    keep_confirmed(state, 0, [window(DAY + 1, "volume_low")], local=0)
    assert doubted(state) == [0, 2]
    slot = (DAY + 1) % HISTORY_DAYS
    assert np.flatnonzero(np.isnan(state.history[0, slot])).tolist() == [TWO, TWO + 1]
    assert state.routines.all()


def test_a_confirmed_rise_of_denials_is_no_routine_for_a_week() -> None:
    state = doubtful()
    keep_confirmed(state, 0, [window(DAY + 1, "decline")], local=0)
    assert doubted(state) == [0, 1, 2]
    assert not state.routines.any()
    assert not state.routine_strength.any()
    later = doubtful()
    later.through += 7 * MINUTES_PER_DAY
    keep_confirmed(later, 0, [window(DAY + 1, "decline")], local=0)
    assert later.routines.all()


def test_what_is_confirmed_lies_in_the_time_of_the_source() -> None:
    state = doubtful()
    keep_confirmed(state, 0, [window(DAY + 1, ahead=330)], local=330)
    assert doubted(state) == [0, 2]
    assert not state.routine_strength.any()


def test_a_failure_of_months_is_looked_at_for_the_days_that_are_known() -> None:
    state = doubtful()
    begin = (DAY - 400) * MINUTES_PER_DAY
    keep_confirmed(state, 0, [(begin, (DAY + 2) * MINUTES_PER_DAY, "")], local=0)
    assert doubted(state) == [2]


def test_nothing_else_is_touched() -> None:
    state = doubtful()
    keep_confirmed(state, 0, [window(DAY + 40), window(DAY - 40, "volume_high")], local=0)
    assert doubted(state) == [0, 1, 2]
    assert np.isfinite(state.history[0, [day % HISTORY_DAYS for day in range(DAY, DAY + 3)]]).all()
    np.testing.assert_array_equal(state.routine_strength, doubtful().routine_strength)


def test_it_is_looked_at_when_the_day_ends() -> None:
    declared = replace(Declarations(), confirmed={7: (window(DAY + 1),)})
    state = doubtful()
    last = int(state.through[0])
    state.through -= 2
    watched = replaced(unread(7), state=state, through=last - 2)
    lockstep = Lockstep([watched], ["UTC"], declared)
    list(lockstep.advance([last - 1], {}))
    assert doubted(lockstep.state) == [0, 1, 2]
    list(lockstep.advance([last], {}))
    assert doubted(lockstep.state) == [0, 2]


@pytest.mark.django_db
def test_labels_of_the_last_four_weeks_say_so_until_they_are_taken_back() -> None:
    source, now = make_source(), steady_clock.now()
    ends = now - timedelta(hours=9)
    label = label_deviation(
        source=source,
        kind=Label.Kind.INCIDENT,
        family="decline",
        starts=ends - timedelta(minutes=29),
        ends=ends,
        now=now,
    )
    old = now - timedelta(days=40)
    label_deviation(source=source, kind=Label.Kind.INCIDENT, starts=old, ends=old, now=now)
    ((first, end, family),) = read_declarations().confirmed[source.pk]
    assert (end - first, family) == (30, "decline")
    revoke_label(label=label, by=None, now=now)
    assert read_declarations().confirmed == {}

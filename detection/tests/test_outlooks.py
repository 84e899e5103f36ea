"""An outlook is worked out once for each source and minute, together with those of others."""

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest

from detection.scoring.minutes import Moments
from detection.scoring.outlook import Outlook
from detection.scoring.policy import Policy
from detection.scoring.state import Joined, State
from detection.services import outlooks
from detection.services.outlooks import Remembered
from detection.services.sweep import sweep_closed_minutes
from detection.services.watch import watch
from detection.services.watched import Watched, stack_policies
from detection.tests.makers import at, make_counts, make_source

pytestmark = pytest.mark.django_db
LEARNED = 600
POLICY = Policy.defaults(1)


@pytest.fixture
def known() -> list[Watched]:
    sources = [make_source(f"s{number}") for number in range(3)]
    for number, source in enumerate(sources):
        make_counts(source, range(LEARNED - 40 * number))
    sweep_closed_minutes(now=at(LEARNED + 0.5))
    return list(watch.get([source.pk for source in sources], fresh=0).values())


def moments(*minutes: int, factors: list[float] | None = None) -> Moments:
    numbers = np.array(minutes, np.int64) + int(at(0).timestamp()) // 60
    return Moments(numbers, numbers - 180, None if factors is None else np.array(factors))


def arrays(part: Any) -> list[Any]:
    values = [getattr(part, one.name) for one in fields(part)]
    return [array for one in values for array in (arrays(one) if is_dataclass(one) else [one])]


def same(one: Outlook, other: Outlook) -> bool:
    return all(map(np.array_equal, arrays(one), arrays(other)))


def asked(remembered: Remembered, known: list[Watched], when: Moments) -> Outlook:
    policies = [POLICY] * len(known)
    return remembered.of(known, policies)(known[0].state, stack_policies(policies), when)


def alone(one: Watched, when: Moments) -> Outlook:
    return Outlook.of(one.state, POLICY, when)


def test_worked_out_together_is_what_it_is_alone(known: list[Watched]) -> None:
    together = asked(Remembered(), known, moments(600, 601, 30, factors=[1.0, 1.3, 1.0]))
    for row, (minute, factor) in enumerate([(600, 1.0), (601, 1.3), (30, 1.0)]):
        assert same(together.row(row), alone(known[row], moments(minute, factors=[factor])))


def test_only_what_is_missing_is_worked_out(
    known: list[Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []

    def counted(state: State, policy: Policy, when: Moments) -> Outlook:
        sizes.append(len(state))
        return whole(state, policy, when)

    whole = Outlook.of
    monkeypatch.setattr(Outlook, "of", counted)
    remembered = Remembered()
    asked(remembered, known[:1], moments(600))
    asked(remembered, known, moments(600, 600, 600))
    asked(remembered, known, moments(600, 600, 600))
    asked(remembered, known, moments(600, 601, 600))
    assert sizes == [1, 2, 1]


def test_a_row_holds_nothing_of_the_others(known: list[Watched]) -> None:
    together = Outlook.of(*_stacked(known), moments(600, 600, 600))
    assert all(array.base is None for array in arrays(together.row(1)))


def test_only_so_many_are_kept(known: list[Watched], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlooks, "MOST_KEPT", 3)
    remembered = Remembered()
    asked(remembered, known[:2], moments(600, 600))
    asked(remembered, known[1:], moments(601, 601))
    assert len(remembered._kept) == 2


def _stacked(known: list[Watched]) -> tuple[State, Policy]:
    policies = [POLICY] * len(known)
    return Joined([one.state for one in known]), stack_policies(policies)

"""A declared stop calls nobody for silence or low volume, while it lasts and when it ends."""

from collections.abc import Iterable

import pytest

from detection.models import Anomaly, SpecialDay
from detection.services.assess import assess
from detection.services.sweep import sweep_closed_minutes
from detection.tests.conftest import Clock
from detection.tests.makers import at, make_counts, make_source, report, set_count
from ingest.models import Source

pytestmark = pytest.mark.django_db


def stop(ends: int = 360, **values: object) -> Source:
    """A source that reports nothing for an hour, as declared."""
    source = make_source()
    facts = {"source": source, "kind": "migration", "factor": 0.01, **values}
    SpecialDay.objects.create(name="move", starts=at(300), ends=at(ends), **facts)
    make_counts(source, range(300))
    return source


def sweep(until: int) -> None:
    for minute in (*range(300, until, 20), until):
        sweep_closed_minutes(now=at(minute + 0.5), seconds=60)


def found() -> Iterable[str]:
    return set(Anomaly.objects.values_list("family", flat=True))


@pytest.mark.parametrize("factor", [0.01, 1.0])
@pytest.mark.parametrize("zeros", [False, True])
def test_a_declared_stop_calls_nobody(factor: float, zeros: bool) -> None:
    source = stop(factor=factor)
    for minute in range(300, 360) if zeros else ():
        set_count(source, minute, "approved", "00", 0)
    make_counts(source, range(360, 420), seed=2)
    sweep(420)
    assert found() == set()


def test_a_stop_of_all_sources_holds_for_each() -> None:
    stop(source=None)
    sweep(360)
    assert found() == set()


def test_a_stop_that_lasts_longer_than_declared_is_told() -> None:
    stop()
    sweep(380)
    first = Anomaly.objects.filter(family="silence").earliest("minute")
    assert at(360) <= first.minute <= at(365)


def test_other_families_and_other_kinds_of_days_are_watched() -> None:
    stop(kind="holiday")
    sweep(360)
    assert found() == {"silence"}


def test_what_comes_back_first_is_not_told_of_the_stop(clock: Clock) -> None:
    source = stop(factor=1.0)
    for minute in range(300, 360):
        set_count(source, minute, "approved", "00", 0)
    clock.stand(360.2)
    sweep_closed_minutes(now=at(359.5), seconds=60)
    [verdict] = assess([report(source, 360.1, "approved", 90)], complete=False)
    assert verdict.alert_level == "NORMAL"
    assert found() == set()

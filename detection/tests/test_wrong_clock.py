"""What was judged by a clock that ran ahead is put right once the clock is."""

import pytest

from detection import conf
from detection.models import Anomaly, Band, Baseline, Checkpoint
from detection.services.stored_states import state_of
from detection.services.sweep import sweep_closed_minutes
from detection.services.watch import watch
from detection.tests.makers import at, make_counts, make_source
from ingest.models import Source

pytestmark = pytest.mark.django_db
YEAR = 365 * 1440


def sweep(minutes: float) -> None:
    sweep_closed_minutes(now=at(minutes), seconds=60)


def through(source: Source) -> object:
    return Baseline.objects.get(source=source).through


def judged_ahead(ahead: int = 60, minutes: int = 200) -> Source:
    """A source that reported for so long, swept by a clock that is so many minutes ahead."""
    source = make_source()
    make_counts(source, range(minutes))
    sweep(minutes + 0.5)
    sweep(minutes + ahead + 0.5)
    return source


def picture() -> list[tuple[object, ...]]:
    bands = Band.objects.order_by("source", "minute").values_list(
        "source_id", "minute", "level", "score", "digest"
    )
    return [*bands, *((state_of(row).pack(), row.through) for row in Baseline.objects.all())]


def test_ahead_of_time_every_source_seems_silent() -> None:
    source = judged_ahead(minutes=600)
    assert through(source) == at(659)
    assert Anomaly.objects.filter(family="silence", level="CRITICAL").exists()


def test_once_the_clock_is_right_nothing_is_said_of_minutes_to_come() -> None:
    source = judged_ahead()
    make_counts(source, [200, 201])
    sweep(202.5)
    assert through(source) == at(201)
    assert not Band.objects.filter(minute__gt=at(201)).exists()
    assert not Anomaly.objects.filter(minute__gt=at(201)).exists()
    assert not Checkpoint.objects.filter(through__gt=at(201)).exists()


def test_what_is_reported_then_is_judged_as_if_the_clock_had_been_right() -> None:
    source = judged_ahead(minutes=600)
    make_counts(source, range(600, 625), seed=2)
    sweep(625.5)
    after = picture()
    for model in (Band, Anomaly, Baseline, Checkpoint):
        model.objects.all().delete()
    watch.forget()
    sweep(625.5)
    assert after == picture()
    assert not Anomaly.objects.filter(family="silence").exists()


def test_what_an_incident_has_taken_in_is_withdrawn() -> None:
    source = judged_ahead(minutes=600)
    Anomaly.objects.update(absorbed=at(661))
    make_counts(source, [600, 601])
    sweep(602.5)
    assert Anomaly.objects.exists()
    assert not Anomaly.objects.filter(withdrawn=None).exists()


def test_a_source_that_is_silent_now_has_nothing_to_be_judged_again() -> None:
    source = judged_ahead()
    sweep(205.5)
    assert through(source) == at(259)


def test_a_clock_that_is_behind_undoes_nothing() -> None:
    source = make_source()
    make_counts(source, range(200))
    sweep(200.5)
    before = picture()
    sweep(140.5)
    assert picture() == before
    make_counts(source, range(200, 210))
    sweep(210.5)
    assert through(source) == at(209)


def test_workers_whose_clocks_differ_a_little_leave_each_other_alone() -> None:
    source = judged_ahead(ahead=4)
    make_counts(source, [200, 201])
    sweep(201.5)
    assert through(source) == at(203)


def test_reports_that_took_their_time_from_the_wrong_clock_are_left_where_they_are() -> None:
    source = judged_ahead(ahead=0)
    make_counts(source, range(260, 270))
    sweep(270.5)
    make_counts(source, range(210, 213))
    sweep(213.5)
    assert through(source) == at(212)
    assert not Band.objects.filter(minute__gt=at(212)).exists()


def test_a_year_ahead_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every hour of the wrong year leaves a checkpoint, and the true ones are too old to keep."""
    monkeypatch.setattr(conf, "LEARNED_AGAIN", conf.MINUTE * 100)
    source = judged_ahead(ahead=0)
    make_counts(source, range(YEAR, YEAR + 70))
    sweep(YEAR + 70.5)
    assert not Checkpoint.objects.filter(through__lt=at(YEAR)).exists()
    make_counts(source, range(260, 263))
    sweep(263.5)
    assert through(source) == at(262)
    assert Band.objects.get(minute=at(262)).digest
    assert Baseline.objects.get(source=source).live


def test_each_minute_after_that_is_judged_as_it_comes() -> None:
    source = judged_ahead()
    for minute in range(200, 206):
        make_counts(source, [minute], seed=minute)
        sweep(minute + 1.5)
        assert through(source) == at(minute if minute > 200 else 259)
    assert not Anomaly.objects.exists()

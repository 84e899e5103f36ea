"""Late, corrected and backfilled counts end in the same verdicts as counts in order."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from msgspec.structs import replace

from detection.models import Anomaly, Band, Baseline, Recheck
from detection.services.assess import assess
from detection.services.stored_states import state_of
from detection.services.sweep import sweep_closed_minutes
from detection.services.watch import watch
from detection.tests.conftest import Clock
from detection.tests.makers import (
    at,
    make_counts,
    make_source,
    mark_late,
    recorded,
    report,
    set_count,
)
from ingest.models import LateMark, MinuteCount, Source

pytestmark = pytest.mark.django_db
Picture = tuple[list[tuple[object, ...]], list[tuple[object, ...]], list[list[bytes]]]


def picture() -> Picture:
    """All that was concluded, apart from when."""
    bands = Band.objects.order_by("source", "minute").values_list(
        "source_id", "minute", "level", "score", "expected", "digest"
    )
    found = Anomaly.objects.order_by("source", "minute", "family").values_list(
        "source_id", "minute", "family", "level", "score", "reasons"
    )
    states = [state_of(row).pack() for row in Baseline.objects.order_by("source")]
    return list(bands), [tuple(map(str, one)) for one in found], states


def from_scratch(minutes: float) -> Picture:
    for model in (Band, Anomaly, Baseline, Recheck, LateMark):
        model.objects.all().delete()
    watch.forget()
    sweep_closed_minutes(now=at(minutes), seconds=100)
    return picture()


def hide(source: Source, first: int, last: int) -> list[MinuteCount]:
    rows = MinuteCount.objects.filter(source=source, minute__gte=at(first), minute__lt=at(last))
    kept = list(rows)
    rows.delete()
    return kept


def tell_late(source: Source, rows: list[MinuteCount]) -> None:
    MinuteCount.objects.bulk_create(rows)
    for row in rows:
        mark_late(source, int((row.minute - at(0)) / timedelta(minutes=1)))


def surge(source: Source, first: int, last: int) -> None:
    for minute in range(first, last):
        set_count(source, minute, "denied", "51", 45)


def test_late_minutes_are_judged_as_if_they_had_come_in_order() -> None:
    source = make_source()
    make_counts(source, range(700))
    surge(source, 400, 420)
    late = hide(source, 395, 430)
    sweep_closed_minutes(now=at(700.5), seconds=60)
    assert not Anomaly.objects.filter(family="decline").exists()
    tell_late(source, late)
    sweep_closed_minutes(now=at(700.6), seconds=60)
    after = picture()
    assert Anomaly.objects.filter(family="decline", level="CRITICAL").exists()
    assert not LateMark.objects.exists()
    assert after == from_scratch(700.6)


def test_late_minutes_call_nobody() -> None:
    source = make_source()
    make_counts(source, range(700))
    surge(source, 400, 420)
    late = hide(source, 395, 430)
    sweep_closed_minutes(now=at(700.5), seconds=60)
    tell_late(source, late)
    sweep_closed_minutes(now=at(700.6), seconds=60)
    assert not Anomaly.objects.filter(minute__lt=at(680), past=False).exists()


def test_a_correction_takes_an_anomaly_back() -> None:
    source = make_source()
    make_counts(source, range(600))
    surge(source, 590, 600)
    sweep_closed_minutes(now=at(600.5))
    absorbed = Anomaly.objects.latest("id")
    Anomaly.objects.filter(pk=absorbed.pk).update(absorbed=at(601))
    for minute in range(590, 600):
        set_count(source, minute, "denied", "51", 3)
        mark_late(source, minute)
    sweep_closed_minutes(now=at(600.7))
    assert list(Anomaly.objects.values_list("pk", flat=True)) == [absorbed.pk]
    assert Anomaly.objects.get().withdrawn is not None


def test_an_unchanged_hour_is_not_judged_again() -> None:
    source = make_source()
    make_counts(source, range(200))
    sweep_closed_minutes(now=at(200.5))
    version = Baseline.objects.get().version
    mark_late(source, 30)
    assert sweep_closed_minutes(now=at(200.6)).rechecked == 0
    assert Baseline.objects.get().version == version
    assert not LateMark.objects.exists()
    assert not Recheck.objects.exists()


def test_an_hour_that_is_not_judged_to_its_end_is_looked_at_again() -> None:
    source = make_source()
    make_counts(source, range(200))
    sweep_closed_minutes(now=at(200.5))
    mark_late(source, 190)
    sweep_closed_minutes(now=at(200.6))
    assert Recheck.objects.count() == 1
    sweep_closed_minutes(now=at(200.6) + timedelta(minutes=11))
    assert not Recheck.objects.exists()


def test_history_imported_before_a_young_source_is_learned() -> None:
    source = make_source()
    make_counts(source, range(4000, 4100))
    sweep_closed_minutes(now=at(4100.5))
    make_counts(source, range(4000), seed=2)
    for hour in range(0, 4000, 60):
        mark_late(source, hour)
    sweep_closed_minutes(now=at(4101))
    assert Band.objects.count() == 100
    sweep_closed_minutes(now=at(4102), seconds=60)
    assert picture() == from_scratch(4102)
    assert Band.objects.count() > 4000


def test_one_change_older_than_all_checkpoints_is_only_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = make_source()
    make_counts(source, range(4000), rate=20)
    sweep_closed_minutes(now=at(4000.5), seconds=60)
    version = Baseline.objects.get().version
    set_count(source, 100, "denied", "51", 30)
    mark_late(source, 100)
    sweep_closed_minutes(now=at(4000.6))
    assert "not judged again" in caplog.text
    assert Baseline.objects.get().version == version
    assert not Recheck.objects.exists()


def test_a_gap_of_weeks_is_not_walked_through() -> None:
    source = make_source()
    make_counts(source, range(300))
    make_counts(source, range(30_000, 30_100), seed=3)
    sweep_closed_minutes(now=at(30_100.5), seconds=60)
    judged = Band.objects.filter(minute__gte=at(300), minute__lt=at(30_000)).count()
    assert judged == 24 * 60
    assert Baseline.objects.get().through == at(30_099)


def test_a_source_that_comes_back_is_not_a_spike() -> None:
    source = make_source()
    make_counts(source, range(900))
    make_counts(source, range(960, 1100), seed=3)
    sweep_closed_minutes(now=at(1100.5), seconds=60)
    assert not Anomaly.objects.filter(family="volume_high").exists()
    assert Anomaly.objects.filter(family="silence", minute__gte=at(900)).exists()
    assert not Anomaly.objects.filter(minute__gte=at(975)).exists()


def test_of_a_minute_that_is_too_old_to_be_judged_again_nothing_is_kept(clock: Clock) -> None:
    source = make_source()
    days = 3 * 1440
    make_counts(source, range(days), rate=20)
    sweep_closed_minutes(now=at(days + 0.6), seconds=100)
    for minute, kept in ((600, False), (days - 1440, True)):
        clock.stand(days + 0.9)
        mark_late(source, minute)
        [told] = assess([report(source, minute, "failed", 80)], complete=False)
        assert told.is_anomaly
        assert Anomaly.objects.filter(minute=at(minute), provisional=True).exists() is kept
        sweep_closed_minutes(now=at(days + 0.9), seconds=100)
        assert not Anomaly.objects.filter(provisional=True).exists()


def test_of_an_unchanged_minute_whose_verdict_is_forgotten_nothing_is_kept(clock: Clock) -> None:
    source = make_source()
    make_counts(source, range(400))
    sweep_closed_minutes(now=at(400.6), seconds=100)
    Band.objects.filter(minute=at(350)).delete()
    set_count(source, 350, "failed", "00", 80)
    clock.stand(400.9)
    [told] = assess([replace(recorded(source, 350, "failed", 80), changed=False)], complete=False)
    assert told.is_anomaly
    assert not Anomaly.objects.filter(minute=at(350)).exists()


def test_many_late_minutes_ask_the_database_no_more_often_than_two(clock: Clock) -> None:
    source = make_source()
    days = 3 * 1440
    make_counts(source, range(days), rate=20)
    sweep_closed_minutes(now=at(days + 0.6), seconds=100)
    clock.stand(days + 0.9)
    asked = []
    for minutes in (range(500, 501), range(600, 602), range(700, 740)):
        late = [report(source, minute, "failed", 80) for minute in minutes]
        with CaptureQueriesContext(connection) as queries:
            assert all(told.is_anomaly for told in assess(late, complete=False))
        asked.append(len(queries))
    assert asked[1] == asked[2], "the first one looks up what is remembered"

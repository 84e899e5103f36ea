"""The sweep judges each closed minute once, in order, whatever else runs."""

import pytest

from detection.models import Anomaly, Band, Baseline, Checkpoint
from detection.services.stored_states import state_of
from detection.services.sweep import sweep_closed_minutes
from detection.services.watch import watch
from detection.tests.makers import at, make_counts, make_source, set_count
from ingest.models import MinuteCount, Source

pytestmark = pytest.mark.django_db


def standing() -> list[tuple[object, ...]]:
    return sorted(Band.objects.values_list("source_id", "minute", "level", "score", "digest"))


def states() -> dict[int, bytes]:
    return {row.source_id: state_of(row).pack()[0] for row in Baseline.objects.all()}


def test_it_judges_every_closed_minute() -> None:
    source = make_source()
    make_counts(source, range(100))
    sweep_closed_minutes(now=at(100.5))
    assert Band.objects.filter(source=source).count() == 100
    assert Baseline.objects.get(source=source).through == at(99)
    assert Checkpoint.objects.filter(source=source).count() == 1


def test_it_waits_for_the_grace_of_a_minute() -> None:
    source = make_source()
    make_counts(source, range(10))
    sweep_closed_minutes(now=at(9 + 79 / 60))
    assert Baseline.objects.get(source=source).through == at(8)


def test_sweeping_again_changes_nothing() -> None:
    make_counts(make_source(), range(50))
    sweep_closed_minutes(now=at(50.5))
    before, state = standing(), states()
    swept = sweep_closed_minutes(now=at(50.5))
    assert (standing(), states(), swept.minutes) == (before, state, 0)


def test_a_source_that_cannot_be_judged_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    sources = [make_source(f"s{number}") for number in range(3)]
    for number, source in enumerate(sources):
        make_counts(source, range(200), seed=number)
    broken = Source.objects.filter(name="s1")
    broken.update(time_zone="Mars/Olympus_Mons")
    with pytest.raises(KeyError, match="Mars/Olympus_Mons"):
        sweep_closed_minutes(now=at(200.5))
    assert f"source {sources[1].pk} is not judged" in caplog.text
    others, state = standing(), states()
    assert {row[0] for row in others} == {sources[0].pk, sources[2].pk}
    broken.update(time_zone="UTC")
    sweep_closed_minutes(now=at(200.5))
    assert len(standing()) == 600
    for model in (Band, Baseline, Checkpoint):
        model.objects.all().delete()
    watch.forget()
    sweep_closed_minutes(now=at(200.5))
    assert set(others) <= set(standing())
    assert state.items() <= states().items()


def test_together_is_the_same_as_one_by_one() -> None:
    sources = [make_source(f"s{number}") for number in range(3)]
    for number, source in enumerate(sources):
        make_counts(source, range(40 * number, 200), seed=number, rate=20 * (number + 1))
    sweep_closed_minutes(now=at(200.5))
    together, state = standing(), states()
    Baseline.objects.all().delete()
    Band.objects.all().delete()
    watch.forget()
    for minute in range(1, 201):
        sweep_closed_minutes(now=at(minute + 0.5))
    assert standing() == together
    assert states() == state


def test_a_source_that_never_reported_is_left_alone() -> None:
    make_source()
    assert sweep_closed_minutes(now=at(5)).sources == 0
    assert not Baseline.objects.exists()


def test_a_surge_of_denials_becomes_an_anomaly() -> None:
    source = make_source()
    make_counts(source, range(600))
    for minute in range(590, 600):
        set_count(source, minute, "denied", "51", 40)
    sweep_closed_minutes(now=at(600.5))
    found = Anomaly.objects.filter(source=source, family="decline")
    assert found.filter(level="CRITICAL", past=False, provisional=False).exists()
    assert not Anomaly.objects.filter(minute__lt=at(590)).exists()
    of_code = found.filter(auth_code="51", count=40).latest("minute")
    # What is seen of a code stands beside what is expected of it, not of all denials.
    usual = MinuteCount.objects.get(source=source, minute=at(500), auth_code="51").count
    assert of_code.expected == pytest.approx(usual, rel=0.5)
    assert (of_code.upper or 40) < 40


def test_nobody_is_called_for_minutes_long_past() -> None:
    source = make_source()
    make_counts(source, range(600))
    for minute in range(560, 570):
        set_count(source, minute, "denied", "51", 40)
    sweep_closed_minutes(now=at(600.5))
    assert Anomaly.objects.filter(minute__lt=at(580)).exists()
    assert not Anomaly.objects.filter(minute__lt=at(580), past=False).exists()


def test_silence_of_a_live_source_is_found() -> None:
    source = make_source()
    make_counts(source, range(600))
    sweep_closed_minutes(now=at(600.5))
    sweep_closed_minutes(now=at(608.5))
    assert Anomaly.objects.filter(source=source, family="silence").exists()


def test_an_import_of_old_files_is_not_a_silence() -> None:
    source = make_source()
    make_counts(source, range(600))
    sweep_closed_minutes(now=at(5000))
    assert Baseline.objects.get(source=source).through == at(599)
    assert not Anomaly.objects.filter(family="silence").exists()

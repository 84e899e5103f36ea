"""A report is answered at once, whatever the state of its minute."""

import pytest
from msgspec.structs import replace

from detection import conf
from detection.models import Anomaly, Band, Baseline, Policy
from detection.selectors.declarations import forget_declarations
from detection.services.assess import assess
from detection.services.sweep import sweep_closed_minutes
from detection.services.watch import watch
from detection.tests.conftest import Clock
from detection.tests.makers import at, make_counts, make_source, recorded, report, set_count
from ingest.models import MinuteCount, Source

pytestmark = pytest.mark.django_db


def learned(minutes: int = 600) -> Source:
    source = make_source()
    make_counts(source, range(minutes))
    sweep_closed_minutes(now=at(minutes + 0.5))
    return source


def test_a_new_source_is_told_that_it_is_being_learned(clock: Clock) -> None:
    clock.stand(0.5)
    [verdict] = assess([report(make_source(), 0.5, "approved", 100)], complete=False)
    assert verdict.learning
    assert verdict.alert_level == "NORMAL"
    assert "0 of" in verdict.reasons[-1]


def test_an_ordinary_report_is_normal(clock: Clock) -> None:
    source = learned()
    clock.stand(600.9)
    [verdict] = assess([report(source, 600.5, "approved", 95)], complete=False)
    assert (verdict.alert_level, verdict.is_anomaly, verdict.learning) == ("NORMAL", False, False)
    assert verdict.metrics is not None
    assert verdict.metrics.expected is not None
    assert verdict.metrics.approval_rate == 1.0
    assert not Anomaly.objects.exists()


def test_that_little_has_come_of_a_filling_minute_is_no_distance(clock: Clock) -> None:
    source = learned()
    clock.stand(600.2)
    [verdict] = assess([report(source, 600.1, "approved", 5)], complete=False)
    assert (verdict.alert_level, verdict.anomaly_score) == ("NORMAL", 0.0)


def test_a_static_rule_speaks_while_a_source_is_being_learned(clock: Clock) -> None:
    source = make_source()
    rule = {"name": "failures", "metric": "failed", "op": ">=", "value": 10, "level": "CRITICAL"}
    Policy.objects.create(source=source, rules=[rule])
    forget_declarations()
    clock.stand(0.5)
    [verdict] = assess([report(source, 0.5, "failed", 12)], complete=False)
    assert (verdict.learning, verdict.alert_level) == (True, "CRITICAL")


def test_each_broken_rule_is_told_once(clock: Clock) -> None:
    source = learned()
    low = {"metric": "approval_rate", "op": "<", "value": 0.9, "level": "WARNING"}
    rules = [{**low, "name": "LOW"}, {**low, "name": "LOWER", "value": 0.7, "level": "CRITICAL"}]
    Policy.objects.create(source=source, rules=rules)
    clock.stand(602.6)
    reports = [report(source, 601, "approved", 30), report(source, 601, "denied", 70, "51")]
    [_, told] = assess(reports, complete=True)
    assert {text.split(":")[0] for text in told.rule_violations} >= {"LOW", "LOWER"}
    assert len(set(told.rule_violations)) == len(told.rule_violations)
    assert len(set(told.reasons)) == len(told.reasons)
    stored = Anomaly.objects.get(family="decline", minute=at(601))
    assert sorted(stored.violations) == sorted(told.rule_violations)


@pytest.mark.parametrize("complete", [False, True])
def test_in_brief_it_says_the_same_without_the_numbers(clock: Clock, complete: bool) -> None:
    source, other = learned(), make_source("other")
    clock.stand(601.5)
    reports = [
        report(source, 600.5, "denied", 90, "51"),
        report(source, 600.5, "denied", 3, "05"),
        report(source, 600.5, "approved", 80),
        report(other, 600.5, "approved", 80),
    ]
    whole = assess(reports, complete=complete)
    brief = assess(reports, complete=complete, brief=True)
    assert [replace(one, metrics=None) for one in whole] == list(brief)
    assert [one.is_anomaly for one in brief] == [True, True, False, False]


def test_it_never_changes_the_baseline_of_a_live_source(clock: Clock) -> None:
    source = learned()
    clock.stand(600.9)
    before = Baseline.objects.values().get()
    first = assess([report(source, 600.5, "denied", 60, "51")], complete=False)
    second = assess([recorded(source, 600.5, "denied", 60, "51")], complete=False)
    assert Baseline.objects.values().get() == before
    assert [one.anomaly_score for one in first] == [one.anomaly_score for one in second]


def test_each_report_of_a_group_has_its_own_verdict_in_order(clock: Clock) -> None:
    source = learned()
    other = make_source("other")
    clock.stand(600.9)
    reports = [
        report(source, 600.5, "approved", 92),
        report(other, 600.5, "denied", 1, "51"),
        report(source, 600.6, "denied", 4, "51"),
    ]
    verdicts = assess(reports, complete=False)
    assert [one.metrics.status for one in verdicts if one.metrics] == [
        "approved",
        "denied",
        "denied",
    ]
    assert [one.learning for one in verdicts] == [False, True, False]


def replay_minute(source: Source, minute: int, **counts: int) -> list[str]:
    for name, count in counts.items():
        set_count(source, minute, name, "51" if name == "denied" else "00", count)
    reports = [
        recorded(source, minute, name, count, "51" if name == "denied" else "00")
        for name, count in counts.items()
    ]
    return [one.alert_level for one in assess(reports, complete=True)]


def test_a_replay_of_the_past_is_judged_in_order_in_its_requests(clock: Clock) -> None:
    source = make_source()
    clock.stand(100_000)
    levels = [replay_minute(source, minute, approved=95, denied=5) for minute in range(300)]
    assert {level for row in levels for level in row} == {"NORMAL"}
    surge = [replay_minute(source, minute, approved=60, denied=40) for minute in range(300, 306)]
    assert [row[0] for row in surge] == ["NORMAL"] * 6
    assert surge[-1][1] == "CRITICAL"
    assert Baseline.objects.get().through == at(304)
    assert not Anomaly.objects.filter(past=False).exists()


def test_a_replay_gives_what_the_sweep_gives(clock: Clock) -> None:
    source = make_source()
    clock.stand(100_000)
    for minute in range(200):
        replay_minute(source, minute, approved=90 + minute % 7, denied=minute % 5)
    bands = Band.objects.order_by("minute").values_list("minute", "score", "expected", "digest")
    replayed = list(bands.all())
    Band.objects.all().delete()
    Baseline.objects.all().delete()
    watch.forget()
    sweep_closed_minutes(now=at(100_000))
    assert list(bands.filter(minute__lt=at(199))) == replayed


def test_a_batch_of_many_minutes_is_answered_minute_by_minute(clock: Clock) -> None:
    source = make_source()
    make_counts(source, range(400))
    for minute in range(395, 400):
        set_count(source, minute, "denied", "51", 40)
    clock.stand(100_000)
    rows = MinuteCount.objects.filter(minute__gte=at(380), status="denied", auth_code="51")
    minutes = [int((row.minute - at(0)).total_seconds() // 60) for row in rows.order_by("minute")]
    verdicts = assess([recorded(source, one, "denied", 1, "51") for one in minutes], complete=True)
    assert [one.is_anomaly for one in verdicts[:15]] == [False] * 15
    assert verdicts[-1].alert_level == "CRITICAL"


@pytest.mark.parametrize(("beside", "judged"), [(0, True), (conf.PLACES, False)])
def test_a_batch_of_many_sources_leaves_long_ways_to_the_sweep(
    clock: Clock, beside: int, judged: bool
) -> None:
    source, *others = [make_source(f"s{number}") for number in range(1 + beside)]
    make_counts(source, range(0, 601, 300))
    clock.stand(100_000)
    for minute in range(0, 601, 300):
        rows = [(source, minute), *((other, 5_000 - minute) for other in others)]
        assess([recorded(one, at, "approved", 95) for one, at in rows], complete=True)
    assert Baseline.objects.filter(source=source).exists() is judged


def test_a_judged_minute_keeps_its_verdict(clock: Clock) -> None:
    source = make_source()
    make_counts(source, range(600))
    for minute in range(590, 600):
        set_count(source, minute, "denied", "51", 40)
    sweep_closed_minutes(now=at(600.5))
    clock.stand(601)
    [verdict] = assess([recorded(source, 599, "denied", 40, "51")], complete=False)
    assert verdict.alert_level == "CRITICAL"
    assert verdict.reasons
    assert Anomaly.objects.filter(provisional=True).count() == 0


def test_late_counts_are_answered_but_call_nobody(clock: Clock) -> None:
    source = learned()
    clock.stand(601)
    [verdict] = assess([report(source, 300, "denied", 80, "51")], complete=False)
    assert verdict.judged
    assert not Anomaly.objects.filter(past=False).exists()
    assert not Anomaly.objects.filter(provisional=False).exists()


def test_what_no_report_speaks_of_is_told_with_the_first(clock: Clock) -> None:
    source = make_source()
    clock.stand(100_000)
    for minute in range(300):
        replay_minute(source, minute, approved=95, denied=5)
    for minute in range(300, 310):
        set_count(source, minute, "denied", "51", 40)
        levels = [
            one.alert_level
            for one in assess([report(source, minute, "approved", 60)], complete=True)
        ]
    assert levels == ["CRITICAL"]


def test_a_source_that_is_not_watched_is_answered_without_a_verdict(clock: Clock) -> None:
    source = make_source(enabled=False)
    clock.stand(0.5)
    [verdict] = assess([report(source, 0.5, "failed", 100)], complete=False)
    assert (verdict.judged, verdict.is_anomaly) == (False, False)

"""What is asked about again is told what it was told, as long as the counts are the same."""

import pytest
from msgspec.structs import replace

from detection.models import Anomaly, Policy
from detection.services.assess import assess
from detection.services.closing import close_minute
from detection.services.sweep import sweep_closed_minutes
from detection.tests.conftest import Clock
from detection.tests.makers import at, make_counts, make_source, recorded, set_count
from ingest.assessment import Verdict
from ingest.models import Source
from ingest.reports import RecordedReport

pytestmark = pytest.mark.django_db


def asked_twice(
    clock: Clock, source: Source, minute: int, *statuses: str
) -> list[tuple[Verdict, Verdict]]:
    """What is answered of the counts of a complete minute before and after it is judged."""
    reports: list[RecordedReport] = [
        recorded(source, minute, status, 60, "51" if status == "denied" else "00")
        for status in statuses
    ]
    clock.stand(minute + 1.5)
    first = assess(reports, complete=True)
    sweep_closed_minutes(now=at(minute + 1.6), seconds=60)
    clock.stand(minute + 1.7)
    again = assess([replace(one, changed=False) for one in reports], complete=True)
    return list(zip(first, again, strict=True))


@pytest.mark.parametrize(
    "rules", [[], [{"name": "MANY", "metric": "denied", "op": ">", "value": 1}]]
)
def test_a_source_that_is_being_learned_is_told_the_same(
    rules: list[dict[str, object]], clock: Clock
) -> None:
    source = make_source()
    Policy.objects.create(source=source, rules=[{**one, "level": "CRITICAL"} for one in rules])
    make_counts(source, range(61))
    sweep_closed_minutes(now=at(60.5), seconds=60)
    for first, again in asked_twice(clock, source, 60, "denied", "approved"):
        assert first.learning
        assert first == again
    assert "60 of 120" in first.reasons[-1]


def test_a_closed_minute_of_a_source_that_is_being_learned_is_told_the_same(clock: Clock) -> None:
    source = make_source()
    make_counts(source, range(61))
    clock.stand(100_000)
    ref, number = recorded(source, 60, "denied", 1).source, int(at(60).timestamp() // 60)
    first, again = [close_minute(source=ref, minute=number) for _ in range(2)]
    assert first == again
    assert "60 of 120" in str(first["recommendation"])
    assert first["expected_total"] is None


def test_families_that_are_as_bad_as_each_other_stand_in_the_same_order(clock: Clock) -> None:
    source = make_source()
    make_counts(source, range(406))
    for minute in range(400, 406):
        set_count(source, minute, "refunded", "00", 40)
        set_count(source, minute, "denied", "51", 60)
    sweep_closed_minutes(now=at(405.5), seconds=60)
    told = asked_twice(clock, source, 405, "approved", "denied", "refunded")
    worst = Anomaly.objects.filter(minute=at(405), level="CRITICAL")
    assert set(worst.values_list("family", flat=True)) >= {"decline", "reversal"}
    for first, again in told:
        assert (first.family, first.reasons) == (again.family, again.reasons)


def test_the_distance_and_the_score_are_those_of_the_status(clock: Clock) -> None:
    source = make_source()
    make_counts(source, range(406))
    for minute in range(400, 406):
        set_count(source, minute, "denied", "51", 60)
    sweep_closed_minutes(now=at(405.5), seconds=60)
    for first, again in asked_twice(clock, source, 405, "approved", "denied"):
        assert again.anomaly_score == pytest.approx(first.anomaly_score, abs=0.01)
        assert first.metrics is not None
        assert again.metrics is not None
        assert again.metrics.zscore == pytest.approx(first.metrics.zscore, abs=0.01)

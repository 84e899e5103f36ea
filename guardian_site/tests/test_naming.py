"""The answer to a report names the incident that it belongs to."""

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

import pytest
from django.db import OperationalError

from alerts.tests.makers import at, make_source, open_incident
from guardian_site import naming
from guardian_site.naming import naming_incidents, ongoing
from ingest.assessment import Metrics, Verdict
from ingest.models import Source
from ingest.reports import RecordedReport, SourceRef

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    yield
    ongoing.forget()


def report(source: Source) -> RecordedReport:
    ref = SourceRef(source.pk, source.name, ZoneInfo("UTC"))
    return RecordedReport(ref, at(1), at(1), "denied", "51", 40, True, False, [])


def verdict(family: str | None) -> Verdict:
    return Verdict(
        is_anomaly=family is not None,
        alert_level="CRITICAL" if family else "NORMAL",
        anomaly_score=0.9,
        rule_violations=[],
        recommendation="",
        metrics=Metrics(current_count=40, status="denied", auth_code="51"),
        family=family,
    )


def named(*families: str | None, source: Source | None = None) -> list[int | None]:
    """Return the incidents named in the answers to reports of which each is found so."""
    reports = [report(source or make_source()) for _ in families]

    def assess(
        reports: Sequence[RecordedReport], *, complete: bool, brief: bool = False
    ) -> list[Verdict]:
        return [verdict(family) for family in families]

    return [one.incident for one in naming_incidents(assess)(reports, complete=True)]


def test_it_is_the_ongoing_one_of_the_source_and_family() -> None:
    incident = open_incident()
    assert named("decline", None, "reversal") == [incident.pk, None, None]
    assert named("decline", source=make_source("other")) == [None]


def test_of_a_part_it_is_the_whole() -> None:
    whole = open_incident()
    part = open_incident(family="technical_failure", minute=1)
    assert part.parent == whole
    assert named("technical_failure") == [whole.pk]


def test_without_a_database_the_answer_stands_without_a_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone(sources: object) -> dict[int, dict[str, int]]:
        raise OperationalError("the connection is lost")

    open_incident()
    monkeypatch.setattr(naming, "ongoing_by_family", gone)
    assert named("decline") == [None]


def test_a_source_is_asked_about_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    incident = open_incident()
    assert named("decline") == [incident.pk]
    monkeypatch.setattr(naming, "ongoing_by_family", lambda sources: pytest.fail("asked again"))
    assert named("decline", "decline") == [incident.pk] * 2


def test_what_another_thread_forgets_meanwhile_is_named_still(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    incident = open_incident()
    assert named("decline") == [incident.pk]
    other = make_source("other")

    def forgetful(sources: set[int]) -> dict[int, dict[str, int]]:
        ongoing.forget()
        return {}

    monkeypatch.setattr(naming, "ongoing_by_family", forgetful)
    assert ongoing.of([incident.source_id, other.pk]) == {
        incident.source_id: {"decline": incident.pk},
        other.pk: {},
    }

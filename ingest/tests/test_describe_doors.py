import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from drf_spectacular.generators import SchemaGenerator

from ingest.assessment import Metrics, Verdict
from ingest.parsing.moments import read_moment
from ingest.views import unavailable


@pytest.fixture(scope="module")
def described() -> Any:
    generator: Any = SchemaGenerator
    return generator(urlconf="ingest.tests.doors").get_schema(public=True)


@pytest.fixture(scope="module")
def paths(described: Any) -> Any:
    return described["paths"]


def test_every_door_is_described(paths: Any) -> None:
    assert set(paths) == {"/transaction", "/transactions/batch", "/cache/stats", "/cache/flush"}


@pytest.mark.parametrize("path", ["/transaction", "/transactions/batch"])
def test_every_refusal_is_described(paths: Any, path: str) -> None:
    told = paths[path]["post"]["responses"]
    assert set(told) == {"200", "400", "401", "403", "406", "408", "413", "415", "429", "503"}


def test_a_report_is_described_as_it_is_read(paths: Any) -> None:
    sent = paths["/transaction"]["post"]["requestBody"]["content"]
    assert set(sent) == {"application/json"}
    assert set(sent["application/json"]["examples"]) == {"TheApprovalsOfAMinute", "OneTransaction"}


def test_an_hour_that_comes_twice_is_described_as_it_is_read(described: Any) -> None:
    """In New York 01:30 of 1 November 2026 is 05:30 and 06:30 UTC."""
    zone, first, second = ZoneInfo("America/New_York"), utc(5, 30), utc(6, 30)
    for now, meant in ((utc(5, 31), first), (utc(6, 31), second)):
        assert read_moment("2026-11-01 01:30", zone, now) == meant
    [report] = [one for name, one in described["components"]["schemas"].items() if name == "Report"]
    told = report["properties"]["timestamp"]["description"]
    assert "the later one is meant as soon as it has come" in told


def utc(hour: int, minute: int) -> datetime:
    return datetime(2026, 11, 1, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize("answered", [Verdict, Metrics])
def test_every_field_of_an_answer_is_described(described: Any, answered: Any) -> None:
    told = described["components"]["schemas"][answered.__name__]["properties"]
    assert set(told) == set(answered.__struct_fields__)


def test_a_refusal_is_described_as_it_is_while_the_database_is_away(described: Any) -> None:
    needed = described["components"]["schemas"]["Refusal"]["required"]
    assert set(needed) <= set(json.loads(unavailable().content))

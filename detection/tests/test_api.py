"""What the readers of the API get, and what they are told when they ask wrongly."""

from typing import Any

import pytest
from django.test import Client

from detection import messages
from detection.models import Anomaly
from detection.selectors import stats
from detection.services.sweep import sweep_closed_minutes
from detection.tests.conftest import Clock
from detection.tests.makers import at, make_counts, make_source, set_count
from ingest.models import Source
from ingest.services.keys import issue_key
from ingest.tests.makers import make_report, record

pytestmark = pytest.mark.django_db
client = Client()


def get(path: str, **sent: str | int) -> Any:
    answer = client.get(path, sent)
    assert answer.status_code == 200, answer.content
    return answer.json()


def make_anomaly(minute: int, **values: Any) -> Anomaly:
    facts: dict[str, Any] = {
        "source": make_source(),
        "minute": at(minute),
        "family": "decline",
        "level": "CRITICAL",
        "score": 0.9,
        "status": "denied",
        "auth_code": "51",
        "count": 42,
    }
    return Anomaly.objects.create(**{**facts, **values})


def test_anomalies_come_newest_first_with_the_total_of_all() -> None:
    for minute in range(5):
        make_anomaly(minute)
    answer = get("/anomalies", limit=2)
    assert answer["total"] == 5
    assert [one["timestamp"] for one in answer["anomalies"]] == [
        "2026-03-02T00:04:00Z",
        "2026-03-02T00:03:00Z",
    ]


def test_an_anomaly_has_the_fields_of_the_contract() -> None:
    make_anomaly(3, violations=["X: 1"])
    [one] = get("/anomalies")["anomalies"]
    assert one["alert_level"] == "CRITICAL"
    assert one["score"] == 0.9
    assert one["violations"] == ["X: 1"]
    assert one["transaction"] == {
        "timestamp": "2026-03-02T00:03:00Z",
        "status": "denied",
        "count": 42,
        "auth_code": "51",
    }


def test_it_filters_before_it_limits() -> None:
    make_anomaly(1, level="CRITICAL")
    for minute in range(2, 12):
        make_anomaly(minute, level="WARNING")
    answer = get("/anomalies", level="critical", limit=5)
    assert (answer["total"], len(answer["anomalies"])) == (1, 1)


def test_it_filters_by_source_status_family_and_time() -> None:
    make_anomaly(1, source=make_source("a"), status="failed", family="technical_failure")
    make_anomaly(2, source=make_source("b"))
    make_anomaly(3, source=make_source("a"))
    assert get("/anomalies", source="a", status="failed")["total"] == 1
    assert get("/anomalies", family="decline")["total"] == 2
    assert (
        get("/anomalies", since="2026-03-02T00:02:00Z", until="2026-03-02T00:03:00Z")["total"] == 1
    )


def test_pages_follow_each_other_while_new_ones_arrive() -> None:
    for minute in range(5):
        make_anomaly(minute)
    first = get("/anomalies", limit=2)
    make_anomaly(99)
    second = get("/anomalies", limit=2, cursor=first["next"])
    third = get("/anomalies", limit=2, cursor=second["next"])
    ids = [one["id"] for page in (first, second, third) for one in page["anomalies"]]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 5
    assert third["next"] is None
    assert [one["id"] for one in get("/anomalies", limit=2, offset=1)["anomalies"]] == ids[:2]


def test_withdrawn_anomalies_are_not_shown() -> None:
    make_anomaly(1, withdrawn=at(5))
    assert get("/anomalies")["total"] == 0


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/anomalies?limit=0", "limit"),
        ("/anomalies?limit=-1", "limit"),
        ("/anomalies?limit=1001", "limit"),
        ("/anomalies?limit=ten", "limit"),
        ("/anomalies?limit=99999999999999999999", "limit"),
        ("/anomalies?limit=%D9%A3", "limit"),
        ("/anomalies?offset=-1", "offset"),
        ("/anomalies?level=HIGH", "level"),
        ("/anomalies?family=x", "family"),
        ("/anomalies?status=lost", "status"),
        ("/anomalies?source=nobody", "source"),
        ("/anomalies?since=yesterday", "since"),
        ("/anomalies?until=2026-13-01T00:00", "until"),
        ("/anomalies?cursor=x", "cursor"),
        ("/anomalies?cursor=99999999999999999.1", "cursor"),
        ("/anomalies?levle=CRITICAL", "levle"),
        ("/forecast?hours=0", "hours"),
        ("/forecast?hours=1000", "hours"),
        ("/forecast?source=nobody", "source"),
    ],
)
def test_a_wrong_parameter_is_named(path: str, field: str) -> None:
    make_source()
    answer = client.get(path)
    assert answer.status_code == 400
    assert [one["field"] for one in answer.json()["errors"]] == [field]


def test_a_time_with_a_zone_may_be_written_as_it_is() -> None:
    make_anomaly(1)
    assert get("/anomalies", since="2026-03-02T01:00:00+01:00")["total"] == 1
    assert client.get("/anomalies?since=2026-03-02T01:00:00+01:00").json()["total"] == 1
    assert client.get("/anomalies?since=2026-03-02 00:00").json()["total"] == 1


def test_a_day_begins_at_midnight_where_the_source_is() -> None:
    south = make_source("south", time_zone="America/Sao_Paulo")
    for minute in (179, 180):  # 23:59 of the day before, and 00:00
        make_anomaly(minute, source=south)
    assert get("/anomalies", since="2026-03-02", source="south")["total"] == 1
    assert get("/anomalies", until="2026-03-02", source="south")["total"] == 1
    assert get("/anomalies", since="2026-03-02")["total"] == 2
    assert client.get("/anomalies", {"since": "2026-02-30"}).status_code == 400


STATS = {
    "total_processed",
    "total_anomalies",
    "anomaly_rate",
    "transaction_stats",
    "status_distribution",
    "minutes_judged",
    "cache",
    "uptime_seconds",
}


def test_stats_have_one_shape_empty_or_not() -> None:
    empty = get("/stats")
    assert set(empty) == STATS
    assert (empty["total_processed"], empty["anomaly_rate"]) == (0, 0.0)
    make_counts(make_source(), range(20))
    sweep_closed_minutes(now=at(20.5))
    full = get("/stats")
    assert set(full) == STATS
    assert full["total_processed"] == sum(full["status_distribution"].values()) > 1500
    assert full["transaction_stats"]["min"] <= full["transaction_stats"]["avg"]


def test_stats_of_one_source_are_of_that_one() -> None:
    for name, count in (("shop", 5), ("kiosk", 7)):
        record(make_report(count, name=name))
    assert get("/stats")["total_processed"] == 12
    assert get("/stats", source="kiosk")["total_processed"] == 7


@pytest.mark.parametrize("field", ["source", "hours"])
def test_stats_of_what_there_is_not_are_refused(field: str) -> None:
    answer = client.get("/stats", {field: "nope"})
    assert answer.status_code == 400
    assert [one["field"] for one in answer.json()["errors"]] == [field]


def test_the_minutes_of_the_canary_are_nobodys() -> None:
    make_counts(make_source(), range(20))
    sweep_closed_minutes(now=at(20.5))
    alone = get("/stats")
    make_counts(make_source(Source.CANARY), range(20), rate=0.0)
    sweep_closed_minutes(now=at(20.5))
    assert get("/stats", source=Source.CANARY)["minutes_judged"] > 0
    beside = get("/stats")
    del alone["uptime_seconds"], beside["uptime_seconds"]
    assert beside == alone


def test_the_rate_is_of_the_minutes_that_are_still_kept() -> None:
    source = make_source()
    make_counts(source, range(20))
    sweep_closed_minutes(now=at(20.5))
    before = get("/stats")
    for minute in range(1, 4):
        make_anomaly(-60 * 24 * minute, source=source)
    make_anomaly(10, source=source)
    after = get("/stats")
    assert after["total_anomalies"] == before["total_anomalies"] + 4
    assert after["anomaly_rate"] == pytest.approx(
        before["anomaly_rate"] + 1 / after["minutes_judged"], abs=1e-5
    )


@pytest.mark.parametrize("passed", [-60, 60])
def test_totals_that_took_long_are_kept_for_a_minute_by_our_clock(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, passed: int
) -> None:
    monkeypatch.setattr(stats, "KEPT_FACTOR", 1e9)
    monkeypatch.setattr(stats, "KEY", f"totals:{passed}")
    clock.stand(10)
    assert get("/stats")["total_processed"] == 0
    make_counts(make_source(), range(5))
    clock.stand(10.5)
    assert get("/stats")["total_processed"] == 0
    clock.stand(10 + passed)
    assert get("/stats")["total_processed"] > 0


def test_a_forecast_holds_what_came_in_most_minutes(clock: Clock) -> None:
    source = make_source()
    make_counts(source, range(1500))
    sweep_closed_minutes(now=at(1500.5), seconds=60)
    clock.stand(1501)
    answer = get("/forecast", hours=3)
    assert len(answer["points"]) == 12
    assert all(one["lower"] <= 100 <= one["upper"] for one in answer["points"])
    assert answer["points"][0]["timestamp"] > "2026-03-03T01:00:00Z"


def test_a_source_that_never_reported_has_no_forecast_yet() -> None:
    make_source()
    answer = get("/forecast")
    assert (answer["points"], answer["learning"]) == ([], True)


def close(source: Source, minute: int) -> Any:
    answer = client.post(
        "/minutes/close",
        {"timestamp": at(minute).isoformat(), "source": source.name},
        content_type="application/json",
    )
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_closed_empty_minute_is_judged_at_once(clock: Clock) -> None:
    source = make_source()
    make_counts(source, range(300))
    clock.stand(100_000)
    assert close(source, 299)["alert_level"] == "NORMAL"
    answers = [close(source, minute) for minute in range(300, 312)]
    assert any("SILENCE" in text for one in answers for text in one["rule_violations"])
    assert Anomaly.objects.filter(family="silence", past=True).exists()


def test_nothing_is_said_of_a_closed_minute_of_a_source_that_is_not_watched(clock: Clock) -> None:
    source = make_source(enabled=False)
    make_counts(source, range(300))
    for minute in range(300, 308):
        set_count(source, minute, "denied", "51", 100)
    clock.stand(308.1)
    answers = [close(source, minute) for minute in range(300, 308)]
    assert {(one["judged"], one["recommendation"]) for one in answers} == {
        (False, messages.UNWATCHED)
    }
    assert not Anomaly.objects.exists()


def test_closing_a_minute_twice_gives_the_same_answer(clock: Clock) -> None:
    source = make_source()
    make_counts(source, range(200))
    clock.stand(100_000)
    first, second = close(source, 199), close(source, 199)
    assert first == second
    assert (first["judged"], first["total"]) == (True, second["total"])


def test_a_minute_that_may_still_fill_is_not_learned(clock: Clock) -> None:
    source = make_source()
    make_counts(source, range(200))
    clock.stand(199.9)
    assert close(source, 199)["judged"]
    source.refresh_from_db()
    assert source.baseline.through == at(198)


def test_closing_for_a_source_that_never_reported_says_so() -> None:
    assert not close(Source(name="nobody"), 5)["judged"]


def test_a_key_closes_no_minute_of_another_source_nor_reports_for_it() -> None:
    source, other = make_source(), make_source("other")
    _key, secret = issue_key(name="k", source=source)
    closed = {"source": other.name, "timestamp": at(5).isoformat()}
    report = {**closed, "status": "approved"}
    for path, body in (("/transaction", report), ("/minutes/close", closed)):
        answer = client.post(path, body, "application/json", headers={"X-API-Key": secret})
        assert answer.status_code == 403
        assert [error["field"] for error in answer.json()["errors"]] == ["source"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", "body"),
        (b"[]", "body"),
        (b"{}", "timestamp"),
        (b'{"timestamp": 5}', "timestamp"),
        (b"2\xff\x05", "body"),
        (b'{"timestamp": 7} trash', "body"),
        (b"[" * 50_000, "body"),
        (b'{"timestamp": "soon"}', "timestamp"),
        (b'{"timestamp": "2999-01-01T00:00:00Z"}', "timestamp"),
        (b'{"timestamp": "2026-01-01T00:00:00Z", "source": 7}', "source"),
    ],
)
def test_a_wrong_close_is_refused_and_named(body: bytes, field: str) -> None:
    answer = client.post("/minutes/close", body, content_type="application/json")
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["field"] == field
    assert "Object" not in error["message"]

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError
from django.test import Client

from ingest.assessment import Verdict
from ingest.models import Report, Source
from ingest.services import issue_key
from ingest.services.answering import answer_report
from ingest.tests import makers
from ingest.tests.makers import NOON, minute_counts, total

pytestmark = [pytest.mark.urls("ingest.tests.doors"), pytest.mark.django_db]
AT = "2026-03-04T12:00:00Z"


def post(client: Client, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    body = json.dumps({"status": "approved", **fields})
    return client.post("/transaction", body, content_type="application/json", headers=headers)


def test_the_answer_has_the_fields_of_the_contract(client: Client) -> None:
    answer = post(client, timestamp=AT, count=117).json()
    assert {
        "is_anomaly",
        "alert_level",
        "anomaly_score",
        "rule_violations",
        "recommendation",
        "metrics",
        "cached",
    } <= answer.keys()
    assert {
        "current_count",
        "running_mean",
        "running_std",
        "zscore",
        "ml_score",
        "approval_rate",
        "status",
        "auth_code",
    } <= answer["metrics"].keys()


def test_a_report_without_more_than_a_status_is_one_transaction_now(client: Client) -> None:
    before = datetime.now(UTC)
    assert post(client).status_code == 200
    report = Report.objects.get()
    assert (report.count, report.auth_code, report.source.name) == (1, "00", "default")
    assert before <= report.timestamp <= datetime.now(UTC)


@pytest.mark.parametrize(
    "status", ["approved", "denied", "failed", "reversed", "backend_reversed", "refunded"]
)
def test_all_six_statuses_are_taken(client: Client, status: str) -> None:
    assert post(client, status=status).json()["metrics"]["status"] == status


def test_what_older_clients_send_is_taken(client: Client) -> None:
    sent: dict[str, Any] = {
        "timestamp": None,
        "auth_code": None,
        "merchant": "x",
        "amount": 12.5,
        "count": 0,
    }
    assert post(client, **sent).status_code == 200
    assert Report.objects.get().auth_code == "00"


def test_a_naive_time_is_in_the_zone_of_its_source(client: Client) -> None:
    Source.objects.create(name="south", time_zone="America/Sao_Paulo")
    post(client, source="south", timestamp="2026-03-04T09:00:00")
    assert Report.objects.get().timestamp == NOON


def test_an_unknown_source_is_made_on_its_first_report(client: Client) -> None:
    post(client, source="shop-1", timestamp=AT)
    assert minute_counts() == {("shop-1", NOON, "approved", "00"): 1}


def test_a_refused_report_makes_no_source(client: Client) -> None:
    assert post(client, source="shop-1", timestamp="x").status_code == 400
    assert not Source.objects.exists()


def test_reports_without_a_time_are_never_repeats(client: Client) -> None:
    answers = [post(client).json()["cached"] for _ in range(3)]
    assert answers == [False, False, False]
    assert total() == 3


def test_late_and_unordered_reports_are_taken(client: Client) -> None:
    for minute in (5, 1, 3, 1):
        post(client, timestamp=f"2026-03-04T12:0{minute}:00Z", count=minute)
    assert total() == 9


def test_where_keys_are_required_nobody_else_gets_in(client: Client, settings: Any) -> None:
    settings.GUARDIAN_REQUIRE_API_KEY = True
    response = post(client)
    assert response.status_code == 401
    assert "WWW-Authenticate" in response.headers
    assert not Report.objects.exists()


def test_a_key_reports_for_its_own_source_by_default(client: Client, settings: Any) -> None:
    settings.GUARDIAN_REQUIRE_API_KEY = True
    _key, secret = issue_key(name="k", source=Source.objects.create(name="shop-1"))
    assert post(client, {"X-API-Key": secret}, timestamp=AT).status_code == 200
    assert minute_counts() == {("shop-1", NOON, "approved", "00"): 1}


def test_a_key_may_name_no_other_source(client: Client) -> None:
    _key, secret = issue_key(name="k", source=Source.objects.create(name="shop-1"))
    response = post(client, {"X-API-Key": secret}, source="shop-2")
    assert response.status_code == 403
    assert response.json()["errors"][0]["field"] == "source"
    assert not Source.objects.filter(name="shop-2").exists()


def test_where_keys_are_required_no_source_is_made(client: Client, settings: Any) -> None:
    settings.GUARDIAN_REQUIRE_API_KEY = True
    _key, secret = issue_key(name="k")
    response = post(client, {"X-API-Key": secret}, source="new")
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "source"


def test_while_the_database_is_away_it_says_when_to_come_back(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_reports: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("ingest.services.answering.record_reports", away)
    response = post(client, timestamp=AT)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0


def test_a_judge_that_fails_does_not_make_the_client_report_again() -> None:
    def broken(reports: Any, *, complete: bool, brief: bool = False) -> list[Verdict]:
        raise ZeroDivisionError

    body = makers.make_body(timestamp=AT)
    answer = json.loads(answer_report(body=body, holder=None, assess=broken))
    assert answer["judged"] is False
    assert "Recorded" in answer["recommendation"]
    assert total() == 1


def test_a_remembered_source_that_is_gone_is_read_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(**_reports: Any) -> None:
        raise IntegrityError("no such source")

    with monkeypatch.context() as patch:
        patch.setattr("ingest.services.answering.record_reports", gone)
        assert post(client, source="shop-1").status_code == 503
    Source.objects.all().delete()
    assert post(client, source="shop-1").status_code == 200

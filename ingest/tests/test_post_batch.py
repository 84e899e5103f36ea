import json
from typing import Any

import pytest
from django.test import Client

from ingest import metrics
from ingest.models import Report, Source
from ingest.services import issue_key
from ingest.tests.makers import total

pytestmark = [pytest.mark.urls("ingest.tests.doors"), pytest.mark.django_db]


def row(minute: int = 0, count: int = 5, **fields: Any) -> dict[str, Any]:
    at = f"2026-03-04T{12 + minute // 60}:{minute % 60:02}:00Z"
    return {"timestamp": at, "status": "approved", "count": count, **fields}


def post(client: Client, *rows: Any, headers: dict[str, str] | None = None) -> Any:
    body = json.dumps({"transactions": rows})
    return client.post("/transactions/batch", body, "application/json", headers=headers)


def test_the_answer_has_the_fields_of_the_contract(client: Client) -> None:
    answer = post(client, row(), row(1, 5000)).json()
    assert answer["processed"] == 2
    assert answer["anomalies_found"] == 1
    assert answer["anomaly_rate"] == 0.5
    assert answer["cache_hits"] == 0
    assert [result["alert_level"] for result in answer["results"]] == ["NORMAL", "CRITICAL"]
    assert {"timestamp", "is_anomaly", "alert_level", "score", "cached"} <= answer["results"][
        0
    ].keys()


def test_a_batch_is_all_or_nothing(client: Client) -> None:
    assert post(client, row(), row(1), row(2, -1)).status_code == 400
    assert not Report.objects.exists()


def test_the_same_batch_again_changes_nothing_and_comes_from_the_cache(client: Client) -> None:
    rows = [row(minute) for minute in range(10)]
    post(client, *rows)
    answer = post(client, *rows).json()
    assert answer["cache_hits"] == 10
    assert total() == 50


@pytest.mark.parametrize("fields", [{}, {"id": "t1"}], ids=["counts", "a transaction"])
def test_a_key_that_comes_several_times_is_counted_as_it_is_stored(
    client: Client, fields: dict[str, str]
) -> None:
    counter = metrics.transactions.labels("approved")
    before = counter._value.get()
    rows = [{**row(count=count), **fields} for count in (10, 10, 20)]
    post(client, *rows, row(1, 3))
    assert counter._value.get() - before == total() == 23


def test_a_long_batch_again_changes_nothing(client: Client) -> None:
    rows = [row(minute) for minute in range(150)]
    assert [post(client, *rows).status_code for _ in range(2)] == [200, 200]
    assert total() == 750


def test_only_the_rows_that_are_new_are_recorded(client: Client) -> None:
    post(client, row(0), row(1))
    answer = post(client, row(0), row(1, 6), row(2)).json()
    assert [result["cached"] for result in answer["results"]] == [True, False, False]
    assert total() == 16


def test_a_batch_of_nothing_is_answered(client: Client) -> None:
    assert post(client).json() == {
        "processed": 0,
        "anomalies_found": 0,
        "anomaly_rate": 0.0,
        "cache_hits": 0,
        "results": [],
    }


def test_a_batch_of_ten_thousand_is_taken(client: Client) -> None:
    statuses = ("approved", "denied", "failed", "reversed")
    rows = [row(minute, 1, status=status) for minute in range(625) for status in statuses]
    answer = post(client, *[{**one, "auth_code": code} for one in rows for code in "abcd"])
    assert answer.json()["processed"] == 10_000
    assert total() == 10_000


def test_rows_may_name_several_sources(client: Client) -> None:
    post(client, row(source="a"), row(source="b"), row())
    assert set(Source.objects.values_list("name", flat=True)) == {"a", "b", "default"}


def test_a_key_names_the_rows_of_other_sources(client: Client) -> None:
    _key, secret = issue_key(name="k", source=Source.objects.create(name="a"))
    response = post(client, row(), row(source="b"), headers={"X-API-Key": secret})
    assert response.status_code == 403
    assert response.json()["errors"][0]["field"] == "transactions[1].source"
    assert not Report.objects.exists()


def test_rows_without_a_time_add_up(client: Client) -> None:
    post(client, *[{"status": "denied"}] * 3)
    assert total() == 3

"""A backtest is asked for over HTTP and read when it is done."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from detection.models import Backtest
from detection.tests.makers import at, make_counts, make_source, set_count

pytestmark = pytest.mark.django_db
LOW_RATE = {"name": "LOW", "metric": "approval_rate", "op": "<", "value": 0.8}


def ask(client: Client, **values: Any) -> Any:
    body = {"since": at(0).isoformat(), "until": at(300).isoformat(), **values}
    return client.post("/backtests", body, content_type="application/json")


@pytest.mark.django_db(transaction=True)
def test_it_runs_and_its_report_and_chart_can_be_read(admin_client: Client) -> None:
    source = make_source()
    make_counts(source, range(300))
    for minute in range(250, 270):
        set_count(source, minute, "denied", "51", 45)
    answer = ask(admin_client, sources=["default"], changes={"minimum_excess": 5})
    assert answer.status_code == 202, answer.content
    number = answer.json()["id"]
    done = admin_client.get(f"/backtests/{number}").json()
    assert (done["state"], done["progress"]) == ("done", 1.0)
    assert done["report"]["total"]["pages"] >= 1
    chart = admin_client.get(f"/backtests/{number}/chart.svg")
    assert chart["Content-Type"] == "image/svg+xml"
    assert chart.content.startswith(b"<svg")
    assert [one["id"] for one in admin_client.get("/backtests").json()] == [number]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"since": "soon"}, "since"),
        ({"until": at(0).isoformat()}, "until"),
        ({"sources": ["nobody"]}, "sources"),
        ({"changes": {"budget": 1}}, "changes"),
        ({"changes": {"pages_per_week": -1}}, "changes"),
        ({"changes": {"minimum_excess": True}}, "changes"),
        ({"changes": {"families_off": [{}]}}, "changes"),
        ({"changes": {"weight_ml": 0, "weight_z": 0}}, "changes"),
        ({"changes": {"rules": [{**LOW_RATE, "value": 80}]}}, "changes"),
        ({"forest": 99}, "forest"),
    ],
)
def test_a_wrong_request_is_refused_at_its_field(
    admin_client: Client, values: dict[str, Any], field: str
) -> None:
    answer = ask(admin_client, **values)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"].startswith(field)
    assert not Backtest.objects.exists()


def test_a_moment_that_the_calendar_has_here_alone_is_refused(
    admin_client: Client, settings: Settings
) -> None:
    settings.TIME_ZONE = "America/Sao_Paulo"
    answer = ask(admin_client, until="9999-12-31T23:59:59")
    assert answer.json()["errors"][0]["field"] == "until"


def test_a_number_without_end_is_refused(admin_client: Client) -> None:
    body = f'{{"since": "{at(0)}", "until": "{at(300)}", "changes": {{"minimum_excess": 1e999}}}}'
    answer = admin_client.post("/backtests", body, content_type="application/json")
    assert answer.status_code == 400
    assert not Backtest.objects.exists()


def test_only_an_administrator_may_ask(client: Client) -> None:
    assert ask(client).status_code in (401, 403)
    assert client.get("/backtests").status_code in (401, 403)


def test_an_unknown_backtest_is_not_found(admin_client: Client) -> None:
    answer = admin_client.get("/backtests/77")
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is no backtest #77.")

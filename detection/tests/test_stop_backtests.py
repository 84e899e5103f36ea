"""Whoever asked for too much takes it back: others wait behind it for the same worker."""

import pytest
from django.test import Client

from detection.models import Backtest
from detection.services.trials import claim_backtest, resume_backtests, run_backtest, stop_backtest
from detection.tests.makers import at, make_backtest, make_counts, make_source
from ingest import steady_clock

pytestmark = pytest.mark.django_db


def test_one_that_waits_is_not_run() -> None:
    number = make_backtest(requested=at(0)).pk
    stopped = stop_backtest(number=number, by="ana", now=at(1))
    assert (stopped.state, stopped.finished) == ("failed", at(1))
    assert stopped.report == {"error": "Stopped by ana."}
    assert claim_backtest(number=number, now=at(2)) is None
    assert resume_backtests(now=at(100)) == []


def test_the_worker_that_runs_it_ends_and_changes_nothing() -> None:
    make_counts(make_source(), range(30))
    number = make_backtest(until=at(30)).pk
    claimed = claim_backtest(number=number, now=steady_clock.now())
    assert claimed is not None
    steps: list[int] = []

    def step(_: int) -> None:
        if not steps:
            stop_backtest(number=number, by="ana", now=at(31))
        steps.append(1)

    run_backtest(backtest=claimed, progress=step)
    assert len(steps) < 30
    assert Backtest.objects.get().report == {"error": "Stopped by ana."}


@pytest.mark.parametrize("state", ["done", "failed"])
def test_what_is_over_is_not_stopped(state: str) -> None:
    backtest = make_backtest(state=state, report={"total": {}})
    with pytest.raises(ValueError, match=f"this one is {state}"):
        stop_backtest(number=backtest.pk, by="ana", now=at(1))
    assert Backtest.objects.get().report == {"total": {}}


def test_it_is_stopped_over_http(admin_client: Client) -> None:
    address = f"/backtests/{make_backtest().pk}/stop"
    answer = admin_client.post(address)
    assert (answer.status_code, answer.json()["state"]) == (200, "failed")
    assert answer.json()["report"] == {"error": "Stopped by admin."}
    answer = admin_client.post(address)
    assert (answer.status_code, "failed" in answer.json()["detail"]) == (409, True)
    assert admin_client.post("/backtests/77/stop").status_code == 404


def test_it_is_stopped_in_the_admin(admin_client: Client) -> None:
    chosen = {"action": "stop", "_selected_action": [make_backtest().pk]}
    answer = admin_client.post("/admin/detection/backtest/", chosen, follow=True)
    assert "Stopped: 1." in answer.content.decode()
    assert Backtest.objects.get().state == "failed"

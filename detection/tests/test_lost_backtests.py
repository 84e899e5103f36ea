"""A backtest comes to its end, or fails with a reason, whichever worker dies while it runs."""

from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from detection import conf, tasks
from detection.models import Backtest
from detection.selectors.trials import is_lost
from detection.services.trials import (
    claim_backtest,
    restart_backtest,
    resume_backtests,
    run_backtest,
)
from detection.tests.conftest import Clock
from detection.tests.makers import at, make_backtest, make_counts, make_source, run_now
from ingest.models import Source

pytestmark = pytest.mark.django_db
# In minutes.
LOST = conf.BACKTEST_LOST.total_seconds() / 60


def taken(minute: float, **values: Any) -> Backtest:
    """A backtest whose worker gave its last sign of life at this minute."""
    facts = {"state": "running", "started": at(minute), "heartbeat": at(minute), "attempts": 1}
    return make_backtest(**{"until": at(30), "requested": at(minute), **facts, **values})


def claimed_at(clock: Clock, minute: float) -> Backtest:
    """A backtest of half an hour of counts that this worker has just taken."""
    make_counts(make_source(), range(30))
    clock.stand(minute)
    claimed = claim_backtest(number=make_backtest(until=at(30)).pk, now=clock.now)
    assert claimed is not None
    return claimed


def test_only_one_worker_takes_it() -> None:
    number = make_backtest().pk
    assert claim_backtest(number=number, now=at(1)) is not None
    assert claim_backtest(number=number, now=at(1.1)) is None


def test_a_living_worker_keeps_it() -> None:
    backtest = taken(0)
    assert resume_backtests(now=at(LOST - 0.1)) == []
    assert claim_backtest(number=backtest.pk, now=at(LOST - 0.1)) is None


def test_another_takes_it_over_from_a_dead_worker(clock: Clock) -> None:
    make_counts(make_source(), range(30))
    backtest = taken(30)
    clock.stand(30 + LOST)
    tasks.resume_backtests.delay()
    backtest.refresh_from_db()
    assert (backtest.state, backtest.attempts, backtest.started) == ("done", 2, at(30 + LOST))


def test_one_that_ran_before_there_were_signs_of_life_is_taken_over() -> None:
    backtest = taken(0, started=None, heartbeat=None, attempts=0)
    assert resume_backtests(now=at(1)) == [backtest.pk]
    assert claim_backtest(number=backtest.pk, now=at(1)) is not None


def test_one_whose_message_was_lost_is_run_all_the_same() -> None:
    backtest = make_backtest(requested=at(0))
    assert resume_backtests(now=at(LOST - 0.1)) == []
    assert resume_backtests(now=at(LOST)) == [backtest.pk]


def test_the_worker_that_runs_it_gives_signs_of_life(clock: Clock) -> None:
    claimed = claimed_at(clock, 31)
    seen: list[object] = []

    def step(_: int) -> None:
        clock.now = at(31 + len(seen))
        seen.append(Backtest.objects.values_list("heartbeat", flat=True).get())

    run_backtest(backtest=claimed, progress=step)
    assert seen[:4] == [at(31), at(31), at(32), at(33)]


def test_a_worker_that_wakes_up_late_changes_nothing(clock: Clock) -> None:
    claimed = claimed_at(clock, 31)
    steps: list[int] = []

    def step(_: int) -> None:
        if not steps:
            clock.now = at(31 + LOST)
            assert claim_backtest(number=claimed.pk, now=clock.now) is not None
        steps.append(1)

    run_backtest(backtest=claimed, progress=step)
    assert len(steps) == 1
    row = Backtest.objects.get()
    assert (row.state, row.started, row.report) == ("running", at(31 + LOST), {})
    assert row.finished is None


def test_what_costs_every_worker_its_life_fails_with_the_reason() -> None:
    taken(0, attempts=conf.BACKTEST_ATTEMPTS)
    assert resume_backtests(now=at(LOST)) == []
    backtest = Backtest.objects.get()
    assert (backtest.state, backtest.finished) == ("failed", at(LOST))
    assert "3 workers ended without a word" in backtest.report["error"]
    assert "2026-03-02 00:00 UTC" in backtest.report["error"]


def test_what_failed_can_be_started_again() -> None:
    make_counts(make_source(), range(30))
    backtest = taken(0, attempts=conf.BACKTEST_ATTEMPTS)
    resume_backtests(now=at(LOST))
    again = restart_backtest(number=backtest.pk, now=at(LOST))
    assert (again.state, again.attempts, again.report, again.finished) == ("waiting", 0, {}, None)
    tasks.run_backtest.delay(backtest.pk)
    assert Backtest.objects.get().state == "done"


@pytest.mark.parametrize("state", ["waiting", "running", "done"])
def test_what_has_not_failed_is_not_started_again(state: str) -> None:
    backtest = taken(0, state=state)
    with pytest.raises(ValueError, match=f"this one is {state}"):
        restart_backtest(number=backtest.pk, now=at(1))


def test_a_worker_that_is_stopped_leaves_it_to_another(clock: Clock) -> None:
    claimed = claimed_at(clock, 31)

    def stopped(_: int) -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        run_backtest(backtest=claimed, progress=stopped)
    backtest = Backtest.objects.get()
    assert (backtest.state, backtest.finished) == ("running", None)
    assert is_lost(backtest, at(31 + LOST))


@pytest.mark.parametrize("names", [["old"], ["default", "old"]])
def test_it_fails_over_a_source_that_was_renamed_while_it_waited(names: list[str]) -> None:
    make_source()
    renamed = make_source("old")
    backtest = make_backtest(sources=names)
    Source.objects.filter(pk=renamed.pk).update(name="new")
    with pytest.raises(ValueError, match="There is no source named old"):
        run_now(backtest)
    backtest.refresh_from_db()
    assert backtest.state == "failed"
    assert "There is no source named old." in backtest.report["error"]


@pytest.mark.django_db(transaction=True)
def test_it_is_taken_in_without_a_broker(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.run_backtest, "apply_async", Mock(side_effect=OSError("no broker")))
    asked = {"since": at(0).isoformat(), "until": at(30).isoformat()}
    answer = admin_client.post("/backtests", asked, content_type="application/json")
    assert answer.status_code == 202
    number = answer.json()["id"]
    assert resume_backtests(now=timezone.now() + conf.BACKTEST_LOST) == [number]


def test_its_page_says_that_nobody_runs_it(admin_client: Client, clock: Clock) -> None:
    backtest = taken(0)
    clock.stand(1)
    told = admin_client.get(f"/backtests/{backtest.pk}").json()
    assert (told["state"], told["lost"]) == ("running", False)
    clock.stand(LOST)
    assert admin_client.get(f"/backtests/{backtest.pk}").json()["lost"]


def test_it_is_started_again_over_http(admin_client: Client) -> None:
    backtest = taken(0, state="failed", report={"error": "no memory"})
    address = f"/backtests/{backtest.pk}/restart"
    answer = admin_client.post(address)
    assert (answer.status_code, answer.json()["state"]) == (202, "waiting")
    answer = admin_client.post(address)
    assert answer.status_code == 409
    assert "waiting" in answer.json()["detail"]
    assert admin_client.post("/backtests/77/restart").status_code == 404


def test_the_admin_tells_it_and_starts_it_again(admin_client: Client, clock: Clock) -> None:
    backtest = taken(0)
    clock.stand(LOST)
    for page in ("", f"{backtest.pk}/change/"):
        answer = admin_client.get(f"/admin/detection/backtest/{page}")
        assert "running, no sign of life since 00:00 UTC" in answer.content.decode()
    start_again(admin_client, backtest)
    backtest.refresh_from_db()
    assert backtest.state == "waiting"


def test_who_may_only_look_starts_nothing(client: Client) -> None:
    viewer = get_user_model().objects.create_user("eye", password="x", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_backtest"))
    client.force_login(viewer)
    backtest = taken(0, state="failed")
    start_again(client, backtest)
    backtest.refresh_from_db()
    assert backtest.state == "failed"


def start_again(client: Client, backtest: Backtest) -> None:
    chosen = {"action": "start_again", "_selected_action": [backtest.pk]}
    client.post("/admin/detection/backtest/", chosen)

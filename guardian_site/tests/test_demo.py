"""A demo writes into a folder of its own, and keeps what it printed whoever starts another."""

import io
import socket
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db.models import Max
from pytest_django import Settings

from detection.models import Baseline
from guardian_site.embedded.demonstration import mark_as_demo, what_is_real
from guardian_site.embedded.one_at_a_time import alone_in
from guardian_site.management.commands import demo
from guardian_site.management.commands.demo import ADMIN, SCENARIO
from ingest import steady_clock
from ingest.models import MinuteCount, Source
from ingest.simulator.scenarios import Scenario, read_scenario

pytestmark = pytest.mark.django_db


def test_a_second_demo_leaves_the_password_of_the_first(settings: Settings) -> None:
    user = get_user_model().objects.create_user(ADMIN, password="printed-by-the-first")
    with socket.create_server(("127.0.0.1", 0)) as first:
        settings.GUARDIAN_PORT = first.getsockname()[1]
        with pytest.raises(CommandError, match="is in use"):
            call_command("demo", skip_checks=True)
    user.refresh_from_db()
    assert user.check_password("printed-by-the-first")
    assert not MinuteCount.objects.exists()


@pytest.fixture
def started(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> list[dict[str, object]]:
    """Each time that the demo came to run Guardian; nothing runs."""
    settings.DATA_DIR = tmp_path
    with socket.create_server(("127.0.0.1", 0)) as free:
        settings.GUARDIAN_PORT = free.getsockname()[1]
    runs: list[dict[str, object]] = []
    monkeypatch.setattr(demo, "run_guardian", lambda **asked: runs.append(asked))
    return runs


def test_a_second_demo_in_the_folder_of_the_first_writes_nothing(
    started: list[dict[str, object]], settings: Settings
) -> None:
    user = get_user_model().objects.create_user(ADMIN, password="printed-by-the-first")
    mark_as_demo()
    with alone_in(settings.DATA_DIR), pytest.raises(CommandError, match="is running in"):
        call_command("demo", history="1h", skip_checks=True)
    user.refresh_from_db()
    assert user.check_password("printed-by-the-first")
    assert not MinuteCount.objects.exists()


def test_it_leaves_the_folder_of_others_as_it_is(started: list[dict[str, object]]) -> None:
    get_user_model().objects.create_superuser("ana", password="x")
    Source.objects.create(name="shop")
    with pytest.raises(CommandError, match="holds accounts and sources that no demo made"):
        call_command("demo", history="1h", skip_checks=True)
    assert started == []
    assert not MinuteCount.objects.exists()
    assert not get_user_model().objects.filter(username=ADMIN).exists()
    assert what_is_real()


def test_an_account_named_like_that_of_the_demo_makes_no_demo(
    started: list[dict[str, object]],
) -> None:
    get_user_model().objects.create_user(ADMIN, password="their-own")
    with pytest.raises(CommandError, match="holds accounts"):
        call_command("demo", history="1h", skip_checks=True)
    assert get_user_model().objects.get().check_password("their-own")


@pytest.mark.parametrize(
    ("option", "told"),
    [(("--history", "soon"), "write a span"), (("--scenario", "fire"), "with one of outage")],
)
def test_what_it_cannot_do_is_refused_before_anything_is_written(
    started: list[dict[str, object]], option: tuple[str, str], told: str
) -> None:
    with pytest.raises(CommandError, match=told):
        call_command("demo", *option, skip_checks=True)
    assert started == []
    assert not MinuteCount.objects.exists()


def test_it_goes_on_in_its_own_folder(started: list[dict[str, object]]) -> None:
    for _ in range(2):
        call_command("demo", history="1h", skip_checks=True)
    assert len(started) == 2
    assert MinuteCount.objects.values("source").distinct().count() == 3


def test_minutes_whose_traffic_is_still_to_come_are_not_judged(
    started: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    call_command("simulate", "--history", "3h", stdout=io.StringIO())
    # learning takes so long that an hour has passed when it is done
    newest = MinuteCount.objects.aggregate(newest=Max("minute"))["newest"]
    monkeypatch.setattr(steady_clock, "now", lambda: newest + timedelta(hours=1))
    mark_as_demo()
    call_command("demo", skip_checks=True)
    assert len(started) == 1
    assert set(Baseline.objects.values_list("through", flat=True)) == {newest}


def test_it_goes_on_where_it_was_stopped_before_it_had_an_account(
    started: list[dict[str, object]],
) -> None:
    mark_as_demo()
    Source.objects.create(name="acquirer-a")
    call_command("demo", history="1h", skip_checks=True)
    assert len(started) == 1


@pytest.mark.parametrize(
    ("asked", "put_in"),
    [
        (SCENARIO, Scenario("denial_surge", 2, 15)),
        ("outage+5", Scenario("outage", 2, 5)),
        ("denial_surge@4+9*0.25", Scenario("denial_surge", 4, 9, 0.25)),
    ],
)
def test_the_incident_on_the_way_is_the_one_that_was_asked_for(
    started: list[dict[str, Any]], asked: str, put_in: Scenario
) -> None:
    call_command("demo", "--history", "1h", "--scenario", asked, skip_checks=True)
    [traffic] = started[0]["beside"]
    told = dict(pairwise(traffic.command))
    missed = int(told["--since"].removesuffix("m"))
    assert read_scenario(told["--scenario"]) == replace(put_in, start=put_in.start + missed)


def test_its_traffic_goes_where_it_listens(
    started: list[dict[str, Any]], settings: Settings
) -> None:
    settings.GUARDIAN_OWN_ADDRESS = "http://[::1]:8001"
    call_command("demo", history="1h", skip_checks=True)
    [traffic] = started[0]["beside"]
    assert "http://[::1]:8001" in traffic.command

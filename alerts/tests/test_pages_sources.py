from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alerts.selectors.series import floor_to
from alerts.tests.makers import at, make_source, open_incident
from alerts.tests.pages import PAGE, count, expect
from detection.models import Band
from ingest.models import Source

pytestmark = pytest.mark.django_db


def shown(client: Client, address: str = "/sources/") -> str:
    answer = client.get(address, headers=PAGE)
    assert answer.status_code == 200
    return answer.content.decode()


def test_without_a_source_the_page_says_how_one_appears(client: Client) -> None:
    assert "A source appears with its first report." in shown(client)


def test_a_source_that_never_reported_is_listed(client: Client) -> None:
    make_source("kiosk")
    assert "never reported" in shown(client)


def test_a_source_is_drawn_over_what_was_expected(client: Client) -> None:
    source = make_source()
    newest = floor_to(timezone.now(), 1) - timedelta(minutes=20)
    for minute in range(60):
        count(source, newest - timedelta(minutes=minute), approved=30)
        expect(source, newest - timedelta(minutes=minute), 30)
    text = shown(client)
    assert "<polyline" in text
    assert "Normal" in text


def test_a_source_without_a_baseline_is_learning(client: Client) -> None:
    count(make_source(), floor_to(timezone.now(), 1), approved=3)
    assert "Learning" in shown(client)


def test_a_stray_old_report_teaches_nothing(client: Client) -> None:
    source, newest = make_source(), floor_to(timezone.now(), 1)
    count(source, newest - timedelta(days=400), approved=3)
    count(source, newest, approved=3)
    Band.objects.create(source=source, minute=newest, learning=True)
    assert "400.0 days" not in shown(client)


def test_a_minute_that_was_judged_says_of_which_day_it_is(client: Client) -> None:
    expect(make_source(), at(0), 30)
    assert "2026-03-02 12:00 · expected 20–40" in shown(client, "/sources/default/")


def test_a_source_has_the_level_of_its_worst_incident(client: Client) -> None:
    open_incident()
    assert "Critical" in shown(client)


def test_a_source_that_is_off_says_so(client: Client) -> None:
    make_source(enabled=False)
    assert "Off" in shown(client)


def test_the_page_of_a_source_shows_its_week_in_its_own_time(client: Client) -> None:
    source = make_source("sp", time_zone="America/Sao_Paulo")
    monday = timezone.now() - timedelta(days=1)
    expect(source, monday.replace(minute=7, second=0, microsecond=0), 57)
    text = shown(client, "/sources/sp/")
    assert ">57</td>" in text
    assert "America/Sao_Paulo" in text


def test_a_source_without_a_week_says_that_it_learns(client: Client) -> None:
    make_source("new")
    assert "No expectation yet" in shown(client, "/sources/new/")


def test_a_source_that_does_not_exist_is_not_found(client: Client) -> None:
    assert client.get("/sources/nobody/", headers=PAGE).status_code == 404


def test_sources_in_trouble_come_first_and_many_come_page_by_page(client: Client) -> None:
    for number in range(51):
        make_source(f"shop-{number:02}")
    make_source("zebra")
    open_incident(source=make_source("zebra"))
    text = shown(client)
    assert text.index("zebra") < text.index("shop-00")
    assert "Page 1 of 2" in text
    assert "shop-50" not in text
    assert "shop-50" in shown(client, "/sources/?page=2")


def test_the_canary_is_no_source_of_payments(client: Client) -> None:
    canary = make_source(Source.CANARY, title="Guardian's canary")
    count(canary, floor_to(timezone.now(), 1), approved=0)
    assert "canary" not in shown(client)
    assert "canary" not in client.get("/", headers=PAGE).content.decode()
    assert client.get("/live.json").json()["newest"] is None


def test_fifty_sources_cost_as_many_queries_as_one(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    newest = floor_to(timezone.now(), 1) - timedelta(minutes=20)
    for number in range(50):
        source = make_source(f"shop-{number:02}")
        count(source, newest, approved=30)
        expect(source, newest, 30)
    with django_assert_max_num_queries(10):
        assert shown(client).count("<polyline") == 50

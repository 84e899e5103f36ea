"""Guessing passwords ends after five tries, behind a proxy as in front of it."""

from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from guardian_site.access.models import SignIn
from guardian_site.access.services.traces import forget_traces
from guardian_site.tests.people import PASSWORD, make_person, token_client

pytestmark = pytest.mark.django_db


def login(password: str, address: str = "192.0.2.1", **headers: str) -> Any:
    return Client(REMOTE_ADDR=address).post(
        "/auth/login",
        {"username": "the-viewer", "password": password},
        content_type="application/json",
        headers=headers,
    )


def test_after_five_failures_the_right_password_waits_too() -> None:
    make_person()
    assert [login("wrong").status_code for _ in range(4)] == [401] * 4
    login("wrong")
    answer = login(PASSWORD)
    assert answer.status_code == 429
    assert answer["Retry-After"] == "900"


def test_the_owner_gets_in_from_elsewhere_meanwhile() -> None:
    make_person()
    for _ in range(6):
        login("wrong")
    assert login(PASSWORD, address="192.0.2.2").status_code == 200


def test_an_address_that_the_sender_makes_up_does_not_help() -> None:
    make_person()
    for number in range(6):
        login("wrong", **{"X-Forwarded-For": f"198.51.100.{number}"})
    assert login(PASSWORD, **{"X-Forwarded-For": "198.51.100.99"}).status_code == 429


def test_behind_our_proxy_the_client_is_locked_out_and_nobody_else(
    settings: Settings,
) -> None:
    settings.GUARDIAN_TRUSTED_PROXIES = ["192.0.2.1"]
    make_person()
    for _ in range(6):
        login("wrong", **{"X-Forwarded-For": "198.51.100.1"})
    assert login(PASSWORD, **{"X-Forwarded-For": "198.51.100.1"}).status_code == 429
    assert login(PASSWORD, **{"X-Forwarded-For": "198.51.100.2"}).status_code == 200


def test_the_page_of_the_sign_in_locks_out_too() -> None:
    make_person()
    form = {"username": "the-viewer", "password": "wrong"}
    for _ in range(6):
        answer = Client().post("/login", form, headers={"Accept": "text/html"})
    assert answer.status_code == 429
    assert b"15 minutes" in answer.content


def test_old_failures_and_sessions_are_forgotten_and_young_ones_are_not() -> None:
    make_person()
    login("wrong")
    token_client("operator")
    forget_traces(now=timezone.now())
    assert (AccessAttempt.objects.count(), SignIn.objects.count()) == (1, 1)
    forget_traces(now=timezone.now() + timedelta(days=120))
    assert (AccessAttempt.objects.count(), SignIn.objects.count()) == (0, 0)

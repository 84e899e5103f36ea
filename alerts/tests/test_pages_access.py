import re
from typing import Any

import pytest
from django.test import Client, override_settings

from alerts.tests.makers import make_source
from alerts.tests.pages import PAGE, operator, signed_in

pytestmark = pytest.mark.django_db
PAGES = ("/", "/incidents/", "/sources/", "/help/", "/login")
DATA = ("/live.json", "/stream")


@pytest.mark.parametrize("address", [*PAGES, "/nothing-here"])
def test_a_page_holds_no_inline_script_or_style(client: Client, address: str) -> None:
    text = client.get(address, headers=PAGE).content.decode()
    inline = re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", text)
    assert not inline
    assert not re.search(r"<style|\sstyle=|\son\w+=", text)


def test_the_policy_lets_only_our_own_files_in(client: Client) -> None:
    policy = client.get("/")["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("address", PAGES)
def test_a_page_names_its_language_and_has_one_title(client: Client, address: str) -> None:
    text = client.get(address, headers=PAGE).content.decode()
    assert '<html lang="en"' in text
    assert text.count("<h1") == 1


@override_settings(GUARDIAN_PUBLIC_READ=False)
@pytest.mark.parametrize("address", [page for page in PAGES if page != "/login"])
def test_where_reading_is_not_public_people_sign_in_first(client: Client, address: str) -> None:
    make_source()
    assert client.get(address, headers=PAGE)["Location"].startswith("/login?next=")
    assert signed_in("viewer").get(address, headers=PAGE).status_code == 200


@override_settings(GUARDIAN_PUBLIC_READ=False)
@pytest.mark.parametrize("address", DATA)
def test_where_reading_is_not_public_programs_are_told_401(client: Client, address: str) -> None:
    assert client.get(address, headers={"Accept": "application/json"}).status_code == 401


def test_signing_in_leads_back_to_where_one_was(client: Client) -> None:
    signed_in("viewer")
    form = {"username": "ana", "password": "secret", "next": "/sources/"}
    assert client.post("/login", form)["Location"] == "/sources/"


def test_a_wrong_password_is_answered_in_words(client: Client) -> None:
    answer = client.post("/login", {"username": "ana", "password": "wrong"})
    assert "Please enter a correct username and password" in answer.content.decode()


def test_signing_out_ends_the_session() -> None:
    client = operator()
    assert client.post("/logout")["Location"] == "/"
    assert "Sign in" in client.get("/", headers=PAGE).content.decode()


def test_an_unknown_page_is_answered_in_our_style(client: Client) -> None:
    answer = client.get("/nothing-here", headers=PAGE)
    assert answer.status_code == 404
    assert "Page not found" in answer.content.decode()


def test_a_refusal_is_answered_in_our_style() -> None:
    client = operator()
    client.handler.enforce_csrf_checks = True
    answer = client.post("/login", {"username": "ana", "password": "secret"}, headers=PAGE)
    assert answer.status_code == 403
    assert "You do not have permission to do that" in answer.content.decode()


def test_a_failure_is_answered_in_our_style(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr("alerts.views.live.asked_view", broken)
    answer = Client(raise_request_exception=False).get("/", headers=PAGE)
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.content.decode()

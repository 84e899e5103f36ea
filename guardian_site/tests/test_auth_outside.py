"""Sign-in by an outside provider, tried against one on this machine that also cheats."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation
from pytest_django import Settings

from alerts.tests.pages import PAGE
from guardian_site.access.outside import OutsideSignIn
from guardian_site.access.roles import Role, role_of
from guardian_site.tests.people import make_person
from guardian_site.tests.provider import Provider, challenge_of, running_provider

pytestmark = pytest.mark.django_db
BACKEND = "guardian_site.access.outside.OutsideSignIn"
REFUSED = "/login?next=%2Fincidents%2F"


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture
def provider(running: Provider, settings: Settings) -> Provider:
    for name, value in running.settings().items():
        setattr(settings, name, value)
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, BACKEND]
    settings.GUARDIAN_OIDC_ROLES = {
        "viewer": frozenset({"staff"}),
        "operator": frozenset({"oncall"}),
        "admin": frozenset({"guardian-admins"}),
    }
    running.claims = {"sub": "42", "preferred_username": "ana", "groups": ["staff", "oncall"]}
    running.token, running.told, running.signs_with = {}, {}, running.key
    running.odd = {}
    return running


def sign_in(provider: Provider, browser: Client | None = None, **changed: str) -> Any:
    browser = browser or Client()
    out = browser.get("/outside/login?next=/incidents/")
    asked = dict(parse_qsl(urlsplit(out["Location"]).query))
    provider.nonce, provider.challenge = asked["nonce"], asked["code_challenge"]
    return browser.get("/outside/return", {"code": "c", "state": asked["state"], **changed})


def test_somebody_new_gets_an_account_with_the_most_trusted_role_of_their_groups(
    provider: Provider,
) -> None:
    answer = sign_in(provider)
    assert answer["Location"] == "/incidents/"
    user = User.objects.get()
    assert user.username == "ana"
    assert not user.has_usable_password()
    assert role_of(user) is Role.OPERATOR


def test_a_code_that_was_stolen_on_the_way_back_is_worth_nothing(provider: Provider) -> None:
    sign_in(provider)
    assert challenge_of(provider.asked["code_verifier"]) == provider.challenge


def test_who_comes_in_two_windows_at_once_has_one_account(provider: Provider) -> None:
    # Both have looked for the account before either made it.
    windows = [OutsideSignIn(), OutsideSignIn()]
    assert len({window.create_user(provider.claims).pk for window in windows}) == 1
    assert User.objects.count() == 1


def test_the_next_time_it_is_the_same_account_with_the_role_of_today(provider: Provider) -> None:
    sign_in(provider)
    provider.claims |= {"groups": ["staff"], "preferred_username": "ana.maria"}
    sign_in(provider)
    assert role_of(User.objects.get()) is Role.VIEWER


def test_who_has_no_role_here_is_not_let_in(provider: Provider) -> None:
    provider.claims |= {"groups": ["kitchen"]}
    assert sign_in(provider)["Location"] == REFUSED
    assert User.objects.count() == 0


@pytest.mark.parametrize(
    ("groups", "told"), [(["kitchen"], "but have no role here"), (["staff"], "did not work")]
)
def test_who_is_not_let_in_is_told_why(groups: list[str], told: str, provider: Provider) -> None:
    provider.claims |= {"groups": groups}
    provider.token = {"nonce": "another"} if groups == ["staff"] else {}
    browser = Client()
    page = browser.get(sign_in(provider, browser)["Location"]).content.decode()
    assert told in page
    assert 'name="next" value="/incidents/"' in page


def test_the_button_speaks_portuguese(provider: Provider) -> None:
    with translation.override("pt-br"):
        page = Client().get("/login").content.decode()
    assert "Entrar com a conta da empresa" in page


def test_who_lost_every_group_keeps_nothing_in_another_browser(provider: Provider) -> None:
    elsewhere = Client()
    sign_in(provider, elsewhere)
    provider.claims |= {"groups": ["kitchen"]}
    sign_in(provider)
    assert role_of(User.objects.get()) is None
    assert elsewhere.get("/reports/handover").status_code == 403


def test_an_account_of_ours_is_never_taken_over_by_its_name_or_address(provider: Provider) -> None:
    ours = make_person("admin", "ana")
    User.objects.filter(pk=ours.pk).update(email="ana@example.com")
    provider.claims |= {"email": "ana@example.com", "email_verified": True}
    browser = Client()
    sign_in(provider, browser)
    assert browser.session["_auth_user_id"] != str(ours.pk)
    assert User.objects.get(username="ana-2").email == "ana@example.com"


def test_who_left_is_signed_in_nowhere_any_more(provider: Provider) -> None:
    browser = Client()
    sign_in(provider, browser)
    assert browser.get("/auth/me").json()["user"]["username"] == "ana"
    User.objects.update(is_active=False)
    assert browser.get("/auth/me").status_code == 401
    assert browser.get("/reports/handover", headers=PAGE).status_code == 302


def test_who_left_does_not_come_back(provider: Provider) -> None:
    sign_in(provider)
    User.objects.update(is_active=False)
    assert sign_in(provider)["Location"] == REFUSED


@pytest.mark.parametrize(
    "cheat",
    [
        {"aud": "another-client"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"nonce": "another"},
        {"sub": "43"},
    ],
)
def test_a_token_that_is_not_for_us_now_and_about_them_is_refused(
    cheat: dict[str, Any], provider: Provider
) -> None:
    provider.token = cheat
    assert sign_in(provider)["Location"] == REFUSED
    assert User.objects.count() == 0


def test_a_token_signed_by_somebody_else_is_refused(provider: Provider) -> None:
    provider.signs_with = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert sign_in(provider)["Location"] == REFUSED


def test_an_answer_to_a_question_never_asked_is_refused(provider: Provider) -> None:
    assert sign_in(provider, state="made-up")["Location"] == REFUSED
    assert User.objects.count() == 0


def test_a_return_that_is_loaded_again_leads_on(provider: Provider) -> None:
    browser = Client()
    sign_in(provider, browser)
    assert sign_in(provider, browser, state="spent")["Location"] == "/incidents/"


def test_a_link_of_somebody_else_signs_nobody_out(provider: Provider) -> None:
    browser = Client()
    sign_in(provider, browser)
    assert browser.get("/outside/return?error=x&state=made-up")["Location"] == "/incidents/"
    assert browser.get("/auth/me").status_code == 200


def test_a_provider_that_is_away_is_a_failed_sign_in_not_an_error(
    provider: Provider, settings: Settings
) -> None:
    settings.OIDC_OP_TOKEN_ENDPOINT = "http://127.0.0.1:1/token"
    assert sign_in(provider)["Location"] == REFUSED


@pytest.mark.parametrize(
    "odd",
    [
        {"/token": []},
        {"/keys": {"error": "maintenance"}},
        {"/keys": {"keys": [{"kty": "RSA"}]}},
        {"/keys": {"keys": [{"kid": "one", "kty": "none"}]}},
        {"/user": None},
    ],
)
def test_an_answer_that_is_none_is_a_failed_sign_in_not_an_error(
    odd: dict[str, Any], provider: Provider
) -> None:
    provider.odd = odd
    assert sign_in(provider)["Location"] == REFUSED


def test_it_leads_back_to_this_site_alone(provider: Provider) -> None:
    browser = Client()
    browser.get("/outside/login?next=https://evil.example/")
    assert browser.session["oidc_login_next"] is None


def test_without_a_provider_there_is_no_such_door() -> None:
    assert Client().get("/outside/login").status_code == 404
    assert Client().get("/outside/return").status_code == 404
    assert b"Sign in by" not in Client().get("/login").content


def test_the_page_of_the_sign_in_offers_the_provider(provider: Provider) -> None:
    assert b"/outside/login" in Client().get("/login").content


def test_the_failures_of_some_lock_out_nobody_else_of_their_office(provider: Provider) -> None:
    provider.claims |= {"groups": ["kitchen"]}
    assert [sign_in(provider)["Location"] for _ in range(6)] == [REFUSED] * 6
    provider.claims |= {"groups": ["staff"]}
    assert sign_in(provider)["Location"] == "/incidents/"

"""Signing in through the API: tokens that run out, turn over once, and really end."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from guardian_site.access.models import SignIn
from guardian_site.access.signed_tokens import AccessToken, key_id
from guardian_site.tests.people import PASSWORD, make_person

pytestmark = pytest.mark.django_db


def login(username: str = "the-viewer", password: str = PASSWORD, **more: str) -> Any:
    body = {"username": username, "password": password, **more}
    return Client().post("/auth/login", body, content_type="application/json")


def refresh(token: str) -> Any:
    return Client().post("/auth/refresh", {"refresh_token": token}, content_type="application/json")


def me(token: str) -> Any:
    return Client().get("/auth/me", headers={"Authorization": f"Bearer {token}"})


def test_a_sign_in_answers_as_the_former_clients_expect() -> None:
    make_person("operator", "op")
    body = login("op").json()
    assert body["token_type"] == "bearer"
    assert body["expires_in"] == 900
    assert body["user"] == {"username": "op", "role": "operator", "permissions": ["read", "write"]}
    assert me(body["access_token"]).json() == {
        "authenticated": True,
        "user": {"type": "jwt", **body["user"]},
    }


@pytest.mark.parametrize("username", ["the-viewer", "nobody"])
def test_a_wrong_name_and_a_wrong_password_sound_the_same(username: str) -> None:
    make_person()
    answer = login(username, "wrong")
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Invalid username or password"}
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_who_left_does_not_get_in() -> None:
    make_person()
    User.objects.update(is_active=False)
    assert login().status_code == 401


def test_a_logout_kills_the_access_token_at_once() -> None:
    make_person()
    pair = login().json()
    bearer = {"Authorization": f"Bearer {pair['access_token']}"}
    assert Client().post("/auth/logout", headers=bearer).status_code == 200
    assert me(pair["access_token"]).status_code == 401
    assert refresh(pair["refresh_token"]).status_code == 401


def test_a_sign_in_outlives_the_secret_key_while_the_old_one_is_kept(settings: Settings) -> None:
    make_person()
    pair = login().json()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "n" * 50
    assert me(pair["access_token"]).status_code == 200
    fresh = refresh(pair["refresh_token"]).json()
    settings.SECRET_KEY_FALLBACKS = []
    assert me(fresh["access_token"]).status_code == 200


def test_a_sign_in_ends_with_the_secret_key_where_the_old_one_is_not_kept(
    settings: Settings,
) -> None:
    make_person()
    pair = login().json()
    settings.SECRET_KEY = "n" * 50
    assert me(pair["access_token"]).status_code == 401
    assert refresh(pair["refresh_token"]).status_code == 401


def test_a_refresh_token_works_once() -> None:
    make_person()
    first = login().json()
    second = refresh(first["refresh_token"])
    assert second.status_code == 200
    assert me(second.json()["access_token"]).status_code == 200
    assert refresh(second.json()["refresh_token"]).status_code == 200


def test_a_refresh_token_that_comes_twice_ends_the_sign_in_of_thief_and_owner() -> None:
    make_person()
    stolen = login().json()["refresh_token"]
    thief = refresh(stolen).json()
    assert refresh(stolen).status_code == 401
    assert refresh(thief["refresh_token"]).status_code == 401
    assert me(thief["access_token"]).status_code == 401


def test_a_new_password_ends_every_sign_in() -> None:
    user = make_person()
    token = login().json()["access_token"]
    user.set_password("another-horse-8")
    user.save()
    assert me(token).status_code == 401


def test_a_smaller_role_counts_at_once() -> None:
    user = make_person("admin")
    token = login("the-admin").json()["access_token"]
    user.groups.clear()
    answer = Client().get("/auth/stats", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403


def test_an_access_token_runs_out() -> None:
    token = AccessToken()
    token.set_exp(lifetime=timedelta(seconds=-1))
    assert me(str(token)).status_code == 401


def test_a_refresh_token_opens_no_door() -> None:
    make_person()
    assert me(login().json()["refresh_token"]).status_code == 401


def test_a_sign_in_that_ran_out_is_over() -> None:
    make_person()
    token = login().json()["access_token"]
    SignIn.objects.update(expires=timezone.now())
    assert me(token).status_code == 401


def test_a_key_can_be_put_in_front_of_the_one_that_signed_before(settings: Settings) -> None:
    make_person()
    old = login().json()["access_token"]
    settings.GUARDIAN_JWT_KEYS = ["n" * 40, *settings.GUARDIAN_JWT_KEYS]
    assert me(old).status_code == 200
    assert me(login().json()["access_token"]).status_code == 200
    settings.GUARDIAN_JWT_KEYS = ["n" * 40]
    assert me(old).status_code == 401


def _forged(**header: str) -> str:
    import jwt

    claims = {"token_type": "access", "sub": "1", "sid": "x", "jti": "j", "exp": 9_999_999_999}
    return jwt.encode(claims, "f" * 40, algorithm="HS256", headers=header)


def test_a_token_signed_by_another_key_is_refused(settings: Settings) -> None:
    assert me(_forged()).status_code == 401
    assert me(_forged(kid=key_id(settings.GUARDIAN_JWT_KEYS[0]))).status_code == 401


@pytest.mark.parametrize(
    "token", ["", "x", "a.b.c", "é.é.é", "eyJhbGciOiJub25lIn0.e30.", "." * 9000]
)
def test_nonsense_is_refused_and_breaks_nothing(token: str) -> None:
    assert me(token).status_code == 401


@pytest.mark.parametrize("body", [{}, {"username": "x"}, {"username": "a\0b", "password": "p"}, []])
def test_a_login_without_its_fields_says_what_is_missing(body: Any) -> None:
    assert Client().post("/auth/login", body, content_type="application/json").status_code == 400


def test_tokens_are_kept_by_no_cache() -> None:
    make_person()
    assert login()["Cache-Control"] == "no-store"

"""Keys of machines: made, listed, replaced with an overlap, revoked, exchanged for tokens."""

import base64
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from guardian_site.tests.people import token_client
from ingest.models import ApiKey, Source
from ingest.services.keys import forget_keys, issue_key

pytestmark = pytest.mark.django_db


def make(client: Client, **body: Any) -> Any:
    return client.post(
        "/auth/api-keys", {"name": "acquirer", **body}, content_type="application/json"
    )


def rotate(client: Client, key: str, **body: Any) -> Any:
    return client.post(f"/auth/api-keys/{key}/rotate", body, content_type="application/json")


def works(secret: str) -> bool:
    return Client().get("/auth/me", headers={"X-API-Key": secret}).status_code == 200


def test_a_key_is_shown_once_and_kept_as_a_hash() -> None:
    admin = token_client("admin")
    body = make(admin, scopes=["report"]).json()
    assert body["api_key"].startswith(body["prefix"])
    assert works(body["api_key"])
    listed = admin.get("/auth/api-keys").json()
    assert listed["total"] == 1
    assert body["api_key"] not in str(listed)
    assert body["api_key"] not in str(ApiKey.objects.values())


def test_the_words_of_the_former_clients_still_mean_something() -> None:
    admin = token_client("admin")
    assert make(admin).json()["permissions"] == ["read"]
    assert make(admin, permissions=["read", "write"]).json()["permissions"] == ["read", "report"]


@pytest.mark.parametrize(
    "body",
    [
        {"permissions": ["god"]},
        {"scopes": []},
        {"rate_limit": "fast"},
        {"source": "unheard-of"},
        {"expires_in_days": 0},
        {"name": ""},
        {"name": "x" * 81},
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(body: dict[str, Any]) -> None:
    assert make(token_client("admin"), **body).status_code == 400
    assert ApiKey.objects.count() == 0


def test_the_key_of_one_source_cannot_be_an_administrators() -> None:
    Source.objects.create(name="acquirer-1")
    answer = make(token_client("admin"), source="acquirer-1", scopes=["admin"])
    assert answer.status_code == 400


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_only_administrators_make_keys(role: str) -> None:
    assert make(token_client(role)).status_code == 403


def test_a_revoked_key_opens_nothing_and_stays_on_record() -> None:
    admin = token_client("admin")
    body = make(admin).json()
    assert admin.delete(f"/auth/api-keys/{body['id']}").status_code == 200
    assert not works(body["api_key"])
    assert ApiKey.objects.get().revoked is not None


def test_a_name_that_several_keys_have_revokes_none_of_them() -> None:
    admin = token_client("admin")
    make(admin), make(admin)
    assert admin.delete("/auth/api-keys/acquirer").status_code == 409
    assert ApiKey.objects.filter(revoked=None).count() == 2
    assert admin.delete("/auth/api-keys/unheard-of").status_code == 404


def test_a_key_is_replaced_by_its_name_again_and_again() -> None:
    admin = token_client("admin")
    make(admin)
    for _ in range(3):
        answer = rotate(admin, "acquirer", overlap_hours=0)
        assert answer.status_code == 201
    assert admin.delete("/auth/api-keys/acquirer").status_code == 200
    assert not works(answer.json()["api_key"])


def test_a_key_that_ran_out_is_still_found_by_its_name() -> None:
    admin = token_client("admin")
    make(admin)
    ApiKey.objects.update(expires=timezone.now())
    assert admin.delete("/auth/api-keys/acquirer").status_code == 200


def test_a_name_may_be_a_number() -> None:
    admin = token_client("admin")
    make(admin, name="20260101")
    assert admin.get("/auth/api-keys/20260101").json()["name"] == "20260101"


def test_who_writes_a_limit_wrongly_is_told_how_to() -> None:
    [error] = make(token_client("admin"), rate_limit="100/minute").json()["errors"]
    told = "must be requests/period such as 6000/m (s, m, h or d)"
    assert error == {"field": "rate_limit", "message": told}


def test_after_a_rotation_both_keys_work_until_the_overlap_is_over() -> None:
    admin = token_client("admin")
    old = make(admin, rate_limit="60/m").json()
    answer = rotate(admin, old["prefix"], overlap_hours=1)
    new = answer.json()
    assert answer.status_code == 201
    assert new["rate_limit"] == "60/m"
    assert works(old["api_key"])
    assert works(new["api_key"])
    ApiKey.objects.filter(pk=old["id"]).update(expires=timezone.now())
    forget_keys()
    assert not works(old["api_key"])


@pytest.mark.parametrize("days", [None, 90])
def test_a_key_that_is_replaced_twice_is_followed_by_one_that_lives_as_long(
    days: int | None,
) -> None:
    admin = token_client("admin")
    old = make(admin, **({"expires_in_days": days} if days else {})).json()
    rotate(admin, old["prefix"])
    new = rotate(admin, old["prefix"]).json()
    key = ApiKey.objects.get(pk=new["id"])
    assert (key.expires and round((key.expires - key.created) / timedelta(days=1))) == days


def test_a_key_runs_out() -> None:
    _key, secret = issue_key(name="k", expires=timezone.now() + timedelta(seconds=30))
    assert works(secret)
    ApiKey.objects.update(expires=timezone.now() - timedelta(seconds=1))
    forget_keys()
    assert not works(secret)


def test_its_last_use_is_noted_and_a_wrong_secret_is_no_use() -> None:
    key, secret = issue_key(name="k")
    assert not works(secret[:-1] + ("a" if secret[-1] != "a" else "b"))
    assert ApiKey.objects.get(pk=key.pk).last_used is None
    works(secret)
    assert ApiKey.objects.get(pk=key.pk).last_used is not None


def exchange(prefix: str, secret: str, **more: str) -> Any:
    credentials = base64.b64encode(f"{prefix}:{secret}".encode()).decode()
    return Client().post(
        "/auth/token",
        urlencode({"grant_type": "client_credentials", **more}),
        content_type="application/x-www-form-urlencoded",
        headers={"Authorization": f"Basic {credentials}"},
    )


def test_a_machine_exchanges_its_key_for_a_short_token(settings: Settings) -> None:
    settings.GUARDIAN_PUBLIC_READ = False
    key, secret = issue_key(name="k", scopes=["read", "report"])
    body = exchange(key.prefix, secret).json()
    assert body["scope"] == "read report"
    bearer = {"Authorization": f"Bearer {body['access_token']}"}
    assert Client().get("/anomalies", headers=bearer).status_code == 200


def test_a_token_can_be_made_to_do_less_than_its_key(settings: Settings) -> None:
    settings.GUARDIAN_PUBLIC_READ = False
    key, secret = issue_key(name="k", scopes=["read", "report"])
    token = exchange(key.prefix, secret, scope="report").json()["access_token"]
    assert (
        Client().get("/anomalies", headers={"Authorization": f"Bearer {token}"}).status_code == 403
    )
    assert exchange(key.prefix, secret, scope="admin").json()["error"] == "invalid_scope"


def test_the_token_of_a_key_dies_with_it() -> None:
    key, secret = issue_key(name="k")
    token = exchange(key.prefix, secret).json()["access_token"]
    token_client("admin").delete(f"/auth/api-keys/{key.pk}")
    assert Client().get("/auth/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_wrong_client_secret_is_told_as_the_standard_says() -> None:
    key, secret = issue_key(name="k")
    answer = exchange(key.prefix, secret + "x")
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"
    assert answer["WWW-Authenticate"].startswith("Basic")
    assert exchange("tg_000000000", secret).status_code == 401

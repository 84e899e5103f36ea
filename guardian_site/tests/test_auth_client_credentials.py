"""Guardian as OAuth2 server for machines, held to the standards and asked by a standard client."""

import base64
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from oauthlib.oauth2 import BackendApplicationClient, InvalidClientError, InvalidScopeError
from pytest_django import DjangoAssertNumQueries, Settings
from pytest_django.live_server_helper import LiveServer
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from guardian_site.access.lifetimes import ACCESS_LIFETIME
from guardian_site.access.models import RevokedToken
from guardian_site.access.services import client_tokens
from guardian_site.access.services.traces import forget_traces
from guardian_site.tests.people import make_person
from ingest.services.keys import issue_key

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"
GRANT = {"grant_type": "client_credentials"}


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


def ask(path: str, form: dict[str, str] | str, headers: dict[str, str] | None = None) -> Any:
    body = form if isinstance(form, str) else urlencode(form)
    return Client().post(path, body, content_type=FORM, headers=headers or {})


def token_of(prefix: str, secret: str, **more: str) -> str:
    answer = ask("/auth/token", {**GRANT, **more}, basic(prefix, secret))
    return str(answer.json()["access_token"])


def opens(token: str) -> bool:
    answer = Client().get("/auth/me", headers={"Authorization": f"Bearer {token}"})
    return bool(answer.status_code == 200)


@pytest.fixture
def plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    # The client refuses addresses without TLS otherwise.
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("plain_http")
@pytest.mark.parametrize("in_the_form", [False, True])
def test_a_standard_client_finds_the_doors_and_gets_in(
    live_server: LiveServer, settings: Settings, in_the_form: bool
) -> None:
    settings.GUARDIAN_URL, settings.GUARDIAN_PUBLIC_READ = live_server.url, False
    key, secret = issue_key(name="k", scopes=["read", "report"])
    session = OAuth2Session(client=BackendApplicationClient(key.prefix, scope=["read"]))
    found = session.request(
        "GET", f"{live_server.url}/.well-known/oauth-authorization-server", withhold_token=True
    ).json()
    how: dict[str, Any] = (
        {"include_client_id": True, "client_secret": secret}
        if in_the_form
        else {"auth": HTTPBasicAuth(key.prefix, secret)}
    )
    token = session.fetch_token(found["token_endpoint"], **how)
    assert (token["scope"], token["expires_in"]) == (["read"], ACCESS_LIFETIME.total_seconds())
    assert session.get(f"{live_server.url}/anomalies").status_code == 200
    where, headers, body = session._client.prepare_token_revocation_request(
        found["revocation_endpoint"], token["access_token"], client_id=key.prefix
    )
    body = f"{body}&client_secret={secret}"
    told = session.request("POST", where, headers=headers, data=body, withhold_token=True)
    assert told.status_code == 200
    assert session.get(f"{live_server.url}/anomalies").status_code == 401


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("plain_http")
def test_a_standard_client_understands_each_refusal(live_server: LiveServer) -> None:
    key, secret = issue_key(name="k", scopes=["read"])
    door = f"{live_server.url}/auth/token"
    session = OAuth2Session(client=BackendApplicationClient(key.prefix))
    with pytest.raises(InvalidClientError):
        session.fetch_token(door, auth=HTTPBasicAuth(key.prefix, "wrong"))
    session = OAuth2Session(client=BackendApplicationClient(key.prefix, scope=["admin"]))
    with pytest.raises(InvalidScopeError):
        session.fetch_token(door, auth=HTTPBasicAuth(key.prefix, secret))


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"grant_type": "password", "username": "a"}, 400, "unsupported_grant_type"),
        ({**GRANT, "scope": "god"}, 400, "invalid_scope"),
        ({**GRANT, "scope": "admin"}, 400, "invalid_scope"),
        ({**GRANT, "client_id": "tg_another00"}, 401, "invalid_client"),
        ({**GRANT, "client_secret": "also here"}, 400, "invalid_request"),
        ("grant_type=client_credentials&grant_type=client_credentials", 400, "invalid_request"),
    ],
)
def test_each_refusal_has_the_word_and_the_status_of_the_standard(
    form: dict[str, str] | str, status: int, error: str
) -> None:
    key, secret = issue_key(name="k", scopes=["read"])
    answer = ask("/auth/token", form, basic(key.prefix, secret))
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"] == answer.json()["detail"]
    assert (answer["Cache-Control"], answer["Pragma"]) == ("no-store", "no-cache")


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic !", "Basic w6k=", "Basic Og==", "Bearer x", "Digest a=b"]
)
@pytest.mark.parametrize("path", ["/auth/token", "/auth/revoke", "/auth/introspect"])
def test_a_client_that_does_not_show_its_key_is_told_how(path: str, header: str) -> None:
    answer = ask(path, {**GRANT, "token": "x"}, {"Authorization": header} if header else {})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer["WWW-Authenticate"] == 'Basic realm="Transaction Guardian"'
    assert answer["Cache-Control"] == "no-store"


def test_a_good_answer_is_kept_by_no_cache_and_unknown_parameters_are_ignored() -> None:
    key, secret = issue_key(name="k", scopes=["read", "report"])
    form = {**GRANT, "resource": "x", "scope": ""}
    answer = ask("/auth/token", form, basic(key.prefix, secret))
    assert answer.status_code == 200
    assert answer.json()["scope"] == "read report"
    assert (answer["Cache-Control"], answer["Pragma"]) == ("no-store", "no-cache")


def test_id_and_secret_may_be_encoded_once_more_inside() -> None:
    key, secret = issue_key(name="k")
    encoded = "".join(f"%{ord(letter):02X}" for letter in secret)
    assert ask("/auth/token", GRANT, basic(key.prefix, encoded)).status_code == 200


def test_scopes_that_are_no_text_do_not_become_all_scopes() -> None:
    key, secret = issue_key(name="k", scopes=("read", "report"))
    sent = {**GRANT, "client_id": key.prefix, "client_secret": secret, "scope": ["read"]}
    answer = Client().post("/auth/token", sent, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("path", ["/auth/token", "/auth/introspect"])
def test_no_database_is_asked_for_a_key_with_a_nul(
    path: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    form = {**GRANT, "client_id": "tg_\0aaaaaaaa", "client_secret": "tg_\0aaaaaaaa", "token": "x"}
    with django_assert_num_queries(0):
        assert ask(path, form).json()["error"] == "invalid_client"


def test_a_secret_in_the_address_is_not_read() -> None:
    key, secret = issue_key(name="k")
    sent = urlencode({**GRANT, "client_id": key.prefix, "client_secret": secret})
    assert ask(f"/auth/token?{sent}", "").status_code == 401


def test_a_key_that_only_signs_gets_no_token_for_its_secret() -> None:
    key, secret = issue_key(name="k", signed_only=True)
    assert ask("/auth/token", GRANT, basic(key.prefix, secret)).json()["error"] == "invalid_client"


def test_a_token_given_back_opens_nothing_here_and_soon_nothing_elsewhere() -> None:
    key, secret = issue_key(name="k")
    given_back, other = token_of(key.prefix, secret), token_of(key.prefix, secret)
    assert opens(given_back)
    answer = ask("/auth/revoke", {"token": given_back}, basic(key.prefix, secret))
    assert (answer.status_code, answer.content) == (200, b"")
    assert not opens(given_back)
    assert opens(other)
    client_tokens._seen.forget()  # as in another process, ten seconds later
    assert not opens(given_back)


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "é"])
def test_what_opens_nothing_needs_no_giving_back(token: str) -> None:
    key, secret = issue_key(name="k")
    form = {"token": token, "token_type_hint": "refresh_token"}
    assert ask("/auth/revoke", form, basic(key.prefix, secret)).status_code == 200
    assert RevokedToken.objects.count() == 0


def test_nobody_gives_back_the_token_of_another() -> None:
    key, secret = issue_key(name="k")
    other, other_secret = issue_key(name="other")
    theirs = token_of(other.prefix, other_secret)
    answer = ask("/auth/revoke", {"token": theirs}, basic(key.prefix, secret))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert opens(theirs)


def test_a_key_given_back_as_if_it_were_a_token_is_not_silently_taken_for_dead() -> None:
    key, secret = issue_key(name="k")
    answer = ask("/auth/revoke", {"token": secret}, basic(key.prefix, secret))
    assert answer.json()["error"] == "unsupported_token_type"


def test_a_revocation_is_forgotten_once_the_token_has_run_out() -> None:
    key, secret = issue_key(name="k")
    token = token_of(key.prefix, secret)
    ask("/auth/revoke", {"token": token}, basic(key.prefix, secret))
    forget_traces(now=timezone.now())
    assert RevokedToken.objects.count() == 1
    forget_traces(now=timezone.now() + ACCESS_LIFETIME)
    assert RevokedToken.objects.count() == 0


def introspect(token: str, prefix: str, secret: str) -> Any:
    return ask("/auth/introspect", {"token": token}, basic(prefix, secret)).json()


def test_a_key_learns_what_its_own_token_is_worth() -> None:
    key, secret = issue_key(name="k", scopes=["read", "report"])
    token = token_of(key.prefix, secret, scope="read")
    found = introspect(token, key.prefix, secret)
    assert (found["active"], found["client_id"], found["scope"]) == (True, key.prefix, "read")
    assert found["exp"] - found["iat"] == ACCESS_LIFETIME.total_seconds()
    ask("/auth/revoke", {"token": token}, basic(key.prefix, secret))
    assert introspect(token, key.prefix, secret) == {"active": False}


def test_of_the_tokens_of_others_only_an_administrators_key_learns() -> None:
    make_person("viewer", "ana")
    login = {"username": "ana", "password": "correct-horse-7-battery"}
    token = Client().post("/auth/login", login, content_type="application/json").json()
    key, secret = issue_key(name="k", scopes=["read"])
    admin, admin_secret = issue_key(name="a", scopes=["admin"])
    assert introspect(token["access_token"], key.prefix, secret) == {"active": False}
    found = introspect(token["access_token"], admin.prefix, admin_secret)
    assert (found["active"], found["username"]) == (True, "ana")
    assert introspect(token["refresh_token"], admin.prefix, admin_secret) == {"active": False}
    assert introspect(secret, admin.prefix, admin_secret)["client_id"] == key.prefix


def test_the_description_of_the_server_is_open_and_names_every_door(settings: Settings) -> None:
    settings.GUARDIAN_URL = "https://guardian.example.com"
    body = Client().get("/.well-known/oauth-authorization-server").json()
    assert body["issuer"] == "https://guardian.example.com"
    assert body["grant_types_supported"] == ["client_credentials"]
    assert body["response_types_supported"] == []
    for door in ("token", "revocation", "introspection"):
        assert body[f"{door}_endpoint"].startswith("https://guardian.example.com/auth/")
        assert body[f"{door}_endpoint_auth_methods_supported"][0] == "client_secret_basic"


NAMES = st.sampled_from(
    ["grant_type", "client_id", "client_secret", "scope", "token", "token_type_hint", "é\0"]
)


@hypothesis_settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(["/auth/token", "/auth/revoke", "/auth/introspect"]),
    pairs=st.lists(st.tuples(NAMES, st.text() | st.just("client_credentials")), max_size=6),
    header=st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"])) | st.binary(),
)
def test_whatever_a_client_sends_it_is_refused_in_the_form_of_the_standard(
    path: str, pairs: list[tuple[str, str]], header: str | bytes
) -> None:
    if isinstance(header, bytes):
        header = f"Basic {base64.b64encode(header).decode()}"
    body = urlencode(pairs, errors="replace")
    answer = ask(path, body, {"Authorization": header} if header.strip() else {})
    assert (answer.status_code, answer.json()["error"]) in (
        (400, "invalid_request"),
        (401, "invalid_client"),
        (429, "Rate limit exceeded"),
    )


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("[]", "application/json", 400),
        ("{", "application/json", 400),
        ('{"grant_type": 5}', "application/json", 401),
        ("x", "text/plain", 415),
        ("&".join(f"a{number}=1" for number in range(2000)), FORM, 400),
    ],
)
def test_a_body_that_is_no_form_is_refused_in_the_same_form(
    body: str, content_type: str, status: int
) -> None:
    answer = Client().post("/auth/token", body, content_type=content_type)
    assert answer.status_code == status
    assert answer.json()["error"] in ("invalid_request", "invalid_client")

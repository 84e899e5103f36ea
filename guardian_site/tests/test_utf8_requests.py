"""Whatever charset a request names, it is read as UTF-8, and nothing breaks."""

import json
from typing import Any

import pytest
from pytest_django import Settings

from deploy.bench.in_process import ask
from guardian_site.wsgi import application

pytestmark = pytest.mark.django_db(transaction=True)
ODD = ["bz2", "rot13", "idna", "punycode", "undefined", "utf-16", "iso-8859-1", "x-unknown", ""]
E_ACUTE = "caf%C3%A9"


def found(method: str, address: str, kind: str, charset: str, body: bytes = b"") -> tuple[str, Any]:
    path, _, query = address.partition("?")
    # Without a cookie of ours no form is looked into.
    cookie = "guardian_csrf=" + "a" * 32 if path == "/login" else None
    answer = ask(
        application,
        body,
        path,
        REQUEST_METHOD=method,
        QUERY_STRING=query,
        CONTENT_TYPE=f"{kind}; charset={charset}",
        HTTP_COOKIE=cookie,
    )
    return answer.status, answer.body


@pytest.fixture(autouse=True)
def anybody_may_read(settings: Settings) -> None:
    settings.GUARDIAN_PUBLIC_READ = True


@pytest.mark.parametrize("charset", ODD)
def test_a_query_is_read_as_what_it_is(charset: str) -> None:
    status, body = found("GET", f"/sources/?q={E_ACUTE}", "text/plain", charset)
    assert status == "200 OK"
    assert "café" in body.decode()


@pytest.mark.parametrize("charset", ODD)
def test_a_report_is_taken_in(charset: str) -> None:
    sent = json.dumps({"status": "approved", "count": 5}).encode()
    status, _ = found("POST", f"/transaction?x={E_ACUTE}", "application/json", charset, sent)
    assert status == "200 OK"


@pytest.mark.parametrize("charset", ODD)
@pytest.mark.parametrize(
    ("path", "kind", "sent", "status"),
    [
        ("/auth/login", "application/json", b'{"username": "\xc3\xa9", "password": "b"}', "401"),
        ("/auth/login", "application/json", b'{"username": "\xe9", "password": "b"}', "400"),
        ("/auth/token", "application/x-www-form-urlencoded", b"client_id=%C3%A9", "401"),
        ("/login", "multipart/form-data; boundary=x", b"--x\r\n\xc3\xa9\r\n--x--\r\n", "403"),
    ],
)
def test_what_is_no_way_in_stays_none(
    path: str, kind: str, sent: bytes, status: str, charset: str
) -> None:
    assert found("POST", path, kind, charset, sent)[0].startswith(status)

"""Whatever charset a request names, it is read as UTF-8, and nothing breaks."""

import io
import json
from typing import Any

import pytest
from pytest_django import Settings

from guardian_site.wsgi import application

pytestmark = pytest.mark.django_db(transaction=True)
ODD = ["bz2", "rot13", "idna", "punycode", "undefined", "utf-16", "iso-8859-1", "x-unknown", ""]
E_ACUTE = "caf%C3%A9"


def ask(method: str, address: str, kind: str, charset: str, body: bytes = b"") -> tuple[str, Any]:
    path, _, query = address.partition("?")
    told: list[str] = []
    request = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "guardian",
        "SERVER_PORT": "80",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": f"{kind}; charset={charset}",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
    }
    if path == "/login":
        # Without a cookie of ours no form is looked into.
        request["HTTP_COOKIE"] = "guardian_csrf=" + "a" * 32
    answer = application(request, lambda status, _headers: told.append(status))
    return told[0], b"".join(answer)


@pytest.fixture(autouse=True)
def anybody_may_read(settings: Settings) -> None:
    settings.GUARDIAN_PUBLIC_READ = True


@pytest.mark.parametrize("charset", ODD)
def test_a_query_is_read_as_what_it_is(charset: str) -> None:
    status, body = ask("GET", f"/sources/?q={E_ACUTE}", "text/plain", charset)
    assert status == "200 OK"
    assert "café" in body.decode()


@pytest.mark.parametrize("charset", ODD)
def test_a_report_is_taken_in(charset: str) -> None:
    sent = json.dumps({"status": "approved", "count": 5}).encode()
    status, _ = ask("POST", f"/transaction?x={E_ACUTE}", "application/json", charset, sent)
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
    assert ask("POST", path, kind, charset, sent)[0].startswith(status)

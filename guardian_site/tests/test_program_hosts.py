"""A program comes under whatever name it found the site by; a browser under those of the site."""

import io
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from guardian_site.web.problems import FOREIGN_HOST
from guardian_site.wsgi import application
from ingest.models import Source
from ingest.services.keys import issue_key

pytestmark = pytest.mark.django_db(transaction=True)
SENT = {
    "/minutes/close": {"timestamp": "2026-03-02T12:00:00Z"},
    "/webhook/alert": {"alerts": [{"status": "firing", "labels": {"alertname": "x"}}]},
    "/auth/login": {"username": "ana", "password": "a long password"},
}
READ = ["/anomalies", "/stats", "/live.json", "/cache/stats", "/auth/me"]


@pytest.fixture(autouse=True)
def open_to_all(settings: Settings) -> None:
    settings.GUARDIAN_PUBLIC_READ = True
    User.objects.create_user("ana", password="a long password")
    Source.objects.create(name="default")


def ask(method: str, path: str, sent: object = None, **environ: str) -> tuple[int, Any]:
    body = b"" if sent is None else json.dumps(sent).encode()
    told: list[str] = []
    request = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SERVER_NAME": "guardian",
        "SERVER_PORT": "80",
        "HTTP_HOST": "guardian-web.payments.svc:8001",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/json" if body else "",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        **environ,
    }
    answer = application(request, lambda status, _headers: told.append(status))
    return int(told[0][:3]), json.loads(b"".join(answer))


@pytest.mark.parametrize("path", SENT)
def test_whatever_a_program_posts_is_taken(path: str) -> None:
    assert ask("POST", path, SENT[path])[0] == 200


@pytest.mark.parametrize("path", READ)
def test_whoever_shows_a_key_may_read(path: str) -> None:
    _, secret = issue_key(name="k", scopes=["read"])
    assert ask("GET", path, HTTP_X_API_KEY=secret)[0] == 200
    assert ask("GET", path, HTTP_AUTHORIZATION=f"Bearer {secret}")[0] == 200


@pytest.mark.parametrize("told", ["HTTP_ORIGIN", "HTTP_REFERER", "HTTP_COOKIE"])
@pytest.mark.parametrize("path", SENT)
def test_a_page_posts_nothing(path: str, told: str) -> None:
    status, answer = ask("POST", path, SENT[path], **{told: "http://guardian-web.payments.svc"})
    assert (status, answer["detail"]) == (400, FOREIGN_HOST)


@pytest.mark.parametrize("path", READ)
@pytest.mark.parametrize(
    ("proof", "status"),
    [
        ({}, 400),
        ({"HTTP_AUTHORIZATION": "Bearer "}, 400),
        ({"HTTP_AUTHORIZATION": "Basic YTpi"}, 400),
        ({"HTTP_AUTHORIZATION": "Bearer none"}, 401),
        ({"HTTP_X_API_KEY": "tg_none"}, 401),
        ({"HTTP_X_API_KEY": ""}, 401),
        ({"HTTP_X_SIGNATURE": "v1=none"}, 401),
    ],
)
def test_a_page_reads_nothing_whatever_it_claims(
    path: str, proof: dict[str, str], status: int
) -> None:
    assert ask("GET", path, **proof)[0] == status

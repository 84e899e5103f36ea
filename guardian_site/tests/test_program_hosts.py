"""A program comes under whatever name it found the site by; a browser under those of the site."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from deploy.bench.in_process import ask
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


def found(method: str, path: str, sent: object = None, **environ: str) -> tuple[int, Any]:
    body = b"" if sent is None else json.dumps(sent).encode()
    here = {"REQUEST_METHOD": method, "HTTP_HOST": "guardian-web.payments.svc:8001"}
    kind = {} if body else {"CONTENT_TYPE": ""}
    answer = ask(application, body, path, **{**here, **kind, **environ})
    return int(answer.status[:3]), answer.json()


@pytest.mark.parametrize("path", SENT)
def test_whatever_a_program_posts_is_taken(path: str) -> None:
    assert found("POST", path, SENT[path])[0] == 200


@pytest.mark.parametrize("path", READ)
def test_whoever_shows_a_key_may_read(path: str) -> None:
    _, secret = issue_key(name="k", scopes=["read"])
    assert found("GET", path, HTTP_X_API_KEY=secret)[0] == 200
    assert found("GET", path, HTTP_AUTHORIZATION=f"Bearer {secret}")[0] == 200


@pytest.mark.parametrize("told", ["HTTP_ORIGIN", "HTTP_REFERER", "HTTP_COOKIE"])
@pytest.mark.parametrize("path", SENT)
def test_a_page_posts_nothing(path: str, told: str) -> None:
    status, answer = found("POST", path, SENT[path], **{told: "http://guardian-web.payments.svc"})
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
    assert found("GET", path, **proof)[0] == status

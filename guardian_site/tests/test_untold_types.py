"""Some libraries tell no type of what they send: JSON, unless a page of a browser sends it."""

import io
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from guardian_site.wsgi import application
from ingest.models import Report

pytestmark = pytest.mark.django_db(transaction=True)
SENT = {
    "/transaction": {"status": "approved", "count": 5},
    "/transactions/batch": {"transactions": [{"status": "approved"}]},
    "/auth/login": {"username": "ana", "password": "a long password"},
    "/webhook/alert": {"alerts": [{"status": "firing", "labels": {"alertname": "x"}}]},
}


def send(path: str, **environ: str) -> tuple[str, Any]:
    body = json.dumps(SENT[path]).encode()
    told: list[str] = []
    request = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "SERVER_NAME": "guardian",
        "SERVER_PORT": "80",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        **environ,
    }
    answer = application(request, lambda status, _headers: told.append(status))
    return told[0], json.loads(b"".join(answer))


@pytest.mark.parametrize("path", SENT)
def test_a_program_sends_json(path: str) -> None:
    User.objects.create_user("ana", password="a long password")
    assert send(path)[0] == "200 OK"


@pytest.mark.parametrize("told", ["HTTP_ORIGIN", "HTTP_REFERER"])
@pytest.mark.parametrize("path", ["/transaction", "/transactions/batch"])
def test_a_page_has_to_say_so(path: str, told: str) -> None:
    status, answer = send(path, **{told: "http://evil.example/"})
    assert status.startswith("415")
    assert answer["errors"][0]["message"] == "must be application/json, not left out"
    assert not Report.objects.exists()


@pytest.mark.parametrize("path", SENT)
def test_who_sends_a_form_is_told_what_to_send(path: str, client: Client) -> None:
    answer = client.post(path, "x=1", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 415
    message = "must be application/json, not application/x-www-form-urlencoded"
    assert answer.json() == {
        "detail": f"Content-Type: {message}",
        "errors": [{"field": "Content-Type", "message": message}],
    }

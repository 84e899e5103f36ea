"""Some libraries tell no type of what they send: JSON, unless a page of a browser sends it."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from deploy.bench.in_process import ask
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
    answer = ask(application, body, path, CONTENT_TYPE=None, **environ)
    return answer.status, answer.json()


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

import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from pytest_django import Settings

from alerts.models import Incident, Silence
from alerts.tests.makers import make_channel, open_incident

pytestmark = pytest.mark.django_db
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


@pytest.fixture(autouse=True)
def signing(settings: Settings) -> None:
    settings.SLACK_SIGNING_SECRET = SECRET


def click(action: str, value: Any, *, age: int = 0, secret: str = SECRET, name: str = "ana") -> Any:
    payload = {
        "type": "block_actions",
        "user": {"id": "U1", "username": name},
        "actions": [{"action_id": action, "value": str(value)}],
    }
    return send(urlencode({"payload": json.dumps(payload)}), age=age, secret=secret)


def send(body: str, *, age: int = 0, secret: str = SECRET) -> Any:
    stamp = str(int(time.time()) - age)
    proof = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return Client(enforce_csrf_checks=True).post(
        "/slack/actions",
        body,
        content_type="application/x-www-form-urlencoded",
        headers={"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={proof}"},
    )


def test_acknowledge_is_kept_with_who_and_from_where() -> None:
    incident = open_incident()
    assert click("acknowledge", incident.pk).status_code == 200
    incident.refresh_from_db()
    assert (incident.state, incident.acknowledged_by) == ("acknowledged", "ana (U1)")
    assert incident.events.get(kind="acknowledged").via == "slack"


@pytest.mark.parametrize("odd", ["\0", "\ud800", "\u202e"])
def test_a_name_that_no_database_keeps_acts_under_one_that_it_does(odd: str) -> None:
    incident = open_incident()
    assert click("acknowledge", incident.pk, name=f"an{odd}a").status_code == 200
    incident.refresh_from_db()
    assert incident.acknowledged_by == "an\N{REPLACEMENT CHARACTER}a (U1)"


@pytest.mark.parametrize(
    ("action", "state"), [("resolve", "resolved"), ("false_positive", "closed")]
)
def test_the_other_buttons(action: str, state: str) -> None:
    incident = open_incident()
    click(action, incident.pk)
    incident.refresh_from_db()
    assert incident.state == state


def test_silence_makes_it_quiet_for_an_hour() -> None:
    incident = open_incident()
    click("silence", incident.pk)
    silence = Silence.objects.get()
    assert (silence.ends - silence.starts).total_seconds() == 3600
    assert (silence.source, silence.family) == (incident.source, "decline")


def test_a_second_click_is_no_failure() -> None:
    incident = open_incident()
    assert [click("resolve", incident.pk).status_code for _ in range(2)] == [200, 200]


@pytest.mark.parametrize("forged", [{"secret": "wrong"}, {"age": 301}, {"age": -301}])
def test_without_slacks_fresh_signature_nothing_happens(forged: dict[str, Any]) -> None:
    incident = open_incident()
    assert click("resolve", incident.pk, **forged).status_code == 401
    incident.refresh_from_db()
    assert incident.state == "open"


def test_without_a_signing_secret_every_click_is_refused(settings: Settings) -> None:
    settings.SLACK_SIGNING_SECRET = ""
    assert click("resolve", 1, secret="").status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        "",
        "payload=",
        "payload=[]",
        "payload={}",
        urlencode({"payload": '{"user":{"id":"U"},"actions":[{"action_id":"resolve"}]}'}),
        urlencode(
            {"payload": '{"user":{"id":"U"},"actions":[{"action_id":"resolve","value":"x"}]}'}
        ),
    ],
)
def test_what_is_not_a_click_is_refused(body: str) -> None:
    assert send(body).status_code == 400


def test_no_click_writes_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="alerts.api.slack")
    assert click("link\n2026-01-01 ERROR forged \ud800", 1).status_code == 200
    [line] = [one.getMessage() for one in caplog.records if one.name == "alerts.api.slack"]
    assert ascii(line) == ascii("slack: link�2026-01-01 ERROR forged � needs nothing")


def test_an_unknown_incident_or_button_is_no_failure() -> None:
    assert click("resolve", 999).status_code == 200
    assert click("open_link", 1).status_code == 200
    assert not Incident.objects.exists()


@pytest.mark.parametrize(("users", "state"), [(["U1"], "acknowledged"), (["U2"], "open")])
def test_where_a_channel_names_its_users_only_they_may_act(users: list[str], state: str) -> None:
    make_channel("pages", "slack_bot", configuration={"users": users})
    incident = open_incident()
    assert click("acknowledge", incident.pk).status_code == 200
    incident.refresh_from_db()
    assert incident.state == state

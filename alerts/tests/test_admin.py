from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from alerts.models import Channel, Notification
from alerts.tests.makers import make_channel, open_incident

pytestmark = pytest.mark.django_db
MODELS = (
    "incident",
    "notification",
    "channel",
    "silence",
    "maintenancewindow",
    "schedule",
    "rotation",
    "escalationpolicy",
)


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ana"))
    return client


def act(client: Client, model: str, action: str, *rows: Any) -> Any:
    body = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(f"/admin/alerts/{model}/", body, follow=True)


@pytest.mark.parametrize("model", MODELS)
def test_every_list_opens_and_is_searched(admin: Client, model: str) -> None:
    open_incident()
    assert admin.get(f"/admin/alerts/{model}/").status_code == 200
    assert admin.get(f"/admin/alerts/{model}/", {"q": "x"}).status_code == 200


def test_an_incident_shows_its_timeline_and_messages(admin: Client) -> None:
    incident = open_incident()
    page = admin.get(f"/admin/alerts/incident/{incident.pk}/change/").content.decode()
    assert "CRITICAL denials at default" in page


@pytest.mark.parametrize(
    ("action", "state"),
    [("acknowledge", "acknowledged"), ("resolve", "resolved"), ("false_positive", "closed")],
)
def test_acts_on_incidents(admin: Client, action: str, state: str) -> None:
    incident = open_incident()
    act(admin, "incident", action, incident)
    incident.refresh_from_db()
    assert incident.state == state
    assert incident.events.latest("id").who == "ana"


def test_an_act_that_is_not_allowed_says_so(admin: Client) -> None:
    incident = open_incident()
    act(admin, "incident", "resolve", incident)
    assert "cannot take" in act(admin, "incident", "acknowledge", incident).content.decode()


def test_history_cannot_be_written_by_hand(admin: Client) -> None:
    incident = open_incident()
    assert admin.get("/admin/alerts/incident/add/").status_code == 403
    assert admin.post(f"/admin/alerts/incident/{incident.pk}/delete/").status_code == 403


def test_a_dead_letter_is_sent_again(admin: Client) -> None:
    open_incident()
    row = Notification.objects.get()
    Notification.objects.update(state="dead")
    act(admin, "notification", "send_again", row)
    row.refresh_from_db()
    assert row.state == "pending"


def test_a_channel_is_tested_and_enabled(admin: Client) -> None:
    channel = make_channel()
    Channel.objects.update(disabled="2026-03-02T12:00:00Z", disabled_reason="410")
    act(admin, "channel", "enable", channel)
    channel.refresh_from_db()
    assert channel.disabled is None
    act(admin, "channel", "send_test", channel)
    assert Notification.objects.get().kind == "test"


def test_a_silence_is_signed_by_who_made_it(admin: Client) -> None:
    from alerts.models import Silence

    body = {
        "starts_0": "2026-03-02",
        "starts_1": "12:00",
        "ends_0": "2026-03-02",
        "ends_1": "13:00",
        "reason": "planned",
    }
    admin.post("/admin/alerts/silence/add/", body)
    assert Silence.objects.get().created_by == "ana"


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        (
            "silence",
            {"starts_0": "2026-03-02", "starts_1": "12:00", "ends_0": "2026-03-02",
             "ends_1": "11:00"},
            "must end after it starts",
        ),
        (
            "maintenancewindow",
            {"name": "x", "time_zone": "Mars/Base", "first_day": "2026-03-02",
             "start_time": "12:00", "minutes": "5", "every": "once", "weekdays": "[]"},
            "not an IANA time zone",
        ),
        (
            "maintenancewindow",
            {"name": "x", "time_zone": "UTC", "first_day": "2026-03-02",
             "start_time": "12:00", "minutes": "5", "every": "week", "weekdays": "[]"},
            "at least one weekday",
        ),
    ],
)  # fmt: skip
def test_bad_forms_say_what_is_wrong(
    admin: Client, path: str, body: dict[str, str], message: str
) -> None:
    page = admin.post(f"/admin/alerts/{path}/add/", body)
    assert message in page.content.decode()

import html
import json
import re
import socket
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from alerts.models import Channel, MaintenanceWindow, Notification, Rotation, Schedule
from alerts.services import silence_incident
from alerts.tests.makers import at, make_channel, make_source, open_incident
from alerts.tests.pages import signed_in

pytestmark = pytest.mark.django_db
MODELS = (
    "incident",
    "notification",
    "channel",
    "silence",
    "maintenancewindow",
    "schedule",
    "rotation",
    "override",
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


def test_the_first_page_tells_what_goes_on_part_by_part(admin: Client) -> None:
    open_incident()
    going_on = admin.get("/admin/").content.decode().split("Ongoing now")[1].split("</ul>")[0]
    assert re.search(r"· Open · [\w ]+ · About", " ".join(going_on.split()))


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


def test_an_operator_stands_in_for_somebody_on_call() -> None:
    client, schedule = signed_in("operator"), Schedule.objects.create(name="nights")
    cover = {"schedule": schedule.pk, "user": User.objects.get().pk, "reason": "a cold"}
    starts = {"starts_0": "2026-03-02", "starts_1": "20:00"}
    ends = {"ends_0": "2026-03-03", "ends_1": "08:00"}
    answer = client.post("/admin/alerts/override/add/", {**cover, **starts, **ends})
    assert answer.status_code == 302
    [row] = schedule.overrides.all()
    assert (row.starts, row.ends) == (at(8 * 60), at(20 * 60))
    viewer = signed_in("viewer", "eva")
    assert viewer.post("/admin/alerts/override/add/", {}).status_code == 403


def test_a_channel_is_tested_and_enabled(admin: Client) -> None:
    channel = make_channel()
    Channel.objects.update(disabled="2026-03-02T12:00:00Z", disabled_reason="410")
    act(admin, "channel", "enable", channel)
    channel.refresh_from_db()
    assert channel.disabled is None
    act(admin, "channel", "send_test", channel)
    assert Notification.objects.get().kind == "test"


@pytest.mark.parametrize(
    ("facts", "health"),
    [
        ({}, "never used"),
        ({"state": "sent"}, "works"),
        ({"state": "pending", "attempts": 2, "last_error": "no answer"}, "failing"),
    ],
)
def test_a_channel_is_said_to_work_only_once_it_has(
    admin: Client, facts: dict[str, Any], health: str
) -> None:
    channel = make_channel("phone")
    if facts:
        Notification.objects.create(channel=channel, kind="test", **facts)
    page = admin.get("/admin/alerts/channel/").content.decode()
    assert health in " ".join(page.split())


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ((), "everybody"),
        (("acquirer",), "everybody; acquirer only"),
        (("acquirer", "shop"), "everybody; 2 sources only"),
    ],
)
def test_a_channel_says_whom_it_reaches_of_what(
    admin: Client, names: tuple[str, ...], told: str
) -> None:
    make_channel().sources.set([make_source(name) for name in names])
    assert f">{told}</td>" in admin.get("/admin/alerts/channel/").content.decode()


def test_a_channel_says_what_its_kind_needs_and_the_canarys_is_not_offered(admin: Client) -> None:
    page = admin.get("/admin/alerts/channel/add/").content.decode()
    needs = '{"token": "…", "channel": "…"}; also users (Slack ids that may press buttons)<br>'
    assert f"Slack (bot): {needs}" in html.unescape(page)
    assert "Sink of the canary" not in page


@pytest.mark.parametrize("model", ["channel", "schedule", "maintenancewindow"])
def test_what_has_a_clock_begins_with_that_of_the_site(
    admin: Client, settings: Settings, model: str
) -> None:
    settings.GUARDIAN_TIME_ZONE = "America/Sao_Paulo"
    page = admin.get(f"/admin/alerts/{model}/add/").content.decode()
    assert 'name="time_zone" value="America/Sao_Paulo"' in page


def test_the_canarys_messages_do_not_bury_the_others(admin: Client) -> None:
    channel = make_channel("sink", "sink")
    Notification.objects.create(channel=channel, kind="canary", reason="the canary came by")
    assert "the canary came by" not in admin.get("/admin/alerts/notification/").content.decode()
    asked = admin.get("/admin/alerts/notification/", {"kind__exact": "canary"})
    assert "the canary came by" in asked.content.decode()


def test_a_silence_is_ended_by_hand(admin: Client) -> None:
    incident = open_incident()
    silence = silence_incident(
        incident_id=incident.pk, minutes=60, actor="bo", via="web", now=timezone.now()
    )
    assert re.search(r">\s*active\s*<", admin.get("/admin/alerts/silence/").content.decode())
    act(admin, "silence", "end_now", silence)
    silence.refresh_from_db()
    assert silence.ends <= timezone.now()
    assert re.search(r">\s*ended\s*<", admin.get("/admin/alerts/silence/").content.decode())


def test_a_rotation_takes_weekdays_as_numbers() -> None:
    with pytest.raises(ValidationError, match="A list of numbers"):
        Rotation(weekdays=["Mon"], days=7).clean()


def test_weekdays_are_ticked_and_kept_as_numbers(admin: Client) -> None:
    body = {
        "name": "batch",
        "time_zone": "UTC",
        "first_day": "2026-03-02",
        "start_time": "12:00",
        "minutes": "5",
        "every": "week",
        "weekdays": ["0", "4"],
    }
    assert admin.post("/admin/alerts/maintenancewindow/add/", body).status_code == 302
    window = MaintenanceWindow.objects.get()
    assert window.weekdays == [0, 4]
    page = admin.get(f"/admin/alerts/maintenancewindow/{window.pk}/change/").content.decode()
    assert len(re.findall(r'name="weekdays"[^>]* checked[ >]', " ".join(page.split()))) == 2


def test_a_silence_is_signed_by_who_made_it(admin: Client) -> None:
    from alerts.models import Silence

    body = {
        "starts_0": "2998-03-02",
        "starts_1": "12:00",
        "ends_0": "2998-03-02",
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
             "start_time": "12:00", "minutes": "5", "every": "once"},
            "not an IANA time zone",
        ),
        (
            "maintenancewindow",
            {"name": "x", "time_zone": "UTC", "first_day": "2026-03-02",
             "start_time": "12:00", "minutes": "5", "every": "week"},
            "at least one weekday",
        ),
        (
            "channel",
            {"name": "x", "kind": "email", "configuration": '{"host": "mail"}', "per_minute": "30",
             "minimum_level": "WARNING", "time_zone": "UTC"},
            "E-mail lacks: from, to.",
        ),
        (
            "channel",
            {"name": "x", "kind": "console", "configuration": "{}", "per_minute": "30",
             "minimum_level": "WARNING", "time_zone": "Sao Paulo"},
            "not an IANA time zone",
        ),
    ],
)  # fmt: skip
def test_bad_forms_say_what_is_wrong(
    admin: Client, path: str, body: dict[str, str], message: str
) -> None:
    page = admin.post(f"/admin/alerts/{path}/add/", body)
    assert message in page.content.decode()


def add_channel(admin: Client, kind: str, configuration: dict[str, Any] | str) -> str:
    written = configuration if isinstance(configuration, str) else json.dumps(configuration)
    body = {
        "name": "x",
        "kind": kind,
        "configuration": written,
        "per_minute": "30",
        "minimum_level": "WARNING",
        "time_zone": "UTC",
    }
    page = admin.post("/admin/alerts/channel/add/", body, follow=True)
    return html.unescape(page.content.decode())


MAIL = {"host": "mail", "from": "guardian@example.com", "to": "Ana <ana@example.com>"}


@pytest.mark.parametrize(
    ("kind", "configuration", "told"),
    [
        ("slack_webhook", {"url": "nope"}, "this is no address: write https://host/path."),
        ("webhook", {"url": "http://127.0.0.1/", "secret": "s"}, "inside a private network"),
        ("webhook", {"url": "https://[x", "secret": "s", "allow_private": True}, "no address"),
        ("alertmanager", {"url": "alertmanager:9093"}, "this is no address"),
        ("apprise", {"url": "tgram"}, "apprise does not know this address"),
        ("apprise", {"url": "json://10.1.2.3/"}, "inside a private network"),
        ("pagerduty", {"routing_key": "r", "api": "pagerduty"}, "this is no address"),
        ("telegram", {"chat_id": "1", "token": "env:"}, "“env:” is not a variable name"),
        (
            "telegram",
            {"chat_id": "1", "token": "env:DATABASE_URL"},
            "is one of Guardian’s own secrets",
        ),
        ("telegram", {"token": "t"}, "Telegram lacks: chat_id."),
        ("email", {**MAIL, "port": "smtp"}, "port smtp: write a number, 1 to 65535."),
        ("email", {**MAIL, "security": "ssl"}, "security is starttls, tls, or left out."),
        ("email", {**MAIL, "to": "ana"}, "to: ana is no e-mail address."),
    ],
)
def test_a_channel_that_cannot_work_is_not_saved(
    admin: Client, kind: str, configuration: dict[str, Any], told: str
) -> None:
    assert told in add_channel(admin, kind, configuration)
    assert not Channel.objects.exists()


@pytest.mark.parametrize(
    ("kind", "configuration"),
    [
        ("slack_webhook", {"url": "https://hooks.slack.com/services/x"}),
        ("webhook", {"url": "http://127.0.0.1/", "secret": "s", "allow_private": True}),
        ("email", {**MAIL, "port": 25, "security": "tls"}),
        ("apprise", {"url": "tgram://123:token/456"}),
    ],
)
def test_a_channel_that_can_work_is_saved_without_a_doubt(
    admin: Client, kind: str, configuration: dict[str, Any]
) -> None:
    page = add_channel(admin, kind, configuration)
    assert "added successfully" in page
    assert "is not set here" not in page
    assert Channel.objects.get().configuration == configuration


@pytest.mark.parametrize("written", ["", "null"])
def test_an_emptied_configuration_holds_nothing(admin: Client, written: str) -> None:
    assert "added successfully" in add_channel(admin, "console", written)
    assert Channel.objects.get().configuration == {}


@pytest.mark.parametrize("value", ["NaN", "1e999", r'"\u0000"'])
def test_a_configuration_that_not_every_database_can_keep_is_not_saved(
    admin: Client, value: str
) -> None:
    assert "Write a JSON object: {…}." in add_channel(admin, "console", f'{{"note": {value}}}')
    assert not Channel.objects.exists()


def test_a_variable_that_the_worker_alone_may_have_is_doubted(admin: Client) -> None:
    page = add_channel(admin, "telegram", {"chat_id": "1", "token": "env:NOT_SET"})
    assert "NOT_SET is not set here; unless the worker has it, nothing is sent." in page
    assert Channel.objects.get().name == "x"


def test_a_name_that_is_not_known_now_is_doubted(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_arguments: Any, **_options: Any) -> None:
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    page = add_channel(admin, "webhook", {"url": "https://new.example/", "secret": "s"})
    assert "the name new.example is not known now." in page
    assert Channel.objects.exists()

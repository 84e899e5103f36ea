from datetime import time, timedelta

import pytest
from pytest_django import Settings

from alerts import conf
from alerts.channels import base
from alerts.models import Channel, Incident, IncidentEvent, Notification
from alerts.services import absorb_anomalies, queue_test, resend, resolve, send_due_notifications
from alerts.services.sending import lease_next
from alerts.tests.makers import at, judge, live, make_anomaly, make_channel, open_incident
from alerts.tests.standin import Answer, StandIn

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def slack(vendor: StandIn, settings: Settings) -> Channel:
    settings.SLACK_WEBHOOK_URL = f"{vendor.url}/services/T0/B0/secret"
    open_incident()
    return Channel.objects.get(name="slack-webhook")


def row() -> Notification:
    return Notification.objects.filter(channel__name="slack-webhook").latest("id")


def test_a_message_is_sent_once_and_noted() -> None:
    assert row().pk in send_due_notifications(now=at(1))
    assert send_due_notifications(now=at(2)) == []
    assert (row().state, row().sent, row().attempts) == ("sent", at(1), 1)
    assert IncidentEvent.objects.filter(kind="sent").count() == 2


def test_slack_gets_blocks_with_what_matters(vendor: StandIn) -> None:
    send_due_notifications(now=at(1))
    body = vendor.asked[0].json
    text = str(body["attachments"][0]["blocks"])
    assert vendor.asked[0].path == "/services/T0/B0/secret"
    assert "CRITICAL: Denials above normal at default" in body["text"]
    for fact in ("Since 12:00 UTC", "6 expected", "36 more", "51 no funds 80 %", "Call the issuer"):
        assert fact in text
    assert f"/incidents/{Incident.objects.get().pk}" in text


def test_a_server_error_is_tried_again_later(vendor: StandIn) -> None:
    vendor.answers = [Answer(500, "oops")]
    send_due_notifications(now=at(1))
    waiting = row()
    assert (waiting.state, waiting.last_error) == ("pending", "HTTP 500: oops")
    assert at(1) < waiting.due <= at(1) + timedelta(seconds=4)
    send_due_notifications(now=waiting.due)
    assert (row().state, row().attempts) == ("sent", 2)


def test_retry_after_holds_back_the_whole_channel(vendor: StandIn, slack: Channel) -> None:
    vendor.answers = [Answer(429, "slow down", {"Retry-After": "120"})]
    send_due_notifications(now=at(1))
    assert row().due >= at(3)
    live(8, bad=set(), first=1)
    send_due_notifications(now=at(2))
    assert len(vendor.asked) == 1
    send_due_notifications(now=row().due + timedelta(seconds=1))
    assert len(vendor.asked) == 2


@pytest.mark.parametrize("when", ["nan", "Mon, 02 Mar 2026 12:10:00 -0000", "soon"])
def test_an_odd_word_on_when_to_try_again_stops_nothing(vendor: StandIn, when: str) -> None:
    vendor.answers = [Answer(503, "later", {"Retry-After": when})]
    send_due_notifications(now=at(1))
    assert (row().state, row().last_error) == ("pending", "HTTP 503: later")
    send_due_notifications(now=at(20))
    assert row().state == "sent"


def test_what_a_vendor_says_can_be_kept_whatever_it_is(vendor: StandIn) -> None:
    """No database takes half a character, and PostgreSQL no NUL, as in an answer that is packed."""
    room = {"api": f"{vendor.url}/api", "token": "xoxb-1", "channel": "C1"}
    bot = make_channel("bot", "slack_bot", configuration=room)
    queue_test(channel=bot, actor="ana", now=at(1))
    vendor.usual = Answer(200, {"ok": False, "error": "odd\ud800\x00\nline"})
    send_due_notifications(now=at(1), channel=bot.pk)
    waiting = Notification.objects.get(channel=bot)
    assert (waiting.state, waiting.last_error) == ("pending", "Slack: odd���line")


@pytest.mark.parametrize(
    "said",
    ["Cannot POST /services/T0/B0/secret", "no {url}/services/T0/B0/secret", "no xoxb-1-2-3"],
)
def test_a_vendor_that_repeats_the_secret_of_a_channel_tells_it_to_nobody(
    said: str, vendor: StandIn, slack: Channel, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SLACK_BOT_TOKEN = "xoxb-1-2-3"
    vendor.usual = Answer(404, said.format(url=vendor.url))
    send_due_notifications(now=at(1))
    slack.refresh_from_db()
    told = [row().last_error, slack.disabled_reason, caplog.text]
    told += IncidentEvent.objects.filter(kind="failed").values_list("why", flat=True)
    assert [text for text in told if "secret" in text or "xoxb" in text] == []
    assert row().last_error.startswith("HTTP 404: ")


@pytest.mark.parametrize("answer", [Answer(hang=True), Answer(cut=True)])
def test_no_answer_is_tried_again(
    vendor: StandIn, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "REQUEST_SECONDS", 0.2)
    vendor.answers = [answer]
    send_due_notifications(now=at(1))
    assert row().state == "pending"
    assert row().last_error.startswith("no answer: ")
    assert "secret" not in row().last_error
    send_due_notifications(now=at(2))
    assert row().state == "sent"


def test_a_vendor_that_went_away_is_waited_for(settings: Settings, vendor: StandIn) -> None:
    good, settings.SLACK_WEBHOOK_URL = settings.SLACK_WEBHOOK_URL, "http://127.0.0.1:9/gone"
    send_due_notifications(now=at(1))
    assert row().state == "pending"
    settings.SLACK_WEBHOOK_URL = good
    send_due_notifications(now=at(2))
    assert row().state == "sent"


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_a_permanent_error_disables_the_channel_and_uses_its_backup(
    vendor: StandIn, slack: Channel, status: int
) -> None:
    slack.backup = make_channel("backup", "console", standby=True)
    slack.save()
    vendor.answers = [Answer(status, "no_service")]
    send_due_notifications(now=at(1))
    slack.refresh_from_db()
    dead = Notification.objects.get(channel=slack)
    assert (dead.state, slack.disabled) == ("dead", at(1))
    assert "no_service" in slack.disabled_reason
    stand_in = dead.stand_ins.get()
    assert (stand_in.kind, stand_in.channel.name) == ("opened", "backup")
    send_due_notifications(now=at(2))
    stand_in.refresh_from_db()
    assert stand_in.state == "sent"


def test_a_channel_that_lacks_a_setting_names_it_alone(settings: Settings) -> None:
    settings.TELEGRAM_BOT_TOKEN = ""
    configuration = {"chat_id": "1", "token": "env:NOT_SET"}
    channel = make_channel("tg", "telegram", configuration=configuration)
    queue_test(channel=channel, actor="ana", now=at(1))
    send_due_notifications(now=at(1))
    channel.refresh_from_db()
    assert channel.disabled_reason == "the channel lacks its settings: token (NOT_SET is not set)"


def test_the_backup_hears_the_end_of_what_it_told(vendor: StandIn, slack: Channel) -> None:
    slack.backup = make_channel("backup", "console", standby=True)
    slack.save()
    vendor.answers = [Answer(404, "no_service")]
    send_due_notifications(now=at(1))
    send_due_notifications(now=at(2))
    live(8, bad=set(), first=1)
    kinds = Notification.objects.filter(channel__name="backup").order_by("id")
    assert list(kinds.values_list("kind", flat=True)) == ["opened", "resolved"]


def test_a_changed_address_gives_the_channel_a_fresh_start(
    vendor: StandIn, slack: Channel, settings: Settings
) -> None:
    vendor.answers = [Answer(404, "no_service")]
    send_due_notifications(now=at(1))
    settings.SLACK_WEBHOOK_URL = f"{vendor.url}/services/new"
    absorb_anomalies(now=at(2))
    slack.refresh_from_db()
    assert slack.disabled is None


def test_it_gives_up_in_the_end_and_can_be_sent_again(vendor: StandIn) -> None:
    vendor.answers = [Answer(500), Answer(500)]
    send_due_notifications(now=at(1))
    send_due_notifications(now=at(2) + conf.GIVE_UP_AFTER)
    assert row().state == "dead"
    resend(notification_id=row().pk, actor="ana", now=at(600))
    send_due_notifications(now=at(600))
    assert row().state == "sent"


def test_what_was_held_until_the_morning_is_tried_from_then_on(vendor: StandIn) -> None:
    Channel.objects.update(quiet_from=time(11), quiet_until=time(20))
    Notification.objects.all().delete()
    open_incident(minute=60, family="reversal", level="WARNING")
    vendor.answers = [Answer(status=429, headers={"Retry-After": "2"})]
    send_due_notifications(now=at(8 * 60 + 1))
    assert (row().state, row().attempts) == ("pending", 1)
    send_due_notifications(now=at(8 * 60 + 2))
    assert row().state == "sent"


def test_what_became_critical_in_quiet_hours_is_tried_from_then_on(vendor: StandIn) -> None:
    Channel.objects.update(quiet_from=time(11), quiet_until=time(20))
    Notification.objects.all().delete()
    open_incident(minute=60, family="reversal", level="WARNING")
    Incident.objects.update(last_anomaly=at(449))
    make_anomaly(minute=450, family="reversal")
    absorb_anomalies(now=at(450.5))
    vendor.answers = [Answer(500)]
    send_due_notifications(now=at(451))
    assert (row().state, row().attempts, row().level) == ("pending", 1, "CRITICAL")
    send_due_notifications(now=at(452))
    assert row().state == "sent"


def test_what_waits_cannot_be_sent_again() -> None:
    with pytest.raises(ValueError, match="already waits"):
        resend(notification_id=row().pk, actor="ana", now=at(1))


def test_a_crash_between_lease_and_send_is_made_good(vendor: StandIn, slack: Channel) -> None:
    assert lease_next(channel=slack.pk, now=at(1)) is not None
    send_due_notifications(now=at(1.5))
    assert vendor.asked == []
    send_due_notifications(now=at(1) + conf.LEASE + timedelta(seconds=1))
    assert len(vendor.asked) == 1
    assert (row().state, row().attempts) == ("sent", 2)


def test_a_lease_belongs_to_one_sender(slack: Channel) -> None:
    assert lease_next(channel=slack.pk, now=at(1)) is not None
    assert lease_next(channel=slack.pk, now=at(1)) is None


def test_resolved_never_overtakes_opened(vendor: StandIn, slack: Channel) -> None:
    leased = lease_next(channel=slack.pk, now=at(1))
    assert leased is not None
    resolve(incident_id=Incident.objects.get().pk, actor="ana", via="web", now=at(1.1))
    send_due_notifications(now=at(1.2))
    assert vendor.asked == []


def test_ten_minutes_of_429_leave_one_message_and_the_right_end(vendor: StandIn) -> None:
    vendor.usual = Answer(429, "", {"Retry-After": "30"})
    for minute in range(1, 11):
        if minute < 4:
            make_anomaly(minute)
        judge(minute)
        absorb_anomalies(now=at(minute))
        send_due_notifications(now=at(minute))
    assert Incident.objects.get().state == "resolved"
    vendor.usual = Answer()
    vendor.asked.clear()
    for minute in (11, 12):
        send_due_notifications(now=at(minute))
    assert [text.split(":")[0] for text in vendor.texts] == ["✅ *Resolved"]


def test_a_channel_sends_no_more_than_its_share_a_minute(vendor: StandIn, slack: Channel) -> None:
    Channel.objects.filter(pk=slack.pk).update(per_minute=2)
    for _ in range(3):
        Notification.objects.create(
            channel=slack,
            kind="test",
            content={"title": "t", "text": "x"},
            due=at(0),
            created=at(0),
        )
    send_due_notifications(now=at(1))
    assert len(vendor.asked) == 2
    send_due_notifications(now=at(2.1))
    assert len(vendor.asked) == 4


def test_a_fault_of_ours_in_one_message_does_not_stop_the_others(
    vendor: StandIn, slack: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alerts.services import sending

    Notification.objects.create(
        channel=slack, kind="test", content={"title": "t", "text": "x"}, due=at(0), created=at(0)
    )

    def fail(*args: object, **kwargs: object) -> None:
        raise KeyError("family.new")

    monkeypatch.setattr(sending, "brief_of", fail)
    send_due_notifications(now=at(1))
    assert vendor.texts == ["t\nx"]
    assert Notification.objects.get(channel=slack, kind="opened").state == "pending"


def test_a_critical_message_that_is_stuck_goes_to_the_backup_once(
    vendor: StandIn, slack: Channel
) -> None:
    slack.backup = make_channel("backup", "console", standby=True)
    slack.save()
    vendor.usual = Answer(500)
    for minute in (1, 3, 5, 7, 9):
        send_due_notifications(now=at(minute))
    assert Notification.objects.filter(channel__name="backup").count() == 1


def test_what_opens_while_the_channel_is_broken_is_told_by_its_backup(
    vendor: StandIn, slack: Channel
) -> None:
    slack.backup = make_channel("backup", "console", standby=True)
    slack.save()
    vendor.answers = [Answer(404, "no_service")]
    send_due_notifications(now=at(1))
    live(8, bad=set(), first=1)
    later = open_incident(minute=90, family="reversal")
    told = later.notifications.exclude(channel__name="console")
    assert [(row.channel.name, row.kind, row.state) for row in told] == [
        ("backup", "opened", "pending")
    ]


def test_the_webhook_stands_by_for_the_bot_as_long_as_there_is_one(
    vendor: StandIn, slack: Channel, settings: Settings
) -> None:
    def told(minute: int) -> list[str]:
        incident = open_incident(minute=minute, family="reversal")
        rows = incident.notifications.exclude(channel__name="console")
        return [row.channel.name for row in rows]

    settings.SLACK_BOT_TOKEN, settings.SLACK_CHANNEL = "xoxb-1", "C1"
    assert told(100) == ["slack"]
    Channel.objects.filter(name="slack").update(disabled=at(150))
    assert told(200) == ["slack-webhook"]
    settings.SLACK_BOT_TOKEN = ""
    assert told(300) == ["slack-webhook"]
    settings.SLACK_BOT_TOKEN = "xoxb-2"
    assert told(400) == ["slack"]


def test_who_wants_both_in_slack_has_both(slack: Channel, settings: Settings) -> None:
    settings.SLACK_BOT_TOKEN, settings.SLACK_CHANNEL = "xoxb-1", "C1"
    absorb_anomalies(now=at(1))
    Channel.objects.filter(pk=slack.pk).update(standby=False)
    absorb_anomalies(now=at(2))
    slack.refresh_from_db()
    assert not slack.standby

"""Each channel asks its vendor what the vendor documents, and understands how it refuses."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from pytest_django import Settings

from alerts.channels import ADAPTERS, ChannelError, Receipt, adapter_of
from alerts.channels.base import why_lacking
from alerts.channels.webhook import public_address
from alerts.messages import slack
from alerts.models import Channel
from alerts.tests.outgoing import OVER, make_brief, outgoing, refusal, send
from alerts.tests.standin import Answer, StandIn


def _blocks(body: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = body["attachments"][0]["blocks"]
    return found


def test_a_message_without_a_button_has_no_row_of_them() -> None:
    merged = make_brief(ongoing=False, state="merged", permitted=["split"])
    assert "actions" not in [block["type"] for block in slack.blocks(merged, buttons=True)]
    assert "actions" in [block["type"] for block in slack.blocks(make_brief(), buttons=True)]


def test_every_kind_has_an_adapter() -> None:
    assert set(ADAPTERS) == set(Channel.Kind.values)


@pytest.mark.parametrize("kind", sorted(set(Channel.Kind.values) - {"console", "sink"}))
def test_a_kind_without_its_settings_is_not_configured(kind: str, settings: Settings) -> None:
    settings.SLACK_WEBHOOK_URL = settings.SLACK_BOT_TOKEN = settings.TELEGRAM_BOT_TOKEN = ""
    channel = Channel(name="x", kind=kind)
    assert not adapter_of(channel).configured(channel)


class TestSlackBot:
    room = {"token": "xoxb-1", "channel": "C1"}

    def test_it_posts_a_message_with_buttons(self, vendor: StandIn) -> None:
        vendor.answers = [Answer(body={"ok": True, "ts": "17.1"})]
        assert send("slack_bot", vendor, outgoing(), **self.room) == Receipt("17.1")
        asked = vendor.asked[0]
        assert (asked.path, asked.headers["Authorization"]) == (
            "/chat.postMessage",
            "Bearer xoxb-1",
        )
        blocks = asked.json["attachments"][0]["blocks"]
        actions = next(block for block in blocks if block["type"] == "actions")
        assert [button["action_id"] for button in actions["elements"]] == [
            "acknowledge",
            "resolve",
            "silence",
            "false_positive",
        ]
        assert asked.json["channel"] == "C1"
        assert asked.json["metadata"]["event_payload"] == {"key": "guardian-1"}

    def test_names_cannot_become_markup(self, vendor: StandIn) -> None:
        vendor.usual = Answer(body={"ok": True, "ts": "17.1"})
        send("slack_bot", vendor, outgoing(), **self.room)
        assert "12 &lt; 50 &amp; &lt;b&gt;" in vendor.asked[0].json["text"]

    def test_an_update_only_edits_the_message(self, vendor: StandIn) -> None:
        vendor.usual = Answer(body={"ok": True, "ts": "17.1"})
        message = outgoing("updated", reference="17.1")
        assert send("slack_bot", vendor, message, **self.room) == Receipt("17.1")
        assert [asked.path for asked in vendor.asked] == ["/chat.update"]
        assert vendor.asked[0].json["ts"] == "17.1"

    def test_the_end_edits_the_message_and_speaks_in_its_thread(self, vendor: StandIn) -> None:
        vendor.usual = Answer(body={"ok": True, "ts": "17.2"})
        send("slack_bot", vendor, outgoing("resolved", reference="17.1", brief=OVER), **self.room)
        assert [asked.path for asked in vendor.asked] == ["/chat.update", "/chat.postMessage"]
        assert vendor.asked[1].json["thread_ts"] == "17.1"
        left = [block for block in _blocks(vendor.asked[0].json) if block["type"] == "actions"]
        assert [button["action_id"] for button in left[0]["elements"]] == ["false_positive"]

    def test_a_try_that_may_have_arrived_is_looked_for_first(self, vendor: StandIn) -> None:
        left = {"ts": "17.9", "metadata": {"event_payload": {"key": "guardian-1"}}}
        vendor.answers = [Answer(body={"ok": True, "messages": [{"ts": "1"}, left]})]
        assert send("slack_bot", vendor, outgoing(tried=True), **self.room) == Receipt("17.9")
        assert vendor.asked[0].path == "/conversations.history"
        assert vendor.asked[0].form["include_all_metadata"] == "true"

    def test_a_message_somebody_deleted_is_posted_anew(self, vendor: StandIn) -> None:
        vendor.answers = [
            Answer(body={"ok": False, "error": "message_not_found"}),
            Answer(body={"ok": True, "ts": "18.0"}),
        ]
        message = outgoing("updated", reference="17.1")
        assert send("slack_bot", vendor, message, **self.room) == Receipt("18.0")

    @pytest.mark.parametrize("error", ["invalid_auth", "channel_not_found", "is_archived"])
    def test_a_broken_channel_is_permanent(self, vendor: StandIn, error: str) -> None:
        found = refusal(
            "slack_bot", vendor, Answer(body={"ok": False, "error": error}), **self.room
        )
        assert found.permanent
        assert error in str(found)

    @pytest.mark.parametrize("error", ["internal_error", "service_unavailable", "ratelimited"])
    def test_slacks_own_trouble_is_not(self, vendor: StandIn, error: str) -> None:
        found = refusal(
            "slack_bot", vendor, Answer(body={"ok": False, "error": error}), **self.room
        )
        assert not found.permanent

    def test_a_rate_limit_says_how_long(self, vendor: StandIn) -> None:
        answer = Answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "17"})
        assert refusal("slack_bot", vendor, answer, **self.room).retry_after == 17

    @pytest.mark.parametrize("body", ["<html>proxy</html>", "[]", ""])
    def test_an_answer_that_is_not_slacks_is_tried_again(self, vendor: StandIn, body: str) -> None:
        assert not refusal("slack_bot", vendor, Answer(body=body), **self.room).permanent


class TestTelegram:
    chat = {"token": "1:A", "chat_id": "-100"}

    def test_it_sends_escaped_html_with_buttons(self, vendor: StandIn) -> None:
        vendor.answers = [Answer(body={"ok": True, "result": {"message_id": 5}})]
        assert send("telegram", vendor, outgoing(), **self.chat) == Receipt("5")
        body = vendor.asked[0].json
        assert vendor.asked[0].path == "/bot1:A/sendMessage"
        assert (body["chat_id"], body["parse_mode"]) == ("-100", "HTML")
        assert "12 &lt; 50 &amp; &lt;b&gt;" in body["text"]
        assert body["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == "acknowledge:7"

    def test_the_end_edits_and_replies(self, vendor: StandIn) -> None:
        vendor.usual = Answer(body={"ok": True, "result": {"message_id": 6}})
        send("telegram", vendor, outgoing("resolved", reference="5", brief=OVER), **self.chat)
        assert [asked.path for asked in vendor.asked] == [
            "/bot1:A/editMessageText",
            "/bot1:A/sendMessage",
        ]
        assert vendor.asked[1].json["reply_parameters"]["message_id"] == 5

    def test_nothing_new_to_edit_is_no_failure(self, vendor: StandIn) -> None:
        text = "Bad Request: message is not modified"
        vendor.answers = [Answer(400, {"ok": False, "error_code": 400, "description": text})]
        message = outgoing("updated", reference="5")
        assert send("telegram", vendor, message, **self.chat) == Receipt("5")

    @pytest.mark.parametrize(
        ("status", "description"),
        [
            (401, "Unauthorized"),
            (403, "Forbidden: bot was blocked by the user"),
            (400, "Bad Request: chat not found"),
        ],
    )
    def test_a_chat_that_is_gone_is_permanent(
        self, vendor: StandIn, status: int, description: str
    ) -> None:
        body = {"ok": False, "error_code": status, "description": description}
        assert refusal("telegram", vendor, Answer(status, body), **self.chat).permanent

    def test_a_rate_limit_says_how_long(self, vendor: StandIn) -> None:
        body = {
            "ok": False,
            "error_code": 429,
            "description": "Too Many Requests: retry after 9",
            "parameters": {"retry_after": 9},
        }
        found = refusal("telegram", vendor, Answer(429, body), **self.chat)
        assert (found.permanent, found.retry_after) == (False, 9)

    def test_a_group_that_moved_is_followed(self, vendor: StandIn) -> None:
        moved = {"ok": False, "error_code": 400, "parameters": {"migrate_to_chat_id": -999}}
        vendor.answers = [
            Answer(400, moved),
            Answer(body={"ok": True, "result": {"message_id": 8}}),
        ]
        assert send("telegram", vendor, outgoing(), **self.chat) == Receipt("8")
        assert vendor.asked[1].json["chat_id"] == -999


class TestPagerDuty:
    service = {"routing_key": "R" * 32}

    def test_it_triggers_with_a_key_that_makes_repeats_harmless(self, vendor: StandIn) -> None:
        vendor.answers = [Answer(202, {"status": "success"})]
        send("pagerduty", vendor, outgoing(), **self.service)
        body = vendor.asked[0].json
        assert vendor.asked[0].path == "/v2/enqueue"
        assert (body["event_action"], body["dedup_key"]) == ("trigger", "guardian-incident-7")
        assert body["payload"]["severity"] == "critical"
        assert {"summary", "source"} <= set(body["payload"])

    def test_it_shows_the_chart(self, vendor: StandIn) -> None:
        vendor.answers = [Answer(202, {"status": "success"})]
        image = "https://guardian.example/pictures/7/x.png"
        send("pagerduty", vendor, outgoing(image=image), **self.service)
        (shown,) = vendor.asked[0].json["images"]
        assert (shown["src"], shown["href"]) == (image, "http://localhost:8001/incidents/7/")

    @pytest.mark.parametrize(
        ("kind", "brief", "action"),
        [
            ("updated", {"state": "acknowledged"}, "acknowledge"),
            ("updated", {}, "trigger"),
            ("resolved", OVER, "resolve"),
        ],
    )
    def test_changes_reach_the_same_alert(
        self, vendor: StandIn, kind: str, brief: dict[str, Any], action: str
    ) -> None:
        vendor.answers = [Answer(202, {})]
        send("pagerduty", vendor, outgoing(kind, brief=brief), **self.service)
        assert vendor.asked[0].json["event_action"] == action
        assert vendor.asked[0].json["dedup_key"] == "guardian-incident-7"

    def test_an_invalid_event_is_permanent(self, vendor: StandIn) -> None:
        answer = Answer(400, {"status": "invalid event", "errors": ["routing_key"]})
        assert refusal("pagerduty", vendor, answer, **self.service).permanent

    def test_too_many_is_not(self, vendor: StandIn) -> None:
        assert not refusal("pagerduty", vendor, Answer(429, {}), **self.service).permanent


class TestWhatsApp:
    line = {"phone_number_id": "1055", "token": "EAA", "to": "5511999999999"}

    def test_it_sends_the_template_in_the_incidents_language(self, vendor: StandIn) -> None:
        vendor.answers = [Answer(body={"messages": [{"id": "wamid.1"}]})]
        message = outgoing(brief={"language": "pt-br", "lines": ["a\nb", "c    d"]})
        assert send("whatsapp", vendor, message, **self.line) == Receipt("wamid.1")
        asked = vendor.asked[0]
        assert (asked.path, asked.headers["Authorization"]) == ("/1055/messages", "Bearer EAA")
        template = asked.json["template"]
        assert template["language"] == {"code": "pt_BR"}
        texts = [part["text"] for part in template["components"][0]["parameters"]]
        assert len(texts) == 4
        assert texts[1] == "a b · c d"

    @pytest.mark.parametrize(
        ("status", "code", "permanent"),
        [
            (401, 190, True),
            (400, 131030, True),
            (404, 132001, True),
            (400, 130429, False),
            (400, 131056, False),
            (500, 131000, False),
            (429, 80007, False),
        ],
    )
    def test_error_codes_tell_what_passes(
        self, vendor: StandIn, status: int, code: int, permanent: bool
    ) -> None:
        answer = Answer(status, {"error": {"code": code, "message": "no"}})
        assert refusal("whatsapp", vendor, answer, **self.line).permanent is permanent


class TestWebhook:
    def target(self, vendor: StandIn) -> dict[str, Any]:
        return {"url": f"{vendor.url}/hook?x=1", "secret": "s3cret", "allow_private": True}

    def test_it_is_signed_so_that_the_receiver_can_check(self, vendor: StandIn) -> None:
        send("webhook", vendor, outgoing(), **self.target(vendor))
        asked = vendor.asked[0]
        signed = f"{asked.headers['X-Guardian-Timestamp']}.".encode() + asked.body
        proof = hmac.new(b"s3cret", signed, hashlib.sha256).hexdigest()
        assert asked.headers["X-Guardian-Signature"] == f"v1={proof}"
        assert asked.headers["X-Guardian-Delivery"] == "guardian-1"
        assert asked.path == "/hook?x=1"
        assert json.loads(asked.body)["incident"] == 7

    def test_it_never_calls_into_the_private_network(self, vendor: StandIn) -> None:
        target = {**self.target(vendor), "allow_private": False}
        with pytest.raises(ChannelError, match="private network") as caught:
            send("webhook", vendor, outgoing(), **target)
        assert caught.value.permanent
        assert vendor.asked == []

    @pytest.mark.parametrize(
        "url",
        [
            "http://127.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://10.1.2.3/",
            "http://169.254.169.254/latest/meta-data",
            "http://0.0.0.0:80/",
            "http://100.64.0.1/",
            "http://224.0.0.1/",
            "ftp://example.com/",
            "file:///etc/passwd",
        ],
    )
    def test_private_addresses_are_refused(self, url: str) -> None:
        with pytest.raises(ChannelError):
            public_address(url)

    def test_a_public_address_is_the_one_that_is_called(self) -> None:
        assert public_address("https://8.8.8.8/hook") == "8.8.8.8"

    def test_a_redirect_is_not_followed(self, vendor: StandIn) -> None:
        answer = Answer(302, "", {"Location": "http://169.254.169.254/"})
        told = str(refusal("webhook", vendor, answer, **self.target(vendor)))
        assert told.startswith("HTTP 302: it leads elsewhere, and is not followed")
        assert len(vendor.asked) == 1

    @pytest.mark.parametrize(("status", "permanent"), [(410, True), (404, True), (503, False)])
    def test_statuses(self, vendor: StandIn, status: int, permanent: bool) -> None:
        found = refusal("webhook", vendor, Answer(status), **self.target(vendor))
        assert found.permanent is permanent


class TestAlertmanager:
    def test_it_pushes_an_alert_of_the_v2_api(self, vendor: StandIn) -> None:
        send("alertmanager", vendor, outgoing(), url=vendor.url)
        (alert,) = vendor.asked[0].json
        assert vendor.asked[0].path == "/api/v2/alerts"
        assert alert["labels"]["incident"] == "7"
        assert alert["startsAt"] == "2026-03-02T12:00:00+00:00"
        assert alert["endsAt"] > alert["startsAt"]

    def test_the_end_keeps_the_labels_and_ends_now(self, vendor: StandIn) -> None:
        send("alertmanager", vendor, outgoing(), url=vendor.url)
        send("alertmanager", vendor, outgoing("resolved", brief=OVER), url=vendor.url)
        (before,), (after, _other) = (asked.json for asked in vendor.asked)
        assert before["labels"] == after["labels"]
        assert after["endsAt"] < before["endsAt"]

    def test_the_end_ends_it_as_what_it_was_told_before_a_silence_too(
        self, vendor: StandIn
    ) -> None:
        send("alertmanager", vendor, outgoing(brief={"level": "WARNING"}), url=vendor.url)
        send("alertmanager", vendor, outgoing("resolved", brief=OVER), url=vendor.url)
        (mild,), ended = (asked.json for asked in vendor.asked)
        assert mild["labels"] in [alert["labels"] for alert in ended]
        assert all(alert["endsAt"] < mild["endsAt"] for alert in ended)

    def test_a_call_for_a_warning_does_not_end_it(self, vendor: StandIn) -> None:
        send(
            "alertmanager",
            vendor,
            outgoing("escalated", brief={"level": "WARNING"}),
            url=vendor.url,
        )
        going_on, other = vendor.asked[0].json
        assert other["endsAt"] < going_on["endsAt"]
        assert going_on["labels"] != other["labels"]

    def test_its_severity_is_a_label_and_a_rise_ends_the_milder_alert(
        self, vendor: StandIn
    ) -> None:
        send("alertmanager", vendor, outgoing(brief={"level": "WARNING"}), url=vendor.url)
        send("alertmanager", vendor, outgoing("escalated"), url=vendor.url)
        (mild,), (grave, ended) = (asked.json for asked in vendor.asked)
        assert (mild["labels"]["severity"], grave["labels"]["severity"]) == ("warning", "critical")
        assert ended["labels"] == mild["labels"]
        assert ended["endsAt"] < mild["endsAt"] < grave["endsAt"]


def test_a_secret_may_come_from_the_environment(
    vendor: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PD_KEY", "from-env")
    vendor.answers = [Answer(202, {})]
    send("pagerduty", vendor, outgoing(), routing_key="env:PD_KEY")
    assert vendor.asked[0].json["routing_key"] == "from-env"


def test_what_a_channel_lacks_is_named_with_its_variable(settings: Settings) -> None:
    settings.TELEGRAM_BOT_TOKEN = ""
    channel = Channel(kind="telegram", configuration={"chat_id": "1", "token": "env:NOT_SET"})
    lacking = adapter_of(channel).lacking(channel)
    assert why_lacking(channel, lacking) == "token (NOT_SET is not set)"
    channel.configuration["token"] = "env:REDIS_URL"
    assert "(REDIS_URL is a secret of Guardian itself and goes" in why_lacking(channel, lacking)
    settings.TELEGRAM_BOT_TOKEN = "from-the-settings"
    assert adapter_of(channel).configured(channel)


def test_a_file_that_is_not_there_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PD_KEY_FILE", "/nowhere/key")
    channel = Channel(kind="pagerduty", configuration={"routing_key": "env:PD_KEY"})
    assert not adapter_of(channel).configured(channel)


def test_the_console_prints_the_message(capsys: pytest.CaptureFixture[str]) -> None:
    channel = Channel(name="console", kind="console")
    adapter_of(channel).send(channel, outgoing(brief={"headline": "Denials at \x1b[2Jshop"}))
    printed = capsys.readouterr().out
    assert "● CRITICAL · Denials at" in printed
    assert "\x1b" not in printed
    assert "First: Call the issuer." in printed

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from pytest_django import Settings

from alerts.models import Channel, Incident, Notification, Silence
from alerts.services import acknowledge, poll_telegram, queue_digests
from alerts.tests.makers import at, make_anomaly, make_channel, make_source, open_incident
from alerts.tests.standin import Answer, Asked, StandIn
from alerts.tests.test_assigning import person
from guardian_site.access.models import Team

pytestmark = pytest.mark.django_db
CHAT = "-100"


class Bot:
    """A Telegram that hands out the updates it was given, once."""

    def __init__(self, vendor: StandIn) -> None:
        self.vendor, self.updates = vendor, list[dict[str, Any]]()
        vendor.usual = self.answer

    def answer(self, asked: Asked) -> Answer:
        if not asked.path.endswith("/getUpdates"):
            return Answer(body={"ok": True, "result": {"message_id": 1}})
        fresh = [one for one in self.updates if one["update_id"] >= asked.json["offset"]]
        return Answer(body={"ok": True, "result": fresh})

    def say(self, text: str, chat: str = CHAT, user: int = 7, name: str = "ana") -> str:
        update = {
            "update_id": len(self.updates) + 1,
            "message": {
                "text": text,
                "chat": {"id": int(chat)},
                "from": {"id": user, "username": name},
            },
        }
        return self.send(update)

    def send(self, update: dict[str, Any]) -> str:
        self.updates.append(update)
        self.vendor.asked.clear()
        poll_telegram(now=at(1))
        replies = [one.json for one in self.vendor.asked if not one.path.endswith("/getUpdates")]
        return str(replies[0]["text"]) if replies else ""


@pytest.fixture
def bot(vendor: StandIn) -> Bot:
    make_channel(
        "group",
        "telegram",
        configuration={"api": vendor.url, "token": "1:A", "chat_id": CHAT},
    )
    return Bot(vendor)


def test_help_lists_the_commands(bot: Bot) -> None:
    assert "/ack" in bot.say("/help")
    assert "/ack" in bot.say("/help@guardian_bot")


def test_acknowledging_by_command(bot: Bot) -> None:
    incident = open_incident()
    assert bot.say(f"/ack {incident.pk}") == f"#{incident.pk}: done."
    incident.refresh_from_db()
    assert (incident.state, incident.acknowledged_by) == ("acknowledged", "ana (7)")


def test_a_name_that_no_database_keeps_acts_under_one_that_it_does(bot: Bot) -> None:
    incident = open_incident()
    bot.say(f"/ack {incident.pk}", name="an\0a")
    incident.refresh_from_db()
    assert incident.acknowledged_by == "an\N{REPLACEMENT CHARACTER}a (7)"


def test_a_command_is_carried_out_once(bot: Bot) -> None:
    incident = open_incident()
    bot.say(f"/silence #{incident.pk} 30")
    poll_telegram(now=at(2))
    assert Silence.objects.count() == 1
    assert Silence.objects.get().ends == at(31)


@pytest.fixture
def of_shops(bot: Bot) -> Bot:
    """Give the bot in a chat that hears of the source “shop” alone."""
    Channel.objects.get(name="group").sources.add(make_source("shop"))
    return bot


def test_a_chat_of_some_sources_reads_of_those_alone(of_shops: Bot) -> None:
    for name in ("shop", "bakery"):
        open_incident(source=make_source(name))
    assert "1 open incident, 1 critical" in of_shops.say("/status")
    for command in ("/incidents", "/anomalies"):
        text = of_shops.say(command)
        assert "shop" in text
        assert "bakery" not in text


def test_nor_does_it_act_on_others_but_for_what_it_was_told_of(of_shops: Bot) -> None:
    mine, theirs = (open_incident(source=make_source(name)) for name in ("shop", "bakery"))
    assert of_shops.say(f"/ack {mine.pk}") == f"#{mine.pk}: done."
    assert of_shops.say(f"/ack {theirs.pk}") == f"There is no incident #{theirs.pk}."
    chat = Channel.objects.get(name="group")
    theirs.notifications.create(channel=chat, kind="escalated", reason="sent again by ana")
    assert of_shops.say(f"/ack {theirs.pk}") == f"#{theirs.pk}: done."


@pytest.fixture
def of_ana(bot: Bot) -> User:
    """Make the bot's chat that of ana, whose team sees the source “shop” alone."""
    person("ana", team="shops")
    Team.objects.get(name="shops").sources.add(make_source("shop"))
    ana = User.objects.get(username="ana")
    Channel.objects.filter(name="group").update(owner=ana, digest="daily", time_zone="UTC")
    return ana


def test_the_chat_of_a_person_sees_what_that_person_sees(bot: Bot, of_ana: User) -> None:
    mine, theirs = (open_incident(source=make_source(name)) for name in ("shop", "bakery"))
    theirs.notifications.create(channel=Channel.objects.get(name="group"), kind="escalated")
    assert bot.say(f"/resolve {theirs.pk}") == f"There is no incident #{theirs.pk}."
    assert bot.say(f"/resolve {mine.pk}") == f"#{mine.pk}: done."
    assert "bakery" not in bot.say("/incidents") + bot.say("/anomalies")
    (digest,) = queue_digests(now=at(1))
    assert "bakery" not in str(Notification.objects.get(pk=digest).content)


def test_nor_may_who_only_reads_act_there(bot: Bot, of_ana: User) -> None:
    of_ana.groups.set([Group.objects.get_or_create(name="viewer")[0]])
    incident = open_incident(source=make_source("shop"))
    assert "not act" in bot.say(f"/ack {incident.pk}")
    assert "shop" in bot.say("/incidents")


def test_with_the_account_its_chat_and_digest_are_shut(bot: Bot, of_ana: User) -> None:
    incident = open_incident(source=make_source("shop"))
    User.objects.filter(pk=of_ana.pk).update(is_active=False)
    for text in ("/status", "/incidents", f"/ack {incident.pk}"):
        assert bot.say(text) == ""
    assert queue_digests(now=at(1)) == []


def test_a_chat_that_is_named_twice_hears_of_both(of_shops: Bot) -> None:
    first = Channel.objects.get(name="group")
    again = make_channel("again", "telegram", configuration=first.configuration)
    again.sources.add(make_source("bakery"))
    open_incident(source=make_source("bakery"))
    assert "bakery" in of_shops.say("/incidents")


def test_a_length_that_no_calendar_holds_stops_nobody(bot: Bot) -> None:
    incident = open_incident()
    assert bot.say(f"/silence {incident.pk} 30444444444444444444")
    assert not Silence.objects.exists()
    assert bot.say(f"/ack {incident.pk}") == f"#{incident.pk}: done."


def test_a_button_is_answered(bot: Bot) -> None:
    incident = open_incident()
    update = {
        "update_id": 1,
        "callback_query": {
            "id": "9",
            "data": f"resolve:{incident.pk}",
            "from": {"id": 7, "username": "ana"},
            "message": {"chat": {"id": int(CHAT)}},
        },
    }
    assert bot.send(update) == f"#{incident.pk}: done."
    assert bot.vendor.asked[-1].path == "/bot1:A/answerCallbackQuery"
    assert Incident.objects.get().state == "resolved"


def test_reading_how_things_stand(bot: Bot) -> None:
    open_incident(reasons=["12 < 50 & falling"])
    assert bot.say("/status").startswith("1 open incident, 1 critical.")
    assert "Denials above normal at default" in bot.say("/incidents")
    assert "12 &lt; 50 &amp; falling" in bot.say("/anomalies")


def test_a_finding_of_another_day_says_of_which(bot: Bot) -> None:
    make_anomaly(-1440)
    assert "2026-03-01 12:00 UTC default" in bot.say("/anomalies")


def test_it_speaks_the_chats_language_and_the_sources_time(bot: Bot) -> None:
    Channel.objects.filter(name="group").update(language="pt-br")
    shop = make_source("shop", time_zone="America/Sao_Paulo")
    incident = open_incident(source=shop)
    acknowledge(incident_id=incident.pk, actor="ana", via="web", now=at(1))
    assert "assumido por ana" in bot.say("/incidents")
    assert "09:00 UTC-3 shop" in bot.say("/anomalies")
    assert "Negadas: 42 em 1 min; o esperado era 6." in bot.say("/anomalies")
    assert bot.say("/status").startswith("1 incidente aberto, 1 em nível crítico.")


def test_a_stranger_learns_only_the_way_in(bot: Bot) -> None:
    incident = open_incident()
    assert "666" in bot.say("/start", chat="666")
    for text in ("/status", "/incidents", f"/resolve {incident.pk}", "/subscribe", "hello"):
        assert bot.say(text, chat="666") == ""
    incident.refresh_from_db()
    assert incident.state == "open"


def test_a_chat_that_names_its_users_lets_only_those_act(bot: Bot) -> None:
    incident = open_incident()
    channel = Channel.objects.get(name="group")
    channel.configuration["users"] = [8]
    channel.save()
    assert "not act" in bot.say(f"/ack {incident.pk}")
    assert "done" in bot.say(f"/ack {incident.pk}", user=8)


def test_subscribing_is_remembered(bot: Bot) -> None:
    bot.say("/unsubscribe")
    assert not Channel.objects.get(name="group").enabled
    bot.say("/subscribe")
    assert Channel.objects.get(name="group").enabled


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("/ack", "Say which incident"),
        ("/ack x", "Say which incident"),
        ("/ack 99999999999999999999999", "There is no incident"),
        ("/dance", "Unknown command"),
    ],
)
def test_odd_commands_get_a_useful_answer(bot: Bot, text: str, answer: str) -> None:
    assert answer in bot.say(text)


def test_an_illegal_act_says_why(bot: Bot) -> None:
    incident = open_incident()
    bot.say(f"/resolve {incident.pk}")
    assert "cannot take" in bot.say(f"/ack {incident.pk}")


@pytest.mark.parametrize("update", [{}, {"message": {}}, {"callback_query": {}}, {"message": []}])
def test_updates_of_another_kind_do_not_block_the_rest(bot: Bot, update: dict[str, Any]) -> None:
    bot.updates.append({"update_id": 1, **update})
    assert "/ack" in bot.say("/help")


def test_a_chat_that_refuses_our_answer_keeps_nobody_waiting(bot: Bot) -> None:
    incident = open_incident()
    usual = bot.answer

    def blocked(asked: Asked) -> Answer:
        if asked.path.endswith("/sendMessage") and asked.json["chat_id"] == "666":
            refusal = {"ok": False, "error_code": 403, "description": "bot was blocked"}
            return Answer(403, refusal)
        return usual(asked)

    bot.vendor.usual = blocked
    bot.say("/start", chat="666")
    bot.say(f"/ack {incident.pk}")
    incident.refresh_from_db()
    assert incident.state == "acknowledged"


def test_a_telegram_that_is_away_is_waited_for(bot: Bot) -> None:
    bot.vendor.answers = [Answer(502, "bad gateway")]
    assert poll_telegram(now=at(1)) == 0
    assert "/ack" in bot.say("/help")


def test_a_new_bot_greets_strangers(vendor: StandIn, settings: Settings) -> None:
    settings.TELEGRAM_BOT_TOKEN = ""
    assert poll_telegram(now=at(1)) == 0

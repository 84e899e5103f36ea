"""Answers Telegram: commands and buttons, in authorised chats only."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Q

from alerts.channels import ChannelError
from alerts.channels.base import setting
from alerts.channels.telegram import TelegramRefusal, call, token_of
from alerts.messages.phrases import say
from alerts.messages.stored import refusal_told
from alerts.messages.telegram import escape
from alerts.models import Channel, Incident
from alerts.selectors.channels import has_reader, readable_sources
from alerts.selectors.people import TO_ACT
from alerts.services.acting import act
from alerts.services.bot_answers import anomalies, incidents, status
from alerts.services.turns import advance_turn, lease_turn, release_turn
from ingest.plain import plain

logger = logging.getLogger(__name__)
LEASE = timedelta(seconds=60)
ACTS = {"ack": "acknowledge", "resolve": "resolve", "silence": "silence"}
BUTTONS = {
    "acknowledge": "acknowledge",
    "resolve": "resolve",
    "silence": "silence",
    "false_positive": "false-positive",
}
READS: dict[str, Callable[..., str]] = {
    "status": status,
    "incidents": incidents,
    "anomalies": anomalies,
}


@dataclass(frozen=True)
class Asker:
    """Who asks, in which chat."""

    # Several where a chat is named more than once; the first speaks for it.
    channels: Sequence[Channel]
    name: str
    number: str

    @property
    def channel(self) -> Channel:
        return self.channels[0]

    @property
    def language(self) -> str:
        return self.channel.speaks

    @property
    def may_act(self) -> bool:
        """In a chat that names its users only those may act; in a person's, if that person may."""
        owners = [channel.owner for channel in self.channels if channel.owner is not None]
        if not all(owner.has_perm(TO_ACT) for owner in owners):
            return False
        users = self.channel.configuration.get("users", [])
        return not users or self.number in {str(user) for user in users}

    @property
    def heard(self) -> frozenset[int] | None:
        """The sources of which the chat may read; None is all of them."""
        found = [readable_sources(channel) for channel in self.channels]
        return None if None in found else frozenset().union(*(one for one in found if one))

    def hears_of(self, incident_id: int) -> bool:
        """Tell whether the incident is of such a source, or was told here all the same.

        In a person's chat that opens nothing that the pages hide from them.
        """
        heard = self.heard
        mine = Q()
        if heard is not None:
            shared = [channel for channel in self.channels if channel.owner is None]
            mine = Q(source__in=heard) | Q(notifications__channel__in=shared)
        return Incident.objects.filter(mine, pk=incident_id).exists()


def poll_telegram(*, now: datetime) -> int:
    """What people asked the bot since the last look is answered; the number of them is returned."""
    answered = 0
    for bot in _bots():
        turn = lease_turn(f"telegram {token_of(bot)[:8]}", now=now, length=LEASE)
        if turn is None:
            continue
        try:
            asked = {"offset": turn.position + 1, "timeout": 0}
            for update in call(bot, "getUpdates", asked) or []:
                _answer(bot, update, now)
                advance_turn(turn, position=int(update["update_id"]))
                answered += 1
        except ChannelError as error:
            logger.warning("telegram: %s", plain(error))
        finally:
            release_turn(turn)
    return answered


def _bots() -> list[Channel]:
    """Return one channel for each bot; a bot without any chat yet still greets strangers."""
    rows = Channel.objects.filter(kind=Channel.Kind.TELEGRAM).order_by("id")
    found = {token_of(channel): channel for channel in rows if token_of(channel)}
    if settings.TELEGRAM_BOT_TOKEN and settings.TELEGRAM_BOT_TOKEN not in found:
        found[settings.TELEGRAM_BOT_TOKEN] = Channel(kind=Channel.Kind.TELEGRAM)
    return list(found.values())


def _answer(bot: Channel, update: dict[str, Any], now: datetime) -> None:
    number = plain(update.get("update_id"))
    try:
        if (click := update.get("callback_query")) is not None:
            _answer_click(bot, click, now)
        elif (message := update.get("message")) is not None:
            _answer_message(bot, message, now)
    except (KeyError, TypeError, AttributeError) as error:
        # A kind of update we do not know must not keep those behind it waiting.
        logger.warning("telegram: update %s not understood: %s", number, plain(error))
    except DatabaseError:
        raise
    except TelegramRefusal as error:
        # The chat blocked us, the click is too old: whoever asked next must not wait for that.
        if not error.final:
            raise
        logger.warning("telegram: update %s: %s", number, plain(error))
    except ChannelError:
        raise
    except Exception:
        # Nor must what breaks us: it would be asked again and again, and nobody else be heard.
        logger.exception("telegram: update %s could not be answered", number)


def _answer_message(bot: Channel, message: dict[str, Any], now: datetime) -> None:
    words = str(message.get("text", "")).split()
    if not words or not words[0].startswith("/"):
        return
    chat = str(message["chat"]["id"])
    command = words[0][1:].split("@")[0].lower()
    asker = _asker(bot, chat, message.get("from", {}))
    if asker is None:
        # Only the greeting is answered: a stranger learns the way in and nothing else.
        if command != "start":
            return
        text = escape(say("bot.stranger", settings.GUARDIAN_LANGUAGE, chat=chat))
    else:
        text = reply_to(asker, command, words[1:], now)
    call(bot, "sendMessage", {"chat_id": chat, "text": text, "parse_mode": "HTML"})


def _answer_click(bot: Channel, click: dict[str, Any], now: datetime) -> None:
    name, _, number = str(click.get("data", "")).partition(":")
    asker = _asker(bot, str(click["message"]["chat"]["id"]), click["from"])
    text = ""
    if asker is not None and name in BUTTONS:
        text = _act(asker, BUTTONS[name], number, now)
    body = {"callback_query_id": click["id"], "text": text[:200]}
    call(bot, "answerCallbackQuery", body)


def _asker(bot: Channel, chat: str, sender: dict[str, Any]) -> Asker | None:
    here = [
        channel
        for channel in Channel.objects.filter(kind=Channel.Kind.TELEGRAM).select_related("owner")
        if setting(channel, "chat_id") == chat and token_of(channel) == token_of(bot)
    ]
    here = [channel for channel in here if has_reader(channel)]
    if not here:
        return None
    name = sender.get("username") or sender.get("first_name") or "somebody"
    return Asker(here, plain(f"{name} ({sender.get('id')})"), str(sender.get("id")))


def reply_to(asker: Asker, command: str, words: list[str], now: datetime) -> str:
    """Return the answer to a command, as Telegram's HTML."""
    if command in READS:
        return READS[command](language=asker.language, now=now, heard=asker.heard)
    if command in ("start", "help"):
        return escape(say("bot.help", asker.language))
    if command in ("subscribe", "unsubscribe"):
        return _subscribe(asker, command == "subscribe")
    if command not in ACTS:
        return escape(say("bot.unknown", asker.language))
    if not words or not words[0].lstrip("#").isdecimal():
        return escape(say("bot.number", asker.language, command=command))
    minutes = int(words[1]) if len(words) > 1 and words[1].isdecimal() else None
    return escape(_act(asker, ACTS[command], words[0].lstrip("#"), now, minutes))


def _act(asker: Asker, action: str, number: str, now: datetime, minutes: int | None = None) -> str:
    if not asker.may_act:
        return say("bot.reader", asker.language)
    if not number.isdecimal():
        return say("bot.number", asker.language, command=action)
    if not asker.hears_of(int(number[:18])):
        return say("bot.missing", asker.language, id=number)
    try:
        act(
            action,
            incident_id=int(number[:18]),
            actor=asker.name,
            via="telegram",
            now=now,
            minutes=minutes,
        )
    except (ValueError, OverflowError) as error:
        return refusal_told(error, asker.language)
    return say("bot.done", asker.language, id=number)


def _subscribe(asker: Asker, wanted: bool) -> str:
    if not asker.may_act:
        return escape(say("bot.reader", asker.language))
    Channel.objects.filter(pk=asker.channel.pk).update(enabled=wanted)
    return escape(say("bot.subscribed" if wanted else "bot.unsubscribed", asker.language))

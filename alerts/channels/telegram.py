"""Telegram's Bot API: HTML text, edited in place, news as replies to it."""

from typing import TYPE_CHECKING, Any

from django.conf import settings

from alerts.channels.base import (
    ChannelError,
    Configurable,
    Outgoing,
    Receipt,
    answer_object,
    post,
    retry_after,
    setting,
)
from alerts.messages import telegram
from alerts.models import Channel

if TYPE_CHECKING:
    import httpx

API = "https://api.telegram.org"
REPLIES = frozenset({"escalated", "reopened", "resolved", "reminder", "assigned"})


class Telegram(Configurable):
    edits = True
    needs = ("chat_id", "token")

    def value(self, channel: Channel, name: str) -> str:
        return token_of(channel) if name == "token" else setting(channel, name)

    def send(self, channel: Channel, message: Outgoing) -> Receipt:
        if message.brief is None:
            text = telegram.plain(message.title, message.text)
            return Receipt(_number(_speak(channel, {"text": text})))
        body: dict[str, Any] = {
            "text": telegram.render(message.brief),
            "link_preview_options": _preview(message.image),
            "reply_markup": {"inline_keyboard": telegram.keyboard(message.brief)},
        }
        if not message.reference:
            return Receipt(_number(_speak(channel, body)))
        self._edit(channel, message.reference, body)
        if message.kind in REPLIES:
            # An edit makes no sound.
            reply = {"message_id": int(message.reference), "allow_sending_without_reply": True}
            text = telegram.short(message.brief)
            _speak(channel, {"text": text, "reply_parameters": reply})
        return Receipt(message.reference)

    def _edit(self, channel: Channel, reference: str, body: dict[str, Any]) -> None:
        changed = {**_page(channel), **body, "message_id": int(reference)}
        try:
            call(channel, "editMessageText", changed)
        except TelegramRefusal as error:
            # Nothing new to show, or somebody deleted it: the reply still tells.
            if error.status != 400 or "message" not in error.description.lower():
                raise


class TelegramRefusal(ChannelError):
    """Telegram answered `ok: false`."""

    def __init__(self, status: int, description: str, wait: float | None) -> None:
        # Blocked, kicked, unknown chat, wrong token: no second try can mend those.
        gone = status in (401, 403, 404) or (status == 400 and "chat not found" in description)
        super().__init__(f"Telegram: {description}", permanent=gone, retry_after=wait)
        self.status, self.description = status, description

    @property
    def final(self) -> bool:
        """This request will not be taken later either; another one may be."""
        return 400 <= self.status < 500 and self.status not in (401, 429)


def _page(channel: Channel) -> dict[str, Any]:
    return {
        "chat_id": setting(channel, "chat_id"),
        "parse_mode": "HTML",
        "link_preview_options": _preview(""),
    }


def _preview(image: str) -> dict[str, Any]:
    return {"url": image, "prefer_large_media": True} if image else {"is_disabled": True}


def _speak(channel: Channel, body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = call(channel, "sendMessage", {**_page(channel), **body})
    return found


def call(channel: Channel, method: str, body: dict[str, Any]) -> Any:
    """Return the result of a method of the Bot API.

    Raises
    ------
    ChannelError
        If Telegram refuses, or does not answer.
    """
    address = f"{setting(channel, 'api') or API}/bot{token_of(channel)}/{method}"
    found, answer = _ask(address, body)
    if (moved := found.get("parameters", {}).get("migrate_to_chat_id")) is not None:
        # The group became a supergroup: same people, new number.
        found, answer = _ask(address, {**body, "chat_id": moved})
    if found.get("ok"):
        return found.get("result")
    wait = found.get("parameters", {}).get("retry_after")
    raise TelegramRefusal(
        int(found.get("error_code", answer.status_code)),
        str(found.get("description", "refused")),
        retry_after(str(wait)) if wait is not None else None,
    )


def _ask(address: str, body: dict[str, Any]) -> "tuple[dict[str, Any], httpx.Response]":
    answer = post(address, body=body)
    return answer_object(answer), answer


def _number(result: Any) -> str:
    return str(result.get("message_id", "")) if isinstance(result, dict) else ""


def token_of(channel: Channel) -> str:
    """Return the bot's token: the channel's own, else the one of the settings."""
    return setting(channel, "token") or str(settings.TELEGRAM_BOT_TOKEN)

"""Slack's Web API: one message for each incident, edited in place, with buttons and a thread."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.conf import settings

from alerts.channels.base import (
    ChannelError,
    Configurable,
    Outgoing,
    Receipt,
    answer_object,
    post,
    refuse_failure,
    retry_after,
    setting,
)
from alerts.messages import slack
from alerts.models import Channel

if TYPE_CHECKING:
    import httpx

API = "https://slack.com/api"
# https://api.slack.com/methods/chat.postMessage#errors: those that no second try can mend.
BROKEN = frozenset(
    {
        "account_inactive",
        "channel_not_found",
        "ekm_access_denied",
        "invalid_auth",
        "is_archived",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "not_in_channel",
        "org_login_required",
        "restricted_action",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
    }
)
EVENT = "guardian_notification"
# What is worth a sound; an update only changes the message that is there.
IN_THREAD = frozenset({"escalated", "reopened", "resolved", "reminder", "assigned"})
BROADCAST = frozenset({"escalated", "reopened"})


class SlackBot(Configurable):
    edits = True
    needs = ("token", "channel")

    def value(self, channel: Channel, name: str) -> str:
        return {"token": _token, "channel": _room}[name](channel)

    def send(self, channel: Channel, message: Outgoing) -> Receipt:
        try:
            return self._send(channel, message)
        except SlackRefusal as error:
            if not message.image or error.code not in slack.CONTENT_REFUSED:
                raise
        # An address of ours that Slack cannot reach costs the picture, not the message.
        return self._send(channel, replace(message, image=""))

    def _send(self, channel: Channel, message: Outgoing) -> Receipt:
        if message.brief is None:
            body = {"text": slack.escape(f"{message.title}\n{message.text}")}
            return self._post(channel, message, body)
        body = slack.payload(message.brief, buttons=True, image=message.image)
        known = message.reference or _left_by(channel, message.replaced)
        if known and self._edit(channel, known, body):
            if message.kind in IN_THREAD:
                self._reply(channel, message, known)
            return Receipt(known)
        return self._post(channel, message, body)

    def _post(self, channel: Channel, message: Outgoing, body: dict[str, Any]) -> Receipt:
        if message.tried and (stamp := _left_by(channel, (message.key,))):
            return Receipt(stamp)
        answer = _call(
            channel, "chat.postMessage", {**body, "channel": _room(channel), **_mark(message)}
        )
        return Receipt(str(answer.get("ts", "")))

    def _edit(self, channel: Channel, stamp: str, body: dict[str, Any]) -> bool:
        changed = {**body, "channel": _room(channel), "ts": stamp}
        try:
            _call(channel, "chat.update", changed)
        except SlackRefusal as error:
            if error.code in ("message_not_found", "cant_update_message", "edit_window_closed"):
                # Somebody deleted it: a new message takes its place.
                return False
            raise
        return True

    def _reply(self, channel: Channel, message: Outgoing, stamp: str) -> None:
        assert message.brief is not None
        thread = {"ts": stamp}
        if message.tried and _find(channel, (message.key,), "conversations.replies", thread):
            return
        body = {
            "channel": _room(channel),
            "thread_ts": stamp,
            "text": slack.thread_text(message.brief),
            "reply_broadcast": message.kind in BROADCAST,
        }
        _call(channel, "chat.postMessage", {**body, **_mark(message)})


class SlackRefusal(ChannelError):
    """Slack answered `ok: false`; `code` is its name for the reason."""

    def __init__(self, code: str, *, wait: float | None = None) -> None:
        super().__init__(f"Slack: {code}", permanent=code in BROKEN, retry_after=wait)
        self.code = code


def _mark(message: Outgoing) -> dict[str, Any]:
    payload = {"key": message.key}
    return {"metadata": {"event_type": EVENT, "event_payload": payload}}


def _left_by(channel: Channel, keys: tuple[str, ...]) -> str:
    return _find(channel, keys, "conversations.history", {}) if keys else ""


def _find(channel: Channel, keys: tuple[str, ...], method: str, more: dict[str, str]) -> str:
    """Return the time stamp of a message that an earlier try may have left; empty if none did.

    Empty too where we may not look: then it is told twice at worst.
    """
    wanted = {"channel": _room(channel), "limit": "200", "include_all_metadata": "true", **more}
    try:
        answer = _call(channel, method, form=wanted)
    except SlackRefusal as error:
        if not error.permanent:
            raise
        # An app may write without the scope to read; a token that is void is refused anyway.
        return ""
    for found in answer.get("messages", []):
        if found.get("metadata", {}).get("event_payload", {}).get("key") in keys:
            return str(found.get("ts", ""))
    return ""


def _call(
    channel: Channel,
    method: str,
    body: dict[str, Any] | None = None,
    *,
    form: dict[str, str] | None = None,
) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {_token(channel)}"}
    address = f"{setting(channel, 'api') or API}/{method}"
    answer = post(address, body=body, form=form, headers=headers)
    return _read(answer)


def _read(answer: "httpx.Response") -> dict[str, Any]:
    # Slack reports its own errors with 200 or 4xx and ok:false; a proxy's 404 says nothing of us.
    refuse_failure(answer, permanent=frozenset())
    found = answer_object(answer)
    if not found.get("ok"):
        wait = retry_after(answer.headers.get("Retry-After"))
        raise SlackRefusal(str(found.get("error", "unknown_error")), wait=wait)
    return found


def _token(channel: Channel) -> str:
    return setting(channel, "token") or (settings.SLACK_BOT_TOKEN if channel.builtin else "")


def _room(channel: Channel) -> str:
    return setting(channel, "channel") or (settings.SLACK_CHANNEL if channel.builtin else "")

"""Keeps the list of channels true to the settings and to what their vendors answer."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.conf import settings

from alerts.messages.phrases import say
from alerts.models import Channel, Notification

Kind = Channel.Kind
BOT, WEBHOOK = "slack", "slack-webhook"


@dataclass(frozen=True)
class Builtin:
    """A channel that exists because a setting does."""

    name: str
    kind: str
    secret: str
    per_minute: int = 30


def _builtins() -> list[Builtin]:
    bot = ""
    if settings.SLACK_BOT_TOKEN and settings.SLACK_CHANNEL:
        bot = f"{settings.SLACK_BOT_TOKEN}{settings.SLACK_CHANNEL}"
    found = [
        Builtin("console", Kind.CONSOLE, "console", per_minute=600),
        Builtin(WEBHOOK, Kind.SLACK_WEBHOOK, settings.SLACK_WEBHOOK_URL),
        Builtin(BOT, Kind.SLACK_BOT, bot),
    ]
    return [builtin for builtin in found if builtin.secret]


def sync_builtin_channels() -> None:
    """The channels that the settings describe exist; a changed secret gives one a fresh start."""
    wanted = {builtin.name: builtin for builtin in _builtins()}
    known = {channel.name: channel for channel in Channel.objects.filter(builtin=True)}
    for name, builtin in wanted.items():
        mark = sha256(builtin.secret.encode()).hexdigest()[:16]
        channel = known.get(name)
        if channel is None:
            Channel.objects.get_or_create(
                name=name,
                defaults={
                    "kind": builtin.kind,
                    "builtin": True,
                    "fingerprint": mark,
                    "standby": name == WEBHOOK and BOT in wanted,
                    "per_minute": builtin.per_minute,
                    "language": settings.GUARDIAN_LANGUAGE,
                    "time_zone": settings.GUARDIAN_TIME_ZONE,
                },
            )
        elif channel.fingerprint != mark:
            Channel.objects.filter(pk=channel.pk).update(
                fingerprint=mark, disabled=None, disabled_reason="", paused_until=None
            )
    for name in known.keys() - wanted.keys():
        # Without its setting it can send nothing; the row stays for the history's sake.
        Channel.objects.filter(name=name).exclude(fingerprint="").update(fingerprint="")
    spoke = {name for name, channel in known.items() if channel.fingerprint}
    if {BOT, WEBHOOK} & spoke != {BOT, WEBHOOK} & wanted.keys():
        _order_slack(bot_speaks=BOT in wanted)


def _order_slack(*, bot_speaks: bool) -> None:
    """Slack is told once: the webhook stands by for the bot, as its backup, while there is one.

    Only when the settings change: who then wants both to speak says so by hand.
    """
    Channel.objects.filter(name=WEBHOOK, builtin=True).update(standby=bot_speaks)
    webhook = Channel.objects.filter(name=WEBHOOK, builtin=True).first()
    if bot_speaks and webhook is not None:
        Channel.objects.filter(name=BOT, builtin=True, backup=None).update(backup=webhook)


def disable_channel(*, channel: Channel, reason: str, now: datetime) -> None:
    """Nothing more is sent to the channel until somebody mends and enables it."""
    Channel.objects.filter(pk=channel.pk, disabled=None).update(
        disabled=now, disabled_reason=reason[:300]
    )


def enable_channel(*, channel: Channel) -> None:
    """The channel is used again."""
    Channel.objects.filter(pk=channel.pk).update(
        enabled=True, disabled=None, disabled_reason="", paused_until=None
    )


def queue_test(*, channel: Channel, actor: str, now: datetime) -> Notification:
    """A test message to the channel waits in the outbox."""
    return Notification.objects.create(
        channel=channel,
        kind=Notification.Kind.TEST,
        reason=f"test asked for by {actor}"[:300],
        content={
            "title": say("test", channel.speaks),
            "text": say("test.text", channel.speaks, who=actor),
        },
        created=now,
        due=now,
    )

"""Puts the daily and weekly digests into the outbox."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from alerts.messages import report as rendering
from alerts.models import Channel, Notification
from alerts.selectors.channels import active_channels, heard_sources
from alerts.selectors.reports import report
from alerts.services.turns import turn

HOUR = time(8)
Digest = Channel.Digest
LENGTHS = {"daily": timedelta(days=1), "weekly": timedelta(days=7)}


def queue_digests(*, now: datetime) -> list[int]:
    """Every channel that asked for a digest has this morning's in the outbox, once.

    Returns
    -------
    list of int
        The notifications that were written.
    """
    wanting = active_channels().exclude(digest=Digest.NONE)
    if not wanting.exists():
        return []
    written: list[int] = []
    with turn("digest") as mine:
        if mine:
            for channel in wanting.order_by("id"):
                written += _queue(channel, now)
    return written


def _queue(channel: Channel, now: datetime) -> list[int]:
    local = now.astimezone(ZoneInfo(channel.time_zone))
    if local.time() < HOUR:
        return []
    kinds = []
    if channel.digest in (Digest.DAILY, Digest.BOTH):
        kinds.append("daily")
    if channel.digest in (Digest.WEEKLY, Digest.BOTH) and local.weekday() == 0:
        kinds.append("weekly")
    found = [_write(channel, kind, f"{kind}:{local:%Y-%m-%d}", now) for kind in kinds]
    return [pk for pk in found if pk is not None]


def _write(channel: Channel, kind: str, occasion: str, now: datetime) -> int | None:
    if Notification.objects.filter(channel=channel, occasion=occasion).exists():
        return None
    language = channel.speaks
    found = report(since=now - LENGTHS[kind], until=now, sources=heard_sources(channel))
    return Notification.objects.create(
        channel=channel,
        kind=Notification.Kind.DIGEST,
        occasion=occasion,
        reason=f"{kind} digest",
        content={
            "title": rendering.title(found, kind, language),
            "text": rendering.render(found, language),
        },
        created=now,
        due=now,
    ).pk

"""Puts the daily and weekly digests into the outbox."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from alerts.messages import report as rendering
from alerts.models import Channel, Notification
from alerts.selectors.channels import active_channels, has_reader, readable_sources
from alerts.selectors.reports import report
from alerts.services.turns import turn

HOUR = time(8)
Digest = Channel.Digest
DAY = timedelta(days=1)
LENGTHS = {"daily": DAY, "weekly": timedelta(days=7)}
# After a longer pause a digest tells of its usual time again.
LONGEST = {"daily": timedelta(days=7), "weekly": timedelta(days=28)}


def queue_digests(*, now: datetime) -> list[int]:
    """Every channel that asked for a digest has this morning's in the outbox, once.

    Each begins where the last one ended, however late that one or this one is.

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
            for channel in wanting.select_related("owner").order_by("id"):
                written += _queue(channel, now) if has_reader(channel) else []
    return written


def _queue(channel: Channel, now: datetime) -> list[int]:
    local = now.astimezone(ZoneInfo(channel.time_zone))
    if local.time() < HOUR:
        return []
    days = {}
    if channel.digest in (Digest.DAILY, Digest.BOTH):
        days["daily"] = local.date()
    if channel.digest in (Digest.WEEKLY, Digest.BOTH):
        days["weekly"] = local.date() - local.weekday() * DAY
    found = [_write(channel, kind, day, local, now) for kind, day in days.items()]
    return [pk for pk in found if pk is not None]


def _write(channel: Channel, kind: str, day: date, local: datetime, now: datetime) -> int | None:
    occasion = f"{kind}:{day:%Y-%m-%d}"
    earlier = Notification.objects.filter(channel=channel, occasion__startswith=f"{kind}:")
    if earlier.filter(occasion=occasion).exists():
        return None
    last = earlier.order_by("-occasion").first()
    if last is None and day != local.date():
        # The first weekly one waits for a Monday; a later one is made up for.
        return None
    language = channel.speaks
    since = _begin(kind, last, now)
    found = report(since=since, until=now, sources=readable_sources(channel))
    return Notification.objects.create(
        channel=channel,
        kind=Notification.Kind.DIGEST,
        occasion=occasion,
        reason=f"{kind} digest",
        content={
            "title": rendering.title(found, kind, language, channel.time_zone),
            "text": rendering.render(found, language),
            "until": now.isoformat(),
        },
        created=now,
        due=now,
    ).pk


def _begin(kind: str, last: Notification | None, now: datetime) -> datetime:
    usual = now - LENGTHS[kind]
    if last is None:
        return usual
    # What was written before digests kept their end was written at it.
    ended = (last.content or {}).get("until")
    end = datetime.fromisoformat(ended) if ended else last.created
    return end if now - LONGEST[kind] <= end <= now else usual

"""What waits in the outbox, and what became of it."""

from datetime import datetime

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Coalesce

from alerts import conf
from alerts.models import Notification

Kind = Notification.Kind
State = Notification.State
WAITING = (State.PENDING, State.SENDING)
# A message held until the morning waits from then, not from when it was written.
SINCE = Coalesce("held_until", "created")


def oldest_pending_age(now: datetime) -> float | None:
    """Return how long the oldest message that is due has waited [s]; None if none waits.

    What somebody switched off is not waited for.
    """
    oldest = (
        Notification.objects.filter(state__in=WAITING, channel__enabled=True)
        .filter(Q(due__lte=now) | Q(attempts__gt=0))
        .annotate(since=SINCE)
        .order_by("since")
        .values_list("since", flat=True)
        .first()
    )
    return None if oldest is None else max((now - oldest).total_seconds(), 0.0)


def stuck(*, now: datetime) -> QuerySet[Notification]:
    """Return the critical messages that are late, whatever keeps them, and nobody stands in for."""
    waiting = Q(state=State.PENDING) | Q(state=State.SENDING, leased_until__lt=now)
    grave = Notification.objects.filter(waiting, level="CRITICAL", stand_ins=None)
    # An edit has nothing to say where there is nothing to edit.
    rows = grave.exclude(kind=Kind.UPDATED).annotate(since=SINCE)
    return rows.filter(since__lt=now - conf.STUCK_AFTER)


def dead_letters(*, since: datetime) -> QuerySet[Notification]:
    """Return the messages written since a moment that could not be delivered."""
    return Notification.objects.filter(state=State.DEAD, created__gte=since)


def due_channels(*, now: datetime) -> list[int]:
    """Return the channels with something to send now, the most urgent first."""
    rows = (
        sendable(now=now)
        .order_by()
        .values("channel_id")
        .annotate(urgent=Count("id", filter=Q(level="CRITICAL")))
        .order_by("-urgent", "channel_id")
    )
    return [row["channel_id"] for row in rows]


def sendable(*, now: datetime) -> QuerySet[Notification]:
    """Return what is due, and what somebody began to send and never finished."""
    fresh = Q(state=State.PENDING, due__lte=now)
    abandoned = Q(state=State.SENDING, leased_until__lt=now)
    open_channel = Q(channel__paused_until=None) | Q(channel__paused_until__lte=now)
    return Notification.objects.filter(
        fresh | abandoned,
        open_channel,
        channel__enabled=True,
        channel__disabled=None,
    )


def outcome_counts() -> list[tuple[str, str, int]]:
    """Return the number of messages by kind of channel and outcome."""
    rows = (
        Notification.objects.order_by()
        .values_list("channel__kind", "state")
        .annotate(number=Count("id"))
    )
    return [(kind, state, number) for kind, state, number in rows]

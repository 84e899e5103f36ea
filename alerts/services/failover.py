"""When a channel fails, its backup speaks for it."""

from datetime import datetime

from django.db import transaction

from alerts import conf
from alerts.models import Channel, Notification
from alerts.selectors.channels import backup_of
from alerts.selectors.outbox import stuck
from alerts.services.telling import knowledge

Kind, State = Notification.Kind, Notification.State


def hand_over_stuck(*, now: datetime) -> list[int]:
    """What is critical and stuck, tried or not, waits in the backup of its channel too.

    Returns
    -------
    list of int
        The notifications that were written.
    """
    written = []
    late = stuck(now=now).exclude(channel__backup=None)
    for channel in Channel.objects.filter(pk__in=late.values("channel")).order_by("id"):
        rows = late.filter(channel=channel).select_related("channel__backup", "incident")
        for row in rows.order_by("id")[: conf.BATCH]:
            why = f"stuck in {channel}: {row.last_error or 'not sent by now'}"
            written.append(hand_to_backup(row=row, reason=why, now=now))
    return [pk for pk in written if pk is not None]


@transaction.atomic
def hand_to_backup(*, row: Notification, reason: str, now: datetime) -> int | None:
    """The message waits in the backup channel too, once; None if there is no backup to use."""
    backup = backup_of(row.channel)
    if backup is None or row.stand_ins.exists() or row.kind == Kind.UPDATED:
        return None
    if backup.pk in _asked_before(row) or _hears_itself(backup, row):
        return None
    occasion = f"for:{row.pk}"
    made, created = Notification.objects.get_or_create(
        channel=backup,
        occasion=occasion,
        stands_in_for=row,
        defaults={
            "incident": row.incident,
            "kind": row.kind,
            "level": row.level,
            "content": row.content,
            "reason": reason[:300],
            "created": now,
            "due": now,
        },
    )
    return made.pk if created else None


def _asked_before(row: Notification) -> set[int]:
    """Return the channels for which the message stands in: two may be each other's backup."""
    asked, before = set[int](), row.stands_in_for
    while before is not None:
        asked.add(before.channel_id)
        before = before.stands_in_for
    return asked


def _hears_itself(backup: Channel, row: Notification) -> bool:
    """Say whether the backup has a message of its own that says the same.

    A channel that once spoke for another hears by itself how that ends, and is reminded of it.
    """
    if row.incident is None:
        return False
    if row.kind == Kind.RESOLVED:
        known = knowledge(row.incident, backup)
        return known.told == Kind.RESOLVED or known.waits_over
    same = backup.notifications.filter(incident=row.incident, occasion=row.occasion)
    return same.exclude(state__in=(State.DEAD, State.SUPPRESSED)).exists()

"""When a channel fails, its backup speaks for it."""

from datetime import datetime

from alerts import conf
from alerts.models import Channel, Notification
from alerts.selectors.channels import backup_of
from alerts.selectors.outbox import stuck

State = Notification.State


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


def hand_to_backup(*, row: Notification, reason: str, now: datetime) -> int | None:
    """The message waits in the backup channel too, once; None if there is no backup to use."""
    backup = backup_of(row.channel)
    if backup is None or row.stand_ins.exists() or row.kind == Notification.Kind.UPDATED:
        return None
    if backup.pk in _asked_before(row):
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

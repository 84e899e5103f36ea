"""When a channel fails, its backup speaks for it."""

from datetime import datetime

from alerts.models import Notification
from alerts.selectors.channels import backup_of

State = Notification.State


def hand_to_backup(*, row: Notification, reason: str, now: datetime) -> int | None:
    """The message waits in the backup channel too, once; None if there is no backup to use."""
    backup = backup_of(row.channel)
    if backup is None or row.stand_ins.exists() or row.kind == Notification.Kind.UPDATED:
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

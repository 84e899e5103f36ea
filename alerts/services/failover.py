"""When a channel fails, its backup speaks for it."""

from datetime import datetime

from alerts.channels import adapter_of
from alerts.models import Channel, Notification

State = Notification.State


def hand_to_backup(*, row: Notification, reason: str, now: datetime) -> int | None:
    """The message waits in the backup channel too, once; None if there is no backup to use."""
    backup = _backup_of(row.channel)
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


def _backup_of(channel: Channel) -> Channel | None:
    """Return the first usable channel down the line of backups, each asked once."""
    seen, backup = {channel.pk}, channel.backup
    while backup is not None and backup.pk not in seen:
        usable = backup.enabled and backup.disabled is None
        if usable and adapter_of(backup).configured(backup):
            return backup
        seen.add(backup.pk)
        backup = backup.backup
    return None

"""The audit log as CSV or JSON, for export."""

import csv
import json
from collections.abc import Generator, Iterator
from datetime import datetime
from typing import Any, TextIO

from auditlog.models import LogEntry

from ingest.plain import cell

COLUMNS = ("id", "time", "by", "address", "via", "action", "what", "object_id", "object", "changes")


def entries_since(since: datetime) -> Generator[dict[str, Any], None, None]:
    """Yield the entries from `since` on, oldest first."""
    rows = LogEntry.objects.filter(timestamp__gte=since).order_by("timestamp", "pk")
    for entry in rows.select_related("actor", "content_type").iterator(chunk_size=1000):
        more = entry.additional_data or {}
        yield {
            "id": entry.pk,
            "time": entry.timestamp.isoformat(),
            "by": more.get("by") or (entry.actor.get_username() if entry.actor else ""),
            "address": entry.remote_addr or "",
            "via": more.get("via", ""),
            "action": str(entry.get_action_display()),
            "what": entry.content_type.model,
            "object_id": entry.object_pk,
            "object": entry.object_repr,
            "changes": entry.changes_dict,
        }


def write_csv(entries: Iterator[dict[str, Any]], file: TextIO) -> int:
    """Write entries as CSV in which no cell is a formula; how many is returned."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    written = 0
    for entry in entries:
        written += 1
        changes = json.dumps(entry["changes"], ensure_ascii=False)
        writer.writerow([cell({**entry, "changes": changes}[name]) for name in COLUMNS])
    return written


def write_jsonl(entries: Iterator[dict[str, Any]], file: TextIO) -> int:
    """Write one JSON object a line; how many is returned."""
    written = 0
    for entry in entries:
        written += 1
        file.write(json.dumps(entry, ensure_ascii=False) + "\n")
    return written

"""`manage.py export_audit --since 2026-01-01 --format csv > audit.csv`"""

import sys
from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from guardian_site.access.audit_export import entries_since, write_csv, write_jsonl
from ingest.management.wording import counted
from ingest.management.written_files import ending_quietly, refuse_unwritable, told_in_words

WRITERS = {"csv": write_csv, "jsonl": write_jsonl}


class Command(BaseCommand):
    help = "Write the audit log: who changed what, from where, before and after."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--since", help="a day or a time, in UTC if it has no zone; default 30 days ago"
        )
        parser.add_argument("--format", choices=sorted(WRITERS), default="csv")
        parser.add_argument("--output", type=Path, help="file to write; default standard output")

    def handle(
        self, *args: Any, since: str | None, format: str, output: Path | None, **options: Any
    ) -> None:
        refuse_unwritable(output)
        entries = entries_since(_moment(since))
        if output is None:
            with ending_quietly(entries):
                count = WRITERS[format](entries, sys.stdout)
        else:
            with told_in_words(output), output.open("w", encoding="utf-8", newline="") as file:
                count = WRITERS[format](entries, file)
        self.stderr.write(f"{counted(count, 'entry', 'entries')}.")


def _moment(text: str | None) -> datetime:
    if text is None:
        return timezone.now() - timedelta(days=30)
    try:
        day, moment = parse_date(text), parse_datetime(text)
    except ValueError:
        day = moment = None
    if day is not None:
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    if moment is None:
        raise CommandError(
            f"--since {text}: write a day such as 2026-01-31 or a time such as 2026-01-31T12:00."
        )
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

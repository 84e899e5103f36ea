"""`manage.py export reports --since 2026-01-01 --format parquet --output reports.parquet`"""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_date, parse_datetime

from guardian_site.upkeep.exporting import (
    KINDS,
    Kind,
    PartMissing,
    Row,
    Wanted,
    rows_of,
    write_csv,
    write_parquet,
)
from ingest.management.wording import counted
from ingest.management.written_files import ending_quietly, refuse_unwritable, told_in_words
from ingest.models import Source


class Command(BaseCommand):
    help = (
        "Write rows to a file or to standard output, oldest first: reports, transactions that were"
        " sent with an id, counts per minute (of both), what was expected of each minute"
        " (bands), anomalies, incidents, or labels."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=sorted(KINDS))
        parser.add_argument("--format", choices=["csv", "parquet"], default="csv")
        parser.add_argument("--since", help="a day or a time, in UTC if it has no zone")
        parser.add_argument("--until", help="a day or a time, exclusive")
        parser.add_argument("--source", help="only this source")
        parser.add_argument(
            "--output", type=Path, help="file to write; default standard output (CSV only)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        kind, output = KINDS[options["kind"]], options["output"]
        refuse_unwritable(output)
        rows = rows_of(kind, self._wanted(options))
        if output is not None:
            with told_in_words(output):
                count = _write(kind, rows, options["format"], output)
        elif options["format"] == "parquet":
            raise CommandError("Parquet needs --output FILE.")
        else:
            with ending_quietly(rows):
                count = write_csv(list(kind.columns), rows, sys.stdout)
        self.stderr.write(f"{counted(count, kind.one, options['kind'])}.")

    def _wanted(self, options: dict[str, Any]) -> Wanted:
        source = options["source"]
        if source is not None and not Source.objects.filter(name=source).exists():
            raise CommandError(f"There is no source “{source}”.")
        since, until = (_moment(name, options[name]) for name in ("since", "until"))
        if since and until and since >= until:
            raise CommandError("--since must be before --until.")
        return Wanted(since, until, source)


def _write(kind: Kind, rows: Iterator[Row], form: str, output: Path) -> int:
    if form == "parquet":
        try:
            return write_parquet(kind, rows, output)
        except PartMissing as error:
            raise CommandError(str(error)) from error
    with output.open("w", encoding="utf-8", newline="") as file:
        return write_csv(list(kind.columns), rows, file)


def _moment(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        day, moment = parse_date(text), parse_datetime(text)
    except ValueError:
        day = moment = None
    if day is not None:
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    if moment is None:
        raise CommandError(
            f"--{name} {text}: write a day such as 2026-01-31 or a time such as 2026-01-31T12:00."
        )
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        raise CommandError(f"--{name} {text}: is beyond the calendar of UTC.") from None

"""`manage.py import_counts FILE.csv`: counts of the past, from a file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from ingest.management.wording import counted
from ingest.models import Source
from ingest.parsing.count_files import BadFile, CountFile
from ingest.retention import COUNTS
from ingest.services.importing import Imported, Survey, import_file, source_for_import, survey_file
from ingest.zones import is_zone

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Import counts from a CSV file with the columns timestamp, status and/or auth_code, count. "
        "The same file again changes nothing; an interrupted import resumes where it stopped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--source", default=Source.DEFAULT, help="whose counts these are")
        parser.add_argument(
            "--time-zone", default="", help="zone of times without one; default the source's"
        )
        group = parser.add_mutually_exclusive_group()
        group.add_argument(
            "--strict", action="store_true", help="refuse a file with bad lines (the default)"
        )
        group.add_argument("--skip-bad", action="store_true", help="import only the good lines")
        parser.add_argument(
            "--again", action="store_true", help="import a file again that was imported before"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        file = self._file(options["file"])
        self._refuse_several(file)
        zone = self._zone(options["time_zone"], options["source"])
        with self._bar(file.lines, "Checking", options) as bar:
            survey = survey_file(file=file, zone=zone, progress=bar.update)
        self._tell_bad(survey)
        self._tell_old(survey)
        if survey.bad and not options["skip_bad"]:
            raise CommandError(
                f"{counted(survey.bad, 'bad line', 'bad lines')}: nothing was imported."
                " Fix the file, or use --skip-bad."
            )
        source = self._source(options)
        with self._bar(file.lines, "Importing", options) as bar:
            done = import_file(
                file=file, source=source, zone=zone, progress=bar.update, again=options["again"]
            )
        if done.already:
            self.stdout.write(
                f"{file.path.name} was imported already; nothing to do (--again imports it again)."
            )
            return
        left = f", {counted(survey.bad, 'bad line', 'bad lines')} left out" if survey.bad else ""
        self.stdout.write(
            f"{counted(done.lines, 'line', 'lines')} into “{source.name}”:"
            f" {done.news:,} changed a count{left}."
        )
        self._tell_replaced(done, zone)
        if done.exceeded:
            times = counted(done.exceeded, "timestamp", "timestamps")
            self.stderr.write(
                f"At {times} more is denied by code than by status; the codes are used. If"
                " you correct them, import the file by status again afterwards (--again)."
            )

    def _file(self, path: Path) -> CountFile:
        try:
            return CountFile(path)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}.") from None
        except BadFile as error:
            raise CommandError(str(error)) from None

    def _refuse_several(self, file: CountFile) -> None:
        names = file.first_sources()
        if len(names) > 1:
            raise CommandError(
                f"{file.path.name} holds counts of several sources, among them {names[0]} and"
                f" {names[1]}, which would be mixed into one: nothing was imported. Give each a"
                " file of its own, as `export counts --source NAME` writes it."
            )

    def _zone(self, name: str, source_name: str) -> ZoneInfo:
        source = Source.objects.filter(name=source_name).first()
        name = name or (source.time_zone if source else Source().time_zone)
        if not is_zone(name):
            raise CommandError(f"--time-zone {name}: write an IANA name such as UTC.")
        return ZoneInfo(name)

    def _source(self, options: dict[str, Any]) -> Source:
        try:
            Source(name=options["source"]).full_clean(validate_unique=False)
            return source_for_import(name=options["source"], time_zone=options["time_zone"])
        except ValidationError as error:
            raise CommandError(f"--source: {' '.join(error.messages)}") from None

    def _tell_bad(self, survey: Survey) -> None:
        for line in survey.bad_lines[:SHOWN]:
            self.stderr.write(f"line {line.number}: {line.reason}")
        if survey.bad > SHOWN:
            more = counted(survey.bad - SHOWN, "more bad line", "more bad lines")
            self.stderr.write(f"... and {more}")

    def _tell_old(self, survey: Survey) -> None:
        if survey.old:
            lines = counted(survey.old, "line is", "lines are")
            self.stderr.write(
                f"{lines} older than counts are kept ({COUNTS.age.days} days) and will be deleted"
                " again; raise GUARDIAN_KEEP_COUNTS_DAYS to keep them."
            )

    def _tell_replaced(self, done: Imported, zone: ZoneInfo) -> None:
        if done.replaced:
            lines = counted(done.replaced, "line was", "lines were")
            self.stderr.write(
                f"{lines} replaced by a later one of the same time, status and code, not added to"
                " it. To have both, add them up in the file, or give each part a source of its own."
            )
        if done.twice:
            self.stderr.write(
                f"{done.twice:,} of them in an hour that the clock of {zone.key} shows twice, as it"
                " is set back: write such times with a zone, as in 2025-11-02T01:30-05:00."
            )

    def _bar(self, lines: int, title: str, options: dict[str, Any]) -> "tqdm[Any]":
        quiet = options["verbosity"] == 0 or None
        return tqdm(total=lines, desc=title, unit=" lines", unit_scale=True, disable=quiet)

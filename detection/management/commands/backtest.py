"""`manage.py backtest`: another policy or forest over stored history."""

import json
import re
import time
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from detection.models import ForestVersion
from detection.questions import LONGEST_ID
from detection.scoring.forest import Forest
from detection.services.backtesting import (
    chart_of,
    chosen_sources,
    report_of,
    run_trial,
    trial_length,
)
from detection.services.forests import live_forest, live_number, read_forest
from detection.services.policies import read_settings, read_yaml
from ingest import steady_clock
from ingest.management.written_files import refuse_unwritable, told_in_words
from ingest.parsing.moments import read_moment
from ingest.services.sources import site_zone

USUAL_DAYS = 7
DAY = "a day or a time, in GUARDIAN_TIME_ZONE if it has no zone"
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Command(BaseCommand):
    help = (
        "Judge stored history again with the production code, under the live policies or others. "
        "Nothing is written to the database. Pages are what became critical, warnings what did "
        "not. A labelled incident is caught by a page, or by a warning that lasts "
        "GUARDIAN_WARNING_WAIT_MINUTES; its delay ends when people are notified."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", action="append", default=[], help="by name; default all")
        parser.add_argument("--since", default="", help=f"{DAY}; default seven days before --until")
        parser.add_argument("--until", default="", help=f"{DAY}; default now")
        parser.add_argument(
            "--policy",
            type=Path,
            help="YAML with the policy fields to try, such as minimum_excess: 50",
        )
        parser.add_argument("--forest", default="live", help="a version number, live or none")
        parser.add_argument("--report", type=Path, help="write the report to this file, as JSON")
        parser.add_argument("--chart", type=Path, help="write the chart to this file, as SVG")

    def handle(self, *args: Any, **options: Any) -> None:
        until = self._moment(options["until"], "--until") or steady_clock.now()
        since = self._moment(options["since"], "--since") or until - timedelta(days=USUAL_DAYS)
        if since >= until:
            raise CommandError("--since must be before --until.")
        refuse_unwritable(options["report"], options["chart"])
        changes = self._changes(options["policy"])
        sources = self._sources(options["source"])
        number, forest = self._forest(options["forest"])
        started = time.monotonic()
        whole = trial_length(sources=sources, since=since, until=until)
        with tqdm(total=whole, desc="Judging", unit=" min", leave=False, disable=None) as bar:
            trial = run_trial(
                sources=sources,
                since=since,
                until=until,
                changes=changes,
                forest=forest,
                progress=bar.update,
            )
        seconds = time.monotonic() - started
        report = report_of(trial, changes=changes, seconds=seconds, forest=number)
        self._show(report)
        self._write(options["report"], lambda: json.dumps(report, indent=2))
        self._write(options["chart"], lambda: chart_of(trial))

    def _moment(self, text: str, name: str) -> datetime | None:
        begins = f"{text}T00:00" if _DAY.fullmatch(text) else text
        try:
            return read_moment(begins, site_zone()) if text else None
        except ValueError as error:
            raise CommandError(f"{name} {error}") from None

    def _sources(self, names: list[str]) -> dict[int, str]:
        try:
            found = chosen_sources(names)
        except ValueError as error:
            raise CommandError(str(error)) from None
        if not found:
            raise CommandError("There are no sources yet.")
        return found

    def _changes(self, file: Path | None) -> dict[str, Any]:
        if file is None:
            return {}
        try:
            sent = read_yaml(file.read_text(encoding="utf-8")) or {}
            if not isinstance(sent, Mapping):
                raise CommandError(f"{file} must be a mapping of policy fields.")
            return read_settings(sent)
        except ValidationError as error:
            faults = [f"{name}: {' '.join(told)}" for name, told in error.message_dict.items()]
            raise CommandError(f"{file}: {'; '.join(faults)}") from None
        except (OSError, ValueError, yaml.YAMLError) as error:
            told = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())
            raise CommandError(f"{file}: {told}") from None

    def _forest(self, asked: str) -> tuple[int | None, Forest | None]:
        if asked == "none":
            return None, None
        if asked == "live":
            return live_number(), live_forest()
        # A superscript two is a digit, too.
        number = asked.isascii() and asked.isdigit() and len(asked) <= LONGEST_ID
        version = ForestVersion.objects.filter(pk=asked).first() if number else None
        if version is None:
            raise CommandError(f"--forest: there is no version {asked}.")
        try:
            return version.pk, read_forest(version)
        except ValueError as error:
            raise CommandError(f"--forest: {error}") from None

    def _write(self, path: Path | None, content: Callable[[], str]) -> None:
        if path is not None:
            with told_in_words(path):
                path.write_text(content(), encoding="utf-8")

    def _show(self, report: dict[str, Any]) -> None:
        line = "{:<24} {:>8} {:>6} {:>9} {:>8} {:>7} {:>7} {:>7}"
        self.stdout.write(
            line.format(
                "source", "minutes", "pages", "pages/day", "warnings", "caught", "missed", "delay"
            )
        )
        for row in [*report["sources"], {**report["total"], "source": "all"}]:
            cells = [
                row[name]
                for name in (
                    "source",
                    "minutes_judged",
                    "pages",
                    "pages_per_day",
                    "warnings",
                    "incidents_caught",
                    "incidents_missed",
                    "delay_median_minutes",
                )
            ]
            self.stdout.write(line.format(*("-" if cell is None else cell for cell in cells)))
        live = report["live"]
        self.stdout.write(
            f"Compared with what was found at the time: {live['same']} the same, "
            f"{live['only_live']} only then, {live['only_backtest']} only now. "
            f"{report['seconds']} s."
        )

"""`manage.py simulate`: payment traffic with incidents in it, as history or live."""

import json
import re
import signal
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from ingest.management.written_files import told_in_words
from ingest.services.simulating import borrowed_key, record_simulated, store_history
from ingest.simulator.live import LiveClock, LiveTraffic, Sink, send_due
from ingest.simulator.plan import Plan, chosen_profiles, minute_number, minute_start
from ingest.simulator.posting import Poster
from ingest.simulator.scenarios import KINDS, read_scenario

DAY_MINUTES = 1440
# Where incidents begin that were given no start: late in the history, soon in live traffic.
HISTORY_START, LIVE_START = -120, 2
MOST = {"days": 3_660, "rate": 1_000_000, "speed": 100_000}
_SPAN = re.compile(r"(\d+)([mhd]?)")
_UNITS = {"m": 1, "h": 60, "d": DAY_MINUTES, "": DAY_MINUTES}


def span_minutes(text: str) -> int:
    """Return the minutes of a span such as 14d, 6h or 90m; a bare number is days."""
    found = _SPAN.fullmatch(text)
    minutes = int(found[1]) * _UNITS[found[2]] if found and len(found[1]) < 9 else 0
    if not 0 < minutes <= MOST["days"] * DAY_MINUTES:
        most = f"at most {MOST['days']}d"
        raise ArgumentTypeError(f"{text}: write a span such as 14d, 6h or 90m, {most}")
    return minutes


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


class Command(BaseCommand):
    help = (
        "Simulate payment traffic of several sources, up to now or live, into the database or "
        f"over HTTP. Incidents: {', '.join(KINDS)}."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--seed", type=int, default=7, help="default 7; the same seed gives the same traffic"
        )
        parser.add_argument("--sources", type=int, default=3, help="how many; default 3")
        parser.add_argument(
            "--rate", type=float, help="transactions per minute of the first source; default 240"
        )
        span = parser.add_mutually_exclusive_group()
        span.add_argument(
            "--history", type=span_minutes, metavar="14d", help="how far back; default 1d"
        )
        span.add_argument("--days", type=float, help="the same in days")
        parser.add_argument(
            "--scenario",
            action="append",
            default=[],
            metavar="NAME[@MINUTE][+LENGTH][*STRENGTH]",
            help="an incident; the minute counts from the start, back from the end if negative",
        )
        parser.add_argument("--on", default="", help="the source it happens to; default the first")
        parser.add_argument(
            "--live", action="store_true", help="keep reporting from now until stopped"
        )
        parser.add_argument(
            "--tick", type=int, default=5, help="seconds between live reports; default 5"
        )
        parser.add_argument(
            "--for", dest="length", type=span_minutes, help="stop a live run after this long"
        )
        parser.add_argument(
            "--speed", type=float, default=1.0, help="times real time, until caught up; default 1"
        )
        parser.add_argument(
            "--since", type=span_minutes, default=0, help="start a live run this long before now"
        )
        parser.add_argument("--to-url", default="", help="post to the Guardian at this address")
        parser.add_argument("--api-key", default="", help="API key to post with")
        parser.add_argument(
            "--truth", type=Path, help="write the injected incidents to this file, as JSON"
        )

    def handle(self, *args: Any, **options: Any) -> str:
        self._refuse(options)
        plan = self._live_plan(options) if options["live"] else self._history_plan(options)
        truth = json.dumps(plan.truth())
        if options["truth"]:
            with told_in_words(options["truth"]):
                options["truth"].write_text(truth + "\n", encoding="utf-8")
        with self._sink(options) as sink:
            if options["live"]:
                self._run_live(plan, sink, options)
            else:
                self._run_history(plan, sink, options)
        return truth

    def _refuse(self, options: dict[str, Any]) -> None:
        tick = options["tick"]
        if tick < 1 or 60 % tick or not 1 <= options["sources"] <= 100_000:
            raise CommandError("--tick must divide 60, and --sources must be 1 to 100000.")
        for name, most in MOST.items():
            # Also what is no number, which is not over 0 either.
            if options[name] is not None and not 0 < options[name] <= most:
                raise CommandError(f"--{name} must be above 0, and at most {most:,}.")
        if options["seed"] < 0:
            raise CommandError("--seed must be 0 or more.")
        if options["to_url"] and not _is_address(options["to_url"]):
            raise CommandError(f"--to-url {options['to_url']}: write http://… or https://…")

    def _plan(self, first: int, origin: int, end: int, default: int, options: Any) -> Plan:
        profiles = chosen_profiles(options["sources"], options["rate"], options["seed"])
        victim = options["on"] or profiles[0].name
        if victim not in {profile.name for profile in profiles}:
            raise CommandError(f"--on {victim}: there is no such source in this simulation.")
        try:
            scenarios = [read_scenario(text, default) for text in options["scenario"]]
        except ValueError as error:
            raise CommandError(f"--scenario {error}.") from None
        return Plan(profiles, first, options["seed"], (), victim).with_incidents(
            scenarios, origin, end
        )

    def _history_plan(self, options: dict[str, Any]) -> Plan:
        end = minute_number(datetime.now(UTC))
        first = end - self._minutes(options)
        return self._plan(first, first, end, HISTORY_START, options)

    def _live_plan(self, options: dict[str, Any]) -> Plan:
        origin = minute_number(datetime.now(UTC)) - options["since"]
        return self._plan(origin, origin, origin, LIVE_START, options)

    def _minutes(self, options: dict[str, Any]) -> int:
        if options["days"] is not None:
            return max(1, int(options["days"] * DAY_MINUTES))
        return int(options["history"] or DAY_MINUTES)

    @contextmanager
    def _sink(self, options: dict[str, Any]) -> Iterator[Sink | None]:
        """Give where reports go over HTTP; None for the database."""
        if not options["to_url"]:
            yield None
            return
        host = urlsplit(options["to_url"]).hostname or ""
        ours = host in ("localhost", "127.0.0.1", "::1", settings.GUARDIAN_HOST)
        ours = ours and not options["api_key"]
        key = borrowed_key(name="simulator") if ours else nullcontext(options["api_key"])
        with _ended_by_sigterm(), key as secret:
            poster = Poster(options["to_url"], secret)
            try:
                yield Sink(poster.post_batch, poster.post_each)
            finally:
                poster.close()

    def _run_history(self, plan: Plan, sink: Sink | None, options: dict[str, Any]) -> None:
        minutes = self._minutes(options)
        with self._bar(minutes * len(plan.profiles), "Simulating", options) as bar:
            if sink is None:
                store_history(plan=plan, minutes=minutes, progress=bar.update)
                return
            for minute in range(plan.first, plan.first + minutes, 60):
                self._post_hour(plan, minute, min(60, plan.first + minutes - minute), sink)
                bar.update(min(60, plan.first + minutes - minute) * len(plan.profiles))

    def _post_hour(self, plan: Plan, first: int, count: int, sink: Sink) -> None:
        reports = [
            (profile.name, minute_start(minute), status, code, number)
            for profile in plan.profiles
            for minute, status, code, number in plan.traffic(profile, first, count).cells()
        ]
        sink.whole_minutes(sorted(reports, key=lambda report: report[1]))

    def _run_live(self, plan: Plan, sink: Sink | None, options: dict[str, Any]) -> None:
        real = datetime.now(UTC)
        started = real - timedelta(minutes=options["since"])
        clock = LiveClock(started, real, options["speed"])
        traffic = LiveTraffic(plan, started, options["tick"])
        into = sink or Sink(_record, _record)
        end = started + timedelta(minutes=options["length"]) if options["length"] else None
        with self._bar(None, "Live", options) as bar:
            now = started
            while end is None or now < end:
                now = clock.now(datetime.now(UTC))
                # A clock that runs fast may be past the end at once: what came before is still due.
                bar.update(send_due(traffic, min(now, end or now), into))
                time.sleep(min(1.0, options["tick"] / 5))

    def _bar(self, total: int | None, title: str, options: dict[str, Any]) -> "tqdm[Any]":
        unit = " reports" if total is None else " minutes"
        quiet = options["verbosity"] == 0 or None
        return tqdm(total=total, desc=title, unit=unit, unit_scale=True, disable=quiet)


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM, by which a supervisor ends its parts, raises: what was borrowed is given back."""
    before = signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _record(reports: Any) -> None:
    record_simulated(reports=reports)

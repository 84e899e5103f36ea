"""Time and memory as sources and history grow: `python -m deploy.bench.scale --sources 1 1000`.

Each size gets a PostgreSQL of its own, with `--minutes` of history for every source. All figures
are of this one process. How they grow from size to size holds on any machine.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from deploy.bench import stack

FILL = """
INSERT INTO ingest_minutecount (source_id, minute, status, auth_code, count)
SELECT s.id, m.minute, k.status, k.code, k.count + (s.id + extract(minute FROM m.minute)::int) %% 5
FROM ingest_source AS s,
    generate_series(%(first)s::timestamptz, %(last)s::timestamptz, interval '1 minute')
        AS m(minute),
    (VALUES ('approved', '00', 90), ('denied', '51', 8), ('failed', '00', 1))
        AS k(status, code, count)
"""
MEAN_BYTES = "SELECT avg(octet_length({})) FROM detection_baseline"
REPORTS = 100


def seconds(work: Callable[[], object]) -> float:
    """Return how long it took [s]."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def megabytes() -> float:
    """Return the most memory this process ever held [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _asked(question: str) -> int:
    """Return the one number that the database answers."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(question)
        [[found]] = cursor.fetchall()
    return int(found)


class Size:
    """One size: so many sources, each with so many minutes of history."""

    def __init__(self, sources: int, minutes: int) -> None:
        self.sources, self.minutes = sources, minutes
        now = datetime.now(UTC).replace(second=50, microsecond=0)
        # In the middle of a quarter hour; at its end more of what is learned is written.
        self.now = now - timedelta(minutes=(now.minute - 7) % 15)
        self._tell("sources", sources)
        self._tell("minutes", minutes)

    def fill(self) -> None:
        """Sources and their counts are in the database."""
        from django.db import connection

        from ingest.models import Source

        names = (f"source-{number}" for number in range(self.sources))
        Source.objects.bulk_create([Source(name=name) for name in names], batch_size=5_000)
        last = self.now.replace(second=0) - timedelta(minutes=2)
        first = last - timedelta(minutes=self.minutes - 1)
        with connection.cursor() as cursor:
            cursor.execute(FILL, {"first": first, "last": last})
            cursor.execute("ANALYZE")

    def measure(self) -> None:
        """Each figure is told as it is there; times in milliseconds."""
        self._note("first sweep", lambda: self._swept(self.now))
        self._next_minute()
        self._reports()
        self._pages()
        self._note("retrain", self._retrain)
        self._note("backtest of it all", self._backtest)
        self._tell("memory_mb", round(megabytes()))

    def _note(self, name: str, work: Callable[[], object]) -> None:
        self._tell(name, round(seconds(work) * 1e3, 1))

    @staticmethod
    def _tell(name: str, value: float) -> None:
        print(f"{name:>24}: {value:,}", flush=True)

    def _swept(self, now: datetime) -> None:
        from detection.services.sweep import sweep_closed_minutes

        while sweep_closed_minutes(now=now).minutes:
            pass

    def _next_minute(self) -> None:
        from django.db import connection

        minute = self.now.replace(second=0) - timedelta(minutes=1)
        with connection.cursor() as cursor:
            cursor.execute(FILL, {"first": minute, "last": minute})
        before = self._log_bytes()
        self._note("sweep, 1 minute more", lambda: self._swept(self.now + timedelta(minutes=1)))
        self._tell("its log, bytes a source", (self._log_bytes() - before) // self.sources)
        for column in ("state", "recent"):
            self._tell(f"{column}, bytes a source", _asked(MEAN_BYTES.format(column)))

    @staticmethod
    def _log_bytes() -> int:
        """Return how far the write-ahead log has come [bytes]."""
        return _asked("SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint")

    def _reports(self) -> None:
        from detection.services.assess import assess
        from ingest.reports import NewReport
        from ingest.services import resolve_sources
        from ingest.services.answering import record_and_judge

        names = [f"source-{number * 7919 % self.sources}" for number in range(REPORTS)]
        known = resolve_sources(names=names)

        def report(number: int) -> float:
            at = self.now - timedelta(milliseconds=number + 1)
            one = NewReport(source=known[names[number]], timestamp=at, status="approved")
            return seconds(lambda: record_and_judge(reports=[one], assess=assess))

        middle = statistics.median(report(number) for number in range(REPORTS))
        self._tell("report", round(middle * 1e3, 2))

    def _pages(self) -> None:
        from alerts.selectors.live import View, live_picture
        from detection.selectors.stats import stats
        from ingest.models import Source

        one = Source.objects.order_by("pk").first()
        self._note(
            "page of one source", lambda: live_picture(View(one, 1), now=self.now, since=None)
        )
        self._note(
            "page of all sources", lambda: live_picture(View(None, 1), now=self.now, since=None)
        )
        self._note("GET /stats", stats)

    def _retrain(self) -> None:
        from detection.services.training import retrain_forest

        retrain_forest(now=self.now)

    def _backtest(self) -> None:
        from detection.services.backtesting import chosen_sources, run_trial
        from detection.services.forests import live_forest

        until = self.now.replace(second=0)
        run_trial(
            sources=chosen_sources([]),
            since=until - timedelta(minutes=self.minutes),
            until=until,
            forest=live_forest(),
        )


def measure_one(sources: int, minutes: int) -> None:
    """Measure one size in this process, and print it."""
    with stack.postgres() as url, tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "DATABASE_URL": url,
            "GUARDIAN_WEB_WORKERS": "1",
            "GUARDIAN_DATA_DIR": folder,
            "GUARDIAN_LOG_LEVEL": "ERROR",
            "DJANGO_SETTINGS_MODULE": "guardian_site.settings",
        }
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        size = Size(sources, minutes)
        size.fill()
        size.measure()
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, nargs="+", default=[1, 1000])
    parser.add_argument("--minutes", type=int, default=30)
    options = parser.parse_args()
    if len(options.sources) == 1:
        measure_one(options.sources[0], options.minutes)
        return
    for sources in options.sources:
        command = [sys.executable, "-m", "deploy.bench.scale", "--sources", str(sources)]
        subprocess.run([*command, "--minutes", str(options.minutes)], cwd=stack.ROOT, check=True)


if __name__ == "__main__":
    main()

"""One failure at very many sources in one minute: `python -m deploy.bench.storm --sources 1000`.

For each minute of it, it prints how long the sweep and the incidents took (in this one process,
beside its PostgreSQL), what the incidents asked of the database for each source, how many incidents
there are, and how many messages people got so far.
"""

import argparse
import contextlib
import os
import random
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.bench import stack
from deploy.bench.scale import seconds

LEARNED_MINUTES, QUIET_MINUTES, BAD_MINUTES = 180, 1, 5
# (status, code, transactions a minute), as usual and in the failure.
USUAL = (("approved", "00", 180), ("denied", "51", 18), ("failed", "00", 2))
FAILING = (("approved", "00", 60), ("denied", "91", 110), ("failed", "00", 30))
MINUTE = timedelta(minutes=1)


class Statements:
    """Counts what is asked of the database."""

    def __init__(self) -> None:
        self.counted = 0

    def __call__(self, execute: Callable[..., Any], *question: Any) -> Any:
        self.counted += 1
        return execute(*question)


class Storm:
    """So many learned sources, and the minutes they live through."""

    def __init__(self, sources: int) -> None:
        from ingest.models import Source

        names = (Source(name=f"shop-{number}") for number in range(sources))
        self.sources = Source.objects.bulk_create(names, batch_size=5_000)
        self.random = random.Random(7)
        last = datetime.now(UTC).replace(second=0, microsecond=0) - 2 * MINUTE
        self.first = last - (QUIET_MINUTES + BAD_MINUTES) * MINUTE

    def learn(self) -> None:
        """Hours of usual minutes are counted and judged."""
        for ago in range(LEARNED_MINUTES, 0, -1):
            self._count(self.first - ago * MINUTE, USUAL)
        while self._sweep(self.first - MINUTE):
            pass

    def live_through(self, number: int) -> None:
        """A minute is counted, judged, taken into incidents and told; what that took is printed."""
        from django.db import connection

        from alerts import services
        from alerts.models import Incident, Notification

        minute = self.first + number * MINUTE
        failing = number >= QUIET_MINUTES
        self._count(minute, FAILING if failing else USUAL)
        swept = seconds(lambda: self._sweep(minute))
        processor, statements = time.process_time(), Statements()
        with connection.execute_wrapper(statements):
            taken = seconds(lambda: services.absorb_anomalies(now=_after(minute)))
        processor = time.process_time() - processor
        services.send_due_notifications(now=_after(minute))
        incidents = Incident.objects.count()
        told = Notification.objects.filter(state="sent", kind="opened").count()
        name = f"{number - QUIET_MINUTES + 1}" if failing else "usual"
        cells = (swept, taken, processor)
        each = statements.counted / len(self.sources)
        print(f"| {name} | {' | '.join(f'{one:.1f}' for one in cells)}", end="")
        print(f" | {each:.1f} | {incidents} | {told} |")

    def _count(self, minute: datetime, usual: tuple[tuple[str, str, int], ...]) -> None:
        from ingest.models import MinuteCount

        rows = (
            MinuteCount(
                source=source, minute=minute, status=status, auth_code=code, count=self._about(mean)
            )
            for source in self.sources
            for status, code, mean in usual
        )
        MinuteCount.objects.bulk_create(rows, batch_size=5_000)

    def _about(self, mean: int) -> int:
        return max(0, round(self.random.gauss(mean, mean**0.5)))

    def _sweep(self, minute: datetime) -> int:
        from detection.services.sweep import sweep_closed_minutes

        return sweep_closed_minutes(now=_after(minute)).minutes


def _after(minute: datetime) -> datetime:
    return minute + MINUTE + timedelta(seconds=50)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sources", type=int, default=1_000)
    options = parser.parse_args()
    with contextlib.ExitStack() as parts:
        folder = parts.enter_context(tempfile.TemporaryDirectory(prefix="guardian-storm-"))
        environment = {
            "DJANGO_SETTINGS_MODULE": "guardian_site.settings",
            "GUARDIAN_DATA_DIR": folder,
            "GUARDIAN_LOG_LEVEL": "ERROR",
            "DATABASE_URL": parts.enter_context(stack.postgres()),
            "REDIS_URL": parts.enter_context(stack.valkey()),
        }
        stack.manage(environment, "migrate", "--verbosity", "0")
        # Read by settings and prometheus_client when they are imported.
        os.environ.update(environment, PROMETHEUS_MULTIPROC_DIR=folder)
        import django

        django.setup()
        from django.db import connections

        storm = Storm(options.sources)
        storm.learn()
        print("| minute of the failure | sweep s | incidents s | of it processor s |", end="")
        print(
            " statements a source | incidents | messages of them |\n|---|---|---|---|---|---|---|"
        )
        for number in range(QUIET_MINUTES + BAD_MINUTES):
            storm.live_through(number)
        connections.close_all()


if __name__ == "__main__":
    main()

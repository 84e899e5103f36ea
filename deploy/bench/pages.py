"""Queries and time of every page: `python -m deploy.bench.pages --sources 1000 --reporting 1000`.

The history of one source is copied to those that report. `--at` names a database to fill, or one
that an earlier run has filled; without it a PostgreSQL is made and thrown away.
"""

import argparse
import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.bench import stack

MINUTE = timedelta(minutes=1)
# Of each source that reports; one in so many has an incident that goes on.
ANOMALIES, INCIDENTS, TROUBLED = 20, 4, 100
# The quickest of so many counts: others work on the machine too.
TRIES = 3
COUNTS = (("approved", "00", 90), ("denied", "51", 8), ("failed", "00", 1))
ASKED = (
    "/",
    "/?source={source}",
    "/live.json?hours=1",
    "/live.json?hours=24",
    "/live.json?hours=72",
    "/live.json?source={source}&hours=24",
    "/incidents/",
    "/incidents/?q=decline+source-7",
    "/incidents/{incident}/",
    "/incidents/{incident}/chart.json",
    "/sources/",
    "/sources/?q=source-7",
    "/sources/?page={last_page}",
    "/sources/{source}/",
    "/sources.json?q=7",
    "/reports/handover?hours=720",
    "/anomalies",
    "/anomalies?limit=1000",
    "/anomalies?source={source}",
    "/stats",
    "/forecast?source={source}",
    "/backtests",
    "/cache/stats",
    "/api/incidents?limit=500",
    "/api/incidents/{incident}",
    "/api/silences",
    "/api/statistics",
    "/api/oncall",
    "/auth/api-keys",
    "/auth/stats",
    "/auth/me",
    "/metrics",
    "/metrics/json",
    "/health",
    "/openapi.json",
    "/admin/",
    "/admin/autocomplete/?app_label=ingest&model_name=apikey&field_name=source&term=7",
)


class Filled:
    """A database with sources, their history and what people did with it."""

    def __init__(self, sources: int, reporting: int, minutes: int) -> None:
        self.sources, self.reporting, self.minutes = sources, reporting, minutes
        self.now = datetime.now(UTC).replace(second=0, microsecond=0)

    def fill(self) -> None:
        """Everything is there, and the database has looked at it."""
        from django.contrib.auth.models import User
        from django.db import connection

        from ingest.models import Source

        User.objects.create_superuser("bench")
        names = (f"source-{number}" for number in range(self.sources))
        Source.objects.bulk_create([Source(name=name) for name in names], batch_size=5_000)
        first = Source.objects.order_by("pk")[0]
        self._one(first)
        self._copied(first)
        self._timelines()
        self._declared()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    def _one(self, source: Any) -> None:
        from detection.models import Anomaly, Band, Baseline
        from detection.scoring.state import State
        from ingest.models import MinuteCount, Report

        moments = [self.now - MINUTE * place for place in range(self.minutes, 0, -1)]
        MinuteCount.objects.bulk_create(
            MinuteCount(source=source, minute=at, status=status, auth_code=code, count=count)
            for at in moments
            for status, code, count in COUNTS
        )
        Report.objects.bulk_create(
            Report(source=source, timestamp=at, status=status, auth_code=code, count=count)
            for at in moments[-60:]
            for status, code, count in COUNTS
        )
        band = {"expected": 99.0, "lower": 70.0, "upper": 130.0, "total": 99}
        by_status = {status: [count, 0.0, 2.0 * count] for status, _, count in COUNTS}
        Band.objects.bulk_create(
            Band(source=source, minute=at, by_status=by_status, **band) for at in moments
        )
        Anomaly.objects.bulk_create(
            Anomaly(source=source, minute=at, family="decline", level="WARNING", score=0.7,
                    status="denied", auth_code="51", count=40, reasons=["40 denied, 8 expected."],
                    absorbed=at)
            for at in moments[:: max(1, self.minutes // ANOMALIES)]
        )  # fmt: skip
        Baseline.objects.create(
            source=source, state=State.new(1).pack()[0], through=moments[-1], live=True, version=1
        )
        self._incidents(source, moments)

    @staticmethod
    def _incidents(source: Any, moments: list[datetime]) -> None:
        from alerts.models import Incident

        for at in moments[:: max(1, len(moments) // INCIDENTS)]:
            Incident.objects.create(
                source=source, family="decline", direction="high", level="CRITICAL", onset=at,
                state="closed", detected=at, opened=at, announced=at, acknowledged=at + MINUTE,
                resolved=at + 9 * MINUTE, first_anomaly=at, last_anomaly=at + 8 * MINUTE,
                status="denied", auth_code="51", seen=40, expected=8.0, lower=2.0, upper=16.0,
            )  # fmt: skip

    def _copied(self, first: Any) -> None:
        """What the first source has, the other reporting ones have too."""
        from alerts.models import Incident
        from detection.models import Anomaly, Band, Baseline
        from ingest.models import MinuteCount, Report

        for model, order in (
            (MinuteCount, "minute"),
            (Report, "timestamp"),
            (Band, "minute"),
            (Anomaly, "minute"),
            (Baseline, "through"),
            (Incident, "onset"),
        ):
            self._copy(model, order, first.pk)
        rows = Incident.objects.order_by("source_id", "-onset").values_list("source_id", "pk")
        newest = dict(reversed(rows))
        Incident.objects.filter(pk__in=list(newest.values())[::TROUBLED]).update(
            state="open", acknowledged=None, resolved=None
        )

    def _copy(self, model: Any, order: str, first: int) -> None:
        from django.db import connection

        table, quote = model._meta.db_table, connection.ops.quote_name
        fields = [one for one in model._meta.local_fields if not one.primary_key]
        columns = [quote(one.column) for one in fields if one.column != "source_id"]
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} (source_id, {', '.join(columns)})"
                f" SELECT s.id, {', '.join(f't.{one}' for one in columns)}"
                f" FROM {table} AS t, ingest_source AS s"
                " WHERE t.source_id = %s AND s.id > %s AND s.id < %s ORDER BY t."
                f"{order}, s.id",
                [first, first, first + self.reporting],
            )

    def _timelines(self) -> None:
        from alerts.models import Channel, Incident, IncidentEvent, Notification

        channel = Channel.objects.create(name="bench", kind="console")
        for incident in Incident.objects.iterator():
            IncidentEvent.objects.bulk_create(
                IncidentEvent(incident=incident, at=incident.onset, kind=kind)
                for kind in ("opened", "raised", "sent", "acknowledged", "resolved")
            )
            Notification.objects.create(
                incident=incident, channel=channel, kind="opened", state="sent", occasion="opened",
                created=incident.onset, sent=incident.onset,
            )  # fmt: skip

    def _declared(self) -> None:
        """Some of the sources have keys, policies, labels and the like."""
        from alerts.models import EscalationPolicy, MaintenanceWindow, Silence
        from detection.models import Label, Policy, Proposal, SpecialDay
        from ingest.models import ApiKey, Source

        later = self.now + timedelta(hours=1)
        for number, source in enumerate(Source.objects.order_by("pk")[: min(500, self.sources)]):
            ApiKey.objects.create(name="key", source=source, prefix=f"k{number}")
            Policy.objects.create(source=source, pages_per_week=1)
            mine = {"source": source, "starts": self.now, "ends": later}
            label = Label.objects.create(kind="incident", **mine)
            Proposal.objects.create(label=label, changes={"pages_per_week": 2})
            if number < 100:
                SpecialDay.objects.create(name="day", factor=2.0, **mine)
                Silence.objects.create(family="reversal", **mine)
                EscalationPolicy.objects.create(name=f"policy {number}", source=source)
                MaintenanceWindow.objects.create(
                    name="window", source=source, first_day=self.now.date(),
                    start_time=self.now.time(), minutes=60,
                )  # fmt: skip


def addresses() -> Iterator[str]:
    """Yield every page: those of the site, then the lists and forms of the admin."""
    from django.contrib import admin
    from django.urls import reverse

    from alerts.models import Incident
    from ingest.models import Source

    sources = Source.objects.order_by("pk")
    names = {
        "source": sources[0].name,
        "incident": Incident.objects.order_by("pk")[0].pk,
        "last_page": (sources.count() + 49) // 50,
    }
    for asked in ASKED:
        yield asked.format(**names)
    for model in sorted(admin.site._registry, key=lambda one: one._meta.label):
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        if (first := model._default_manager.order_by("pk").first()) is not None:
            yield reverse(f"{name}_change", args=(first.pk,))
        yield reverse(f"{name}_add")


def measure(slow: float) -> None:
    """Print status, queries, time of this process and in all, and size of every page."""
    from django.contrib.auth.models import User
    from django.core.cache import cache
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(raise_request_exception=False, SERVER_NAME="localhost")
    client.force_login(User.objects.get(username="bench"))
    print(f"{'status':>6} {'queries':>7} {'cpu ms':>7} {'ms':>7} {'kB':>6}  page", flush=True)
    for address in addresses():
        taken = []
        for _try in range(TRIES):
            cache.clear()
            with CaptureQueriesContext(connection) as asked:
                began, worked = time.perf_counter(), time.process_time()
                answer = client.get(address, headers={"Accept": "text/html, */*"})
                size = len(b"".join(answer)) if answer.streaming else len(answer.content)
                taken.append((time.perf_counter() - began, time.process_time() - worked))
        if answer.status_code == 403 and address.endswith("/add/"):
            continue
        wall, cpu = (min(part) * 1e3 for part in zip(*taken, strict=True))
        print(
            f"{answer.status_code:>6} {len(asked):>7} {cpu:>7.0f} {wall:>7.0f}"
            f" {size / 1e3:>6.0f}  {address}",
            flush=True,
        )
        for one in asked.captured_queries:
            if slow and float(one["time"]) * 1e3 >= slow:
                print(f"{float(one['time']) * 1e3:>30.0f}  {one['sql'][:600]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=1_000)
    parser.add_argument("--reporting", type=int, default=1_000)
    parser.add_argument("--minutes", type=int, default=1_440)
    parser.add_argument("--at", help="address of a database, as DATABASE_URL has it")
    parser.add_argument("--slow", type=float, default=0, help="show queries from so many ms on")
    options = parser.parse_args()
    with (
        contextlib.nullcontext(options.at) if options.at else stack.postgres() as url,
        tempfile.TemporaryDirectory() as folder,
    ):
        os.environ |= {
            "DATABASE_URL": url,
            # Its cache is emptied before each page: none that others use.
            "REDIS_URL": "",
            "GUARDIAN_DATA_DIR": folder,
            "GUARDIAN_LOG_LEVEL": "ERROR",
            "GUARDIAN_RATE_LIMIT": "off",
            "DJANGO_SETTINGS_MODULE": "guardian_site.settings",
        }
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        from ingest.models import Source

        call_command("collectstatic", interactive=False, verbosity=0)
        call_command("migrate", verbosity=0)
        if not Source.objects.exists():
            Filled(options.sources, options.reporting, options.minutes).fill()
        measure(options.slow)
        connection.close()
        if connection.vendor == "postgresql":
            connection.close_pool()  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()

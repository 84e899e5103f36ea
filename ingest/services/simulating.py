"""Simulated traffic on its way into the database, as history or as it happens."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from ingest.models import Source
from ingest.recording import bulk
from ingest.reports import NewReport
from ingest.services.keys import issue_key, revoke_key
from ingest.services.recording import record_reports
from ingest.services.sources import forget_sources, resolve_sources
from ingest.simulator.plan import Plan, minute_start
from ingest.simulator.profiles import Profile

CHUNK_MINUTES = 4320
_ZONES = {-3: "America/Sao_Paulo"}

# (source name, time, status, auth_code, count)
SimulatedReport = tuple[str, datetime, str, str, int]


def simulated_source(*, profile: Profile) -> Source:
    """The source that a profile stands for exists."""
    zone = _ZONES.get(profile.utc_offset_hours, "UTC")
    source, created = Source.objects.get_or_create(name=profile.name, defaults={"time_zone": zone})
    if created:
        forget_sources()
    return source


def store_history(*, plan: Plan, minutes: int, progress: Callable[[int], object]) -> int:
    """The traffic of all sources is in, reports and counts; the number of reports is returned."""
    stored = 0
    now = datetime.now(UTC) - timedelta(minutes=1)
    starts = {minute: minute_start(minute) for minute in range(plan.first, plan.first + minutes)}
    for profile in plan.profiles:
        source = simulated_source(profile=profile)
        for first in range(plan.first, plan.first + minutes, CHUNK_MINUTES):
            count = min(CHUNK_MINUTES, plan.first + minutes - first)
            cells = plan.traffic(profile, first, count).cells()
            rows = [(starts[minute], status, code, n) for minute, status, code, n in cells]
            bulk.write(source.pk, rows, now)
            stored += len(rows)
            progress(count)
    return stored


def record_simulated(*, reports: Sequence[SimulatedReport]) -> None:
    """The reports are recorded as if their sources had sent them."""
    sources = resolve_sources(names={report[0] for report in reports})
    record_reports(
        reports=[
            NewReport(source=sources[name], timestamp=at, status=status, auth_code=code, count=n)
            for name, at, status, code, n in reports
        ]
    )


@contextmanager
def borrowed_key(*, name: str) -> Iterator[str]:
    """A key exists for as long as the block runs, and opens nothing afterwards."""
    key, secret = issue_key(name=name, expires=datetime.now(UTC) + timedelta(days=7))
    try:
        yield secret
    finally:
        revoke_key(key=key)

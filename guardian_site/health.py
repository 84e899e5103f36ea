"""The true state of every part: asked now, not assumed."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection

from alerts.selectors.outbox import oldest_pending_age
from alerts.selectors.watch import stage_states
from detection.selectors.baselines import oldest_live_frontier
from detection.selectors.forests import live_mark
from guardian_site.models import Heartbeat
from guardian_site.pulse import URGENT
from ingest import steady_clock

State = Literal["ok", "degraded", "down", "idle"]
WORSE: tuple[State, ...] = ("ok", "idle", "degraded", "down")
HEARTBEAT_LATE = timedelta(seconds=20)
HEARTBEAT_DEAD = timedelta(seconds=60)
LAG_LATE = timedelta(minutes=3)
LAG_DEAD = timedelta(minutes=10)
PENDING_LATE = timedelta(minutes=1)
PENDING_DEAD = timedelta(minutes=5)
FOREST_LATE = timedelta(days=8)
STARTED = time.monotonic()


@dataclass(frozen=True)
class PartHealth:
    """The state of one part, a detail to read, and its age or latency."""

    state: State
    detail: str
    age_seconds: float | None = None
    latency_ms: float | None = None


def _by_age(age: timedelta, late: timedelta, dead: timedelta) -> State:
    if age >= dead:
        return "down"
    return "degraded" if age >= late else "ok"


def database_health() -> PartHealth:
    started = time.perf_counter()
    if not takes_writes():
        return PartHealth("down", "read-only: a demoted primary, or the address of a standby?")
    return PartHealth("ok", connection.vendor, latency_ms=_elapsed(started))


def takes_writes() -> bool:
    """Tell whether the database takes writes; raise DatabaseError if it does not answer."""
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.execute("SELECT 1")
            return True
        cursor.execute("SELECT current_setting('transaction_read_only')")
        writable = bool(cursor.fetchone() == ("off",))
    if not writable:
        # A failed write makes Django check the connection afterwards, and close it. Where no report
        # comes, nothing is written: this has it checked all the same.
        connection.errors_occurred = True
    return writable


def cache_health() -> PartHealth:
    started = time.perf_counter()
    name = "redis" if settings.REDIS_URL else "in-process"
    stamp = str(time.time())
    cache.set("guardian:health", stamp, 30)
    if cache.get("guardian:health") != stamp:
        found = f"{name} keeps nothing (away, full or a replica): no repeats, no limits"
        return PartHealth("degraded", found)
    return PartHealth("ok", name, latency_ms=_elapsed(started))


def heartbeat_health(*kinds: str) -> Callable[[], PartHealth]:
    def ask() -> PartHealth:
        beats = Heartbeat.objects.filter(kind__in=kinds).order_by("-seen")
        seen = beats.values_list("seen", flat=True)
        newest = seen.first()
        if newest is None:
            return PartHealth("down", "never seen; start a worker with `manage.py run` or celery")
        age = steady_clock.now() - newest
        alive = seen.filter(seen__gte=steady_clock.now() - HEARTBEAT_DEAD).count()
        state = _by_age(age, HEARTBEAT_LATE, HEARTBEAT_DEAD)
        return PartHealth(state, f"{alive} alive", age_seconds=_seconds(age))

    return ask


def worker_health() -> PartHealth:
    """The health of the worse of the urgent queues: nobody is told unless both are served."""
    queues = {queue: heartbeat_health("worker", queue)() for queue in URGENT}
    queue, worst = max(queues.items(), key=lambda item: WORSE.index(item[1].state))
    return worst if worst.state == "ok" else replace(worst, detail=f"{queue}: {worst.detail}")


def detection_health() -> PartHealth:
    now = steady_clock.now()
    through = oldest_live_frontier(now)
    if through is None:
        return PartHealth("idle", "no source reports in real time")
    lag = now - through - timedelta(minutes=1)
    return PartHealth(_by_age(lag, LAG_LATE, LAG_DEAD), "closed minutes judged", _seconds(lag))


def outbox_health() -> PartHealth:
    waited = oldest_pending_age(now=steady_clock.now())
    if waited is None:
        return PartHealth("ok", "nothing is waiting")
    age = timedelta(seconds=waited)
    return PartHealth(_by_age(age, PENDING_LATE, PENDING_DEAD), "oldest message", _seconds(age))


def forest_health() -> PartHealth:
    live = live_mark()
    if live is None:
        return PartHealth("idle", "no live forest yet; rules and Z-score judge alone")
    age = steady_clock.now() - live[1]
    return PartHealth("degraded" if age > FOREST_LATE else "ok", "live forest", _seconds(age))


def way_health() -> PartHealth:
    """The health of the whole way from report to message, as the canary finds it each minute."""
    stages = stage_states(now=steady_clock.now())
    if not stages:
        return PartHealth("idle", "no canary has been sent yet")
    stopped = [stage.stage for stage in stages if stage.stopped]
    age = max((stage.age_seconds or 0.0) for stage in stages)
    if stopped:
        return PartHealth("down", f"{', '.join(stopped)} stalled", round(age, 1))
    return PartHealth("ok", "the canary comes through", round(age, 1))


PARTS: dict[str, Callable[[], PartHealth]] = {
    "database": database_health,
    "cache": cache_health,
    "worker": worker_health,
    "beat": heartbeat_health("beat"),
    "tasks": heartbeat_health("tasks"),
    "detection": detection_health,
    "outbox": outbox_health,
    "forest": forest_health,
    "way": way_health,
}


# While the database is away, only these are asked: each of the others would wait for it in turn.
WITHOUT_DATABASE = frozenset({"cache"})
UNKNOWN = PartHealth("down", "unknown while the database is down")


def _seconds(age: timedelta) -> float:
    return round(age.total_seconds(), 1)


def _elapsed(started: float) -> float:
    return round((time.perf_counter() - started) * 1e3, 2)


def _asked(ask: Callable[[], PartHealth]) -> PartHealth:
    try:
        return ask()
    except DatabaseError as error:
        return PartHealth("down", f"database: {type(error).__name__}")
    except OSError as error:
        return PartHealth("down", type(error).__name__)


def overall(parts: dict[str, PartHealth]) -> str:
    """Return healthy, degraded or unhealthy: without a database nothing can be taken in."""
    if parts["database"].state == "down":
        return "unhealthy"
    states = {part.state for part in parts.values()}
    return "degraded" if states & {"down", "degraded"} else "healthy"


def _all_parts() -> dict[str, PartHealth]:
    """Return the health of every part; without a database, only of those that do not need it."""
    parts = {"database": _asked(PARTS["database"])}
    there = parts["database"].state != "down"
    for name, ask in PARTS.items():
        if name not in parts:
            parts[name] = _asked(ask) if there or name in WITHOUT_DATABASE else UNKNOWN
    return parts


def health(now: datetime) -> dict[str, Any]:
    """Return the body of GET /health."""
    parts = _all_parts()
    return {
        "status": overall(parts),
        "timestamp": now.isoformat(),
        "uptime_seconds": round(time.monotonic() - STARTED, 1),
        "version": settings.GUARDIAN_VERSION,
        "mode": "embedded" if settings.EMBEDDED else "full",
        "components": {name: part.state for name, part in parts.items()},
        "parts": {name: asdict(part) for name, part in parts.items()},
    }

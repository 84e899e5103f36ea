"""How the answer cache does, true across processes: counted here, added up in the cache itself."""

import logging
import threading
from collections import Counter
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.cache import cache

logger = logging.getLogger(__name__)

NAMES = ("hits", "misses", "sets", "errors")
# Counts reach the cache this much later at most; one round trip then carries all of them.
FLUSH_SECONDS = 1.0
_PREFIX = "ingest:answers:count:"


class AnswerCacheCounts:
    """Counts kept in this process for a moment and then added to those in the cache."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unsent: Counter[str] = Counter()
        self._timer: threading.Timer | None = None

    def add(self, name: str, times: int = 1) -> None:
        """Count `times` more of `name`."""
        with self._lock:
            self._unsent[name] += times
            if self._timer is None:
                self._timer = threading.Timer(FLUSH_SECONDS, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Add what was counted here to what the processes share."""
        with self._lock:
            unsent, self._unsent = self._unsent, Counter()
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None
        for name, times in unsent.items():
            try:
                cache.add(_PREFIX + name, 0, timeout=None)
                cache.incr(_PREFIX + name, times)
            except Exception:  # a lost cache loses its counts, nothing else
                logger.debug("The count of cache %s could not be shared.", name)

    def totals(self) -> dict[str, int]:
        """Return the counts of all processes."""
        self.flush()
        try:
            found = cache.get_many([_PREFIX + name for name in NAMES])
        except Exception:
            found = {}
        return {name: int(found.get(_PREFIX + name) or 0) for name in NAMES}


counts = AnswerCacheCounts()


def is_connected() -> bool:
    """Tell whether the cache keeps what it is given."""
    probe = "ingest:answers:probe"
    try:
        cache.set(probe, 1, timeout=10)
        return bool(cache.get(probe) == 1)
    except Exception:
        return False


def _redis_facts() -> dict[str, Any]:
    """Return what Redis says of itself; None where the cache is not a Redis."""
    unknown = {"used_memory": None, "connected_clients": None}
    if not settings.REDIS_URL:
        return unknown
    try:
        # Known to django-redis only, so imported where Redis is in use.
        found = import_module("django_redis").get_redis_connection("default").info()
    except Exception:
        return unknown
    return {name: found.get(name) for name in unknown}


def cache_report() -> dict[str, Any]:
    """Return the body of GET /cache/stats."""
    totals = counts.totals()
    asked = totals["hits"] + totals["misses"]
    return {
        "connected": is_connected(),
        "backend": "redis" if settings.REDIS_URL else "in-process",
        **totals,
        "hit_rate": round(100 * totals["hits"] / asked, 2) if asked else 0.0,
        "redis_info": _redis_facts(),
    }

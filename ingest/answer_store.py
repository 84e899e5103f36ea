"""Where answers are kept for a moment: Redis if there is one, else the cache of this process.

Redis is asked directly, many entries in one command each: the layers of a general cache around it
cost more than the answer to a repeat may.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache as once
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.cache import cache

_PREFIX = "guardian:answers:"
# One command and one reply, however many entries: MSET knows no time to live.
_SET_ALL = """
for place = 1, #KEYS do
    redis.call('SET', KEYS[place], ARGV[place + 1], 'EX', ARGV[1])
end
"""


def read(names: Sequence[str]) -> dict[str, bytes]:
    """Return the entries that are there; raises whatever a lost cache raises."""
    if not settings.REDIS_URL:
        return {name: bytes(value) for name, value in cache.get_many(names).items()}
    found = _redis().mget([_PREFIX + name for name in names])
    return {name: value for name, value in zip(names, found, strict=True) if value is not None}


def write(entries: Mapping[str, bytes], seconds: int) -> None:
    """Keep entries for so long; raises whatever a lost cache raises."""
    if not settings.REDIS_URL:
        cache.set_many(dict(entries), timeout=seconds)
        return
    _set_all()(keys=[_PREFIX + name for name in entries], args=[seconds, *entries.values()])


@once
def _redis() -> Any:
    # Known to django-redis only, so imported where Redis is in use. Its client may be shared by
    # threads, and its connections are those of the cache.
    return import_module("django_redis").get_redis_connection("default")


@once
def _set_all() -> Callable[..., Any]:
    script: Callable[..., Any] = _redis().register_script(_SET_ALL)
    return script


def connect() -> None:
    """Load what talks to Redis before the first report waits for it; nothing is asked yet."""
    if settings.REDIS_URL:
        _set_all()

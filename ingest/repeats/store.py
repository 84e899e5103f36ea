"""Where answers are kept for a moment: Redis if there is one, else the cache of this process.

Redis is asked directly, many entries in one command each: the layers of a general client around its
connections cost more than the answer to a repeat may.
"""

import os
from collections.abc import Mapping, Sequence
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


class Lines:
    """Connections to Redis that lie open, the one used last on top.

    A connection serves one thread at a time; one that failed is not used again.
    """

    def __init__(self, pool: Any) -> None:
        # Known to django-redis only, so imported where Redis is in use.
        errors = import_module("redis.exceptions")
        self._lost, self._refused = errors.ConnectionError, errors.ResponseError
        self._pool = pool
        self._open: list[Any] = []
        os.register_at_fork(after_in_child=self._open.clear)

    def ask(self, *command: Any) -> Any:
        """Return the reply to a command; raises whatever a lost Redis raises."""
        try:
            line = self._open.pop()
        except IndexError:
            return self._ask_on(self._new(), command)
        try:
            return self._ask_on(line, command)
        except self._lost:
            # It was closed while it lay there: Redis may have been started anew meanwhile.
            return self._ask_on(self._new(), command)

    def _new(self) -> Any:
        return self._pool.connection_class(**self._pool.connection_kwargs)

    def _ask_on(self, line: Any, command: Sequence[Any]) -> Any:
        line.send_command(*command)
        try:
            reply = line.read_response()
        except self._refused:
            self._open.append(line)
            raise
        self._open.append(line)
        return reply


def read(names: Sequence[str]) -> dict[str, bytes]:
    """Return the entries that are there; raises whatever a lost cache raises."""
    if not settings.REDIS_URL:
        return {name: bytes(value) for name, value in cache.get_many(names).items()}
    found = _lines().ask("MGET", *[_PREFIX + name for name in names])
    return {name: value for name, value in zip(names, found, strict=True) if value is not None}


def write(entries: Mapping[str, bytes], seconds: int) -> None:
    """Keep entries for so long; raises whatever a lost cache raises."""
    if not settings.REDIS_URL:
        cache.set_many(dict(entries), timeout=seconds)
        return
    keys = [_PREFIX + name for name in entries]
    _lines().ask("EVAL", _SET_ALL, len(keys), *keys, seconds, *entries.values())


@once
def _lines() -> Lines:
    return Lines(import_module("django_redis").get_redis_connection("default").connection_pool)


def connect() -> None:
    """Load what talks to Redis before the first report waits for it; nothing is asked yet."""
    if settings.REDIS_URL:
        _lines()

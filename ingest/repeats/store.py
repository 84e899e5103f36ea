"""Where answers are kept for a moment: Redis if there is one, else the cache of this process.

Redis is asked directly, many entries in one command each: the layers of a general client around its
connections cost more than the answer to a repeat may.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache as once
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.cache import cache

from ingest.repeats.stats import counts

_PREFIX = "guardian:answers:"
# One command and one reply for any number of entries; MSET takes no time to live.
_SET_ALL = """
for place = 1, #KEYS do
    redis.call('SET', KEYS[place], ARGV[place + 1], 'EX', ARGV[1])
end
"""


class Lines:
    """Open connections to Redis, a stack with the one used last on top.

    A connection serves one thread at a time; one that failed is not used again.
    """

    def __init__(self, pool: Any) -> None:
        # Known to django-redis only, so imported where Redis is in use.
        errors = import_module("redis.exceptions")
        self._lost, self._refused = errors.ConnectionError, errors.ResponseError
        self._pool = pool
        # Each with whether the reply to its last command is still to be read.
        self._open: list[tuple[Any, bool]] = []
        os.register_at_fork(after_in_child=self._open.clear)

    def ask(self, *command: Any) -> Any:
        """Return the reply to a command; raises whatever a lost Redis raises."""
        return self._use(self._ask_on, command)

    def tell(self, *command: Any) -> None:
        """Redis is sent a command; its reply is read before the line is used again.

        Raises what a lost Redis raises, if that is known by then. A refusal is counted once read.
        """
        self._use(self._tell_on, command)

    def _use(self, how: Callable[..., Any], command: Sequence[Any]) -> Any:
        try:
            line, owes = self._open.pop()
        except IndexError:
            return how(self._new(), False, command)
        try:
            return how(line, owes, command)
        except self._lost:
            # It was closed while it lay idle; Redis may have been restarted.
            return how(self._new(), False, command)

    def _new(self) -> Any:
        return self._pool.connection_class(**self._pool.connection_kwargs)

    def _ask_on(self, line: Any, owes: bool, command: Sequence[Any]) -> Any:
        self._hear_out(line, owes)
        line.send_command(*command)
        try:
            reply = line.read_response()
        except self._refused:
            self._open.append((line, False))
            raise
        self._open.append((line, False))
        return reply

    def _tell_on(self, line: Any, owes: bool, command: Sequence[Any]) -> None:
        self._hear_out(line, owes)
        line.send_command(*command)
        self._open.append((line, True))

    def _hear_out(self, line: Any, owes: bool) -> None:
        if not owes:
            return
        try:
            line.read_response()
        except self._refused:
            counts.add("errors")


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
    _lines().ask(*_set_all(entries, seconds))


def hand_over(entries: Mapping[str, bytes], seconds: int) -> None:
    """Keep entries for so long, as far as the cache can; nobody waits until it has them."""
    if not settings.REDIS_URL:
        write(entries, seconds)
        return
    _lines().tell(*_set_all(entries, seconds))


def _set_all(entries: Mapping[str, bytes], seconds: int) -> Sequence[Any]:
    keys = [_PREFIX + name for name in entries]
    if len(keys) == 1:
        return ("SET", keys[0], *entries.values(), "EX", seconds)
    return ("EVAL", _SET_ALL, len(keys), *keys, seconds, *entries.values())


@once
def _lines() -> Lines:
    return Lines(import_module("django_redis").get_redis_connection("default").connection_pool)


def connect() -> None:
    """Load what talks to Redis before the first report waits for it; nothing is asked yet."""
    if settings.REDIS_URL:
        _lines()

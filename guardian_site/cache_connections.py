"""Connections to Redis that notice when it is away, so that callers do not wait for it.

Each attempt to reach a Redis that hangs, or whose name does not resolve, takes half a second or
more, and a report makes several. So after a failure one attempt a second is let through, to see
whether Redis is back; all others fail at once, which the cache treats as a miss.
"""

import logging
import time
from functools import cache
from typing import Any

from redis.connection import AbstractConnection, ConnectionPool
from redis.exceptions import ConnectionError as Lost
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as TookTooLong

logger = logging.getLogger(__name__)
PAUSE_SECONDS = 1.0
# The same warning is logged at most this often: otherwise every report would log it.
TOLD_EVERY_SECONDS = 60.0


class Absence:
    """Whether Redis was away when it was last asked; shared by all threads of a process."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._asked_again = float("-inf")
        self._told: dict[str, float] = {}

    def let_one_through(self) -> None:
        """Let the caller go on, unless Redis is away and was tried less than a second ago.

        Raises
        ------
        redis.exceptions.ConnectionError
            In that case.
        """
        if self._since is None:
            return
        now = time.monotonic()
        if now < self._asked_again:
            raise Lost("Redis was away a moment ago.")
        self._asked_again = now + PAUSE_SECONDS

    def begins(self, error: Exception) -> None:
        """Note that Redis did not answer."""
        now = time.monotonic()
        self._since = self._since or now
        self._asked_again = now + PAUSE_SECONDS
        self.tell("Redis does not answer; repeats and limits are not kept meanwhile: %s", error)

    def ends(self) -> None:
        """Note that Redis answers."""
        if self._since is not None:
            away, self._since = time.monotonic() - self._since, None
            self.tell("Redis answers again, after %.1f s.", away)

    def tell(self, words: str, what: object) -> None:
        """Log a warning, unless the same one was logged within TOLD_EVERY_SECONDS."""
        now = time.monotonic()
        if now - self._told.get(words, float("-inf")) >= TOLD_EVERY_SECONDS:
            self._told[words] = now
            logger.warning(words, what)


absence = Absence()


class _Watched(AbstractConnection):
    """A connection that notes whether Redis answers, and is not opened while it does not."""

    _greeting = False

    def connect_check_health(self, *args: Any, **kwargs: Any) -> None:
        if self.is_connected:
            return
        absence.let_one_through()
        self._greeting = True
        try:
            super().connect_check_health(*args, **kwargs)
        except (Lost, TookTooLong) as error:
            absence.begins(error)
            raise
        finally:
            self._greeting = False
        absence.ends()

    def read_response(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().read_response(*args, **kwargs)
        except TookTooLong as error:
            absence.begins(error)
            raise
        except ResponseError as error:
            # An older Redis refuses some commands of the client's greeting: that is no fault.
            if not self._greeting:
                absence.tell("Redis refuses what it is asked for: %s", error)
            raise


@cache
def _watched(kind: type[AbstractConnection]) -> type[AbstractConnection]:
    return type(f"Watched{kind.__name__}", (_Watched, kind), {})


class WatchedPool(ConnectionPool):
    """A pool of watched connections, of whichever kind the address asks for."""

    def __init__(self, **given: Any) -> None:
        kind = given.pop("connection_class", None)
        super().__init__(**given) if kind is None else super().__init__(kind, **given)
        self.connection_class = _watched(self.connection_class)

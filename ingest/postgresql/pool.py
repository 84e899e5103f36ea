"""The pool of connections: lending one, asking an absent database seldom, healing afterwards."""

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connection, connections
from psycopg.pq import TransactionStatus

_healing = threading.Lock()
# A database that did not answer is not asked again for so long [s]: every report that waited for it
# would hold a thread, as would all that share its commit, and none would be left for probes.
REFUSED_SECONDS = 1.0
# Then one thread looks for so long [s]; the pool goes on trying, and a later look finds its result.
LOOK_SECONDS = 0.1
# The moment from which it may be asked again; None while it answers.
_ask_again: float | None = None
# At most one connection that takes no writes is given up in so many seconds.
ENDED_SECONDS = 0.1
_ended = float("-inf")
# When a connection was last lent: since then, waiting means a busy pool and not a lost database.
_lent = float("-inf")


@contextlib.contextmanager
def lent_connection() -> Iterator[Any]:
    """A connection for one statement: this thread's own if it holds one, else lent by the pool.

    Django's own connection sets up what a whole request may need, which costs as much as the
    statement that records a report.
    """
    mine = connections[DEFAULT_DB_ALIAS]
    with mine.wrap_database_errors:
        pool = getattr(mine, "pool", None)
        if pool is None or mine.connection is not None:
            mine.ensure_connection()
            yield mine.connection
            return
        raw = _from(pool)
        try:
            yield raw
        except psycopg.errors.ReadOnlySqlTransaction:
            ended_if_read_only(raw)
            raise
        finally:
            pool.putconn(raw)


def _from(pool: Any) -> Any:
    with unless_away(pool):
        pool.open()
        return pool.getconn()


@contextlib.contextmanager
def unless_away(pool: Any) -> Iterator[None]:
    """A block that gets a connection of the pool; only the first to miss the database waits for it.

    A pool whose connections are all lent is no absence: who waits for one is refused alone.

    Raises
    ------
    psycopg.OperationalError
        At once, if the database did not answer a moment ago.
    """
    global _ask_again, _lent
    again, now = _ask_again, time.monotonic()
    if again is not None and now < again:
        raise psycopg.OperationalError("the database did not answer a moment ago")
    try:
        if again is not None:
            _ask_again = now + REFUSED_SECONDS
            pool.open()
            pool.putconn(pool.getconn(LOOK_SECONDS))
        yield
    except psycopg.OperationalError:
        if _lent < now:
            _ask_again = time.monotonic() + REFUSED_SECONDS
        raise
    _ask_again, _lent = None, time.monotonic()


def ended_if_read_only(raw: Any) -> bool:
    """Tell whether a connection took no writes, and was ended: the pool gets another for it.

    It may lead to what is a standby now, or stay read-only when its server is that no more; the
    pool would lend it for an hour.
    """
    global _ended
    now = time.monotonic()
    # One that stays read-only is not connected to without a pause.
    if now < _ended + ENDED_SECONDS or raw.info.transaction_status != TransactionStatus.IDLE:
        return False
    if raw.execute("SHOW transaction_read_only").fetchone() == ("off",):
        return False
    _ended = now
    raw.close()
    return True


def heal_pool() -> None:
    """Connections that died while they lay in the pool are gone from it.

    The pool finds them out one by one, when each is handed out and fails a request. Looking at
    every connection before it is handed out would cost every report a round trip; so the first
    request that fails in a process looks at all of them, once.
    """
    pool = getattr(connection, "pool", None)
    if pool is None or connection.in_atomic_block or not _healing.acquire(blocking=False):
        return
    try:
        # This thread's own is given back first, so that it is looked at too.
        with contextlib.suppress(DatabaseError, InterfaceError):
            connection.close()
        pool.check()
    finally:
        _healing.release()

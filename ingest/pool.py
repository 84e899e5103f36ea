"""The pool of connections: lending one for a statement, and healing it after an absence."""

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
from django.db import DatabaseError, InterfaceError, connection

_healing = threading.Lock()
# A database that did not answer is not asked again for so long [s]: whoever waited for it would
# hold a thread, and probes would find none.
REFUSED_SECONDS = 1.0
_refused = float("-inf")


@contextlib.contextmanager
def lent_connection() -> Iterator[Any]:
    """A connection for one statement: this thread's own if it holds one, else lent by the pool.

    Opening one of its own sets up what a whole request may need, and costs a thread as much as the
    statement that records a report.
    """
    with connection.wrap_database_errors:
        pool = getattr(connection, "pool", None)
        if pool is None or connection.connection is not None:
            connection.ensure_connection()
            yield connection.connection
            return
        raw = _from(pool)
        try:
            yield raw
        finally:
            pool.putconn(raw)


def _from(pool: Any) -> Any:
    """Return a connection of the pool; refuse at once where it had none a moment ago."""
    global _refused
    if time.monotonic() - _refused < REFUSED_SECONDS:
        raise psycopg.OperationalError("the database did not answer a moment ago")
    pool.open()
    try:
        return pool.getconn()
    except psycopg.OperationalError:
        _refused = time.monotonic()
        raise


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

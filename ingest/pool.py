"""The pool of connections after the database was away."""

import contextlib
import threading

from django.db import DatabaseError, InterfaceError, connection

_healing = threading.Lock()


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

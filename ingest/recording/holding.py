"""Nothing is recorded while a source is being deleted: PostgreSQL has no key to guard its rows."""

from django.db import connection

# While this waits for its lock, every new report waits behind it. It waits for the recordings under
# way (seconds for a piece of a file, hours for a maintenance of the table), and later in the
# transaction for whoever has locked a row that is about to be deleted.
_LONGEST_WAIT = "3s"
# Every recording writes to this table, whatever else it writes. Its INSERT takes a lock that this
# one excludes, and only then looks at the sources: PostgreSQL takes the snapshot of a statement
# after the locks of its tables. ONLY: the chunks of a hypertable are written through it.
_HOLD = f"""
SET LOCAL lock_timeout = '{_LONGEST_WAIT}';
LOCK TABLE ONLY ingest_report IN SHARE ROW EXCLUSIVE MODE
"""


def hold_recordings() -> None:
    """Recordings under way are committed; new ones wait for the end of this transaction.

    On SQLite nothing is needed: a transaction holds the one write lock from its start.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_HOLD)

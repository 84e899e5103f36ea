"""Nothing is recorded while a source is being deleted: PostgreSQL has no key to guard its rows."""

from django.db import connection

# Every report there is waits for as long as this one waits: here for those that are being recorded
# (for a piece of a file that is seconds, for a maintenance of the table it would be hours), and in
# the rest of the transaction for whoever has a row that it is about to delete.
_LONGEST_WAIT = "3s"
# Every recording writes to this table, whatever else it writes. Its INSERT takes a lock that this
# one excludes, and only then looks at the sources: PostgreSQL takes the snapshot of a statement
# after the locks of its tables. ONLY: the chunks of a hypertable are written through it.
_HOLD = f"""
SET LOCAL lock_timeout = '{_LONGEST_WAIT}';
LOCK TABLE ONLY ingest_report IN SHARE ROW EXCLUSIVE MODE
"""


def hold_recordings() -> None:
    """What was being recorded is committed; what comes waits for the end of this transaction.

    SQLite needs nothing of it: its transactions have the one lock for writing from the start.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_HOLD)

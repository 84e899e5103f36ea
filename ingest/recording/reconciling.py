"""Two files about the same minutes, one by status and one by code, must not count twice.

A file by status says how many were denied, one by code says under which codes. What was denied
without a code being told stands under code 00, as it does for clients that send no code. So the
row denied/00 is the remainder: the total by status less the codes that are known. Whichever file
comes first, and however often, the sum of what was denied is the total by status (or the sum of
the codes, where that is larger). Approved transactions have the one code 00 in both files.

Where the codes are more than the total, the total is forgotten: nothing but its remainder is kept.
When the codes are corrected afterwards, the file by status has to be imported again.
"""

from django.db import connection

_TOTAL_BY_STATUS = """
UPDATE staged SET count = count - coalesce((
    SELECT sum(r.count) FROM ingest_report AS r
    WHERE r.source_id = staged.source_id AND r.timestamp = staged.timestamp
        AND r.status = 'denied' AND r.auth_code <> '00'), 0)
WHERE status = 'denied' AND auth_code = '00'
"""
_SPLIT_BY_CODE = """
INSERT INTO staged (source_id, timestamp, status, auth_code, count)
SELECT total.source_id, total.timestamp, 'denied', '00',
    total.count + coalesce(sum(old.count), 0) - sum(s.count)
FROM staged AS s
JOIN ingest_report AS total ON total.source_id = s.source_id AND total.timestamp = s.timestamp
    AND total.status = 'denied' AND total.auth_code = '00'
LEFT JOIN ingest_report AS old ON old.source_id = s.source_id AND old.timestamp = s.timestamp
    AND old.status = 'denied' AND old.auth_code = s.auth_code
WHERE s.status = 'denied' AND s.auth_code <> '00'
GROUP BY total.source_id, total.timestamp, total.count
"""


_NOT_LESS_THAN_NONE = "UPDATE staged SET count = 0 WHERE count < 0"


def _run(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        cursor.execute(_NOT_LESS_THAN_NONE)
        return int(cursor.rowcount)


def total_by_status() -> int:
    """Of the staged totals of denials leave what has no code; return how many codes exceed."""
    return _run(_TOTAL_BY_STATUS)


def split_by_code() -> int:
    """Take the staged codes out of what was denied without one; return how many they exceed."""
    return _run(_SPLIT_BY_CODE)

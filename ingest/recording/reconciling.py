"""Two files about the same minutes, one by status and one by code, must not count twice.

A file by status says how many were denied, one by code says under which codes. What was denied
without a code being told stands under code 00, as it does for clients that send no code. So the
row denied/00 is the remainder: the total by status less the codes that are known. Whichever file
comes first, and however often, the sum of what was denied is the total by status (or the sum of
the codes, where that is larger). Approved transactions have the one code 00 in both files.
"""

from django.db import connection

_TOTAL_BY_STATUS = """
UPDATE staged SET count = {greatest}(0, count - coalesce((
    SELECT sum(r.count) FROM ingest_report AS r
    WHERE r.source_id = staged.source_id AND r.timestamp = staged.timestamp
        AND r.status = 'denied' AND r.auth_code <> '00'), 0))
WHERE status = 'denied' AND auth_code = '00'
"""
_SPLIT_BY_CODE = """
INSERT INTO staged (source_id, timestamp, status, auth_code, count)
SELECT total.source_id, total.timestamp, 'denied', '00',
    {greatest}(0, total.count + coalesce(sum(old.count), 0) - sum(s.count))
FROM staged AS s
JOIN ingest_report AS total ON total.source_id = s.source_id AND total.timestamp = s.timestamp
    AND total.status = 'denied' AND total.auth_code = '00'
LEFT JOIN ingest_report AS old ON old.source_id = s.source_id AND old.timestamp = s.timestamp
    AND old.status = 'denied' AND old.auth_code = s.auth_code
WHERE s.status = 'denied' AND s.auth_code <> '00'
GROUP BY total.source_id, total.timestamp, total.count
"""


def _run(sql: str) -> None:
    greatest = "greatest" if connection.vendor == "postgresql" else "max"
    with connection.cursor() as cursor:
        cursor.execute(sql.format(greatest=greatest))


def total_by_status() -> None:
    """Of the staged totals of denials, leave what no code is known for."""
    _run(_TOTAL_BY_STATUS)


def split_by_code() -> None:
    """Take the staged codes out of what was denied without a code."""
    _run(_SPLIT_BY_CODE)

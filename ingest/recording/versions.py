"""The version of what is known of each source comes back with its recorded reports.

Whoever judges them needs it. Asking for it afterwards would be a second round trip, which for a few
reports of many sources costs a good part of what writing them does.
"""

from typing import NamedTuple


class VersionColumn(NamedTuple):
    """Where the versions are stored: a table with one row for each `source_id`."""

    table: str
    column: str


_read_from: list[VersionColumn] = []


def read_versions_from(column: VersionColumn) -> None:
    """Every recorded report has the version of its source from now on; called as Django starts."""
    _read_from[:] = [column]


def version_column() -> VersionColumn | None:
    """Return where the versions are stored; None if nobody wants to know them."""
    return _read_from[0] if _read_from else None

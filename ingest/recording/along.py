"""What whoever judges wants to know of the sources is asked along as reports are written.

It is the version of what is known of each. To ask for it afterwards would be a second round trip,
which costs a few reports of many sources a good part of what their writing does.
"""

from typing import NamedTuple


class Versions(NamedTuple):
    """Where the versions stand: a table with a `source_id` of its own in each row."""

    table: str
    column: str


_asked: list[Versions] = []


def ask_along(versions: Versions) -> None:
    """Every recorded report tells the version of its source from now on; once, as Django starts."""
    _asked[:] = [versions]


def asked_along() -> Versions | None:
    """Return where the versions stand, if anybody wants to know them."""
    return _asked[0] if _asked else None

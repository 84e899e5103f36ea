"""What a request asks for, read from its query; nonsense is a 404, never a 500."""

from datetime import datetime

from django.http import Http404, QueryDict

from alerts.selectors.live import STEPS, View, moment_at
from alerts.selectors.visibility import Seen, seen_by
from ingest.models import Source

DEFAULT_HOURS = 3
# Unix seconds of the years 2000 and 2100: outside of them it is not a time of payments.
EARLIEST, LATEST = 946_684_800, 4_102_444_800


class UnknownSource(Http404):
    """No source of this name is to be seen; unless somebody can help, it is a 404."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no source “{name}”.")
        self.name = name


def asked_moment(query: QueryDict, name: str) -> datetime | None:
    """Return the instant given in Unix seconds; None if there is none."""
    text = query.get(name, "")
    if not text or text == "0":
        return None
    if not text.isascii() or not text.isdigit() or not EARLIEST <= int(text[:12]) <= LATEST:
        raise Http404(f"“{name}” is not a time in Unix seconds.")
    return moment_at(int(text[:12]))


def asked_view(query: QueryDict, seen: Seen) -> View:
    """Return the source, hours and end that the query names, as far as the reader may see them.

    Raises
    ------
    UnknownSource
        If there is no such source, or none that the reader may see.
    """
    name = query.get("source", "")
    sources = seen_by(Source.objects.all(), seen, "pk")
    source = sources.filter(name=name).first() if name else None
    if name and source is None:
        raise UnknownSource(name)
    hours = query.get("hours", "")
    known = {str(hour): hour for hour in STEPS}
    return View(source, known.get(hours, DEFAULT_HOURS), asked_moment(query, "until"), seen)

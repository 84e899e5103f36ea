"""Sources by the name that senders use, made on their first report where that is allowed."""

import threading
import time
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from django.conf import settings

from ingest.expiring import Expiring
from ingest.models import Source
from ingest.reports import SourceRef
from ingest.selectors import source_refs, source_refs_after

# A changed time zone is seen at once by the process that changed it and within this by the others.
REMEMBER_SECONDS = 300
_remembered: Expiring[str, SourceRef] = Expiring(REMEMBER_SECONDS, limit=200_000)
# Where sources are not remembered, others are read ahead: at least so many, and so many for each.
# With a hundred thousand sources, reading each alone would cost every report a query, and reading
# all of them at once would hold every report up.
READ_AHEAD, READ_AHEAD_EACH = 1_000, 5


class _Round:
    """A walk through all sources, a page at each call, begun at most once while they are fresh."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.begin_again()

    def begin_again(self) -> None:
        """The next page is the first one."""
        self._after, self._not_before, self._walking = 0, 0.0, False

    def page(self, most: int) -> list[SourceRef]:
        """Return the next sources; none while another thread reads or all were read lately."""
        if not self._lock.acquire(blocking=False):
            return []
        try:
            if not self._walking and time.monotonic() < self._not_before:
                return []
            if not self._walking:
                self._after, self._not_before = 0, time.monotonic() + REMEMBER_SECONDS
            refs = source_refs_after(self._after, most)
            self._walking = len(refs) == most
            self._after = refs[-1].id if refs else 0
            return refs
        finally:
            self._lock.release()


_round = _Round()


def known_sources(*, names: Iterable[str]) -> dict[str, SourceRef]:
    """The sources of these names that exist are returned; nothing is made."""
    wanted = set(names)
    found = _remembered.get_all(wanted)
    missing = wanted - found.keys()
    if missing:
        refs = source_refs(missing)
        found |= {ref.name: ref for ref in refs}
        ahead = _round.page(max(READ_AHEAD, READ_AHEAD_EACH * len(missing))) if refs else []
        _remembered.put_all((ref.name, ref) for ref in (*ahead, *refs))
    return found


def resolve_sources(*, names: Iterable[str]) -> dict[str, SourceRef]:
    """A source exists for every name; those that did not are made in the zone of the site."""
    wanted = set(names)
    found = known_sources(names=wanted)
    missing = wanted - found.keys()
    if missing:
        # Two processes may do this at once: the second finds the row of the first.
        Source.objects.bulk_create(
            [Source(name=name) for name in sorted(missing)], ignore_conflicts=True
        )
        found |= known_sources(names=missing)
    return found


def site_zone() -> ZoneInfo:
    """The zone of sources that were given none is returned."""
    return ZoneInfo(settings.TIME_ZONE)


def forget_sources() -> None:
    """This process reads every source afresh."""
    _remembered.forget()
    _round.begin_again()

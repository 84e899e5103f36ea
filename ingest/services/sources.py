"""Sources by the name that senders use, made on their first report where that is allowed."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from django.conf import settings

from ingest.expiring import Expiring
from ingest.models import Source
from ingest.reports import SourceRef
from ingest.selectors import source_refs

# A changed time zone is seen at once by the process that changed it and within this by the others.
REMEMBER_SECONDS = 60
_remembered: Expiring[str, SourceRef] = Expiring(REMEMBER_SECONDS, limit=200_000)


def known_sources(*, names: Iterable[str]) -> dict[str, SourceRef]:
    """The sources of these names that exist are returned; nothing is made."""
    found, missing = {}, []
    for name in names:
        ref = _remembered.get(name)
        if ref is None:
            missing.append(name)
        else:
            found[name] = ref
    for ref in source_refs(missing) if missing else ():
        _remembered.put(ref.name, ref)
        found[ref.name] = ref
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

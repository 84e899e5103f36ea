"""Names the ongoing incident in verdicts: detection, which makes them, knows of no incidents."""

import logging
import time
from collections.abc import Iterable, Sequence

from django.db import DatabaseError
from msgspec.structs import replace

from alerts.selectors.standing import ongoing_by_family
from ingest.assessment import Assess, Verdict
from ingest.reports import RecordedReport

logger = logging.getLogger(__name__)
# During a failure every report asks: what was read is used for this long.
FRESH_SECONDS = 1.0
MOST_SOURCES = 10_000


class Ongoing:
    """The ongoing incidents of each source, as they were at most FRESH_SECONDS ago."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[float, dict[str, int]]] = {}

    def of(self, sources: Iterable[int]) -> dict[int, dict[str, int]]:
        """Return the number of each family's ongoing incident, by source."""
        now, wanted = time.monotonic(), set(sources)
        # Copied first: another thread may clear the cache meanwhile.
        kept = {one: entry for one in wanted if (entry := self._known.get(one))}
        known = {one: named for one, (until, named) in kept.items() if until > now}
        if stale := wanted - known.keys():
            if len(self._known) > MOST_SOURCES:
                self._known.clear()
            found = ongoing_by_family(stale)
            known |= {one: found.get(one, {}) for one in stale}
            self._known |= {one: (now + FRESH_SECONDS, known[one]) for one in stale}
        return known

    def forget(self) -> None:
        self._known.clear()


ongoing = Ongoing()


def naming_incidents(assess: Assess) -> Assess:
    """Return `assess` with the number of the ongoing incident in each verdict that is about one."""

    def named(
        reports: Sequence[RecordedReport], *, complete: bool, brief: bool = False
    ) -> Sequence[Verdict]:
        verdicts = assess(reports, complete=complete, brief=brief)
        wrong = {
            report.source.id
            for report, verdict in zip(reports, verdicts, strict=True)
            if verdict.is_anomaly
        }
        if not wrong:
            return verdicts
        try:
            by_source = ongoing.of(wrong)
        except DatabaseError:
            # The reports are committed and judged; the number can be looked up.
            logger.exception("no incident named in %d verdicts", len(verdicts))
            return verdicts
        return [
            _named(verdict, by_source.get(report.source.id, {}))
            for report, verdict in zip(reports, verdicts, strict=True)
        ]

    return named


def _named(verdict: Verdict, incidents: dict[str, int]) -> Verdict:
    number = incidents.get(verdict.family or "") if verdict.is_anomaly else None
    return verdict if number is None else replace(verdict, incident=number)

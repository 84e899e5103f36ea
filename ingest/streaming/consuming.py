"""From a stream into the tables: committed first, acknowledged after."""

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, connection
from msgspec.structs import replace

from ingest import metrics
from ingest.assessment import Assess
from ingest.parsing.bodies import ReportBody
from ingest.parsing.card_numbers import may_hold_card
from ingest.parsing.moments import latest_plausible
from ingest.refusals import Refused
from ingest.reports import NewReport
from ingest.services.answering import record_and_judge
from ingest.services.receiving import receive_reports
from ingest.services.sources import forget_sources
from ingest.streaming.entries import Entry, Stream, read_entry, reason_of

logger = logging.getLogger(__name__)
LONGEST_PAUSE = 30.0
TOLD_EVERY = 5.0
# What was told last is no longer so, and 0 would be a lie.
UNKNOWN = math.nan
# Of what is put aside so much is kept: no report is longer, and no broker refuses it.
BURIED_BYTES = 100_000


class StreamAway(Exception):
    """The stream does not answer at the moment; asking again later may help."""


@dataclass
class Consumer:
    """Takes entries from one stream into the tables; knows what it has done so far."""

    stream: Stream
    assess: Assess
    recorded: int = 0
    buried: int = 0
    _told: float = float("-inf")
    _fault: str = ""

    def __post_init__(self) -> None:
        # What is told from the first moment can be seen to rise.
        for outcome in ("recorded", "buried", "missed"):
            metrics.stream_entries.labels(outcome)

    def consume_some(self, count: int, seconds: float) -> int:
        """What was read is committed or put aside, then acknowledged; returns how many it was."""
        entries = self.stream.read(count, seconds)
        self._tell_missed()
        if not entries:
            return 0
        found = self._reports(entries)
        try:
            self._record(found)
        except (DataError, IntegrityError):
            # A remembered source may have been deleted meanwhile; it is found or made again.
            forget_sources()
            self._record_one_by_one(self._reports([entry for entry, _report in found]))
        self.stream.acknowledge(entries)
        return len(entries)

    def tell_waiting(self) -> None:
        """The gauge shows how many entries wait, as of a few seconds ago at most."""
        if time.monotonic() - self._told < TOLD_EVERY:
            return
        self._told = time.monotonic()
        try:
            waiting, fault = self.stream.waiting(), ""
        except StreamAway as error:
            waiting, fault = None, str(error)
        if fault not in ("", self._fault):
            logger.warning("The stream does not say how many reports wait: %s", fault)
        self._fault = fault
        metrics.stream_waiting.set(UNKNOWN if waiting is None else waiting)

    def _tell_missed(self) -> None:
        missed = self.stream.missed()
        if missed:
            logger.error("%d entries were deleted from the stream before they were read.", missed)
            metrics.stream_entries.labels("missed").inc(missed)

    def _record(self, found: Sequence[tuple[Entry, NewReport]]) -> None:
        if found:
            record_and_judge(reports=[report for _entry, report in found], assess=self.assess)
        self.recorded += len(found)
        metrics.stream_entries.labels("recorded").inc(len(found))

    def _record_one_by_one(self, found: Sequence[tuple[Entry, NewReport]]) -> None:
        """The database refused one of them; the others must not wait for it for ever."""
        for entry, report in found:
            try:
                self._record([(entry, report)])
            except (DataError, IntegrityError) as error:
                self._bury(entry, f"the database refused it: {type(error).__name__}")

    def _reports(self, entries: Sequence[Entry]) -> list[tuple[Entry, NewReport]]:
        """Return the entries with their reports; those that hold none are put aside."""
        rows: list[tuple[Entry, ReportBody]] = []
        for entry in entries:
            try:
                rows.append((entry, read_entry(entry)))
            except Refused as refusal:
                self._bury(entry, reason_of(refusal))
        try:
            reports = _received(rows)
        except Refused:
            return self._received_one_by_one(rows)
        return [(entry, report) for (entry, _row), report in zip(rows, reports, strict=True)]

    def _received_one_by_one(
        self, rows: Sequence[tuple[Entry, ReportBody]]
    ) -> list[tuple[Entry, NewReport]]:
        found = []
        for entry, row in rows:
            try:
                [report] = _received([(entry, row)])
                found.append((entry, report))
            except Refused as refusal:
                self._bury(entry, reason_of(refusal))
        return found

    def _bury(self, entry: Entry, reason: str) -> None:
        logger.warning("Entry %s holds no report and is put aside: %s", entry.id, reason)
        # What may be a card number is kept nowhere, least of all among things to look at.
        body = b"(withheld)" if may_hold_card(entry.body) else entry.body
        if len(body) > BURIED_BYTES:
            reason = f"{reason} (of {len(body):,} bytes the first {BURIED_BYTES:,})"
            body = body[:BURIED_BYTES]
        self.stream.bury(replace(entry, body=body), reason)
        self.buried += 1
        metrics.stream_entries.labels("buried").inc()


def _received(rows: Sequence[tuple[Entry, ReportBody]]) -> list[NewReport]:
    # An entry is the same report whenever it is read.
    told = [entry.written for entry, _row in rows]
    reports = receive_reports(
        rows=[row for _entry, row in rows], holder=None, told=told, alone=len(rows) == 1
    )
    # One that seems to come from the future is hardly later than those that are told now.
    latest = latest_plausible()
    return [replace(report, told=min(at, latest)) for report, at in zip(reports, told, strict=True)]


def consume(
    *,
    consumer: Consumer,
    stopping: Callable[[], bool],
    count: int = 500,
    seconds: float = 1.0,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Entries are consumed until somebody asks to stop; what was begun then is finished."""
    failures = 0
    while not stopping():
        try:
            consumer.consume_some(count, seconds)
            consumer.tell_waiting()
            failures = 0
        except (DatabaseError, InterfaceError, StreamAway) as error:
            # Nothing was acknowledged: the same entries come again.
            failures += 1
            off = min(LONGEST_PAUSE, 0.5 * 2**failures)
            logger.error("Reports wait in the stream; trying again in %.0f s: %s", off, error)
            consumer.stream.rewind()
            connection.close()
            # Without a database they pile up: then more than ever the number has to be true.
            consumer.tell_waiting()
            _pause(off, stopping, pause)


def _pause(seconds: float, stopping: Callable[[], bool], pause: Callable[[float], None]) -> None:
    for _ in range(int(seconds / 0.5)):
        if stopping():
            return
        pause(0.5)

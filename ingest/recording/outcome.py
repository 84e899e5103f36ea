"""What a database says after reports were written, in the same shape whichever it is."""

from datetime import datetime

from msgspec import Struct, field

from ingest.reports import NOTHING_KNOWN, KeyCount, NewReport, RecordedReport

ReportKey = tuple[int, datetime, str, str]
TransactionKey = tuple[int, str]
MinuteKey = tuple[int, datetime]


class Place(Struct, frozen=True, gc=False):
    """Where an individual transaction is counted now, and whether that is news."""

    timestamp: datetime
    status: str
    auth_code: str
    count: int
    changed: bool
    corrected: bool


class Outcome(Struct):
    """The rows that moved, and all counts of the minutes that the reports lie in."""

    # None of the reports was stored before, under any count; `written` is then left empty.
    all_new: bool = False
    # Report keys that were written; True where an older count was corrected.
    written: dict[ReportKey, bool] = field(default_factory=dict)
    places: dict[TransactionKey, Place] = field(default_factory=dict)
    minutes: dict[MinuteKey, dict[tuple[str, str], int]] = field(default_factory=dict)
    # Source id -> version, where one is stored; None if nobody reads versions.
    versions: dict[int, int] | None = None


def minute_of(timestamp: datetime) -> datetime:
    """Return the minute that a time falls into."""
    return timestamp.replace(second=0, microsecond=0)


def report_key(report: NewReport) -> ReportKey:
    """Return the key under which a report replaces an earlier one."""
    return (report.source.id, report.timestamp, report.status, report.auth_code)


def transaction_key(report: NewReport) -> TransactionKey:
    """Return the key under which an individual transaction is counted once."""
    return (report.source.id, report.external_id)


class Assembly:
    """Turns an outcome into one RecordedReport per report that was sent."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._lists: dict[MinuteKey, list[KeyCount]] = {}

    def _counts(self, key: MinuteKey) -> list[KeyCount]:
        counts = self._lists.get(key)
        if counts is None:
            found = self._outcome.minutes.get(key, {})
            counts = self._lists[key] = [(*one, count) for one, count in sorted(found.items())]
        return counts

    def _version(self, source_id: int) -> int | None:
        versions = self._outcome.versions
        return None if versions is None else versions.get(source_id, NOTHING_KNOWN)

    def _aggregated(self, report: NewReport) -> RecordedReport:
        new = self._outcome.all_new
        corrected = False if new else self._outcome.written.get(report_key(report))
        minute = minute_of(report.timestamp)
        return RecordedReport(
            source=report.source,
            timestamp=report.timestamp,
            minute=minute,
            status=report.status,
            auth_code=report.auth_code,
            count=report.count,
            changed=corrected is not None,
            corrected=bool(corrected),
            minute_counts=self._counts((report.source.id, minute)),
            known_version=self._version(report.source.id),
        )

    def _individual(self, report: NewReport) -> RecordedReport:
        place = self._outcome.places[transaction_key(report)]
        minute = minute_of(place.timestamp)
        return RecordedReport(
            source=report.source,
            timestamp=place.timestamp,
            minute=minute,
            status=place.status,
            auth_code=place.auth_code,
            count=place.count,
            changed=place.changed,
            corrected=place.corrected,
            minute_counts=self._counts((report.source.id, minute)),
            known_version=self._version(report.source.id),
        )

    def is_overtaken(self, report: NewReport) -> bool:
        """Tell whether the transaction is stored already as somebody told it later than this."""
        return bool(report.external_id) and transaction_key(report) not in self._outcome.places

    def recorded(self, report: NewReport) -> RecordedReport:
        """Return what is true of `report` now."""
        return self._individual(report) if report.external_id else self._aggregated(report)

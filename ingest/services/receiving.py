"""From a checked body to reports: whose they are, and when they happened."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from zoneinfo import ZoneInfo

from django.conf import settings

from ingest import steady_clock
from ingest.models import Source
from ingest.parsing.bodies import ReportBody
from ingest.parsing.moments import check_plausible, latest_plausible, read_moment
from ingest.refusals import FieldError, Refused
from ingest.reports import NewReport, SourceRef
from ingest.services.keys import Authenticated
from ingest.services.sources import known_sources, resolve_sources, site_zone

DEFAULT_CODE = "00"


@dataclass(frozen=True)
class _Reading:
    """What the timestamps of rows are read by; `told` has the time at which each row was told."""

    told: Sequence[datetime]
    latest: datetime
    sources: Mapping[str, SourceRef]
    site: ZoneInfo
    alone: bool

    def timestamps(self, rows: Sequence[ReportBody], names: Sequence[str]) -> list[datetime]:
        """Return when each row happened; raise Refused with every row that cannot say."""
        moments, errors = [], []
        read = dict[tuple[str, str, datetime], datetime]()
        for place, (row, name, told) in enumerate(zip(rows, names, self.told, strict=True)):
            if not isinstance(row.timestamp, str):
                moments.append(told)
                continue
            try:
                key = (row.timestamp, name, told)
                if key not in read:  # rows of a batch share their minutes
                    read[key] = self._moment(*key)
                moments.append(read[key])
            except ValueError as error:
                errors.append(FieldError(_field(place, "timestamp", self.alone), str(error)))
        if errors:
            raise Refused("Nothing was stored: not every timestamp is valid.", errors)
        return moments

    def _moment(self, text: str, name: str, told: datetime) -> datetime:
        source = self.sources.get(name)
        moment = read_moment(text, self.site if source is None else source.zone, told)
        check_plausible(moment, self.latest)
        return moment


def _field(place: int, name: str, alone: bool) -> str:
    return name if alone else f"transactions[{place}].{name}"


def receive_reports(
    *,
    rows: Sequence[ReportBody],
    holder: Authenticated | None,
    told: Sequence[datetime] | None = None,
    seen: Collection[int] | None = None,
    alone: bool = False,
) -> list[NewReport]:
    """Every row has become a report of a source that exists, or Refused says which cannot.

    Parameters
    ----------
    seen : collection of int or None
        The ids of the sources that the sender may see; None is all of them, and those to be made.
    told : sequence of datetime or None
        When each row was told; None is now. What lay in a stream was told when it was written.
    alone : bool
        The only row was sent by itself, not as a batch of one: a refusal names its fields as sent.
    """
    own = holder.source_name if holder else None
    names = [row.source or own or Source.DEFAULT for row in rows]
    distinct = set(names)
    if own is not None:
        _check_own(names, own, alone)
    if Source.CANARY in distinct:
        _refuse_canary(names, alone)
    sources = known_sources(names=distinct)
    _check_known(names, sources, seen, alone)
    reading = _Reading(
        told=told or [steady_clock.now()] * len(rows),
        latest=latest_plausible(),
        sources=sources,
        site=site_zone(),
        alone=alone,
    )
    moments = reading.timestamps(rows, names)
    if len(sources) < len(distinct):
        sources = resolve_sources(names=names)
    return [
        _report(row, sources[name], moment)
        for row, name, moment in zip(rows, names, moments, strict=True)
    ]


def _check_own(names: Sequence[str], own: str, alone: bool) -> None:
    errors = [
        FieldError(_field(place, "source", alone), f"must be “{own}”, the source of this key")
        for place, name in enumerate(names)
        if name != own
    ]
    if errors:
        raise Refused("This key reports for another source.", errors, status=HTTPStatus.FORBIDDEN)


def _refuse_canary(names: Sequence[str], alone: bool) -> None:
    """Refuse the canary's name: Guardian checks its own parts by reports under it."""
    errors = [
        FieldError(_field(place, "source", alone), f"“{name}” is for Guardian itself")
        for place, name in enumerate(names)
        if name == Source.CANARY
    ]
    raise Refused("Nothing was stored: nobody may report for this source.", errors)


def _check_known(
    names: Sequence[str],
    sources: dict[str, SourceRef],
    seen: Collection[int] | None,
    alone: bool,
) -> None:
    """Where reports need a key, sources are made by the people who hand the keys out.

    A source that the sender may not see sounds like one that is not there.
    """
    if seen is None and not settings.GUARDIAN_REQUIRE_API_KEY:
        return
    errors = [
        FieldError(_field(place, "source", alone), "is not known; an administrator has to add it")
        for place, name in enumerate(names)
        if name not in sources or (seen is not None and sources[name].id not in seen)
    ]
    if errors:
        raise Refused("Nothing was stored: not every source is known.", errors)


def _report(row: ReportBody, source: SourceRef, moment: datetime) -> NewReport:
    return NewReport(
        source=source,
        timestamp=moment,
        status=row.status,
        auth_code=row.auth_code or DEFAULT_CODE,
        count=row.count if isinstance(row.count, int) else 1,
        external_id=row.id or "",
        timed=isinstance(row.timestamp, str),
    )

"""What the readers of the API ask, checked: a wrong parameter is named, not guessed at."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from zoneinfo import ZoneInfo

import msgspec
from django.conf import settings

from detection.clock import minute_of, moment_of
from detection.models import Family, Level
from detection.selectors.anomalies import Filters, Seen
from ingest import steady_clock
from ingest.models import Source, Status
from ingest.parsing.exact_bodies import unknown_fields
from ingest.parsing.moments import EXPECTED, check_plausible, read_moment
from ingest.refusals import FieldError, Refused, refused
from ingest.reports import SourceRef
from ingest.services.sources import known_sources, site_zone

MOST_ANOMALIES = 1000
USUAL_ANOMALIES = 50
LONGEST_FORECAST = 168
USUAL_FORECAST = 6
LONGEST_NUMBER = 12
# What fits into a 64-bit id.
LONGEST_ID = 18
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Question:
    """Query parameters, read one by one; every fault is kept until `done`."""

    def __init__(self, sent: Mapping[str, str], seen: Seen = None) -> None:
        self.sent = sent
        self.seen = seen
        self.errors: list[FieldError] = []
        self.read: set[str] = set()

    def fault(self, name: str, message: str) -> None:
        self.errors.append(FieldError(name, message))

    def text(self, name: str) -> str | None:
        self.read.add(name)
        value = self.sent.get(name)
        return value.strip() if value is not None and value.strip() else None

    def choice(self, name: str, known: Sequence[str], *, upper: bool = False) -> str | None:
        value = self.text(name)
        if value is None:
            return None
        value = value.upper() if upper else value.lower()
        if value not in known:
            self.fault(name, f"must be one of {', '.join(known)}")
        return value

    def whole(self, name: str, usual: int, least: int, most: int) -> int:
        value = self.text(name)
        if value is None:
            return usual
        short = len(value) <= LONGEST_NUMBER and value.isascii() and value.isdigit()
        if short and least <= int(value) <= most:
            return int(value)
        self.fault(name, f"must be a whole number from {least} to {most}")
        return usual

    def moment(self, name: str, zone: ZoneInfo) -> datetime | None:
        value = self.text(name)
        if value is None:
            return None
        try:
            # As for incidents, a day begins at its midnight.
            value = f"{value}T00:00" if _DAY.fullmatch(value) else value
            # an unescaped plus sign of a zone arrives as a space
            return read_moment(value.replace(" ", "+") if "T" in value else value, zone)
        except ValueError as error:
            self.fault(name, str(error))
            return None

    def source(self) -> SourceRef | None:
        value = self.text("source")
        return None if value is None else self.known("source", value)

    def known(self, name: str, value: str) -> SourceRef | None:
        """The source of this name; one that may not be seen sounds like one that is not."""
        found = known_sources(names=[value]).get(value)
        if found is None or (self.seen is not None and found.id not in self.seen):
            self.fault(name, "is not known")
            return None
        return found

    def done(self) -> None:
        for name in self.sent:
            if name not in self.read:
                self.fault(name, "is not a parameter here")
        if self.errors:
            raise Refused("Not every parameter is valid.", self.errors)


def read_filters(sent: Mapping[str, str], seen: Seen = None) -> tuple[Filters, int, int]:
    """Which anomalies, how many, and how many to leave out; Refused names every fault."""
    question = Question(sent, seen)
    source = question.source()
    zone = source.zone if source else site_zone()
    limit = question.whole("limit", USUAL_ANOMALIES, 1, MOST_ANOMALIES)
    offset = question.whole("offset", 0, 0, 10_000_000)
    filters = Filters(
        level=question.choice("level", Level.values, upper=True),
        family=question.choice("family", Family.values),
        source=source.name if source else None,
        status=question.choice("status", Status.values),
        since=question.moment("since", zone),
        until=question.moment("until", zone),
        after=_cursor(question),
        seen=seen,
    )
    question.done()
    return filters, limit, offset


def _cursor(question: Question) -> tuple[datetime, int] | None:
    value = question.text("cursor")
    if value is None:
        return None
    minute, _, number = value.partition(".")
    short = len(minute) <= LONGEST_NUMBER and len(number) <= LONGEST_ID
    if not (short and minute.isdigit() and number.isdigit() and value.isascii()):
        question.fault("cursor", "must be the “next” of an earlier answer")
        return None
    try:
        return moment_of(int(minute)), int(number)
    except OverflowError:
        question.fault("cursor", "must be the “next” of an earlier answer")
        return None


def cursor_of(minute: datetime, number: int) -> str:
    """Where the next page begins."""
    return f"{minute_of(minute)}.{number}"


def read_source(sent: Mapping[str, str], seen: Seen = None) -> SourceRef | None:
    """Which source, None for all of them; Refused names every fault."""
    question = Question(sent, seen)
    source = question.source()
    question.done()
    return source


def read_forecast(sent: Mapping[str, str], seen: Seen = None) -> tuple[SourceRef, int]:
    """Which source and how many hours; Refused names every fault."""
    question = Question(sent, seen)
    if question.text("source") is None:
        question = Question({**dict(sent.items()), "source": Source.DEFAULT}, seen)
    source = question.source()
    hours = question.whole("hours", USUAL_FORECAST, 1, LONGEST_FORECAST)
    question.done()
    assert source is not None
    return source, hours


class CloseBody(msgspec.Struct, forbid_unknown_fields=True):
    """A source says that a minute is complete."""

    timestamp: str
    source: str | None = None


def read_close(
    body: bytes, own: str | None, latest: datetime, seen: Collection[int] | None = None
) -> tuple[SourceRef | None, int]:
    """Whose minute, and which; the source is None while it has never reported, or is hidden."""
    # First whether it is JSON at all: told of a wrong type, the reader has not looked at the rest.
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise refused("body", f"must be JSON: {error}") from None
    except RecursionError:
        raise refused("body", "is nested too deeply") from None
    try:
        sent = msgspec.convert(decoded, CloseBody)
    except msgspec.ValidationError as error:
        raise _close_refused(decoded, str(error)) from None
    name = sent.source or own or Source.DEFAULT
    if own is not None and name != own:
        fault = FieldError("source", f"must be “{own}”, the source of this key")
        raise Refused("This key reports for another source.", [fault], status=HTTPStatus.FORBIDDEN)
    found = known_sources(names=[name]).get(name)
    if found is not None and seen is not None and found.id not in seen:
        found = None
    try:
        zone = found.zone if found else site_zone()
        moment = read_moment(sent.timestamp, zone, steady_clock.now())
        check_plausible(moment, latest)
    except ValueError as error:
        raise refused("timestamp", str(error)) from None
    return found, minute_of(moment)


_CLOSE_MUST_BE = {
    "timestamp": EXPECTED,
    "source": "a name, or left out",
    "body": 'an object such as {"timestamp": "2025-07-12T13:45:00Z"}',
}


def _close_refused(sent: object, error: str) -> Refused:
    wrong = unknown_fields(sent, CloseBody.__struct_fields__) if isinstance(sent, dict) else {}
    if not wrong:
        name = _field_of(error)
        return refused(name, f"must be {_CLOSE_MUST_BE[name]}")
    errors = [FieldError(name, message) for name, message in wrong.items()]
    return Refused("Not every value is valid.", errors)


def _field_of(error: str) -> str:
    for name in ("timestamp", "source"):
        if f"`{name}`" in error or f".{name}" in error:
            return name
    return "body"


def latest_moment(now: datetime) -> datetime:
    """The latest time a source's clock may show."""
    return now + timedelta(seconds=settings.GUARDIAN_MAX_SKEW_SECONDS)

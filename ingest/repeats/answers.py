"""Answers to reports that were recorded a moment ago: a repeat is answered from the cache.

An entry is believed only while its marks are the current ones: each source has a mark that changes
when one of its reports is corrected, and there is one mark for all of them. Without marks A, then a
correction to B, then A again would get the first answer, and the last A would never be stored.

An entry must carry marks that were chosen before its report was written: then any later correction
makes it worthless. An outdated mark does no harm, for its entry is not believed, and whoever looks
it up learns the current mark. So nothing is asked before a report is written: a source of which
this process knows no mark is taken to have none, and a known mark is read again after some seconds.

A cache whose clock jumps may keep entries for an hour too long, and lose a mark before them: so
each entry also says when it was stored, by the clock of the process that stored it.

Most reports are no repeats. So a report that came alone is looked up only if this process has met
it; whether another process has, the database tells when it is written.
"""

import hashlib
import math
import secrets
import time
from array import array
from collections.abc import Iterable, Sequence

from django.conf import settings
from msgspec import Struct

from ingest import steady_clock
from ingest.repeats import store
from ingest.repeats.stats import counts
from ingest.reports import NewReport

_EVERYTHING = "mark:all"
# What the cache holds by name: marks, and answers behind the marks they were given under.
Marks = dict[str, bytes]
_MARK_BYTES = 8
_STAMP_BYTES = 8
_NO_MARK = bytes(_MARK_BYTES)
# How old a mark may be for answers to be stored under it [seconds].
MARKS_SERVE = 5.0
# Sources whose mark still has to be changed: until then no stored answer is believed here.
_owed: set[int] = set()


class Met:
    """Which reports this process met lately; it may forget some, and very rarely mixes two up."""

    def __init__(self, slots: int = 1 << 17) -> None:
        self._slots = array("q", bytes(8 * slots))

    def add(self, report: NewReport) -> None:
        """Remember a report, in the place of the one that was there."""
        number = hash(_identity(report))
        self._slots[number % len(self._slots)] = number

    def __contains__(self, report: NewReport) -> bool:
        number = hash(_identity(report))
        return self._slots[number % len(self._slots)] == number


met = Met()


class KnownMarks:
    """The marks as this process read them last; few sources have one."""

    def __init__(self, most: int = 50_000) -> None:
        self._most = most
        self._marks: dict[str, tuple[float, bytes]] = {}

    def learn(self, names: Iterable[str], found: Marks) -> None:
        """Remember these marks as they were found a moment ago."""
        if len(self._marks) > self._most:
            self._marks = {}
        now = time.monotonic()
        for name in names:
            if name in found:
                self._marks[name] = (now, found[name])
            else:
                self._marks.pop(name, None)

    def all_of(self, names: Iterable[str]) -> Marks | None:
        """Return those of these marks that are known; None if one was read too long ago."""
        limit = time.monotonic() - MARKS_SERVE
        marks: Marks = {}
        for name in names:
            known = self._marks.get(name)
            if known is None:
                continue
            read, mark = known
            if read <= limit:
                return None
            marks[name] = mark
        return marks

    def forget(self) -> None:
        """Forget all marks: for tests, and after the cache was emptied by hand."""
        self._marks = {}


known_marks = KnownMarks()


class Lookup(Struct):
    """What the cache said of some reports, and the marks by which it was believed."""

    marks: Marks
    answers: list[bytes | None]


def _identity(report: NewReport) -> tuple[object, ...]:
    return (
        report.source.id,
        report.timestamp,
        report.status,
        report.auth_code,
        report.count,
        report.external_id,
    )


def _key(report: NewReport) -> str | None:
    """Return the key of a report's answer; None if no other request can be its repeat."""
    if not report.timed:
        return None
    text = (
        f"{report.source.id}|{report.timestamp.isoformat()}|{report.status}|{report.auth_code}"
        f"|{report.count}|{report.external_id}"
    )
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _mark_key(source_id: int) -> str:
    return f"mark:{source_id}"


def _mark_of(marks: Marks, report: NewReport) -> bytes:
    """Return the mark of all and that of the source, one after the other; zeros for none."""
    return marks.get(_EVERYTHING, _NO_MARK) + marks.get(_mark_key(report.source.id), _NO_MARK)


def _new_mark() -> bytes:
    return secrets.token_bytes(_MARK_BYTES)


def find_answers(reports: Sequence[NewReport]) -> Lookup:
    """Return the answers that are still true, with what is needed to store the others."""
    keys = [_key(report) for report in reports]
    found = _read([key for key in keys if key is not None], _mark_keys(reports))
    lookup = Lookup(found, [])
    now = _seconds_now()
    for key, report in zip(keys, reports, strict=True):
        mark, entry = _mark_of(found, report), found.get(key, b"") if key else b""
        lookup.answers.append(_believed(entry, mark, now))
    return lookup


def _seconds_now() -> int:
    return int(steady_clock.now().timestamp())


def _believed(entry: bytes, mark: bytes, now: int) -> bytes | None:
    """Return the answer in an entry that was stored lately and under this mark."""
    if not entry.startswith(mark):
        return None
    begin = len(mark) + _STAMP_BYTES
    stored = int.from_bytes(entry[len(mark) : begin])
    return entry[begin:] if abs(now - stored) <= settings.GUARDIAN_CACHE_SECONDS else None


def marks_now(reports: Sequence[NewReport]) -> Marks:
    """Return the marks under which answers to these reports may be stored once they are written."""
    names = _mark_keys([report for report in reports if report.timed])
    known = None if _owed else known_marks.all_of(names)
    return _read([], names) if known is None else known


def _mark_keys(reports: Sequence[NewReport]) -> set[str]:
    return {_EVERYTHING, *(_mark_key(report.source.id) for report in reports)}


def _read(keys: list[str], marks: set[str]) -> Marks:
    if not settings.GUARDIAN_CACHE_SECONDS or (_owed and not forget_answers(())):
        return {}
    try:
        found = store.read([*keys, *marks])
    except Exception:  # whatever a lost cache raises: answers become slower, nothing else
        counts.add("errors")
        return {}
    known_marks.learn(marks, found)
    return found


def keep_answers(marks: Marks, answered: Iterable[tuple[NewReport, bytes]]) -> None:
    """Store the answers to reports that are committed."""
    if not settings.GUARDIAN_CACHE_SECONDS:
        return
    entries = {}
    stamp = _seconds_now().to_bytes(_STAMP_BYTES)
    for report, answer in answered:
        key = _key(report)
        if key is not None:
            entries[key] = _mark_of(marks, report) + stamp + answer
            met.add(report)
    if not entries:
        return
    try:
        # A repeat that overtakes them is recorded again, which changes nothing.
        store.hand_over(entries, settings.GUARDIAN_CACHE_SECONDS)
    except Exception:
        counts.add("errors")
    else:
        counts.add("sets", len(entries))


def count_lookups(reports: Sequence[NewReport], *, found: int) -> None:
    """Count how many of these reports were answered from the cache."""
    if not settings.GUARDIAN_CACHE_SECONDS:
        return
    missed = sum(report.timed for report in reports) - found
    if found:
        counts.add("hits", found)
    if missed > 0:
        counts.add("misses", missed)


def forget_answers(source_ids: Iterable[int]) -> bool:
    """No answer to an earlier report of these sources is believed any more.

    False if the cache could not be told; it is told before it is next read.
    """
    _owed.update(source_ids)
    owed = tuple(_owed)
    told = _mark_anew({_mark_key(source_id): _new_mark() for source_id in owed})
    if told:
        _owed.difference_update(owed)
    return told


def forget_all_answers() -> None:
    """No stored answer is believed any more; rate limits and all else that is cached stay."""
    _mark_anew({_EVERYTHING: _new_mark()})


def _mark_anew(marks: Marks) -> bool:
    seconds = settings.GUARDIAN_CACHE_SECONDS
    if not marks or not seconds:
        return True
    try:
        # A mark outlives every entry that was stored under the one before it.
        store.write(marks, math.ceil(MARKS_SERVE) + 2 * seconds)
    except Exception:
        counts.add("errors")
        return False
    known_marks.learn(marks, marks)
    return True

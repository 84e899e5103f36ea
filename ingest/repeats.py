"""Answers to reports that were recorded a moment ago: a repeat is answered from the cache.

An entry is believed while its mark is: every source has a mark that changes when one of its
reports is corrected, and so has the whole. Without it A, then a correction to B, then A again
would be answered with the first answer and never be stored. The marks are therefore read before
the reports are written.

Most reports are no repeats. So a report that came alone is only looked up if this process has met
it; that another process has met it, the database tells when it is written.
"""

import hashlib
import secrets
from array import array
from collections.abc import Iterable, Sequence

from django.conf import settings
from msgspec import Struct

from ingest import answer_store
from ingest.cache_stats import counts
from ingest.reports import NewReport

_EVERYTHING = "mark:all"
# What the cache holds by name: marks, and answers behind the marks they were given under.
Marks = dict[str, bytes]
_MARK_BYTES = 8
# Sources whose mark could not be changed when it had to be: until it is, nothing is believed here.
_owed: set[int] = set()


class Met:
    """Which reports this process met lately. It may forget one; one it never met is rarely met."""

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
    """Return the mark of everything and that of the source, zeros where there is none."""
    none = bytes(_MARK_BYTES)
    return marks.get(_EVERYTHING, none) + marks.get(_mark_key(report.source.id), none)


def _new_mark() -> bytes:
    return secrets.token_bytes(_MARK_BYTES)


def find_answers(reports: Sequence[NewReport]) -> Lookup:
    """Return the answers that are still true, with what is needed to store the others."""
    keys = [_key(report) for report in reports]
    found = _get_many([key for key in keys if key is not None], reports)
    lookup = Lookup(found, [])
    for key, report in zip(keys, reports, strict=True):
        mark, entry = _mark_of(found, report), found.get(key, b"") if key else b""
        lookup.answers.append(entry[len(mark) :] if entry.startswith(mark) else None)
    return lookup


def marks_now(reports: Sequence[NewReport]) -> Marks:
    """Return the marks under which answers to these reports may be stored."""
    return _get_many([], reports)


def _get_many(keys: list[str], reports: Sequence[NewReport]) -> Marks:
    if not settings.GUARDIAN_CACHE_SECONDS or (_owed and not forget_answers(())):
        return {}
    marks = {_mark_key(report.source.id) for report in reports}
    try:
        return answer_store.read([*keys, _EVERYTHING, *marks])
    except Exception:  # whatever a lost cache raises: answers become slower, nothing else
        counts.add("errors")
        return {}


def keep_answers(marks: Marks, answered: Iterable[tuple[NewReport, bytes]]) -> None:
    """Store the answers to reports that are committed."""
    if not settings.GUARDIAN_CACHE_SECONDS:
        return
    entries = {}
    for report, answer in answered:
        key = _key(report)
        if key is not None:
            entries[key] = _mark_of(marks, report) + answer
            met.add(report)
    if not entries:
        return
    try:
        answer_store.write(entries, settings.GUARDIAN_CACHE_SECONDS)
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

    False if the cache could not be told; it is told before it is asked the next time.
    """
    _owed.update(source_ids)
    owed = tuple(_owed)
    told = _mark_anew({_mark_key(source_id): _new_mark() for source_id in owed})
    if told:
        _owed.difference_update(owed)
    return told


def forget_all_answers() -> None:
    """No stored answer is believed any more; rate limits and whatever else is cached stay."""
    _mark_anew({_EVERYTHING: _new_mark()})


def _mark_anew(marks: Marks) -> bool:
    # A mark outlives every entry that was stored under the one before it.
    lifetime = 2 * settings.GUARDIAN_CACHE_SECONDS
    if not marks or not lifetime:
        return True
    try:
        answer_store.write(marks, lifetime)
    except Exception:
        counts.add("errors")
        return False
    return True

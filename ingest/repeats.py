"""Answers to reports that were recorded a moment ago: a repeat is answered from the cache.

An entry is believed while its mark is: every source has a mark that changes when one of its
reports is corrected, and so has the whole. Without it A, then a correction to B, then A again
would be answered with the first answer and never be stored. The marks are therefore read before
the reports are written.

Most reports are no repeats. So a report that came alone is only looked up if this process has met
it; that another process has met it, the database tells when it is written.
"""

import hashlib
import logging
import uuid
from array import array
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.core.cache import cache
from msgspec import Struct

from ingest.cache_stats import counts
from ingest.reports import NewReport

logger = logging.getLogger(__name__)
_EVERYTHING = "ingest:answers:mark:all"
Marks = dict[str, Any]


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
    return "ingest:answers:" + hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _mark_key(source_id: int) -> str:
    return f"ingest:answers:mark:{source_id}"


def _mark_of(marks: Marks, report: NewReport) -> tuple[Any, Any]:
    return (marks.get(_EVERYTHING), marks.get(_mark_key(report.source.id)))


def find_answers(reports: Sequence[NewReport]) -> Lookup:
    """Return the answers that are still true, with what is needed to store the others."""
    keys = [_key(report) for report in reports]
    found = _get_many([key for key in keys if key is not None], reports)
    lookup = Lookup(found, [])
    for key, report in zip(keys, reports, strict=True):
        entry = found.get(key) if key else None
        believed = entry is not None and tuple(entry[:2]) == _mark_of(found, report)
        lookup.answers.append(entry[2].encode() if entry and believed else None)
    return lookup


def marks_now(reports: Sequence[NewReport]) -> Marks:
    """Return the marks under which answers to these reports may be stored."""
    return _get_many([], reports)


def _get_many(keys: list[str], reports: Sequence[NewReport]) -> Marks:
    if not settings.GUARDIAN_CACHE_SECONDS:
        return {}
    marks = {_mark_key(report.source.id) for report in reports}
    try:
        return cache.get_many([*keys, _EVERYTHING, *marks])
    except Exception:
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
            entries[key] = [*_mark_of(marks, report), answer.decode()]
            met.add(report)
    if not entries:
        return
    try:
        cache.set_many(entries, timeout=settings.GUARDIAN_CACHE_SECONDS)
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


def forget_answers(source_ids: Iterable[int]) -> None:
    """No answer to an earlier report of these sources is believed any more."""
    # A mark outlives every entry that was stored under the one before it.
    lifetime = 2 * settings.GUARDIAN_CACHE_SECONDS
    marks = {_mark_key(source_id): uuid.uuid4().hex for source_id in source_ids}
    if not marks or not lifetime:
        return
    try:
        cache.set_many(marks, timeout=lifetime)
    except Exception:
        counts.add("errors")


def forget_all_answers() -> None:
    """No stored answer is believed any more; rate limits and whatever else is cached stay."""
    cache.set(_EVERYTHING, uuid.uuid4().hex, timeout=2 * settings.GUARDIAN_CACHE_SECONDS or 1)

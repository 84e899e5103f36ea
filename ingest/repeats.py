"""Answers to reports that were recorded a moment ago: a repeat is answered from the cache.

An entry is believed while its mark is: every source has a mark that changes when one of its
reports is corrected, and so has the whole. Without it A, then a correction to B, then A again
would be answered with the first answer and never be stored.
"""

import hashlib
import logging
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.core.cache import cache
from msgspec import Struct

from ingest.cache_stats import counts
from ingest.reports import NewReport

logger = logging.getLogger(__name__)
_EVERYTHING = "ingest:answers:mark:all"


class Lookup(Struct):
    """What the cache said before the reports were written; kept to store their answers."""

    keys: list[str | None]
    marks: dict[str, Any]
    answers: list[bytes | None]

    def mark_of(self, report: NewReport) -> tuple[Any, Any]:
        """Return the marks under which an answer to `report` may be stored."""
        return (self.marks.get(_EVERYTHING), self.marks.get(_mark_key(report.source.id)))


def _mark_key(source_id: int) -> str:
    return f"ingest:answers:mark:{source_id}"


def _key(report: NewReport) -> str | None:
    """Return the key of a report's answer; None if no other request can be its repeat."""
    if not report.timed:
        return None
    text = (
        f"{report.source.id}|{report.timestamp.isoformat()}|{report.status}|{report.auth_code}"
        f"|{report.count}|{report.external_id}"
    )
    return "ingest:answers:" + hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def find_answers(reports: Sequence[NewReport]) -> Lookup:
    """Return the answers that are still true, with what is needed to store the others."""
    if not settings.GUARDIAN_CACHE_SECONDS:
        return Lookup([None] * len(reports), {}, [None] * len(reports))
    keys = [_key(report) for report in reports]
    asked = [key for key in keys if key is not None]
    found = _get_many(asked, reports) if asked else {}
    lookup = Lookup(keys, found, [])
    for key, report in zip(keys, reports, strict=True):
        entry = found.get(key) if key else None
        believed = entry is not None and tuple(entry[:2]) == lookup.mark_of(report)
        lookup.answers.append(entry[2].encode() if entry and believed else None)
    hits = sum(answer is not None for answer in lookup.answers)
    if hits:
        counts.add("hits", hits)
    if len(asked) > hits:
        counts.add("misses", len(asked) - hits)
    return lookup


def _get_many(asked: list[str], reports: Sequence[NewReport]) -> dict[str, Any]:
    marks = {_mark_key(report.source.id) for report in reports}
    try:
        return cache.get_many([*asked, _EVERYTHING, *marks])
    except Exception:
        counts.add("errors")
        return {}


def keep_answers(answered: Iterable[tuple[Lookup, int, NewReport, bytes]]) -> None:
    """Store the answers to reports that are committed, by their place in their lookup."""
    entries = {
        key: [*lookup.mark_of(report), answer.decode()]
        for lookup, place, report, answer in answered
        if (key := lookup.keys[place]) is not None
    }
    if not entries:
        return
    try:
        cache.set_many(entries, timeout=settings.GUARDIAN_CACHE_SECONDS)
    except Exception:
        counts.add("errors")
    else:
        counts.add("sets", len(entries))


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

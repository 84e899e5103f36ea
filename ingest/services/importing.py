"""Importing files of counts: all lines checked first, then written in chunks that can go on."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from msgspec import Struct

from ingest import steady_clock
from ingest.models import FileImport, Source
from ingest.parsing.count_files import BadLine, CountFile, Layout, Row
from ingest.parsing.moments import comes_twice, latest_plausible
from ingest.recording import bulk, reconciling
from ingest.retention import COUNTS
from ingest.services.sources import forget_sources

CHUNK_LINES = 50_000
BAD_LINES_KEPT = 1_000
_TOLD_EVERY = 5_000

T = TypeVar("T")
# Told how many more lines are done.
Progress = Callable[[int], object]
_RECONCILE = {
    Layout.BY_STATUS: reconciling.total_by_status,
    Layout.BY_CODE: reconciling.split_by_code,
}


class Survey(Struct):
    """What a look through the whole file found."""

    good: int = 0
    bad: int = 0
    # Only the first of them: a file of bad lines must not fill the memory.
    bad_lines: list[BadLine] = []
    # Good lines that are older than counts are kept.
    old: int = 0


class Imported(Struct):
    """What an import did."""

    lines: int
    news: int
    resumed_after: int
    already: bool = False
    # Lines with the time, status and code of a later one, as far as the two came close together.
    replaced: int = 0
    # Those of them in an hour that the clock repeats: both lines count as its first time round.
    twice: int = 0
    # Times at which codes deny more than the status does, whose total is therefore forgotten.
    exceeded: int = 0


def source_for_import(*, name: str, time_zone: str) -> Source:
    """The source exists; one that is new is in `time_zone`.

    Raises
    ------
    ValidationError
        If it is Guardian's own, or its name cannot be one.
    """
    if name == Source.CANARY:
        raise ValidationError(f"“{name}” is for Guardian itself.")
    source, created = Source.objects.get_or_create(
        name=name, defaults={"time_zone": time_zone or settings.TIME_ZONE}
    )
    if created:
        source.full_clean()
        forget_sources()
    return source


def survey_file(*, file: CountFile, zone: ZoneInfo, progress: Progress) -> Survey:
    """Every line has been read and nothing written; the bad lines are named and counted."""
    survey = Survey()
    kept_since = steady_clock.now() - COUNTS.age
    for _number, row in _telling(file.rows(zone, latest_plausible()), progress):
        if not isinstance(row, BadLine):
            survey.good += 1
            survey.old += row[0] < kept_since
            continue
        survey.bad += 1
        if len(survey.bad_lines) < BAD_LINES_KEPT:
            survey.bad_lines.append(row)
    return survey


def import_file(
    *, file: CountFile, source: Source, zone: ZoneInfo, progress: Progress, again: bool = False
) -> Imported:
    """The good lines are counted, each once however often it was begun; bad ones are left out."""
    state, _created = FileImport.objects.get_or_create(
        source=source, digest=file.digest, defaults={"file_name": file.path.name[:255]}
    )
    if again:
        state.lines, state.finished = 0, None
    if state.finished:
        return Imported(0, 0, state.lines, already=True)
    done = Imported(0, 0, max(1, state.lines))
    progress(done.resumed_after)
    numbered = file.rows(zone, latest_plausible(), done.resumed_after)
    for last, rows in _read_ahead(_chunks(_telling(numbered, progress))):
        done.lines += len(rows)
        _count_replaced(done, rows, zone)
        _write_chunk(state, done, file.layout, rows, last)
    state.finished = steady_clock.now()
    state.save()
    return done


def _count_replaced(done: Imported, rows: list[Row], zone: ZoneInfo) -> None:
    if len(rows) == len({row[:3] for row in rows}):
        return
    for (moment, *_key), times in Counter(row[:3] for row in rows).items():
        done.replaced += times - 1
        if times > 1 and comes_twice(moment, zone):
            done.twice += times - 1


def _write_chunk(
    state: FileImport, done: Imported, layout: Layout, rows: list[Row], last: int
) -> None:
    """The rows are in and the line they end at is noted, or neither."""

    def reconcile() -> None:
        if layout in _RECONCILE:
            done.exceeded += _RECONCILE[layout]()

    grace = timedelta(minutes=1, seconds=settings.GUARDIAN_GRACE_SECONDS)
    late_before = steady_clock.now() - grace
    with transaction.atomic():
        done.news += bulk.write(state.source_id, rows, late_before, reconcile)
        state.lines = last
        state.save()


def _chunks(
    numbered: Iterable[tuple[int, Row | BadLine]],
) -> Iterator[tuple[int, list[Row]]]:
    rows: list[Row] = []
    number = 0
    for number, row in numbered:
        if not isinstance(row, BadLine):
            rows.append(row)
        if len(rows) >= CHUNK_LINES:
            yield number, rows
            rows = []
    if rows:
        yield number, rows


def _read_ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield the items; each is made in another thread while the one before is in use."""
    with ThreadPoolExecutor(1, "read-ahead") as thread:
        coming = thread.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield item


def _telling(
    numbered: Iterable[tuple[int, Row | BadLine]], progress: Progress
) -> Iterator[tuple[int, Row | BadLine]]:
    untold = 0
    for item in numbered:
        yield item
        untold += 1
        if untold >= _TOLD_EVERY:
            progress(untold)
            untold = 0
    progress(untold)

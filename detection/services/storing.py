"""Writing what an advance found: all of it or nothing, and only if nobody else was faster."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models, transaction
from msgspec.structs import replace

from detection import conf, metrics
from detection.clock import moment_of
from detection.models import Anomaly, Band, Baseline, Checkpoint, Level, Recheck
from detection.scoring.state import State
from detection.services.stored_states import Parts, at_version, packed, row_of
from detection.services.watch import watch
from detection.services.watched import NEVER, Watched
from detection.services.writing import upsert

# Checkpoints older than this are kept every sixth hour only: going back further means a replay of
# six hours more, and a quarter of the rows.
DENSE_CHECKPOINTS = timedelta(hours=6)
SPARSE_HOURS = (5, 11, 17, 23)
REJUDGED_FIELDS = tuple(
    one.name
    for one in Anomaly._meta.concrete_fields
    # Fields that stay as first stored, because somebody may have been called since.
    if one.name not in ("id", "source", "minute", "family", "absorbed", "detected", "past")
)
BAND_FIELDS = tuple(
    one.name for one in Band._meta.concrete_fields if one.name not in ("id", "source", "minute")
)
# Of a Baseline every minute; what lasts of its state is written when it changes.
MOVED_FIELDS = tuple(
    one.name
    for one in Baseline._meta.concrete_fields
    if one.name not in ("id", "source", "state", "inherited")
)


@dataclass
class Findings:
    """What an advance of some sources has to write."""

    bands: list[Band] = field(default_factory=list)
    anomalies: list[Anomaly] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    # source id -> first and last minute judged
    spans: dict[int, tuple[int, int]] = field(default_factory=dict)


def store_advance(
    *,
    before: Sequence[Watched],
    after: Sequence[Watched],
    found: Findings,
    now: datetime,
    replayed: bool = False,
) -> list[Watched]:
    """Sources whose version is still the one they were read at are stored, and returned."""
    states = packed(after)
    with transaction.atomic():
        _reserve_new(before)
        _keep_inherited(before)
        current = _locked_versions([one.source_id for one in before])
        winners = {
            one.source_id for one in before if current.get(one.source_id) == max(one.version, 0)
        }
        stored = [
            at_version(
                replace(one, live=_is_live(one, now, replayed)),
                max(one.version, 0) + 1,
                states[one.source_id],
            )
            for one in after
            if one.source_id in winners
        ]
        _write_baselines(stored, states, now, replayed)
        write_findings(winners, found, now)
    metrics.CONFLICTS.inc(len(before) - len(stored))
    watch.put(stored)
    return stored


def drop_learned(*, source_ids: Collection[int], now: datetime, **also: Any) -> int:
    """The sources know nothing of what is normal; returned is how many had learned something.

    `also` are further columns of their Baselines, set in the same statement.
    """
    # The version tells every other process that what it remembers is out of date.
    dropped = Baseline.objects.filter(source_id__in=source_ids).update(
        state=State.new(1).pack()[0],
        recent=None,
        version=models.F("version") + 1,
        updated=now,
        **also,
    )
    # An older state would come back with the next late report.
    Checkpoint.objects.filter(source_id__in=source_ids).delete()
    Recheck.objects.filter(source_id__in=source_ids).delete()
    return dropped


def _reserve_new(before: Sequence[Watched]) -> None:
    """New sources get an empty row to lock: of two first writers the second waits here."""
    new = [Baseline(source_id=one.source_id, state=b"") for one in before if one.version == NEVER]
    if new:
        Baseline.objects.bulk_create(new, ignore_conflicts=True)


def _keep_inherited(before: Sequence[Watched]) -> None:
    """What a source began with is kept, for whoever has it judged from its first count again."""
    for one in before:
        if one.state.started[0] < 0 and one.state.season_days.any():
            born = Baseline.objects.filter(source_id=one.source_id)
            born.update(inherited=one.state.pack()[0])


def _is_live(one: Watched, now: datetime, replayed: bool) -> bool:
    if one.reported != NEVER and now - moment_of(one.reported) <= conf.past_limit():
        return True
    return one.live and not replayed


def _locked_versions(source_ids: Sequence[int]) -> dict[int, int]:
    rows = Baseline.objects.filter(source_id__in=source_ids).order_by("source_id")
    if connection.features.has_select_for_update:
        rows = rows.select_for_update()
    return dict(rows.values_list("source_id", "version"))


def _write_baselines(
    stored: Sequence[Watched], states: Mapping[int, Parts], now: datetime, replayed: bool
) -> None:
    whole: list[Baseline] = []
    moved: list[Baseline] = []
    for one in stored:
        row = row_of(one, states[one.source_id])
        row.updated = now
        row.replayed = now if replayed else None
        (moved if row.recent else whole).append(row)
    # The rows are locked and their versions compared, so the upserts write only what they may.
    upsert(whole, unique_fields=["source"], update_fields=["state", *MOVED_FIELDS])
    upsert(moved, unique_fields=["source"], update_fields=MOVED_FIELDS)


def write_findings(winners: set[int], found: Findings, now: datetime) -> None:
    """Bands, anomalies and checkpoints of the winners replace what stood in the same minutes."""
    upsert(
        [one for one in found.bands if one.source_id in winners],
        unique_fields=["source", "minute"],
        update_fields=BAND_FIELDS,
    )
    spans = {key: span for key, span in found.spans.items() if key in winners}
    fresh = [one for one in found.anomalies if one.source_id in winners]
    replace_anomalies(spans=spans, fresh=fresh, now=now)
    upsert(
        [one for one in found.checkpoints if one.source_id in winners],
        unique_fields=["source", "through"],
        update_fields=["state", "reported"],
    )
    if found.checkpoints:
        _prune_checkpoints(winners, max(one.through for one in found.checkpoints))


def replace_anomalies(
    *, spans: dict[int, tuple[int, int]], fresh: Sequence[Anomaly], now: datetime
) -> None:
    """In the spans stand the fresh anomalies, and no others that nobody was called for."""
    gone = _no_longer_true(spans, fresh)
    if gone:
        _withdraw(Anomaly.objects.filter(pk__in=gone), now)
    if fresh:
        upsert_anomalies(fresh)
    for one in fresh:
        metrics.ANOMALIES.labels(one.family, one.level).inc()


def _withdraw(untrue: "models.QuerySet[Anomaly]", now: datetime) -> None:
    """Anomalies that no incident has taken in are deleted, the others are marked."""
    untrue.filter(absorbed=None).delete()
    untrue.filter(withdrawn=None).update(withdrawn=now)


def withdraw_minutes(*, source_id: int, first: int, last: int, now: datetime) -> None:
    """Nothing is said of the minutes first..last any more."""
    Band.objects.filter(
        source_id=source_id, minute__gte=moment_of(first), minute__lte=moment_of(last)
    ).delete()
    replace_anomalies(spans={source_id: (first, last)}, fresh=(), now=now)


def withdraw_planned(*, source_id: int, family: str, first: int, last: int, now: datetime) -> None:
    """Nothing of a family, or of all where it is empty, is said of the minutes any more."""
    then = {"source_id": source_id, "minute__range": (moment_of(first), moment_of(last))}
    found = Anomaly.objects.filter(**then, withdrawn=None)
    _withdraw(found.filter(family=family) if family else found, now)
    others = found.filter(minute=models.OuterRef("minute"))
    bands = Band.objects.filter(**then).exclude(level=Level.NORMAL)
    bands.exclude(models.Exists(others)).update(level=Level.NORMAL)


def upsert_anomalies(fresh: Sequence[Anomaly]) -> None:
    """Each anomaly is stored once for its source, minute and family."""
    Anomaly.objects.bulk_create(
        fresh,
        update_conflicts=True,
        unique_fields=["source", "minute", "family"],
        update_fields=REJUDGED_FIELDS,
    )


def store_provisional(*, fresh: Sequence[Anomaly]) -> None:
    """The anomalies are stored, except where the sweep has already confirmed one."""
    confirmed = set(
        Anomaly.objects.filter(
            source_id__in={one.source_id for one in fresh},
            minute__in={one.minute for one in fresh},
            provisional=False,
        ).values_list("source_id", "minute", "family")
    )
    upsert_anomalies(
        [one for one in fresh if (one.source_id, one.minute, one.family) not in confirmed]
    )


def _no_longer_true(spans: dict[int, tuple[int, int]], fresh: Sequence[Anomaly]) -> list[int]:
    if not spans:
        return []
    true = {(one.source_id, one.minute, one.family) for one in fresh}
    first = moment_of(min(span[0] for span in spans.values()))
    last = moment_of(max(span[1] for span in spans.values()))
    standing = Anomaly.objects.filter(
        source_id__in=spans, minute__gte=first, minute__lte=last
    ).order_by()
    limits = {key: (moment_of(span[0]), moment_of(span[1])) for key, span in spans.items()}
    return [
        pk
        for pk, source_id, minute, family in standing.values_list(
            "pk", "source_id", "minute", "family"
        )
        if limits[source_id][0] <= minute <= limits[source_id][1]
        and (source_id, minute, family) not in true
    ]


def _prune_checkpoints(source_ids: set[int], newest: datetime) -> None:
    mine = Checkpoint.objects.filter(source_id__in=source_ids)
    mine.filter(through__lt=newest - conf.CHECKPOINTS_KEPT).delete()
    sparse = models.Q(through__hour__in=SPARSE_HOURS)
    mine.filter(through__lt=newest - DENSE_CHECKPOINTS).exclude(sparse).delete()

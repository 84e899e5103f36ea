"""Who is watched and how far each source has been judged."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import F, Min, OuterRef, QuerySet, Subquery

from detection import conf
from detection.models import Baseline, Checkpoint
from detection.parts import WHOLE, Part
from ingest.models import MinuteCount, Source


class Frontier(NamedTuple):
    """How far one source has been judged, and how far its counts reach."""

    source_id: int
    name: str
    zone: str
    through: datetime | None
    version: int | None
    replayed: datetime | None
    live: bool | None
    newest: datetime


def frontiers(now: datetime, part: Part = WHOLE, *, done: datetime | None = None) -> list[Frontier]:
    """Enabled sources of a part that ever reported, without those judged up to the minute `done`.

    With very many sources a minute takes several sweeps, and looking for the newest count of each
    takes as long as judging some.
    """
    found = Source.objects.filter(enabled=True).annotate(slot=F("id") % part.of)
    found = found.filter(slot=part.number)
    return _frontiers(found if done is None else found.exclude(baseline__through=done), now)


def frontiers_of(source_ids: Sequence[int], now: datetime) -> list[Frontier]:
    """Those of some sources that ever reported."""
    return _frontiers(Source.objects.filter(id__in=source_ids), now)


def _frontiers(sources: QuerySet[Source], now: datetime) -> list[Frontier]:
    newest = (
        MinuteCount.objects.filter(source_id=OuterRef("pk"), minute__lte=now)
        .order_by("-minute")
        .values("minute")[:1]
    )
    found = (
        sources.annotate(newest=Subquery(newest))
        .exclude(newest=None)
        .order_by()
        .values_list(
            "id",
            "name",
            "time_zone",
            "baseline__through",
            "baseline__version",
            "baseline__replayed",
            "baseline__live",
            "newest",
        )
    )
    return [Frontier(*row) for row in found]


def versions(source_ids: Sequence[int]) -> dict[int, int]:
    """Version of the Baseline of each source that has one."""
    return dict(_of(source_ids).values_list("source_id", "version"))


def baselines(source_ids: Sequence[int]) -> QuerySet[Baseline]:
    """The Baselines of some sources, without what they began with."""
    return _of(source_ids).defer("inherited")


def recents(source_ids: Sequence[int]) -> QuerySet[Baseline]:
    """The same without what lasts, which is most of each."""
    return _of(source_ids).defer("inherited", "state")


def _of(source_ids: Sequence[int]) -> QuerySet[Baseline]:
    return Baseline.objects.filter(source_id__in=source_ids).order_by()


def first_minutes(source_ids: Collection[int]) -> dict[int, datetime]:
    """The oldest minute each source has counts of."""
    oldest = (
        MinuteCount.objects.filter(source_id=OuterRef("pk")).order_by("minute").values("minute")[:1]
    )
    found = Source.objects.filter(id__in=source_ids).annotate(oldest=Subquery(oldest)).order_by()
    return {pk: minute for pk, minute in found.values_list("id", "oldest") if minute}


def next_minute(source_id: int, after: datetime) -> datetime | None:
    """The first minute after a moment that a source has counts of."""
    later = MinuteCount.objects.filter(source_id=source_id, minute__gt=after)
    return later.order_by("minute").values_list("minute", flat=True).first()


def last_minutes(source_ids: Collection[int], before: datetime) -> dict[int, datetime]:
    """The last minute before a moment that each source has counts of."""
    earlier = MinuteCount.objects.filter(source_id=OuterRef("pk"), minute__lt=before)
    newest = earlier.order_by("-minute").values("minute")[:1]
    found = Source.objects.filter(id__in=source_ids).annotate(newest=Subquery(newest)).order_by()
    return {pk: minute for pk, minute in found.values_list("id", "newest") if minute}


def checkpoints_before(source_id: int, minute: datetime) -> QuerySet[Checkpoint]:
    """The Checkpoints that had not yet learned `minute`, the newest first."""
    mine = Checkpoint.objects.filter(source_id=source_id, through__lt=minute)
    return mine.order_by("-through")


def oldest_checkpoints(source_ids: Collection[int]) -> dict[int, datetime]:
    """How far back each source can be judged again."""
    found = Checkpoint.objects.filter(source_id__in=source_ids).values("source_id").order_by()
    return dict(found.annotate(oldest=Min("through")).values_list("source_id", "oldest"))


def oldest_live_frontier(now: datetime) -> datetime | None:
    """Last minute judged of the live source that is furthest behind; None without live sources.

    Of one that is silent for longer than the sweep follows it, only what comes after that is due.
    """
    live = Baseline.objects.filter(live=True, source__enabled=True).exclude(through=None).order_by()
    since = now - conf.LONGEST_GAP
    heard = live.filter(reported__gt=since).aggregate(oldest=Min("through"))["oldest"]
    later = MinuteCount.objects.filter(
        source_id=OuterRef("source_id"), minute__gt=OuterRef("through")
    )
    unheard = live.exclude(reported__gt=since).annotate(
        due=Subquery(later.order_by("minute").values("minute")[:1])
    )
    due = unheard.aggregate(oldest=Min("due"))["oldest"]
    known = [heard, due and due - conf.MINUTE]
    return min((one for one in known if one), default=None)

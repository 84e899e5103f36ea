"""What the live page shows: one picture of some sources over some hours, as plain values."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from alerts.lifecycle import ONGOING, State
from alerts.messages import brief_of, say
from alerts.messages.brief import duration, parts_of
from alerts.messages.phrases import name_of
from alerts.messages.stored import reason_told
from alerts.models import Incident
from alerts.selectors.extent import Extent, minutes_known
from alerts.selectors.quiet_words import held_words
from alerts.selectors.series import TOTAL, closed_before, counts_so_far, floor_to, series_between
from alerts.selectors.suppression import Quiet
from alerts.selectors.together import SourceIds, are_many, ids_together
from alerts.selectors.visibility import Seen, seen_by
from alerts.suppression import Holding
from detection.models import Anomaly, Band
from ingest.models import Source

# Hours on offer, with the minutes that one point of the chart then holds.
STEPS = {1: 1, 3: 1, 6: 1, 24: 5, 72: 15}
# Late reports may change minutes that a page has already: each answer repeats so many.
REPEATED = timedelta(minutes=20)
VERDICTS = 12
INCIDENTS = 50


@dataclass(frozen=True)
class View:
    """What somebody looks at.

    Attributes
    ----------
    source : Source or None
        None is all enabled sources together.
    hours : int
        One of STEPS [h].
    until : datetime or None
        End of the window; None is now, and moves.
    seen : collection of int or None
        The sources that the reader may see; None is all of them.
    """

    source: Source | None
    hours: int
    until: datetime | None = None
    seen: Seen = None

    @property
    def zone(self) -> str:
        return self.source.time_zone if self.source else settings.GUARDIAN_TIME_ZONE


def live_picture(view: View, *, now: datetime, since: datetime | None) -> dict[str, Any]:
    """Return all the live page shows; with `since`, only the points from shortly before it."""
    ids = _shown(view)
    step = STEPS[view.hours]
    closed = closed_before(now, step)
    end = min(closed, floor_to(view.until, step) if view.until else closed)
    start = end - timedelta(hours=view.hours)
    part = since is not None and view.until is None and since > start + REPEATED
    first = floor_to(since - REPEATED, step) if part and since else start
    extent = minutes_known(ids)
    series = series_between(source_ids=ids, since=first, until=end, step=step, first=extent.oldest)
    return {
        "state": _state(ids, extent),
        "many": are_many(ids),
        "history_hours": _hours(extent),
        "newest": extent.newest and int(extent.newest.timestamp()),
        "series": {**asdict(series), "start": int(start.timestamp()), "part": part},
        "current": None if view.until else _current(ids, now),
        **_told(view, ids, now),
        "windows": incident_windows(ids, start, end, now=now),
        "verdicts": newest_findings(ids),
        "judged": last_judged(ids),
    }


def how_things_stand(view: View, *, now: datetime) -> dict[str, Any]:
    """Return what the page says before its first question: what goes on, and what is held back."""
    ids = _shown(view)
    told = _told(view, ids, now)
    for card in told["incidents"]:
        card["began"] = moment_at(card["onset"])
        card["lasts"] = duration(now - card["began"], language())
    return {**told, "empty": minutes_known(ids).newest is None}


def _shown(view: View) -> SourceIds:
    return [view.source.pk] if view.source else ids_together(watched_sources(view.seen))


def watched_sources(seen: Seen) -> QuerySet[Source]:
    """Return the enabled sources that a reader may see."""
    return seen_by(reporting_sources().filter(enabled=True), seen, "pk")


def reporting_sources() -> QuerySet[Source]:
    """Return the sources that report payments; the canary, always fresh, reports for ourselves."""
    return Source.objects.exclude(name=Source.CANARY)


def _told(view: View, ids: SourceIds, now: datetime) -> dict[str, Any]:
    """Return the ongoing incidents, and the silences and windows that hold back none of them."""
    incidents = open_incidents_of(ids, now=now, zone=view.zone, seen=view.seen)
    shown = {one["held"] for one in incidents}
    quiet = [one for one in _quiet(view, now) if one["words"] not in shown]
    # A query that is saved as long as all of them are shown.
    beyond = _going_on(ids).count() - INCIDENTS if len(incidents) == INCIDENTS else 0
    return {"incidents": incidents, "beyond": beyond, "quiet": quiet}


def open_incidents_of(
    source_ids: SourceIds, *, now: datetime, zone: str, seen: Seen
) -> list[dict[str, Any]]:
    """Return what goes on, the gravest and then the newest first; parts within their root."""
    found = (
        _going_on(source_ids)
        .select_related("source")
        .prefetch_related(parts_of())
        .order_by("level", "-opened", "-id")[:INCIDENTS]
    )
    quiet = Quiet(now)
    return [
        {**_card(one, now, seen), "held": _held(quiet.holding(one), zone, now)} for one in found
    ]


def _going_on(source_ids: SourceIds) -> QuerySet[Incident]:
    ongoing = Incident.objects.filter(source_id__in=source_ids, state__in=sorted(ONGOING))
    return ongoing.exclude(parent__state__in=sorted(ONGOING), parent__source_id__in=source_ids)


def _quiet(view: View, now: datetime) -> list[dict[str, Any]]:
    """Return the silences and windows that hold now, whether anything is wrong or not."""
    mine = None if view.seen is None else frozenset(view.seen)
    if view.source is not None:
        mine = frozenset(pk for pk in (view.source.pk, view.source.parent_id) if pk is not None)
    found = Quiet(now).concerning(mine)
    return [{"id": words, "words": words} for one in found if (words := _held(one, view.zone, now))]


def _held(holding: Holding | None, zone: str, now: datetime) -> str:
    if holding is None:
        return ""
    return held_words(holding, zone=zone, now=now, language=language())


def incident_windows(
    source_ids: SourceIds, start: datetime, end: datetime, *, now: datetime
) -> list[dict[str, Any]]:
    """Return from when to when each incident that touches start..end went on, in order.

    Of too many the newest.
    """
    found = (
        Incident.objects.filter(source_id__in=source_ids, onset__lt=end)
        .filter(Q(state__in=sorted(ONGOING)) | Q(last_anomaly__gte=start))
        .exclude(state=State.MERGED)
        .order_by("-onset", "-id")
    )
    return [
        {
            "id": one.pk,
            "from": int(one.onset.timestamp()),
            "to": int((now if one.ongoing else one.ended or one.last_anomaly).timestamp()),
            "level": one.level,
            "family": one.family,
        }
        for one in reversed(found[:INCIDENTS])
    ]


def newest_findings(source_ids: SourceIds, limit: int = VERDICTS) -> list[dict[str, Any]]:
    """Return the newest verdicts that were not NORMAL."""
    found = (
        Anomaly.objects.filter(source_id__in=source_ids, withdrawn=None)
        .select_related("source")
        .order_by("-minute", "-id")[:limit]
    )
    return [
        {
            "id": one.pk,
            "minute": int(one.minute.timestamp()),
            "source": str(one.source),
            "level": one.level,
            "level_label": level_name(one.level),
            "family": say(f"family.{one.family}", language()),
            "code": " ".join(
                part for part in (name_of(one.status, language()), one.auth_code) if part
            ),
            "count": one.count,
            "lower": one.lower,
            "upper": one.upper,
            "score": round(one.score, 2),
            "reason": reason_told(one.reasons[0], language()) if one.reasons else "",
            "remark": _remark(one),
        }
        for one in found
    ]


def _remark(one: Anomaly) -> str:
    if one.past:
        return _("past")
    return _("minute still filling") if one.provisional else ""


def last_judged(source_ids: SourceIds) -> dict[str, Any] | None:
    """Return the newest judged minute, whatever its verdict; None before the first."""
    newest = newest_bands(source_ids).only("minute", "level", "score")
    if are_many(source_ids):
        band = newest.order_by("-minute", "-score").first()
    else:
        # Sorted here: asked for the newest alone, PostgreSQL would walk back over all sources.
        band = max(newest, key=lambda one: (one.minute, one.score), default=None)
    if band is None:
        return None
    return {
        "minute": int(band.minute.timestamp()),
        "level": band.level,
        "level_label": level_name(band.level),
        "score": round(band.score, 2),
    }


def newest_bands(source_ids: SourceIds) -> QuerySet[Band]:
    """Return the newest band of each source; of many sources all bands, for the caller to order."""
    if are_many(source_ids):
        return Band.objects.filter(source_id__in=source_ids)
    newest = Band.objects.filter(source_id=OuterRef("pk")).order_by("-minute").values("id")[:1]
    ids = (
        Source.objects.filter(pk__in=source_ids).order_by().values_list(Subquery(newest), flat=True)
    )
    return Band.objects.filter(pk__in=[pk for pk in ids if pk])


def _state(source_ids: SourceIds, extent: Extent) -> str:
    if extent.newest is None:
        return "empty"
    if are_many(source_ids):
        lately = Band.objects.filter(minute__gt=extent.newest - timedelta(hours=1))
        known = lately.filter(source_id__in=source_ids, learning=False).exists()
        return "normal" if known else "learning"
    newest = (
        Band.objects.filter(source_id=OuterRef("pk")).order_by("-minute").values("learning")[:1]
    )
    learning = list(
        Source.objects.filter(pk__in=source_ids).order_by().values_list(Subquery(newest), flat=True)
    )
    # A source without any band is not known yet either.
    reporting = [state is not False for state in learning]
    return "learning" if reporting and all(reporting) else "normal"


def _hours(extent: Extent) -> float | None:
    return None if extent.newest is None else round(extent.length / timedelta(hours=1), 1)


def _current(source_ids: SourceIds, now: datetime) -> dict[str, Any]:
    minute = floor_to(now, 1)
    counts = counts_so_far(source_ids=source_ids, since=minute)
    return {"minute": int(minute.timestamp()), TOTAL: sum(counts.values()), "by_status": counts}


def _card(one: Incident, now: datetime, seen: Seen) -> dict[str, Any]:
    brief = brief_of(one, kind="updated", language=language(), now=now, seen=seen)
    parts = sorted(one.children.all(), key=lambda part: (part.opened, part.pk), reverse=True)
    return {
        "id": one.pk,
        "title": brief.headline,
        "families": [one.family, *(part.family for part in parts if part.ongoing)],
        "level": one.level,
        "level_label": level_name(one.level),
        "state": one.state,
        "state_label": _(one.get_state_display()),
        "onset": int(one.onset.timestamp()),
        # The first line says since when, which the page does itself and keeps up to date.
        "lines": brief.lines[1:],
        "first_action": brief.first_action,
        "acknowledged_by": one.acknowledged_by,
        "page": reverse("incident", args=(one.pk,)),
        "acknowledge": reverse("incident-action", args=(one.pk, "acknowledge")),
    }


def language() -> str:
    """Return the language that the page is written in."""
    return get_language() or settings.GUARDIAN_LANGUAGE


def level_name(level: str) -> str:
    """Return a level as a word of the page's language."""
    return say(f"level.{level}", language()).capitalize()


def moment_at(seconds: float) -> datetime:
    """Return the instant of so many Unix seconds."""
    return datetime.fromtimestamp(seconds, tz=UTC)


__all__ = ["STEPS", "View", "live_picture", "moment_at"]

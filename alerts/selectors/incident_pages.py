"""Incidents as their pages show them: the list searched, and the chart around an onset."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from alerts.messages import brief_of
from alerts.messages.brief import (
    code_shares,
    duration,
    excess_line,
    first_action,
    headline,
    runbook_of,
    seen_line,
)
from alerts.messages.phrases import meaning_of, name_of, say
from alerts.models import Incident, Silence
from alerts.models.incident import FAMILIES
from alerts.selectors.choosing import MOST_FOUND, MOST_LISTED
from alerts.selectors.extent import minutes_known
from alerts.selectors.incidents import Filters, incidents, open_incidents
from alerts.selectors.live import incident_windows, language, level_name
from alerts.selectors.quiet_words import held_words
from alerts.selectors.series import NAMES, TOTAL, closed_before, floor_to, series_between
from alerts.selectors.suppression import Quiet
from alerts.selectors.visibility import Seen, seen_by

BEFORE = timedelta(minutes=60)
AFTER = timedelta(minutes=30)
# The others wait behind a click.
PARTS_LISTED = 10
# Minutes in one point, so that a chart of any length has at most about so many points.
POINTS = 480
STEPS = (1, 5, 15, 60, 240, 1440)
STATUS_OF_FAMILY = {
    "decline": "denied",
    "technical_failure": "failed",
    "reversal": "reversed",
    "code_mix": "denied",
}


def incidents_found(filters: Filters, words: str, *, seen: Seen) -> QuerySet[Incident]:
    """Return the incidents that the filters let through and that speak of all the words."""
    rows = seen_by(incidents(filters), seen)
    for word in words.split()[:8]:
        rows = rows.filter(_speaks_of(word))
    return rows


def _speaks_of(word: str) -> Q:
    number = word.removeprefix("#")
    number_known = number.isascii() and number.isdigit() and len(number) < 19
    found = (
        Q(source__name__icontains=word)
        | Q(source__title__icontains=word)
        | Q(title__icontains=word)
        | Q(family__icontains=word)
        | Q(family__in=_families_called(word))
        | Q(auth_code=word)
        | Q(acknowledged_by__icontains=word)
        | Q(assigned_to__icontains=word)
        | Q(owner__icontains=word)
        | Q(reasons__icontains=word)
    )
    return found | Q(pk=int(number)) if number_known else found


def _families_called(word: str) -> list[str]:
    """Return the families whose name, in the language of the reader, contains the word."""
    words = language()
    return [
        family
        for family, _title in FAMILIES
        if word.casefold() in say(f"family.{family}", words).casefold()
    ]


def rows_going_on(*, now: datetime, seen: Seen, limit: int) -> list[dict[str, Any]]:
    """Return what the list says of the newest incidents that go on."""
    found = incidents_found(Filters(ongoing=True), "", seen=seen)[:limit]
    return [incident_row(one, now=now) for one in found]


def incident_seen(incident_id: int, seen: Seen) -> Incident | None:
    """Return an incident; None if it is not there or not for this reader."""
    return seen_by(Incident.objects.select_related("source"), seen).filter(pk=incident_id).first()


def wholes_to_choose(incident: Incident, *, seen: Seen) -> list[tuple[Incident, str]]:
    """Return the ongoing incidents that this one may be merged into, nearest in time first."""
    others = seen_by(open_incidents(), seen).filter(parent=None)
    others = others.exclude(pk__in=[incident.pk, incident.parent_id or incident.pk])
    before = others.filter(onset__lte=incident.onset).order_by("-onset", "-id")[:MOST_FOUND]
    after = others.filter(onset__gt=incident.onset).order_by("onset", "id")[:MOST_FOUND]
    near = sorted([*before, *after], key=lambda one: abs(one.onset - incident.onset))
    return [(one, headline(one, language())) for one in near[:MOST_FOUND]]


def parts_to_choose(incident: Incident, *, seen: Seen) -> list[tuple[Incident, str]]:
    """Return the parts that a reader sees, with their headlines: the newest first."""
    parts = seen_by(incident.children.select_related("source"), seen).order_by("-onset", "-id")
    return [(part, headline(part, language())) for part in parts[:MOST_LISTED]]


def charted_name(incident: Incident) -> str:
    """Return the series that shows an incident best: its status, or the total."""
    if incident.family not in STATUS_OF_FAMILY:
        return TOTAL
    return incident.status if incident.status in NAMES else STATUS_OF_FAMILY[incident.family]


def incident_chart(incident: Incident, *, now: datetime) -> dict[str, Any]:
    """Return what was seen and expected around an incident, an hour before its onset included."""
    end = min(now, (now if incident.ongoing else incident.ended or incident.last_anomaly) + AFTER)
    length = end - incident.onset + BEFORE
    step = next((one for one in STEPS if length / timedelta(minutes=one) <= POINTS), STEPS[-1])
    ids = [incident.source_id]
    since = floor_to(incident.onset - BEFORE, step)
    until = min(floor_to(end, step), closed_before(now, step))
    series = series_between(
        source_ids=ids, since=since, until=until, step=step, first=minutes_known(ids).oldest
    )
    name = charted_name(incident)
    return {
        "name": name,
        "step": step,
        "series": {
            "minutes": series.minutes,
            "seen": series.seen[name],
            "expected": series.expected[name],
            "lower": series.lower[name],
            "upper": series.upper[name],
        },
        "windows": incident_windows(ids, since, until, now=now),
    }


def incident_words(incident: Incident, *, now: datetime, seen: Seen) -> dict[str, Any]:
    """Return what the page of an incident says in words, in the language of the page."""
    words, whole = language(), _whole_seen(incident, seen)
    parts = [
        (part, headline(part, words))
        for part in seen_by(incident.children.select_related("source"), seen).order_by("id")
    ]
    kind = "updated" if incident.ongoing else "resolved"
    brief = brief_of(incident, kind=kind, language=words, now=now)
    end = now if incident.ongoing else incident.ended or incident.last_anomaly
    lines = [seen_line(incident, words), excess_line(incident, words, over=not incident.ongoing)]
    return {
        "brief": brief,
        "level_label": level_name(incident.level),
        "lines": [line for line in lines if line],
        "lasted": duration(end - incident.onset, words),
        # What is over asks for nothing any more.
        "first_action": first_action(incident, words) if incident.ongoing else "",
        "owner": name_of(incident.owner, words),
        "runbook": runbook_of(incident) or f"/help/#{incident.family}",
        "codes": [
            (code, meaning_of(code, words), round(100 * share))
            for code, share in code_shares(incident.contributions)
        ],
        "charted": charted_name(incident),
        "charted_label": name_of(charted_name(incident), words),
        "parts": parts[:PARTS_LISTED],
        "more_parts": parts[PARTS_LISTED:],
        # Of a whole at a source that the reader may not see, no headline is shown.
        "whole": headline(whole, words) if whole else "",
        "live_until": int((end + AFTER).timestamp()),
    }


def _whole_seen(incident: Incident, seen: Seen) -> Incident | None:
    """Return what the incident is part of; None if it is part of nothing that the reader sees."""
    whole = incident.parent
    return whole if whole and (seen is None or whole.source_id in seen) else None


def incident_quiet(incident: Incident, *, now: datetime, seen: Seen) -> dict[str, Any]:
    """Return what keeps people from being told of it now, and whether its page may end that."""
    quiet = Quiet(now)
    told = _whole_seen(incident, seen) or incident
    # A part is told by its root; its own silence is shown all the same, where one may end it.
    holding = (quiet.holding(told) or quiet.holding(incident)) if incident.ongoing else None
    if holding is None:
        return {"held": ""}
    zone = incident.source.time_zone
    mine = isinstance(holding.by, Silence) and holding.by.source_id == incident.source_id
    words = held_words(holding, zone=zone, now=now, language=language())
    return {"held": words, "silence_is_its_own": mine}


def incident_row(incident: Incident, *, now: datetime) -> dict[str, Any]:
    """Return what the list says of an incident."""
    words = language()
    end = now if incident.ongoing else incident.ended or incident.last_anomaly
    return {
        "incident": incident,
        "headline": headline(incident, words),
        "family": incident.title or say(f"family.{incident.family}", words),
        "level_label": level_name(incident.level),
        "lasted": duration(end - incident.onset, words),
        "how_bad": excess_line(incident, words, over=not incident.ongoing),
    }

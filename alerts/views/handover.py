"""The hand-over as a page: what the next shift must know."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from alerts.messages import report as rendering
from alerts.messages import say
from alerts.messages.brief import duration
from alerts.selectors.incident_pages import incident_row
from alerts.selectors.live import language
from alerts.selectors.reports import Report
from alerts.selectors.statistics import Means

# Hours on offer: a shift, a day, a week, a month.
ON_OFFER = (12, 24, 168, 720)
SOURCES_SHOWN = 20
OPEN_SHOWN = 50
NOTES_SHOWN = 30


@dataclass(frozen=True)
class Line:
    """Mean times of one source or family, in words; empty where nothing was there to measure."""

    name: str
    incidents: int
    detect: str
    acknowledge: str
    resolve: str
    between: str


def handover_page(
    request: HttpRequest, found: Report, *, hours: int, now: datetime
) -> HttpResponse:
    """Return the page of a report."""
    words, statistics = language(), found.statistics
    context = {
        "here": "reports",
        "report": found,
        "hours": hours,
        "on_offer": [(each, _name_of(each)) for each in ON_OFFER],
        "zone": settings.GUARDIAN_TIME_ZONE,
        "total": _line("", statistics.total),
        "still_open": [incident_row(one, now=now) for one in found.still_open[:OPEN_SHOWN]],
        "beyond": max(0, len(found.still_open) - OPEN_SHOWN),
        "worst": [incident_row(one, now=now) for one in found.worst],
        "notes": found.comments[-NOTES_SHOWN:],
        "earlier_notes": max(0, len(found.comments) - NOTES_SHOWN),
        "sources": [_line(*pair) for pair in statistics.busiest_sources(SOURCES_SHOWN)],
        "families": [
            _line(say(f"family.{family}", words), means)
            for family, means in sorted(statistics.by_family.items())
        ],
        "text": rendering.render(found, words),
    }
    return render(request, "reports/handover.html", context)


def _name_of(hours: int) -> str:
    return f"{hours // 24} d" if hours > 24 else f"{hours} h"


def _line(name: str, means: Means) -> Line:
    times = (means.mttd, means.mtta, means.mttr, means.mtbf)
    return Line(name, means.incidents, *(_words(seconds) for seconds in times))


def _words(seconds: float | None) -> str:
    return "" if seconds is None else duration(timedelta(seconds=seconds), language())

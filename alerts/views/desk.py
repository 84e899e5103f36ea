"""What the first page of the admin shows besides its lists: what goes on now."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from alerts.selectors.incident_pages import rows_going_on
from alerts.selectors.live import moment_at, newest_findings, watched_sources
from alerts.views.access import seen_sources

SHOWN = 8


def admin_desk(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the admin's context with the open incidents and the newest findings."""
    seen = seen_sources(request)
    ids = [source.pk for source in watched_sources(seen)]
    findings = newest_findings(ids, SHOWN)
    return {
        **context,
        "going_on": rows_going_on(now=timezone.now(), seen=seen, limit=SHOWN),
        "findings": [{**one, "moment": moment_at(one["minute"])} for one in findings],
    }

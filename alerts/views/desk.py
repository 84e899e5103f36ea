"""What the first page of the admin shows besides its lists: what goes on now."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest

from alerts.selectors.channels import broken_channels
from alerts.selectors.incident_pages import rows_going_on
from alerts.selectors.live import moment_at, newest_findings, watched_sources
from alerts.selectors.outbox import dead_letters
from alerts.selectors.together import ids_together
from alerts.views.access import seen_sources
from ingest import steady_clock

SHOWN = 8


def admin_desk(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the admin's context with the open incidents and the newest findings."""
    seen = seen_sources(request)
    findings = newest_findings(ids_together(watched_sources(seen)), SHOWN)
    now = steady_clock.now()
    return {
        **context,
        "broken_channels": broken_channels(),
        "dead_letters": dead_letters(since=now - timedelta(days=1)).count(),
        "going_on": rows_going_on(now=now, seen=seen, limit=SHOWN),
        "findings": [{**one, "moment": moment_at(one["minute"])} for one in findings],
    }

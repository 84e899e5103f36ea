"""What a digest and a hand-over tell."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.models import Incident, IncidentEvent, MaintenanceWindow, Silence
from alerts.selectors.incidents import open_incidents, told_alone
from alerts.selectors.oncall import OnCall, everybody_on_call
from alerts.selectors.outbox import dead_letters
from alerts.selectors.statistics import Statistics, opened_between, period_statistics
from alerts.selectors.suppression import active_silences, concerns
from alerts.suppression import occurrence_at

WORST = 5


@dataclass(frozen=True)
class Report:
    """What happened in a period and what is left to the next reader."""

    since: datetime
    until: datetime
    statistics: Statistics
    still_open: list[Incident]
    worst: list[Incident]
    comments: list[IncidentEvent]
    silences: list[Silence]
    windows: list[MaintenanceWindow]
    dead_letters: int
    on_call: list[OnCall]


def report(*, since: datetime, until: datetime, sources: frozenset[int] | None = None) -> Report:
    """Return what happened between two moments, and how things stand at the second.

    Of two reports in a row one has each incident: that of the time when it was opened.
    `sources` are those that the reader may see; None is all of them.
    """
    opened = opened_between(since, until)
    rows = told_alone(Incident.objects.filter(opened), sources)
    worst = (
        rows.filter(historical=False).select_related("source").order_by("level", "-anomaly_count")
    )
    comments = IncidentEvent.objects.filter(
        kind=IncidentEvent.Kind.COMMENTED, at__gte=since, at__lt=until
    )
    if sources is not None:
        comments = comments.filter(incident__source__in=sources)
    return Report(
        since=since,
        until=until,
        statistics=period_statistics(now=until, since=since, sources=sources, which=opened),
        still_open=list(told_alone(open_incidents(), sources)),
        worst=list(worst[:WORST]),
        comments=list(comments.select_related("incident__source").order_by("at")),
        silences=active_silences(now=until, sources=sources),
        windows=[
            window
            for window in MaintenanceWindow.objects.select_related("source")
            if _soon(window, until) and concerns(window, sources)
        ],
        dead_letters=dead_letters(since=since).count(),
        on_call=everybody_on_call(at=until),
    )


def _soon(window: MaintenanceWindow, now: datetime) -> bool:
    """Say whether the window holds now or begins within twelve hours."""
    step = timedelta(minutes=min(window.minutes, 30))
    moment = now
    while moment <= now + timedelta(hours=12):
        if occurrence_at(window, moment):
            return True
        moment += step
    return False

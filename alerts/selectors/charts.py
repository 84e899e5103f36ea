"""What was seen and expected around an incident, for its picture."""

from datetime import datetime, timedelta

import numpy as np
from django.conf import settings
from django.core.signing import Signer
from django.urls import NoReverseMatch, reverse

from alerts.messages.chart import Course, draw
from alerts.models import Incident
from detection.models import Band
from ingest.models import MinuteCount

BEFORE, AFTER, LONGEST = timedelta(minutes=60), timedelta(minutes=15), timedelta(hours=24)
MINUTE = timedelta(minutes=1)
PROOF = Signer(salt="alerts.chart", sep="/")


def chart_png(incident: Incident) -> bytes:
    """Return the picture of the incident, an hour before its onset to a little after its end."""
    begin = (incident.onset - BEFORE).replace(second=0, microsecond=0)
    end = min(incident.last_anomaly + AFTER, begin + LONGEST)
    length = int((end - begin) / MINUTE) + 1
    lines = {name: np.full(length, np.nan) for name in ("expected", "lower", "upper", "seen")}
    whole = not incident.status or incident.family.startswith("volume")
    for band in Band.objects.filter(source=incident.source_id, minute__range=(begin, end)):
        place = int((band.minute - begin) / MINUTE)
        values = (band.expected, band.lower, band.upper)
        if not whole:
            values = tuple(band.by_status.get(incident.status) or (None,) * 3)
        for name, value in zip(("expected", "lower", "upper"), values, strict=True):
            lines[name][place] = np.nan if value is None else value
        # A judged minute without a count is a zero; one that nobody judged is unknown.
        lines["seen"][place] = 0.0
    _add_seen(incident, begin, end, lines["seen"], whole=whole)
    onset = int((incident.onset - begin) / MINUTE)
    return draw(Course(**lines, onset=min(onset, length - 1)))


def _add_seen(
    incident: Incident,
    begin: datetime,
    end: datetime,
    seen: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    *,
    whole: bool,
) -> None:
    rows = MinuteCount.objects.filter(source=incident.source_id, minute__range=(begin, end))
    if not whole:
        rows = rows.filter(status=incident.status)
    for minute, count in rows.values_list("minute", "count"):
        place = int((minute - begin) / MINUTE)
        seen[place] = count + (0.0 if np.isnan(seen[place]) else seen[place])


def chart_address(incident: Incident) -> str:
    """Return where a vendor can fetch the picture; empty where nobody outside could.

    The address proves by itself that we gave it out: Slack cannot sign in.
    """
    if not settings.GUARDIAN_URL.startswith("https://"):
        return ""
    try:
        path = reverse("incident-picture", args=(incident.pk, proof_of(incident.pk)))
    except NoReverseMatch:
        return ""
    return f"{settings.GUARDIAN_URL}{path}"


def proof_of(incident_id: int) -> str:
    """Return the proof that belongs to an incident's picture."""
    return PROOF.signature(str(incident_id))

"""What an incident was closed as is said to detection, which learns from it."""

from datetime import datetime

from alerts.models import Incident
from detection.models import Family, Label
from detection.services.labels import label_deviation, revoke_labels_of

KIND_OF_LABEL: dict[str, Label.Kind] = {
    Incident.Label.REAL: Label.Kind.INCIDENT,
    Incident.Label.FALSE_POSITIVE: Label.Kind.NOISE,
    Incident.Label.NEW_LEVEL: Label.Kind.NEW_LEVEL,
    Incident.Label.PLANNED: Label.Kind.EXPECTED,
}
NOTE_AT_MOST = 500


def teach_label(
    *,
    incident: Incident,
    until: datetime | None,
    who: str,
    why: str,
    now: datetime,
    part: Incident | None = None,
) -> None:
    """Detection has the label of an incident, up to a moment or to its last bad minute.

    Of a part that was merged into it the same is said, for as long as it is said of the incident.

    Of a duplicate the other one says it all, and of what other systems found detection knows
    nothing.
    """
    kind, meant = KIND_OF_LABEL.get(incident.label), part or incident
    if kind is None or meant.family not in Family.values:
        return
    label_deviation(
        source=meant.source,
        kind=kind,
        family=meant.family,
        starts=meant.onset,
        ends=max(meant.last_anomaly, until or meant.last_anomaly),
        note=f"#{incident.pk} closed by {who}: {why}"[:NOTE_AT_MOST],
        incident=incident.pk,
        now=now,
    )


def take_back_label(*, incident: Incident, now: datetime) -> None:
    """Detection no longer holds what was said when the incident was closed."""
    revoke_labels_of(incident=incident.pk, now=now)

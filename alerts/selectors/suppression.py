"""What keeps an incident from being told at this moment."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from alerts import conf
from alerts.models import Incident, MaintenanceWindow, Silence, StageAlarm
from alerts.models.quiet import Matcher
from alerts.policy import LOW_FAMILIES
from alerts.selectors.watch import last_away, late_stage
from alerts.suppression import LATE, Away, Holding, Subject, held_back, holding_now, unheard


@dataclass(frozen=True)
class Quiet:
    """All that may hold messages back at a moment, read once, when it is asked for first."""

    now: datetime

    @cached_property
    def silences(self) -> list[Silence]:
        """Those that hold now."""
        begun = Silence.objects.filter(starts__lte=self.now, ends__gt=self.now)
        return list(begun.select_related("source").order_by("id"))

    @cached_property
    def windows(self) -> list[MaintenanceWindow]:
        """All there are, whether they are open or not."""
        return list(MaintenanceWindow.objects.select_related("source").order_by("id"))

    @cached_property
    def late_stage(self) -> str | None:
        """The stage of ours that is late; None if all are in time."""
        return late_stage(now=self.now)

    def holding(self, incident: Incident) -> Holding | None:
        """Return what keeps the incident from being told; None if nothing does."""
        if self._unheard(incident):
            return Holding(LATE, StageAlarm.Stage.INGEST.label.lower())
        sources = (incident.source_id, incident.source.parent_id)
        subject = Subject(
            sources=frozenset(pk for pk in sources if pk is not None),
            family=incident.family,
            level=incident.level,
        )
        return held_back(
            subject,
            now=self.now,
            silences=self.silences,
            windows=self.windows,
            late_stage=self.late_stage,
        )

    @cached_property
    def _away(self) -> Away | None:
        return last_away()

    def _unheard(self, incident: Incident) -> bool:
        """Say whether we were away in all that the incident knows of."""
        # Of other failures nobody needs to ask when that was.
        if incident.family not in LOW_FAMILIES or self._away is None:
            return False
        return unheard(
            incident.family,
            onset=incident.onset,
            last=incident.last_anomaly,
            away=self._away,
            rules=conf.rules(),
        )

    def concerning(self, sources: frozenset[int] | None) -> list[Holding]:
        """Return the silences and windows that hold for a reader of these sources."""
        silences = [one for one in self.silences if concerns(one, sources)]
        windows = [one for one in self.windows if concerns(one, sources)]
        return list(holding_now(silences, windows, self.now))


def suppression_of(incident: Incident, *, now: datetime) -> str | None:
    """Return what keeps the incident from being told now, with its id; None if nothing does."""
    holding = Quiet(now).holding(incident)
    return None if holding is None else holding.reason


def active_silences(*, now: datetime, sources: frozenset[int] | None = None) -> list[Silence]:
    """Return the silences that hold now for a reader of these sources, the first to end first."""
    rows = Silence.objects.filter(starts__lte=now, ends__gt=now).select_related("source")
    return [silence for silence in rows.order_by("ends") if concerns(silence, sources)]


def concerns(matcher: Matcher, sources: frozenset[int] | None) -> bool:
    """Say whether a silence or window concerns a reader of these sources; None sees all."""
    return sources is None or matcher.source_id is None or matcher.source_id in sources

"""Mean times, from the timeline's own stamps."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q

from alerts.lifecycle import State
from alerts.models import Incident
from alerts.selectors.incidents import seen

PERIOD = timedelta(days=30)
# A month of a large company is thousands of incidents: without their long texts.
READ = (
    *("source__name", "family", "parent_id", "label", "historical", "onset", "detected", "opened"),
    *("acknowledged", "resolved", "last_anomaly", "key"),
)


@dataclass(frozen=True)
class Means:
    """Mean times of some incidents [s]; None where nothing was there to measure.

    Attributes
    ----------
    incidents : int
        How many failures were counted; false positives, parts and merged ones are not.
    false_positives : int
        How many were labelled so.
    mttd : float or None
        Onset to detection.
    mtta : float or None
        Opening to the first acknowledgement.
    mttr : float or None
        Onset to the end of the failure.
    mtbf : float or None
        End of one failure to the onset of the next, of the same source and family.
    downtime : float
        Time in failure, all of them together.
    """

    incidents: int = 0
    false_positives: int = 0
    mttd: float | None = None
    mtta: float | None = None
    mttr: float | None = None
    mtbf: float | None = None
    downtime: float = 0.0


@dataclass(frozen=True)
class Statistics:
    """Means of a period, in all and by family and source."""

    since: datetime
    until: datetime
    total: Means
    by_family: dict[str, Means] = field(default_factory=dict)
    by_source: dict[str, Means] = field(default_factory=dict)

    def busiest_sources(self, most: int) -> list[tuple[str, Means]]:
        """Return the sources with most incidents, and their means."""
        ranked = sorted(self.by_source.items(), key=lambda pair: (-pair[1].incidents, pair[0]))
        return ranked[:most]


def opened_between(since: datetime, until: datetime) -> Q:
    """Return the condition for incidents that were opened between two moments.

    That is when people may first hear of them, which may be long after they began. What was found
    in past minutes was opened for nobody, and counts when it began.
    """
    opened = Q(historical=False, opened__gte=since, opened__lt=until)
    return opened | Q(historical=True, onset__gte=since, onset__lt=until)


def period_statistics(
    *,
    now: datetime,
    since: datetime | None = None,
    source: str = "",
    family: str = "",
    sources: frozenset[int] | None = None,
    which: Q | None = None,
) -> Statistics:
    """Return the mean times of the incidents that began in a period, by default the last 30 days.

    With `which`, of the incidents for which that condition holds, whenever they began.
    """
    begin = since or now - PERIOD
    wanted = Q(onset__gte=begin, onset__lt=now) if which is None else which
    rows = seen(Incident.objects.filter(wanted), sources)
    rows = rows.exclude(state=State.MERGED)
    if source:
        rows = rows.filter(source__name=source)
    if family:
        rows = rows.filter(family=family)
    every = list(rows.select_related("source").only(*READ).order_by("onset", "id"))
    # A part whose root is counted is the same failure; if the root is not, the part stands for it.
    counted = {one.pk for one in every}
    found = [one for one in every if one.parent_id not in counted]
    return Statistics(
        since=begin,
        until=now,
        total=means_of(found),
        by_family={name: means_of(group) for name, group in _grouped(found, "family").items()},
        by_source={name: means_of(group) for name, group in _grouped(found, "source").items()},
    )


def _grouped(found: list[Incident], by: str) -> dict[str, list[Incident]]:
    groups: dict[str, list[Incident]] = defaultdict(list)
    for incident in found:
        groups[incident.source.name if by == "source" else incident.family].append(incident)
    return dict(groups)


def means_of(incidents: Iterable[Incident]) -> Means:
    """Return the mean times of incidents given in the order of their onsets."""
    rows = list(incidents)
    false = [one for one in rows if one.label == Incident.Label.FALSE_POSITIVE]
    true = [one for one in rows if one.label != Incident.Label.FALSE_POSITIVE]
    live = [one for one in true if not one.historical]
    lengths = [(one.ended - one.onset).total_seconds() for one in true if one.ended]
    return Means(
        incidents=len(true),
        false_positives=len(false),
        mttd=_mean([(one.detected - one.onset).total_seconds() for one in live]),
        mtta=_mean(
            [(one.acknowledged - one.opened).total_seconds() for one in live if one.acknowledged]
        ),
        mttr=_mean(lengths),
        mtbf=_mean(_gaps(true)),
        downtime=sum(lengths),
    )


def _gaps(rows: list[Incident]) -> list[float]:
    last: dict[tuple[int, str], Incident] = {}
    gaps = []
    for one in rows:
        key = (one.source_id, one.family)
        before = last.get(key)
        if before is not None and before.ended is not None:
            gaps.append(max((one.onset - before.ended).total_seconds(), 0.0))
        last[key] = one
    return gaps


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None

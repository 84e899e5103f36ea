"""Alarms of a backtest joined into episodes, and set against what people labelled."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

# Quiet minutes inside one episode; more, and it is another one.
JOINED_MINUTES = 10
# An alarm this close before or after a labelled window still speaks of it.
MARGIN_MINUTES = 5
CRITICAL = 2


@dataclass(frozen=True, slots=True)
class Alarm:
    """One family of one source was not normal in one minute."""

    source_id: int
    minute: int
    family: str
    level: int
    score: float
    reason: str = ""


@dataclass(slots=True)
class Episode:
    """An unbroken run of alarms of one source and family."""

    source_id: int
    family: str
    first: int
    last: int
    level: int
    # First minute at the level that calls people; None if it never got there.
    paged: int | None
    reason: str
    peak: float

    def told(self, patience: "Patience") -> int | None:
        """First minute in which people hear of it; None when they never do.

        What is critical is told at once, a warning if it is not over by the time it is due.
        """
        due = self.first + patience.wait
        lasted = due if self.last + patience.quiet >= due else None
        return min((one for one in (self.paged, lasted) if one is not None), default=None)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a warning waits to be told, and how many quiet minutes end it before [min]."""

    wait: int
    quiet: int


@dataclass(frozen=True, slots=True)
class Window:
    """Minutes of a source that somebody labelled."""

    source_id: int
    family: str
    kind: str
    first: int
    last: int

    def meets(self, one: Episode) -> bool:
        """Whether an episode speaks of this window."""
        same = one.source_id == self.source_id and self.family in ("", one.family)
        near = one.first <= self.last + MARGIN_MINUTES and one.last >= self.first - MARGIN_MINUTES
        return same and near


def episodes_of(alarms: Iterable[Alarm]) -> list[Episode]:
    """Join alarms into episodes.

    Examples
    --------
    >>> alarms = [Alarm(1, minute, "decline", 1 + (minute > 3), 0.9) for minute in (1, 2, 4, 40)]
    >>> [(one.first, one.last, one.paged) for one in episodes_of(alarms)]
    [(1, 4, 4), (40, 40, 40)]
    """
    episodes: list[Episode] = []
    running: dict[tuple[int, str], Episode] = {}
    for alarm in sorted(alarms, key=lambda one: one.minute):
        key = (alarm.source_id, alarm.family)
        one = running.get(key)
        if one is None or alarm.minute - one.last > JOINED_MINUTES:
            one = Episode(
                alarm.source_id,
                alarm.family,
                alarm.minute,
                alarm.minute,
                0,
                None,
                alarm.reason,
                0.0,
            )
            running[key] = one
            episodes.append(one)
        one.last = alarm.minute
        if one.paged is None and alarm.level >= CRITICAL:
            one.paged = alarm.minute
        if alarm.level > one.level:
            one.level, one.reason = alarm.level, alarm.reason
        one.peak = max(one.peak, alarm.score)
    return episodes


@dataclass
class Reckoning:
    """How the episodes of one source stand against what people said."""

    pages: int = 0
    # Episodes that were never critical, and those of them that lasted until people heard.
    warnings: int = 0
    warnings_told: int = 0
    # Pages in windows labelled as noise, expected or wrong data, and pages that nobody labelled; of
    # an incident, or of what became the normal, people were right to hear.
    false_pages: int = 0
    unlabelled_pages: int = 0
    # From the begin of an incident until people heard of it [min], for each that they heard of.
    delays: list[int] = field(default_factory=list)
    found: list[Window] = field(default_factory=list)
    lost: list[Window] = field(default_factory=list)


def reckon(
    episodes: Sequence[Episode], windows: Sequence[Window], patience: Patience, since: int = 0
) -> Reckoning:
    """Count pages, and incidents found and lost; a page counts once however long it lasts.

    An incident is found if people heard of it, by a page or by a warning that was told. One that
    began before `since`, the first minute of the episodes, is neither found nor lost: people may
    have heard of it earlier.
    """
    told = Reckoning()
    incidents = [one for one in windows if one.kind == "incident"]
    right = [*incidents, *(one for one in windows if one.kind == "new_level")]
    others = [one for one in windows if one.kind in ("noise", "expected", "data_problem")]
    for episode in episodes:
        if episode.paged is None:
            told.warnings += 1
            told.warnings_told += episode.told(patience) is not None
            continue
        told.pages += 1
        if any(one.meets(episode) for one in right):
            continue
        if any(one.meets(episode) for one in others):
            told.false_pages += 1
        else:
            told.unlabelled_pages += 1
    for window in incidents:
        if window.first < since:
            continue
        heard = [
            minute
            for episode in episodes
            if window.meets(episode) and (minute := episode.told(patience)) is not None
        ]
        if heard:
            told.found.append(window)
            told.delays.append(max(min(heard) - window.first, 0))
        else:
            told.lost.append(window)
    return told

"""What an anomaly means for people: pure decisions, each with its reason.

Nothing here reads a clock or a database; the services hand in what is known and store what is
decided.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.conf import Rules
from alerts.lifecycle import ONGOING, State

RANK = {"NORMAL": 0, "WARNING": 1, "CRITICAL": 2}
LOW_FAMILIES = frozenset({"volume_low", "silence"})
SHIFT_FAMILIES = frozenset({"code_mix"})
# Of findings in the same minute the one that explains the others comes first and is their root.
EXPLAINS_FIRST = (
    "silence",
    "volume_low",
    "technical_failure",
    "decline",
    "reversal",
    "volume_high",
    "code_mix",
)
MINUTE = timedelta(minutes=1)
LATE = "a late minute of an incident that is known"
WAVE = "began together at many sources"


class Step(StrEnum):
    OPEN = "open"
    ABSORB = "absorb"
    RAISE = "raise"
    REOPEN = "reopen"
    RECORD = "record"


@dataclass(frozen=True)
class Finding:
    """What the policy needs to know of an anomaly."""

    minute: datetime
    level: str
    past: bool = False


@dataclass(frozen=True)
class Standing:
    """What the policy needs to know of the latest incident of the same kind.

    One that was merged stands as the incident it was merged into.
    """

    state: str
    level: str
    first_anomaly: datetime
    last_anomaly: datetime
    resolved: datetime | None = None
    by_hand: bool = False
    false_positive: bool = False
    reopened: int = 0
    reopened_by_hand: datetime | None = None

    @property
    def ongoing(self) -> bool:
        return self.state in ONGOING


@dataclass(frozen=True)
class Decision:
    """What to do, and why, in words for the timeline."""

    step: Step
    reason: str


@dataclass(frozen=True)
class Resolution:
    """Whether an incident is over, and why."""

    over: bool
    reason: str


def direction_of(family: str, excess_high: float | None) -> str:
    """Return which side of normal a family lies on: high, low or shift.

    Parameters
    ----------
    family : str
        The anomaly's family.
    excess_high : float or None
        Upper end of the excess interval [transactions]; below zero the whole of it is a lack.
        None is unknown.

    Examples
    --------
    >>> direction_of("decline", 12.0), direction_of("decline", -4.0), direction_of("silence", None)
    ('high', 'low', 'low')
    """
    if family in LOW_FAMILIES:
        return "low"
    if family in SHIFT_FAMILIES:
        return "shift"
    return "low" if excess_high is not None and excess_high < 0 else "high"


def quiet_needed(reopened: int, rules: Rules) -> int:
    """Return how many quiet minutes end an incident; each return of the failure doubles them.

    Examples
    --------
    >>> [quiet_needed(n, Rules()) for n in (0, 1, 2, 9)]
    [5, 10, 20, 60]
    """
    doubled = rules.quiet_minutes << min(reopened, 16)
    return max(rules.quiet_minutes, min(doubled, rules.quiet_at_most))


def worse(level: str, than: str) -> bool:
    """Say whether `level` is graver.

    Examples
    --------
    >>> worse("CRITICAL", than="WARNING"), worse("WARNING", than="WARNING")
    (True, False)
    """
    return RANK[level] > RANK[than]


def decide(finding: Finding, standing: Standing | None, *, now: datetime, rules: Rules) -> Decision:
    """Decide what an anomaly does to the latest incident of its source, family and direction.

    Parameters
    ----------
    finding : Finding
        The anomaly.
    standing : Standing or None
        The latest incident of the same kind; None if there was never one.
    now : datetime
        Time of the decision.
    rules : Rules
        How patient to be.

    Returns
    -------
    Decision
        The step and its reason.
    """
    if finding.past:
        return _decide_past(finding, standing, rules)
    if standing is None:
        return Decision(Step.OPEN, f"first {finding.level} of its kind")
    if standing.ongoing:
        return _decide_ongoing(finding, standing)
    return _decide_over(finding, standing, now, rules)


def _decide_past(finding: Finding, standing: Standing | None, rules: Rules) -> Decision:
    if standing is not None:
        reach = quiet_needed(0, rules) * MINUTE
        begin, end = standing.first_anomaly - reach, standing.last_anomaly + reach
        if begin <= finding.minute <= end:
            return Decision(Step.ABSORB, LATE)
    return Decision(Step.RECORD, "found in past minutes: kept, nobody is called")


def _decide_ongoing(finding: Finding, standing: Standing) -> Decision:
    if worse(finding.level, standing.level):
        return Decision(Step.RAISE, f"rose from {standing.level} to {finding.level}")
    return Decision(Step.ABSORB, "goes on")


def _decide_over(finding: Finding, standing: Standing, now: datetime, rules: Rules) -> Decision:
    gap = finding.minute - standing.last_anomaly
    if gap <= timedelta():
        # Judged again with counts that came late: the minutes after it are known to be quiet.
        return Decision(Step.ABSORB, LATE)
    same_run = gap <= quiet_needed(standing.reopened, rules) * MINUTE
    graver = worse(finding.level, standing.level)
    if standing.false_positive and same_run and not graver:
        return Decision(Step.ABSORB, "labelled a false positive; the same run goes on")
    if standing.by_hand and same_run and not graver and within_patience(standing, now, rules):
        return Decision(Step.ABSORB, "resolved by hand a moment ago; waiting for it to clear")
    if standing.state == State.RESOLVED and gap <= rules.reopen_minutes * MINUTE:
        return Decision(Step.REOPEN, f"back {int(gap / MINUTE)} min after its last bad minute")
    return Decision(Step.OPEN, f"{finding.level} after {int(gap / MINUTE)} min without one")


def within_patience(standing: Standing, now: datetime, rules: Rules) -> bool:
    """Say whether so little time passed since the incident ended that it may yet clear."""
    return (
        standing.resolved is not None and now - standing.resolved <= rules.patience_minutes * MINUTE
    )


def decide_resolution(
    standing: Standing, *, judged_through: datetime | None, rules: Rules
) -> Resolution:
    """Decide whether an incident is over: enough minutes were judged, and all were quiet.

    Parameters
    ----------
    standing : Standing
        An ongoing incident; `last_anomaly` is the latest of it and of its parts.
    judged_through : datetime or None
        The last minute that detection has judged; None if it has judged none. Minutes that nobody
        judged are not quiet: a detection that stands still resolves nothing.
    rules : Rules
        How patient to be.
    """
    needed = quiet_needed(standing.reopened, rules)
    if judged_through is None:
        return Resolution(False, "no minute judged yet")
    # Who reopens an incident knows of something that the minutes before do not show.
    since = max(standing.last_anomaly, standing.reopened_by_hand or standing.last_anomaly)
    quiet = max(int((judged_through - since) / MINUTE), 0)
    if quiet < needed:
        return Resolution(False, f"{quiet} of {needed} quiet minutes")
    return Resolution(True, f"{quiet} minutes judged normal")


# What hides what, on the same source: nobody needs three messages to learn that nothing arrives.
HIDES = {
    "silence": frozenset({"volume_low", "decline", "technical_failure", "reversal", "code_mix"}),
    "volume_low": frozenset({"decline", "technical_failure", "reversal", "code_mix"}),
}


@dataclass(frozen=True)
class Kin:
    """What the policy needs to know of an incident to tell whether another belongs to it."""

    source: int
    source_parent: int | None
    family: str
    level: str
    onset: datetime
    first_anomaly: datetime
    # When it last came back after it was over; None: it never was.
    returned: datetime | None = None
    # Its last bad minute; None: the present one.
    last_anomaly: datetime | None = None


def is_wave(others: int, *, watched: int, rules: Rules) -> bool:
    """Say whether a failure began at so many other sources that it is one failure of all of them.

    Parameters
    ----------
    others : int
        Sources at which the same began about then.
    watched : int
        Sources that are watched: of very many some are always odd at the same time.

    Examples
    --------
    >>> [is_wave(n, watched=40, rules=Rules()) for n in (2, 3)]
    [False, True]
    >>> is_wave(9, watched=10_000, rules=Rules())
    False
    """
    return others >= rules.wave_sources + watched // 1_000


def relation(
    new: Kin, root: Kin, rules: Rules, *, last_heard: datetime | None = None
) -> str | None:
    """Return why `new` is a part of the ongoing incident `root`; None if it is not.

    Parameters
    ----------
    last_heard : datetime or None
        The newest minute in which any watched source reported; None if it does not matter.
    """
    # Where evidence grew slowly one onset may lie far back: being seen together counts as well.
    apart = min(abs(new.onset - root.onset), abs(new.first_anomaly - root.first_anomaly))
    if root.returned is not None:
        apart = min(apart, abs(new.first_anomaly - root.returned))
    near = apart <= rules.related_minutes * MINUTE
    # A root that has long been quiet, and only waits to be over, explains nothing new.
    quiet = new.first_anomaly - (root.last_anomaly or new.first_anomaly)
    grave = root.level == "CRITICAL" and quiet <= rules.related_minutes * MINUTE
    if new.source == root.source:
        if grave and new.family in HIDES.get(root.family, frozenset()):
            return f"hidden by {root.family} of the same source"
        return "began together at the same source" if near else None
    total = root.family in HIDES and grave
    if new.source_parent == root.source and (total or (near and new.family == root.family)):
        return f"part of {root.family} at the source above it"
    if near and new.family == root.family and _are_family(new, root):
        return "began together at sources of one parent"
    if near and _all_are_silent(new, root, last_heard):
        return "no source reports any more"
    return None


def is_another(returned: datetime, root: Standing, rules: Rules) -> bool:
    """Say whether a part that returns stands for itself: its root was over long before."""
    return not root.ongoing and returned - root.last_anomaly > rules.related_minutes * MINUTE


def _all_are_silent(new: Kin, root: Kin, last_heard: datetime | None) -> bool:
    """Say whether no source was heard since both began: then the failure is most likely ours.

    The minute in which reports stop is half full, so it may show low volume before the silence.
    """
    fallen = {new.family, root.family} <= LOW_FAMILIES
    return fallen and last_heard is not None and last_heard <= max(new.onset, root.onset)


def _are_family(one: Kin, other: Kin) -> bool:
    siblings = one.source_parent is not None and one.source_parent == other.source_parent
    return siblings or other.source_parent == one.source

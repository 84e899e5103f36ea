"""What is wrong in a judged minute, one finding for each family, ready to be stored or answered."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from detection import messages
from detection.rules import LEVELS, Rule, broken
from detection.scoring.detector import Scores
from detection.scoring.explain import Subject, explain
from detection.scoring.minutes import Counts
from detection.scoring.series import FAMILIES, STATUSES
from detection.scoring.state import State

STATUS_OF_FAMILY = {
    "decline": "denied",
    "code_mix": "denied",
    "volume_low": "approved",
    "volume_high": "approved",
    "silence": "",
}
STATUSES_OF_FAMILY = {
    "technical_failure": ("failed", "backend_reversed"),
    "reversal": ("reversed", "refunded"),
}
NOT_APPROVED = ("denied", "failed", "reversed", "backend_reversed")
# How far above its expectation a status is unusual by itself in one minute [standard deviations].
FAR = 2.0
MOST_CONTRIBUTIONS = 5
Statuses = NDArray[np.floating]
Band = tuple[float, float, float]


@dataclass(slots=True)
class Finding:
    """One family of one source is not normal in one minute."""

    family: str
    level: int
    status: str
    auth_code: str = ""
    # Expected count of the code, lower and upper end; None: the band of its status holds.
    band: Band | None = None
    onset: int = -1
    excess: float | None = None
    excess_low: float | None = None
    excess_high: float | None = None
    violations: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    contributions: list[dict[str, object]] = field(default_factory=list)
    owner: str = ""
    recommendation: str = ""


def worst_first(level: int, family: str) -> tuple[int, int]:
    """Sort key of the findings of one minute."""
    return -level, FAMILIES.index(family)


def family_findings(
    state: State, scores: Scores, counts: Counts, minutes: Sequence[int]
) -> dict[int, list[Finding]]:
    """What the tests found in the minute of each row, by row."""
    rows = np.flatnonzero(scores.level > 0).tolist()
    return {row: _of_row(state, scores, counts, row, minutes[row]) for row in rows}


def _of_row(state: State, scores: Scores, counts: Counts, row: int, minute: int) -> list[Finding]:
    told = explain(state, scores, counts, row, minute)
    levels = scores.family_level[row]
    active = [int(i) for i in np.flatnonzero(levels > 0)]
    # the order in which explain() tells its reasons: the worst first
    active.sort(key=lambda i: (-levels[i], -scores.evidence[row, i]))
    found = []
    for place, index in enumerate(active):
        family = FAMILIES[index]
        subject = told.subjects[place]
        status = _status(family, subject, scores, row)
        by_code = family in ("decline", "code_mix") and status == "denied"
        code = subject.code if by_code else ""
        onset = int(scores.onset_utc_minute[row, index])
        finding = Finding(
            family=family,
            level=int(levels[index]),
            status=status,
            auth_code=code,
            band=_code_band(state, scores, row, code),
            onset=onset,
            violations=told.rules[place : place + 1],
            reasons=told.reasons[place : place + 1],
            contributions=_contributions(subject.codes, told.statuses, family),
        )
        # Without an onset the alarm is about to end; its cost was told in the minutes before.
        if onset >= 0:
            finding.excess = round(float(scores.excess[row, index]), 1)
            finding.excess_low = round(float(scores.excess_low[row, index]), 1)
            finding.excess_high = round(float(scores.excess_high[row, index]), 1)
        # Where denials are missing, those who usually cause them are not the cause.
        finding.owner = messages.owner_of(family, "" if subject.falls else code)
        finding.recommendation = messages.first_action(family, finding.level, finding.auth_code)
        found.append(finding)
    return found


def _code_band(state: State, scores: Scores, row: int, code: str) -> Band | None:
    """What is expected of the code that a finding names; None where it names none."""
    slot = state.slots_of(row).get(code)
    return None if slot is None else scores.code_band(row, slot)


def _status(family: str, subject: Subject, scores: Scores, row: int) -> str:
    """The status that says most about a finding: of failures and reversals the one furthest off.

    Of a decline of all that was not approved it is the furthest too, if that is far off. If not,
    the evidence has added up over many minutes and shows in none of them: then it is the denials.
    """
    distance = dict(zip(STATUSES, scores.zscore[row].tolist(), strict=True))
    if family in STATUSES_OF_FAMILY:
        return max(STATUSES_OF_FAMILY[family], key=lambda status: distance[status])
    if family == "decline" and subject.broad:
        furthest = max(NOT_APPROVED, key=lambda status: distance[status])
        return furthest if distance[furthest] >= FAR else "denied"
    return STATUS_OF_FAMILY[family]


def _contributions(
    codes: Sequence[tuple[str, float]], statuses: Sequence[tuple[str, float]], family: str
) -> list[dict[str, object]]:
    parts: list[dict[str, object]] = [
        {"status": name, "share": round(share, 3)} for name, share in statuses
    ]
    if family in ("decline", "code_mix"):
        parts = [
            {"status": "denied", "auth_code": name, "share": round(share, 3)}
            for name, share in codes
        ] + parts
    return parts[:MOST_CONTRIBUTIONS]


@dataclass(frozen=True, slots=True)
class Window:
    """One source minute and the minutes before it."""

    row: int
    minute: int
    status: Statuses
    recent: Iterable[tuple[int, Statuses]]
    # The first minute from which on all that was counted is known and believed.
    known_from: int

    def knows(self, minutes: int) -> bool:
        """Whether all of the last minutes, this one included, are known."""
        return self.minute - minutes >= self.known_from - 1

    def last(self, minutes: int) -> list[float]:
        """Transactions by status in the last minutes, this one included."""
        seen = np.array(self.status, float)
        for earlier, status in self.recent:
            if self.minute - minutes < earlier < self.minute:
                seen += status[self.row]
        return [float(one) for one in seen]


def rule_findings(rules: Sequence[Rule], window: Window, *, closed: bool) -> list[Finding]:
    """What the static rules of one source found in the windows that end with this minute."""
    found = []
    for rule in rules:
        if not closed and not _certain_early(rule):
            continue
        # Minutes of which nothing is known must not count as empty ones.
        if rule.wants_more and not window.knows(rule.minutes):
            continue
        violation = broken(rule, window.last(rule.minutes))
        if violation is not None:
            found.append(_of_rule(rule, violation))
    return found


def _certain_early(rule: Rule) -> bool:
    """Whether a minute that is still filling can only make the violation greater."""
    return rule.op.startswith(">") and not rule.is_rate


def _of_rule(rule: Rule, violation: str) -> Finding:
    level = LEVELS.index(rule.level)
    return Finding(
        family=rule.family,
        level=level,
        status=rule.status,
        violations=[violation],
        reasons=[messages.BROKEN_RULE.say(violation=violation)],
        owner=messages.owner_of(rule.family, ""),
        recommendation=messages.first_action(rule.family, level, ""),
    )


def merge(findings: Iterable[Finding]) -> dict[str, Finding]:
    """One finding for each family: the worst, with the violations and reasons of all."""
    merged: dict[str, Finding] = {}
    for one in findings:
        known = merged.get(one.family)
        if known is None:
            merged[one.family] = one
            continue
        worse, other = (one, known) if one.level > known.level else (known, one)
        measured = other if worse.excess is None else worse
        # A copy, because the single findings are still needed for the answers.
        merged[one.family] = replace(
            worse,
            violations=[*worse.violations, *other.violations],
            reasons=[*worse.reasons, *other.reasons],
            onset=measured.onset,
            excess=measured.excess,
            excess_low=measured.excess_low,
            excess_high=measured.excess_high,
        )
    return merged

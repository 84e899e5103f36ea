"""Walk sources at the same frontier through their minutes together: the one path of every verdict.

The sweep, requests that replay old minutes, late data and backtests all come through here, which
is why they agree.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detection import conf
from detection.clock import minute_of, moment_of, offset_of
from detection.rules import LONGEST_WINDOW
from detection.scoring import detector
from detection.scoring.detector import Scores
from detection.scoring.forest import Forest, features
from detection.scoring.minutes import Counts, Moments, tally
from detection.scoring.outlook import Outlook
from detection.scoring.policy import Policy
from detection.scoring.series import MINUTES_PER_DAY, Floats
from detection.scoring.state import State, stack
from detection.selectors.baselines import last_minutes
from detection.selectors.counts import Row, Rows
from detection.selectors.declarations import STOPPED, Declarations
from detection.services.adopting import adopt_level, end_alarm, keep_confirmed
from detection.services.findings import (
    Finding,
    Window,
    family_findings,
    rule_findings,
    worst_first,
)
from detection.services.watched import NEVER, Watched, stack_policies, unstack

GAP_MINUTES = int(conf.LONGEST_GAP.total_seconds() // 60)


Statuses = NDArray[np.floating]
# Returns the outlook of some source minutes, worked out or remembered.
Outlooks = Callable[[State, Policy, Moments], Outlook]
# (minute, transactions by source and status): what rules over several minutes look back on.
Recent = Iterable[tuple[int, Statuses]]


@dataclass(slots=True)
class Judged:
    """Source minutes that were judged together, one a row."""

    source_ids: Sequence[int]
    minutes: Sequence[int]
    scores: Scores
    counts: Counts
    rows: Sequence[Sequence[Row] | None]
    # row -> what was found there; rows where all is well are absent.
    findings: dict[int, list[Finding]]
    # Minutes seen before this one; the answer to a source that still learns names them.
    seen: Sequence[int]
    # What the forest sees, where somebody asked for it, shape (S, P).
    features: Floats | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """Which source minutes are to be judged, one a row, and under which conditions."""

    source_ids: Sequence[int]
    zones: Sequence[str]
    minutes: Sequence[int]
    rows: Sequence[Sequence[Row] | None]
    closed: Sequence[bool]
    past: Sequence[bool] | None = None
    # Where each source came back to after a gap that was not judged; 0 = it was never away.
    back: Sequence[int] | None = None

    def known_from(self, state: State, declared: Declarations, row: int) -> int:
        """The first minute from which on all that was counted is known and believed."""
        minute, first = self.minutes[row], int(state.started[row])
        return max(
            minute if first < 0 else first,
            declared.believed_from(self.source_ids[row], minute),
            self.back[row] if self.back else 0,
        )

    def moments(self, declared: Declarations) -> Moments:
        """The minutes in each source's own time, with what is declared for them."""
        utc = np.array(self.minutes, np.int64)
        pairs = zip(self.zones, self.minutes, strict=True)
        local = utc + np.array([offset_of(zone, minute) for zone, minute in pairs], np.int64)
        if not declared.days:
            return Moments(utc, local)
        keys = zip(self.source_ids, self.minutes, strict=True)
        factors = np.array([declared.factor(source_id, minute) for source_id, minute in keys])
        return Moments(utc, local, factors)


def judge(
    state: State,
    policy: Policy,
    asking: Asking,
    declared: Declarations,
    forest: Forest | None,
    recent: Recent = (),
    outlooks: Outlooks = Outlook.of,
) -> Judged:
    """Judge source minutes; nothing is learned."""
    counts = tally(state, asking.rows)
    moments = asking.moments(declared)
    scores = detector.score(
        state,
        policy,
        moments,
        counts,
        closed=np.array(asking.closed),
        past=None if asking.past is None else np.array(asking.past),
        forest=forest,
        outlook=outlooks(state, policy, moments),
    )
    findings = family_findings(state, scores, counts, asking.minutes)
    for row, source_id in enumerate(asking.source_ids):
        rules = declared.settings_of(source_id).rules
        if rules:
            known_from = asking.known_from(state, declared, row)
            window = Window(row, asking.minutes[row], counts.status[row], recent, known_from)
            broken = rule_findings(rules, window, closed=asking.closed[row])
            findings[row] = findings.get(row, []) + broken
        if declared.planned and row in findings:
            through = int(state.through[row])
            findings[row] = [
                one for one in findings[row] if not _is_planned(declared, asking, row, through, one)
            ]
    return Judged(
        asking.source_ids,
        asking.minutes,
        scores,
        counts,
        asking.rows,
        {
            row: sorted(found, key=lambda one: worst_first(one.level, one.family))
            for row, found in findings.items()
            if found
        },
        [int(one) for one in state.minutes.tolist()],
    )


def _is_planned(
    declared: Declarations, asking: Asking, row: int, through: int, one: Finding
) -> bool:
    source_id, minute = asking.source_ids[row], asking.minutes[row]
    if declared.is_planned(source_id, minute, one.family):
        return True
    # A minute that still fills says nothing of low volume: what is told of it was seen before.
    carried = one.family in STOPPED and not asking.closed[row]
    return carried and declared.is_planned(source_id, through, one.family)


@dataclass
class Lockstep:
    """Sources at one frontier, with what was declared for them and the second opinion."""

    watched: Sequence[Watched]
    zones: Sequence[str]
    declared: Declarations
    forest: Forest | None = None
    with_features: bool = False
    state: State = field(init=False)
    policy: Policy = field(init=False)
    source_ids: list[int] = field(init=False)
    reported: list[int] = field(init=False)
    ruled: bool = field(init=False)
    planned_ends: set[int] = field(init=False)
    back: list[int] = field(init=False)
    recent: deque[tuple[int, Statuses]] = field(
        default_factory=lambda: deque(maxlen=LONGEST_WINDOW)
    )

    def __post_init__(self) -> None:
        self.source_ids = [one.source_id for one in self.watched]
        settings = [self.declared.settings_of(source_id) for source_id in self.source_ids]
        self.state = stack([one.state for one in self.watched])
        self.policy = stack_policies([one.policy for one in settings])
        self.reported = [one.reported for one in self.watched]
        self.ruled = any(one.rules for one in settings)
        self.back = [0] * len(self.watched)
        planned = (self.declared.planned.get(key, ()) for key in (None, *self.source_ids))
        self.planned_ends = {end for windows in planned for _, end, _ in windows}

    def recall(self, rows: Rows, before: int) -> None:
        """Take up the minutes before the frontier on which rules look back."""
        if not self.ruled:
            return
        earlier = range(before - LONGEST_WINDOW, before)
        believed = self.declared.believed({at: rows[at] for at in earlier if at in rows})
        for minute, by_source in believed.items():
            mine = [by_source.get(source_id) for source_id in self.source_ids]
            self.recent.append((minute, tally(self.state, mine).status))
        self._recall_returns(rows, earlier)

    def _recall_returns(self, rows: Rows, earlier: range) -> None:
        """Take up where the sources that were away came back, for rules on too few."""
        came = {}
        for row, source_id in enumerate(self.source_ids):
            if any(rule.wants_more for rule in self.declared.settings_of(source_id).rules):
                first = next((at for at in earlier if source_id in rows.get(at, ())), None)
                # Whoever reported in the first of these minutes, or in none, is not asked about.
                if first is not None and first > earlier[0]:
                    came[row] = first
        asked = [self.source_ids[row] for row in came]
        before = last_minutes(asked, moment_of(earlier[0])) if asked else {}
        for row, first in came.items():
            last = before.get(self.source_ids[row])
            if last is not None and is_gap(minute_of(last), first):
                self.back[row] = first

    def judge(self, minute: int, rows: Rows, *, closed: bool = True) -> Judged:
        """Judge one minute of all; nothing is learned."""
        for row, source_id in enumerate(self.source_ids if self.ruled else ()):
            if source_id in rows.get(minute, ()) and is_gap(self.reported[row], minute):
                self.back[row] = minute
        return judge(
            self.state,
            self.policy,
            self._asking(minute, rows, closed),
            self.declared,
            self.forest,
            self.recent,
        )

    def _asking(self, minute: int, rows: Rows, closed: bool) -> Asking:
        mine = rows.get(minute, {})
        size = len(self.source_ids)
        return Asking(
            self.source_ids,
            self.zones,
            [minute] * size,
            [mine.get(source_id) for source_id in self.source_ids],
            [closed] * size,
            back=self.back,
        )

    def advance(self, minutes: Sequence[int], rows: Rows) -> Iterator[Judged]:
        """Judge and learn the minutes in order; exhaust it, or the rest is not learned."""
        for minute in minutes:
            judged = self.judge(minute, rows)
            if self.with_features:
                judged.features = features(self.state, judged.scores, judged.counts)
            moments = self._asking(minute, rows, True).moments(self.declared)
            detector.learn(self.state, self.policy, moments, judged.counts, judged.scores)
            self._adopt(minute)
            self._end_planned(minute)
            self._keep_confirmed(moments)
            if self.ruled:
                self.recent.append((minute, judged.counts.status))
            for row, found in enumerate(judged.rows):
                if found:
                    self.reported[row] = minute
            yield judged

    def _adopt(self, minute: int) -> None:
        """Where an analyst said so, running alarms are the new normal with the next minute."""
        for row, source_id in enumerate(self.source_ids) if self.declared.adopted else ():
            for when, family in self.declared.adopted.get(source_id, ()):
                if when == minute:
                    adopt_level(self.state, row, family)

    def _end_planned(self, minute: int) -> None:
        """What was planned leaves no alarm behind: the traffic that returns would be told of it."""
        if minute + 1 not in self.planned_ends:
            return
        for row, source_id in enumerate(self.source_ids):
            for family in self.declared.ending(source_id, minute):
                end_alarm(self.state, row, family)

    def _keep_confirmed(self, moments: Moments) -> None:
        """At the end of a local day, of which then is learned how the next one goes."""
        if not self.declared.confirmed:
            return
        for row in np.flatnonzero(moments.minute_of_day == MINUTES_PER_DAY - 1).tolist():
            failures = self.declared.confirmed.get(self.source_ids[row], ())
            local = int(moments.local_minute[row] - moments.utc_minute[row])
            keep_confirmed(self.state, row, failures, local)

    def at_frontier(self) -> list[Watched]:
        """The sources as they are after the minutes advanced so far."""
        return unstack(self.watched, self.state, self.reported)


def is_gap(reported: int, minute: int) -> bool:
    """Whether some minutes between two in which a source reported are not judged."""
    return reported != NEVER and minute - reported > GAP_MINUTES + 1


def minutes_to_judge(
    one: Watched, upto: int, rows: Rows, wrong: Sequence[tuple[int, int]] = ()
) -> tuple[int, ...]:
    """The minutes after the frontier that are to be judged, in order.

    Left out are minutes declared wrong, and of a gap in which nothing is reported all but its
    first day: the source is simply not there.
    """
    last = one.reported
    minutes = []
    for minute in range(one.through + 1, upto + 1):
        if any(first <= minute < end for first, end in wrong):
            continue
        if one.source_id in rows.get(minute, ()):
            last = minute
        if last != NEVER and minute - last <= GAP_MINUTES:
            minutes.append(minute)
    return tuple(minutes)

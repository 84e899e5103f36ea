"""Old minutes beyond the frontier: a client replays the past, and each is judged in order."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from detection import conf
from detection.clock import minute_of
from detection.rules import LONGEST_WINDOW
from detection.selectors.counts import Row, rows_by_minute
from detection.services.advancing import (
    Journey,
    advance_sources,
    lockstep_of,
    with_first_minutes,
)
from detection.services.grouping import Group, SourceMinute
from detection.services.judgements import anomalies_of
from detection.services.keeping import Stored
from detection.services.lockstep import Judged
from detection.services.storing import replace_anomalies
from detection.services.watch import watch
from detection.services.watched import NEVER, Watched

ATTEMPTS = 3
# Sources remembered; to forget one costs an unneeded advance at most.
MOST_HEADS = 100_000
# A single step may come of two reports that overtook each other.
STEPS_OF_A_REPLAY = 2
# Reports of one moment may arrive in any order; a report older than this goes back in time
# [minutes].
STRAY_MINUTES = 2


class Heads:
    """The newest minute reported to this process for each source, and how it was reached.

    A source is advanced only for a client that replays its past in order, minute by minute. Reports
    that jump about in the past are answered without advancing it: each would have hours judged that
    the next report asks about again.
    """

    def __init__(self) -> None:
        # source id -> newest minute, steps that led there
        self._known: dict[int, tuple[int, int]] = {}

    def steps_on(
        self,
        source_id: int,
        minutes: Sequence[int],
        through: int,
        longest: int = conf.REPORT_MINUTES,
    ) -> bool:
        """Whether minutes that came one by one are steps in a replay; remembers them."""
        if len(minutes) == 1:
            return self._step(source_id, minutes[0], through, longest)
        steps = [self._step(source_id, minute, through, longest) for minute in sorted(minutes)]
        return any(steps)

    def _step(self, source_id: int, minute: int, through: int, longest: int) -> bool:
        newest, steps = self._known.get(source_id, (through, 0))
        if newest != NEVER and minute <= newest:
            if minute < newest - STRAY_MINUTES:
                self._remember(source_id, newest, 0)
            return False
        steps = steps + 1 if newest != NEVER and minute - newest <= longest else 0
        self._remember(source_id, minute, steps)
        return steps >= STEPS_OF_A_REPLAY

    def go_on(
        self,
        source_id: int,
        minutes: Sequence[int],
        through: int,
        longest: int = conf.BATCH_MINUTES,
    ) -> bool:
        """Whether a batch goes on where the one before ended, or is the first; remembers it.

        A batch that follows directly on the judged minutes goes on as well, whatever came before.
        """
        follows = through != NEVER and max(minutes) - through <= conf.REPORT_MINUTES
        if len(minutes) <= STEPS_OF_A_REPLAY:
            return self.steps_on(source_id, minutes, through, longest) or follows
        newest, steps = self._known.get(source_id, (through, 0))
        self._remember(source_id, max(newest, *minutes), steps)
        return follows or 2 * sum(minute > newest for minute in minutes) >= len(minutes)

    def _remember(self, source_id: int, newest: int, steps: int) -> None:
        if len(self._known) > MOST_HEADS:
            self._known.clear()
        self._known[source_id] = newest, steps

    def forget(self) -> None:
        """Forget all sources: for whoever deleted what was learned or reported."""
        self._known.clear()


heads = Heads()


def oldest_live(now: datetime) -> int:
    """The sweep should be past every minute before this one: what is unjudged there is replayed."""
    return minute_of(now - conf.replay_age())


def answer_replays(*, group: Group, replays: Sequence[SourceMinute]) -> list[SourceMinute]:
    """The sources are judged up to the reported minutes; those out of reach are returned."""
    waiting = {(one.source.id, one.minute): one for one in replays}

    def answer(judged: Judged) -> None:
        for row, source_id in enumerate(judged.source_ids):
            one = waiting.pop((source_id, judged.minutes[row]), None)
            if one is not None:
                group.answer_judged(one, judged, row, whole=True)

    last = {one.source.id: one for one in sorted(replays, key=lambda one: one.minute)}
    journey = Journey(
        upto={source_id: one.minute - 1 for source_id, one in last.items()},
        zones={source_id: one.source.zone.key for source_id, one in last.items()},
        keeper=Stored(group.now, replayed=True, listener=answer),
        declared=group.declared,
    )
    at_hand: dict[int, list[Watched]] = defaultdict(list)
    for one in advance_near(list(last), journey, _reach(replays, group.longest_step)):
        if one.through == last[one.source_id].minute - 1:
            at_hand[one.through + 1].append(one)
    for sources in at_hand.values():
        counts = {one.source_id: last[one.source_id].counts for one in sources}
        judged = judge_next(sources, counts, journey, now=group.now, closed=group.complete)
        for row, one in enumerate(sources):
            newest = last[one.source_id]
            waiting.pop((one.source_id, newest.minute), None)
            group.answer_judged(newest, judged, row, whole=group.complete)
    return list(waiting.values())


def _reach(replays: Sequence[SourceMinute], least: int) -> dict[int, int]:
    """How many minutes each source may be advanced by these reports."""
    brought = Counter(one.source.id for one in replays)
    return {
        source_id: min(max(least, conf.MINUTES_BETWEEN * times), conf.REQUEST_MINUTES)
        for source_id, times in brought.items()
    }


def advance_near(
    source_ids: Sequence[int], journey: Journey, reach: Mapping[int, int] | None = None
) -> list[Watched]:
    """Advance sources unless that would take too long for a request; a lost race is run again."""
    reach = reach or {}
    done: list[Watched] = []
    for _ in range(ATTEMPTS):
        known = watch.get(source_ids, fresh=0).values()
        near = _affordable(
            [
                one
                for one in with_first_minutes(list(known))
                if _span(one, journey) <= reach.get(one.source_id, conf.REQUEST_MINUTES)
            ],
            journey,
        )
        journey.lost.clear()
        done += advance_sources(watched=near, journey=journey)
        source_ids = list(journey.lost)
        if not source_ids:
            break
    return done


def _span(one: Watched, journey: Journey) -> int:
    return journey.upto[one.source_id] - one.through


def _affordable(near: list[Watched], journey: Journey) -> list[Watched]:
    """Leave out what would take too long in all; sources that go the same way count once."""
    ways: dict[tuple[int, int], list[Watched]] = defaultdict(list)
    for one in sorted(near, key=lambda one: _span(one, journey)):
        ways[one.through, journey.upto[one.source_id]].append(one)
    if len(ways) <= conf.PLACES:
        return near
    affordable: list[Watched] = []
    spent = 0
    for (through, upto), sources in ways.items():
        spent += max(upto - through, 1)
        if spent > conf.PLACES_MINUTES:
            break
        affordable += sources
    return affordable


def judge_next(
    sources: Sequence[Watched],
    counts: Mapping[int, list[Row]],
    journey: Journey,
    *,
    now: datetime,
    closed: bool,
) -> Judged:
    """The minute after the frontier of all is judged, what is not normal stored.

    Nothing is learned.
    """
    minute = sources[0].through + 1
    ruled = [one.source_id for one in sources if journey.declared.settings_of(one.source_id).rules]
    rows = rows_by_minute(ruled, minute - LONGEST_WINDOW, minute - 1) if ruled else {}
    rows[minute] = {source_id: found for source_id, found in counts.items() if found}
    judged = lockstep_of(sources, journey, rows).judge(minute, rows, closed=closed)
    anomalies = anomalies_of(
        judged,
        now=now,
        past_before=minute_of(now - conf.past_limit()),
        provisional=[not closed] * len(sources),
    )
    spans = {one.source_id: (minute, minute) for one in sources}
    replace_anomalies(spans=spans, fresh=anomalies, now=now)
    return judged

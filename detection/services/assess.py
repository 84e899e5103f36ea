"""The verdict at once: what can be said of the reports that were just recorded.

A minute is met in one of three ways. It is still filling, or so fresh that the sweep has not
reached it: it is judged on what is there, against the state at the frontier. It is old and beyond
the frontier, since a client replays the past in order: the source is advanced to it first. Or it
is behind the frontier: it keeps its verdict, or late counts are judged on their own until the
sweep has judged them again in order.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from detection import conf, metrics
from detection.clock import minute_of
from detection.rules import LONGEST_WINDOW
from detection.scoring.outlook import LEARNING_MINUTES, Outlook
from detection.scoring.series import STATUSES
from detection.scoring.state import Joined
from detection.selectors.counts import rows_by_minute
from detection.selectors.declarations import declarations
from detection.services.forests import live_forest
from detection.services.grouping import Group, SourceMinute, arranged
from detection.services.judgements import anomalies_of
from detection.services.late import are_judged_again
from detection.services.lockstep import Asking, Judged, Statuses, judge
from detection.services.outlooks import remembered
from detection.services.provisional import store_news
from detection.services.reach import last_closed
from detection.services.replaying import answer_replays, heads, oldest_live
from detection.services.standing import answer_standing
from detection.services.verdicts import verdicts_while_learning
from detection.services.watch import watch
from detection.services.watched import Watched, stack_policies
from ingest import steady_clock
from ingest.assessment import Verdict, unjudged
from ingest.reports import RecordedReport


def assess(
    reports: Sequence[RecordedReport], *, complete: bool, brief: bool = False
) -> Sequence[Verdict]:
    """Each report has its verdict, in order; what is not normal is stored as an Anomaly."""
    started = time.perf_counter()
    group = _group(reports, complete, brief)
    behind, replays, fresh = _by_way(group)
    if behind:
        fresh += answer_standing(group=group, minutes=behind)
    if replays:
        fresh += answer_replays(group=group, replays=replays)
    fresh = _answer_learners(group, fresh)
    if fresh:
        _answer_now(group, fresh)
    metrics.ASSESS_SECONDS.observe(time.perf_counter() - started)
    return group.answered()


def _group(reports: Sequence[RecordedReport], complete: bool, brief: bool) -> Group:
    minutes = arranged(reports)
    return Group(
        now=steady_clock.now(),
        complete=complete,
        brief=brief,
        declared=declarations(),
        minutes=minutes,
        known=watch.get(
            {source_id for source_id, _ in minutes},
            versions={
                one.source.id: version
                for one in minutes.values()
                if (version := one.reports[-1].known_version) is not None
            },
        ),
        answers=[None] * len(reports),
    )


def _by_way(
    group: Group,
) -> tuple[list[SourceMinute], list[SourceMinute], list[SourceMinute]]:
    behind: list[SourceMinute] = []
    fresh: list[SourceMinute] = []
    old: dict[int, list[SourceMinute]] = {}
    oldest = oldest_live(group.now)
    left_out = bool(group.declared.unwatched or group.declared.wrong)
    for (source_id, minute), one in group.minutes.items():
        if left_out and (why := group.declared.why_unjudged(source_id, minute)):
            group.answer(one, [unjudged(report, why) for report in one.reports])
        elif minute <= group.known[source_id].through:
            behind.append(one)
        elif minute < oldest:
            old.setdefault(source_id, []).append(one)
        else:
            fresh.append(one)
    replays: list[SourceMinute] = []
    goes_on = heads.go_on if group.complete else heads.steps_on
    for source_id, minutes in old.items():
        # Does a client replay the past of this source in order?
        numbers, through = [one.minute for one in minutes], group.known[source_id].through
        replayed_in_order = goes_on(source_id, numbers, through, group.longest_step)
        (replays if replayed_in_order else fresh).extend(minutes)
    return behind, replays, fresh


def _answer_learners(group: Group, minutes: Sequence[SourceMinute]) -> list[SourceMinute]:
    """Answer for the sources of which too little is known to raise anything; return the others.

    Nothing is found there but by static rules, so nothing needs to be worked out.
    """
    others = []
    for one in minutes:
        seen = group.known[one.source.id].seen
        if seen >= LEARNING_MINUTES or group.declared.settings_of(one.source.id).rules:
            others.append(one)
        else:
            group.answer(one, verdicts_while_learning(seen, one.reports, brief=group.brief))
    return others


def _answer_now(group: Group, minutes: Sequence[SourceMinute]) -> None:
    """Judge source minutes on what is there now, whatever the frontier."""
    known = [group.known[one.source.id] for one in minutes]
    judged = _judge_now(group, minutes, known)
    if judged.findings:
        _store(group, minutes, known, judged)
    for row, one in enumerate(minutes):
        group.answer_judged(one, judged, row, whole=group.complete)


def _store(
    group: Group, minutes: Sequence[SourceMinute], known: Sequence[Watched], judged: Judged
) -> None:
    """Provisional unless the minute is whole and the very next after those learned.

    What nobody would ever confirm or remove is not stored.
    """
    settled = _settled(minutes, known, judged.findings)
    findings = {row: found for row, found in judged.findings.items() if row not in settled}
    if not findings:
        return
    closed = _closed(group, minutes)
    provisional = [
        not (whole and one.minute == at.through + 1)
        for one, at, whole in zip(minutes, known, closed, strict=True)
    ]
    limit = minute_of(group.now - conf.past_limit())
    store_news(
        found=anomalies_of(
            replace(judged, findings=findings),
            now=group.now,
            past_before=limit,
            provisional=provisional,
        )
    )


def _settled(
    minutes: Sequence[SourceMinute], known: Sequence[Watched], rows: Iterable[int]
) -> set[int]:
    """Return the rows of minutes that the sweep has behind it: unchanged, or too old by now."""
    behind = [row for row in rows if minutes[row].minute <= known[row].through]
    again = are_judged_again([(known[row], minutes[row].minute) for row in behind])
    return {
        row
        for row, is_due in zip(behind, again, strict=True)
        if not (is_due and minutes[row].is_changed)
    }


def _closed(group: Group, minutes: Sequence[SourceMinute]) -> list[bool]:
    limit = last_closed(group.now)
    return [group.complete and one.minute <= limit for one in minutes]


def _judge_now(group: Group, minutes: Sequence[SourceMinute], known: Sequence[Watched]) -> Judged:
    asking = Asking(
        [one.source.id for one in minutes],
        [one.source.zone.key for one in minutes],
        [one.minute for one in minutes],
        [one.counts for one in minutes],
        _closed(group, minutes),
        [one.minute <= at.through for one, at in zip(minutes, known, strict=True)],
    )
    policies = [group.declared.settings_of(one.source_id).policy for one in known]
    return judge(
        known[0].state if len(known) == 1 else Joined([one.state for one in known]),
        stack_policies(policies),
        asking,
        group.declared,
        live_forest(),
        _recent(group, minutes),
        # A minute that is over is hardly asked about again.
        Outlook.of if group.complete else remembered.of(known, policies),
    )


def _recent(group: Group, minutes: Sequence[SourceMinute]) -> list[tuple[int, Statuses]]:
    """The minutes before, for the sources whose rules look at several."""
    ruled = [
        (row, one)
        for row, one in enumerate(minutes)
        if any(rule.minutes > 1 for rule in group.declared.settings_of(one.source.id).rules)
    ]
    if not ruled:
        return []
    numbers = [one.minute for _, one in ruled]
    source_ids = [one.source.id for _, one in ruled]
    rows = rows_by_minute(source_ids, min(numbers) - LONGEST_WINDOW, max(numbers))
    recent: list[tuple[int, Statuses]] = []
    for minute, by_source in group.declared.believed(rows).items():
        status = np.zeros((len(minutes), len(STATUSES)))
        for row, one in ruled:
            for name, _, count in by_source.get(one.source.id, ()):
                status[row, STATUSES.index(name)] += count
        recent.append((minute, status))
    return recent

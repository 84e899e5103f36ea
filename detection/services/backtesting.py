"""A backtest: a policy and a forest over stored history, through the path of production."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from detection import conf
from detection.clock import minute_of, moment_of
from detection.episodes import Alarm, Episode, Reckoning, Window, episodes_of, reckon
from detection.scoring.forest import Forest
from detection.selectors.declarations import Declarations, read_declarations
from detection.selectors.trials import labelled_windows, live_alarms
from detection.services.drawing import SourceChart, draw
from detection.services.findings import merge
from detection.services.lockstep import Judged, Lockstep
from detection.services.rehearsing import Progress, Rehearsal, rehearse, walk_length
from ingest import steady_clock
from ingest.models import Source

# What a state remembers is forgotten within this time: a walk that begins so long before the
# window ends in the same verdicts as one that begins with the first count.
MEMORY = timedelta(days=35)
CHART_POINTS = 480


@dataclass
class Trial:
    """What is tried, and what came out of it."""

    sources: Mapping[int, str]
    since: int
    until: int
    declared: Declarations
    forest: Forest | None
    alarms: list[Alarm] = field(default_factory=list)
    judged: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    charts: dict[int, SourceChart] = field(default_factory=dict)

    def hear(self, judged: Judged, lockstep: Lockstep) -> None:
        minute = judged.minutes[0]
        if minute < self.since:
            return
        totals = judged.counts.status.sum(1).tolist()
        expected = judged.scores.total_expected.tolist()
        for row, source_id in enumerate(judged.source_ids):
            self.judged[source_id] += 1
            self.charts[source_id].add(minute, totals[row], expected[row])
        for row, found in judged.findings.items():
            for one in merge(found).values():
                self.alarms.append(
                    Alarm(
                        judged.source_ids[row],
                        minute,
                        one.family,
                        one.level,
                        float(judged.scores.told_score[row]),
                        one.reasons[0] if one.reasons else "",
                    )
                )


def run_trial(
    *,
    sources: Mapping[int, str],
    since: datetime,
    until: datetime,
    changes: Mapping[str, Any] | None = None,
    forest: Forest | None = None,
    progress: Progress | None = None,
    now: datetime | None = None,
) -> Trial:
    """The sources' history was judged once more under changed policies; nothing is written."""
    declared = read_declarations()
    for source_id in sources if changes else ():
        declared = declared.changed(source_id, changes or {})
    begin, first, last = _walked(since, until)
    trial = Trial(sources, first, last, declared, forest)
    step = max((last - first + 1) // CHART_POINTS, 1)
    trial.charts = {source_id: SourceChart(first, step) for source_id in sources}
    rehearse(
        Rehearsal(
            list(sources),
            begin,
            last,
            trial.hear,
            now or steady_clock.now(),
            declared=declared,
            forest=forest,
            progress=progress,
        )
    )
    return trial


def trial_length(*, sources: Mapping[int, str], since: datetime, until: datetime) -> int:
    """How many source minutes a trial walks, those that it only remembers among them."""
    begin, _, last = _walked(since, until)
    return walk_length(source_ids=list(sources), first=begin, last=last, now=steady_clock.now())


def _walked(since: datetime, until: datetime) -> tuple[int, int, int]:
    """Where the walk begins, the first minute that counts, and the last."""
    first = minute_of(since)
    return first - MEMORY // conf.MINUTE, first, minute_of(until) - 1


def report_of(
    trial: Trial, *, changes: Mapping[str, Any], seconds: float, forest: int | None = None
) -> dict[str, Any]:
    """The report of a trial, ready for JSON; `forest` is the number of the version it was run with.

    `pages` are the episodes that became critical, `warnings` the others, `warnings_told` those of
    them that lasted until people heard of them. `incidents_caught` are the labelled incidents that
    people heard of by either, `delay_median_minutes` how long that took; those that began before
    the trial's window are not among them.
    """
    windows = labelled_windows(trial.sources, trial.since, trial.until)
    patience = conf.patience()
    episodes = episodes_of(trial.alarms)
    total = reckon(episodes, windows, patience, trial.since)
    per_source = []
    for source_id, name in trial.sources.items():
        mine = [one for one in episodes if one.source_id == source_id]
        labels = [one for one in windows if one.source_id == source_id]
        per_source.append(
            _told(name, mine, reckon(mine, labels, patience, trial.since), trial.judged[source_id])
        )
    return {
        "since": moment_of(trial.since).isoformat(),
        "until": moment_of(trial.until + 1).isoformat(),
        "changes": dict(changes),
        "forest": forest,
        "seconds": round(seconds, 2),
        "total": _told("", episodes, total, sum(trial.judged.values())),
        "sources": per_source,
        "live": against_live(trial),
    }


def reckoned(trial: Trial) -> Reckoning:
    """How a trial stands against what people said."""
    windows = labelled_windows(trial.sources, trial.since, trial.until)
    return reckon(episodes_of(trial.alarms), windows, conf.patience(), trial.since)


def _told(name: str, episodes: Sequence[Episode], told: Reckoning, minutes: int) -> dict[str, Any]:
    days = minutes / 1440
    answer: dict[str, Any] = {
        "source": name,
        "minutes_judged": minutes,
        "pages": told.pages,
        "warnings": told.warnings,
        "warnings_told": told.warnings_told,
        "pages_per_day": round(told.pages / days, 4) if days else None,
        "incidents_caught": len(told.found),
        "incidents_missed": len(told.lost),
        "delay_median_minutes": median(told.delays) if told.delays else None,
        "false_pages": told.false_pages,
        "unlabelled_pages": told.unlabelled_pages,
        "missed": [_window(one) for one in told.lost],
    }
    if name:
        answer["episodes"] = [_episode(one) for one in episodes]
    else:
        del answer["source"]
    return answer


def _window(one: Window) -> dict[str, str]:
    return {
        "family": one.family,
        "starts": moment_of(one.first).isoformat(),
        "ends": moment_of(one.last).isoformat(),
    }


def _episode(one: Episode) -> dict[str, Any]:
    told = one.told(conf.patience())
    return {
        "family": one.family,
        "level": ("NORMAL", "WARNING", "CRITICAL")[one.level],
        "first": moment_of(one.first).isoformat(),
        "last": moment_of(one.last).isoformat(),
        "paged": None if one.paged is None else moment_of(one.paged).isoformat(),
        "peak_score": round(one.peak, 4),
        "told": None if told is None else moment_of(told).isoformat(),
        "reason": one.reason,
    }


def against_live(trial: Trial) -> dict[str, int]:
    """How the alarms of a trial and those that were stored at the time agree."""
    stored = live_alarms(list(trial.sources), trial.since, trial.until)
    tried = {(one.source_id, one.minute, one.family, one.level) for one in trial.alarms}
    return {
        "same": len(stored & tried),
        "only_live": len(stored - tried),
        "only_backtest": len(tried - stored),
    }


def chosen_sources(names: Sequence[str]) -> dict[int, str]:
    """Sources by id; all that are watched where none is named.

    Raises
    ------
    ValueError
        If one of them is not there: it may have been renamed since somebody asked for it.
    """
    if names:
        found = Source.objects.filter(name__in=names)
    else:
        # The canary's empty minutes would make every rate over all sources look lower.
        found = Source.objects.filter(enabled=True).exclude(name=Source.CANARY)
    chosen = dict(found.order_by("name").values_list("id", "name"))
    if missing := set(names) - set(chosen.values()):
        raise ValueError(f"There is no source named {', '.join(sorted(missing))}.")
    return chosen


def chart_of(trial: Trial) -> str:
    """The trial as SVG: volume against what was expected, alarms and labels below."""
    windows = labelled_windows(trial.sources, trial.since, trial.until)
    episodes = episodes_of(trial.alarms)
    return draw(
        [
            (
                name,
                trial.charts[source_id],
                [one for one in episodes if one.source_id == source_id],
                [one for one in windows if one.source_id == source_id],
            )
            for source_id, name in trial.sources.items()
        ],
        trial.since,
        trial.until,
    )

"""A backtest from its request to its report: one worker at a time runs it, whichever dies.

Whoever runs it holds it by the moment it was taken; once another has taken it over, what the first
still writes changes nothing and it stops at its next sign of life.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet

from detection import conf
from detection.models import Backtest, ForestVersion
from detection.selectors.trials import forgotten_backtests, lost_backtests
from detection.services.backtesting import (
    chart_of,
    chosen_sources,
    report_of,
    run_trial,
    trial_length,
)
from detection.services.forests import live_forest, live_number, read_forest
from detection.services.rehearsing import Progress
from ingest import steady_clock

logger = logging.getLogger(__name__)
State = Backtest.State
PROGRESS_STEP = 0.05


class TakenOver(Exception):
    """Another worker has the backtest now, or somebody stopped it."""


def request_backtest(
    *,
    since: datetime,
    until: datetime,
    sources: Sequence[str] = (),
    changes: Mapping[str, Any] | None = None,
    forest: int | None = None,
    by: object = None,
    now: datetime,
) -> Backtest:
    """The backtest waits to be run."""
    version = None if forest is None else ForestVersion.objects.get(pk=forest)
    known = by if getattr(by, "pk", None) and not hasattr(by, "prefix") else None
    return Backtest.objects.create(
        since=since,
        until=until,
        sources=list(sources),
        changes=dict(changes or {}),
        forest=version,
        requested=now,
        requested_by=known,  # type: ignore[misc]
    )


def restart_backtest(*, number: int, now: datetime) -> Backtest:
    """The backtest waits to be run once more, as it was asked for.

    Raises
    ------
    ValueError
        If it has not failed, nor lost its worker: it is done or still comes to its end.
    """
    over = lost_backtests(now) | Backtest.objects.filter(state=State.FAILED)
    if not over.filter(pk=number).update(
        state=State.WAITING, attempts=0, progress=0.0, report={}, heartbeat=None, finished=None
    ):
        state = Backtest.objects.values_list("state", flat=True).get(pk=number)
        raise ValueError(f"Only a backtest that failed can be started again, this one is {state}.")
    return Backtest.objects.get(pk=number)


def stop_backtest(*, number: int, by: str, now: datetime) -> Backtest:
    """The backtest is not run, or whoever runs it ends with its next sign of life.

    Raises
    ------
    ValueError
        If it is over.
    """
    going_on = Backtest.objects.filter(state__in=(State.WAITING, State.RUNNING))
    if not going_on.filter(pk=number).update(
        state=State.FAILED, report={"error": f"Stopped by {by}."}, finished=now
    ):
        state = Backtest.objects.values_list("state", flat=True).get(pk=number)
        raise ValueError(f"Only a backtest that waits or runs can be stopped, this one is {state}.")
    return Backtest.objects.get(pk=number)


def claim_backtest(*, number: int, now: datetime) -> Backtest | None:
    """The backtest is the caller's to run; None where another runs it, or it is over."""
    lost = lost_backtests(now).filter(attempts__lt=conf.BACKTEST_ATTEMPTS)
    free = lost | Backtest.objects.filter(state=State.WAITING)
    # One row and plain conditions: whoever comes second finds them unfulfilled.
    if not free.filter(pk=number).update(
        state=State.RUNNING,
        attempts=F("attempts") + 1,
        progress=0.0,
        started=now,
        heartbeat=now,
    ):
        return None
    return Backtest.objects.filter(pk=number, started=now).first()


def resume_backtests(*, now: datetime) -> list[int]:
    """Numbers of the backtests that nobody works on; what has killed its workers has failed."""
    for backtest in lost_backtests(now).filter(attempts__gte=conf.BACKTEST_ATTEMPTS):
        _give_up(backtest, now)
    due = lost_backtests(now) | forgotten_backtests(now)
    return list(due.order_by("requested", "pk").values_list("pk", flat=True))


def _give_up(backtest: Backtest, now: datetime) -> None:
    seen = "never" if backtest.heartbeat is None else f"{backtest.heartbeat:%Y-%m-%d %H:%M} UTC"
    why = (
        f"{backtest.attempts} workers ended without a word while they ran it, the last sign of "
        f"life: {seen}. Look into their log, they may lack memory; then start it again, or ask "
        "for one over fewer sources or days."
    )
    logger.warning("backtest %s is given up: %s", backtest.pk, why)
    silent = _ours(backtest) & lost_backtests(now)
    silent.update(state=State.FAILED, report={"error": why}, finished=now)


def run_backtest(*, backtest: Backtest, progress: Progress | None = None) -> Backtest:
    """The claimed backtest has its report and its chart, or says that it failed."""
    started = steady_clock.now()
    try:
        sources = chosen_sources(backtest.sources)
        number = backtest.forest.pk if backtest.forest else live_number()
        trial = run_trial(
            sources=sources,
            since=backtest.since,
            until=backtest.until,
            changes=backtest.changes,
            forest=read_forest(backtest.forest) if backtest.forest else live_forest(),
            progress=_telling(backtest, sources, progress),
        )
        seconds = (steady_clock.now() - started).total_seconds()
        report = report_of(trial, changes=backtest.changes, seconds=seconds, forest=number)
        _finish(backtest, state=State.DONE, report=report, chart=chart_of(trial), progress=1.0)
    except TakenOver:
        logger.warning("backtest %s is run by another worker now, or was stopped", backtest.pk)
    except Exception as error:
        _finish(backtest, state=State.FAILED, report={"error": f"{type(error).__name__}: {error}"})
        raise
    backtest.refresh_from_db()
    return backtest


def _ours(backtest: Backtest) -> QuerySet[Backtest]:
    """The row, as long as nobody has taken it over."""
    return Backtest.objects.filter(pk=backtest.pk, state=State.RUNNING, started=backtest.started)


def _finish(backtest: Backtest, **outcome: object) -> None:
    _ours(backtest).update(finished=steady_clock.now(), **outcome)


def _telling(
    backtest: Backtest, sources: Mapping[int, str], progress: Progress | None
) -> Callable[[int], None]:
    """Tell the caller of every step, and the stored row that this worker lives."""
    whole = max(trial_length(sources=sources, since=backtest.since, until=backtest.until), 1)
    told, beaten = 0.0, steady_clock.now()
    walked = 0

    def step(minutes: int) -> None:
        nonlocal walked, told, beaten
        walked += minutes
        if progress is not None:
            progress(minutes)
        now, part = steady_clock.now(), min(walked / whole, 0.99)
        if part >= told + PROGRESS_STEP or now - beaten >= conf.BACKTEST_BEAT:
            told, beaten = part, now
            if not _ours(backtest).update(progress=part, heartbeat=now):
                raise TakenOver

    return step

"""What a backtest is set against: what people said, and what was found at the time."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet
from django.http import Http404

from detection import conf
from detection.clock import minute_of, moment_of
from detection.episodes import Window
from detection.models import Anomaly, Backtest, Label
from detection.rules import LEVELS


def labelled_windows(source_ids: Iterable[int], first: int, last: int) -> list[Window]:
    """Labelled minutes of some sources that meet first..last."""
    found = Label.objects.filter(
        source_id__in=list(source_ids),
        revoked=None,
        starts__lte=moment_of(last),
        ends__gte=moment_of(first),
    )
    return [
        Window(source_id, family, kind, minute_of(starts), minute_of(ends))
        for source_id, family, kind, starts, ends in found.order_by("starts").values_list(
            "source_id", "family", "kind", "starts", "ends"
        )
    ]


def live_alarms(source_ids: list[int], first: int, last: int) -> set[tuple[int, int, str, int]]:
    """(source, minute, family, level) of the confirmed anomalies that still stand."""
    found = Anomaly.objects.filter(
        source_id__in=source_ids,
        minute__gte=moment_of(first),
        minute__lte=moment_of(last),
        provisional=False,
        withdrawn=None,
    )
    return {
        (source_id, minute_of(minute), family, LEVELS.index(level))
        for source_id, minute, family, level in found.order_by().values_list(
            "source_id", "minute", "family", "level"
        )
    }


def newest_backtests(limit: int = 50) -> QuerySet[Backtest]:
    """Backtests, the newest first, without their charts."""
    return Backtest.objects.defer("chart").order_by("-requested")[:limit]


def backtest_found(number: int) -> Backtest:
    """One backtest, or an answer that there is none."""
    found = Backtest.objects.filter(pk=number).first()
    if found is None:
        raise Http404(f"There is no backtest #{number}.")
    return found


def lost_backtests(now: datetime) -> QuerySet[Backtest]:
    """Backtests whose worker has given no sign of life for too long."""
    silent = Q(heartbeat=None) | Q(heartbeat__lte=now - conf.BACKTEST_LOST)
    return Backtest.objects.filter(silent, state=Backtest.State.RUNNING)


def forgotten_backtests(now: datetime) -> QuerySet[Backtest]:
    """Backtests that wait for longer than their message should need, which may be lost."""
    waiting = Backtest.objects.filter(state=Backtest.State.WAITING)
    return waiting.filter(requested__lte=now - conf.BACKTEST_LOST)


def is_lost(backtest: Backtest, now: datetime) -> bool:
    """Whether its worker has given no sign of life for too long."""
    if backtest.state != Backtest.State.RUNNING:
        return False
    return backtest.heartbeat is None or backtest.heartbeat <= now - conf.BACKTEST_LOST

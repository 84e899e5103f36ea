"""Asking for a backtest; `detection.tasks.run_backtest` runs it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from detection.models import Backtest, ForestVersion


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

"""What people declared: policies, special days, minutes whose counts were wrong.

All of it is small and read for every report, so each process keeps it and asks only now and then
whether anything changed.
"""

import logging
import math
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Count, Max, Q, QuerySet, Sum

from detection import conf, messages
from detection.clock import minute_of
from detection.models import Family, Label, Policy, SpecialDay
from detection.models.policy import POLICY_FIELDS
from detection.rules import Rule, read_rules
from detection.scoring.policy import Policy as ScoringPolicy
from detection.scoring.state import HISTORY_DAYS
from detection.selectors.counts import Rows
from ingest import steady_clock
from ingest.models import Source

# What a planned stop looks like.
STOPPED = frozenset({Family.SILENCE, Family.VOLUME_LOW})
logger = logging.getLogger(__name__)
Window = tuple[int, int]


@dataclass(frozen=True)
class SourceSettings:
    """The policy and the rules that hold for one source."""

    policy: ScoringPolicy
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Declarations:
    """Everything declared, by source id; None stands for all sources."""

    settings: Mapping[int | None, Mapping[str, Any]] = field(default_factory=dict)
    days: Mapping[int | None, tuple[tuple[int, int, float], ...]] = field(default_factory=dict)
    wrong: Mapping[int, tuple[Window, ...]] = field(default_factory=dict)
    # (first minute, end, family or "" for all) in which nothing is raised
    planned: Mapping[int | None, tuple[tuple[int, int, str], ...]] = field(default_factory=dict)
    # (minute, family or "" for all) at which what is seen becomes the normal
    adopted: Mapping[int, tuple[tuple[int, str], ...]] = field(default_factory=dict)
    # (first minute, end, family or "" for all) of what was confirmed to be a failure lately
    confirmed: Mapping[int, tuple[tuple[int, int, str], ...]] = field(default_factory=dict)
    unwatched: frozenset[int] = frozenset()
    # worked out when first asked for; None: sources without a policy of their own
    _merged: dict[int | None, SourceSettings] = field(default_factory=dict)

    def settings_of(self, source_id: int) -> SourceSettings:
        """Policy and rules of one source: its own where it has them, else the default."""
        key = source_id if source_id in self.settings else None
        found = self._merged.get(key)
        if found is None:
            merged = {**self.settings.get(None, {}), **self.settings.get(key, {})}
            policy = ScoringPolicy.of([{k: v for k, v in merged.items() if k != "rules"}])
            found = self._merged[key] = SourceSettings(policy, read_rules(merged.get("rules")))
        return found

    def factor(self, source_id: int, minute: int) -> float:
        """How much more than usual is expected of a source in a minute; 1 = as usual."""
        if not self.days:
            return 1.0
        value = 1.0
        for first, end, factor in (*self.days.get(source_id, ()), *self.days.get(None, ())):
            if first <= minute < end:
                value *= factor
        return value

    def is_wrong(self, source_id: int, minute: int) -> bool:
        """Whether somebody said that the counts of a minute were wrong."""
        return any(first <= minute < end for first, end in self.wrong.get(source_id, ()))

    def believed_from(self, source_id: int, minute: int) -> int:
        """The first minute since when nobody said that counts up to a minute were wrong."""
        wrong = self.wrong.get(source_id, ())
        return max((end for first, end in wrong if first <= minute), default=0)

    def why_unjudged(self, source_id: int, minute: int) -> str:
        """Why nothing is said of a minute; empty where it is judged."""
        if source_id in self.unwatched:
            return messages.UNWATCHED
        return messages.DECLARED_WRONG if self.is_wrong(source_id, minute) else ""

    def believed(self, rows: Rows) -> Rows:
        """The counts without those that somebody said were wrong."""
        if not self.wrong:
            return rows
        return {
            minute: {
                source_id: found
                for source_id, found in by_source.items()
                if not self.is_wrong(source_id, minute)
            }
            for minute, by_source in rows.items()
        }

    def is_planned(self, source_id: int, minute: int, family: str) -> bool:
        """Whether somebody said that a deviation of a family was planned for a minute."""
        return any(
            first <= minute < end and name in ("", family)
            for first, end, name in (*self.planned.get(source_id, ()), *self.planned.get(None, ()))
        )

    def ending(self, source_id: int, minute: int) -> list[str]:
        """Families, "" for all, in which what was planned ends with a minute."""
        planned = (*self.planned.get(source_id, ()), *self.planned.get(None, ()))
        return [family for _, end, family in planned if end == minute + 1]

    def changed(self, source_id: int, changes: Mapping[str, Any]) -> "Declarations":
        """The same with other policy fields for one source: what a backtest tries.

        A field that is None is left to the default, as an empty field of a policy is.
        """
        tried = {**self.settings.get(source_id, {}), **changes}
        own = {name: value for name, value in tried.items() if value is not None}
        settings = {**self.settings, source_id: own}
        return replace(self, settings=settings, _merged={})


def read_declarations() -> Declarations:
    """Everything declared, from the database."""
    settings = {row.source_id: _settings(row) for row in Policy.objects.all()}
    days: dict[int | None, list[tuple[int, int, float]]] = {}
    planned: dict[int | None, list[tuple[int, int, str]]] = {}
    for day in SpecialDay.objects.all():
        first, end = minute_of(day.starts), minute_of(day.ends)
        if math.isfinite(day.factor):
            days.setdefault(day.source_id, []).append((first, end, day.factor))
        else:
            logger.warning("The factor of the special day %s is not used: %s", day.pk, day.factor)
        if day.kind == SpecialDay.Kind.MIGRATION:
            stopped = planned.setdefault(day.source_id, [])
            stopped += [(first, end, family) for family in STOPPED]
    labelled = _labelled()
    for source_id, windows in labelled[Label.Kind.EXPECTED].items():
        planned.setdefault(source_id, []).extend(windows)
    return Declarations(
        settings,
        {key: tuple(value) for key, value in days.items()},
        {
            key: tuple((first, end) for first, end, _ in windows)
            for key, windows in labelled[Label.Kind.DATA_PROBLEM].items()
        },
        {key: tuple(value) for key, value in planned.items()},
        {
            key: tuple((end - 1, family) for _, end, family in windows)
            for key, windows in labelled[Label.Kind.NEW_LEVEL].items()
        },
        {key: tuple(value) for key, value in labelled[Label.Kind.INCIDENT].items()},
        frozenset(Source.objects.filter(enabled=False).values_list("pk", flat=True)),
    )


def _labelled() -> dict[str, dict[int, list[tuple[int, int, str]]]]:
    """Kind of label -> source -> (first minute, end, family or "" for all)."""
    found: dict[str, dict[int, list[tuple[int, int, str]]]] = defaultdict(dict)
    for kind, source_id, family, starts, ends in _effective_labels().values_list(
        "kind", "source_id", "family", "starts", "ends"
    ):
        window = minute_of(starts), minute_of(ends) + 1, family
        found[kind].setdefault(source_id, []).append(window)
    return found


def _settings(row: Policy) -> dict[str, Any]:
    """What a stored policy asks for, without what no form would have taken.

    It was written past the forms; one such value must not stop the judging of every source.
    """
    refused: dict[str, list[str]] = {}
    try:
        row.clean_fields(exclude=["source", "updated"])
    except ValidationError as error:
        refused = error.message_dict
    for name, told in refused.items():
        which = "default policy" if row.source_id is None else f"policy of source {row.source_id}"
        logger.warning("In the %s %s has its default: %s", which, name, " ".join(told))
    asked = {name: getattr(row, name) for name in POLICY_FIELDS if name not in refused}
    return {name: value for name, value in asked.items() if value is not None}


def _effective_labels() -> QuerySet[Label]:
    """Labels that change how minutes are judged; failures are no habit while days are known."""
    kinds = (Label.Kind.DATA_PROBLEM, Label.Kind.EXPECTED, Label.Kind.NEW_LEVEL)
    lately = steady_clock.now() - timedelta(days=HISTORY_DAYS)
    confirmed = Q(kind=Label.Kind.INCIDENT, ends__gte=lately)
    return Label.objects.filter(Q(kind__in=kinds) | confirmed, revoked=None)


def planned_of(source_id: int) -> list[tuple[str, int, int]]:
    """(family, "" for all, first minute, last) of what was labelled as planned."""
    mine = _effective_labels().filter(source_id=source_id, kind=Label.Kind.EXPECTED)
    return [
        (family, minute_of(starts), minute_of(ends))
        for family, starts, ends in mine.values_list("family", "starts", "ends")
    ]


def _mark() -> tuple[object, ...]:
    marks: list[object] = []
    for rows in (
        Policy.objects.all(),
        SpecialDay.objects.all(),
        _effective_labels(),
    ):
        newest = "created" if rows.model is Label else "updated"
        marks += rows.order_by().aggregate(n=Count("pk"), newest=Max(newest)).values()
    unwatched = Source.objects.filter(enabled=False).order_by()
    marks += unwatched.aggregate(n=Count("pk"), total=Sum("pk")).values()
    return tuple(marks)


_lock = threading.Lock()
_kept: tuple[float, tuple[object, ...] | None, Declarations] = (float("-inf"), None, Declarations())


def declarations() -> Declarations:
    """Everything declared, at most `conf.FRESH_SECONDS` old."""
    global _kept
    asked, mark, kept = _kept
    if time.monotonic() - asked < conf.FRESH_SECONDS:
        return kept
    with _lock:
        current = _mark()
        if current != mark:
            kept = read_declarations()
        _kept = (time.monotonic(), current, kept)
    return kept


def forget_declarations() -> None:
    """The next call asks the database: for the process that has just changed something."""
    global _kept
    _kept = (float("-inf"), None, Declarations())

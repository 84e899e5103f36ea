"""What a panel must say, and whether it did."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from deploy.grafana.checking.answers import Answer, Sources, get
from deploy.grafana.checking.interpolation import Range
from deploy.grafana.checking.questions import of_frames, of_panels, of_rules
from deploy.grafana.checking.stack import Stack


@dataclass(frozen=True)
class Claim:
    """Something a panel must say, and whether it did."""

    scene: str
    what: str
    wanted: str
    got: str
    holds: bool


@dataclass
class Check:
    """The stack under test, and what was found so far."""

    stack: Stack
    sources: Sources
    claims: list[Claim] = field(default_factory=list)
    errors: list[Answer] = field(default_factory=list)
    last: dict[str, list[Answer]] = field(default_factory=dict)
    # History is written past the API: what came by it was received after this.
    begun: datetime = field(default_factory=lambda: datetime.now(UTC))

    def look(self, scene: str, hours: float = 1) -> dict[tuple[str, str], Answer]:
        """Ask every panel, annotation, variable and rule; keep what went wrong."""
        until = datetime.now(UTC)
        over = Range(until - timedelta(hours=hours), until)
        answers = [self.sources.ask(one, over) for one in [*of_panels(), *of_frames(), *of_rules()]]
        broken = [answer for answer in answers if answer.error]
        self.errors += broken
        self.last[scene] = answers
        self.claim(scene, "every query is answered", 0, len(broken), lambda x: x == 0)
        firsts: dict[tuple[str, str], Answer] = {}
        for answer in answers:
            firsts.setdefault((answer.question.board, answer.question.panel), answer)
        return firsts

    def claim(
        self, scene: str, what: str, wanted: object, got: Any, holds: Callable[[Any], bool]
    ) -> None:
        self.claims.append(Claim(scene, what, str(wanted), str(got), bool(holds(got))))

    def same(self, scene: str, what: str, wanted: object, got: object) -> None:
        self.claim(scene, what, wanted, got, lambda value: value == wanted)

    def row(self, statement: str, *values: object) -> Any:
        """Return the first value of a query on the tables, past the views."""
        with psycopg.connect(self.stack.database) as connection:
            found = connection.execute(statement.encode(), values).fetchone()
        return found[0] if found else None

    def firing(self) -> list[str]:
        """Return the alerts that fire now."""
        asked = {"query": 'ALERTS{alertstate="firing"}', "time": time.time()}
        found = get(self.stack.prometheus, "query", asked)["result"]
        return sorted({one["metric"]["alertname"] for one in found})

"""Grafana's variables and macros, put in as Grafana does before it sends a query."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

# As in Grafana's PostgreSQL source: a macro ends at the first closing bracket.
_MACRO = re.compile(r"\$(__[a-zA-Z]+)\(([^)]*)\)")
_VARIABLE = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)")
_STEP = re.compile(r"'?(\d+)([smhd])'?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
EVERYTHING = {"source": ".*", "status": ".*", "goal": "90"}


class UnknownWord(ValueError):
    """The query uses a variable or macro that Grafana would leave in it."""


@dataclass(frozen=True)
class Range:
    """The time range of a dashboard, with the chosen values of its variables."""

    since: datetime
    until: datetime
    step: timedelta = timedelta(minutes=1)
    chosen: Mapping[str, str] = field(default_factory=lambda: EVERYTHING)

    @property
    def seconds(self) -> int:
        """Length [s]."""
        return int((self.until - self.since).total_seconds())


def put_in(text: str, over: Range) -> str:
    """Return the query as its source gets it.

    Raises
    ------
    UnknownWord
        If something would be left in it.
    """
    step = int(over.step.total_seconds())
    words = {
        **over.chosen,
        "__range": f"{over.seconds}s",
        "__interval": f"{step}s",
        "__rate_interval": f"{max(4 * 15, step)}s",
    }

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name in words:
            return words[name]
        if text[match.end() : match.end() + 1] == "(":
            return match[0]
        raise UnknownWord(f"{match[0]} is not known")

    return _MACRO.sub(lambda match: _macro(match[1], match[2], over), _VARIABLE.sub(value, text))


def _macro(name: str, arguments: str, over: Range) -> str:
    since, until = f"'{over.since.isoformat()}'", f"'{over.until.isoformat()}'"
    if name == "__timeFilter":
        return f"{arguments} BETWEEN {since} AND {until}"
    if name == "__timeFrom":
        return since
    if name == "__timeTo":
        return until
    if name == "__timeGroup":
        column, _, width = arguments.rpartition(",")
        step = _STEP.fullmatch(width.strip())
        if step is None:
            raise UnknownWord(f"$__timeGroup({arguments})")
        seconds = int(step[1]) * _SECONDS[step[2]]
        return f"to_timestamp(floor(extract(epoch FROM {column})/{seconds})*{seconds})"
    raise UnknownWord(f"${name}()")

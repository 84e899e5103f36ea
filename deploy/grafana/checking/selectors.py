"""The series that stand behind the panels and rules, each with the labels that are asked for."""

from collections.abc import Iterator, Sequence
from typing import Any

import promql_parser

from deploy.grafana.checking.interpolation import Range, put_in
from deploy.grafana.checking.questions import Question

SIGNS = {
    "MatchOp.Equal": "=",
    "MatchOp.NotEqual": "!=",
    "MatchOp.Re": "=~",
    "MatchOp.NotRe": "!~",
}


def selectors(asked: Sequence[Question], over: Range) -> dict[str, list[Question]]:
    """Return each selector, as Prometheus takes it, with the questions that need it."""
    found: dict[str, list[Question]] = {}
    for question in asked:
        if question.source == "prometheus":
            for selector in of_text(put_in(question.text, over)):
                found.setdefault(selector, []).append(question)
    return dict(sorted(found.items()))


def of_text(text: str) -> list[str]:
    """Return the selectors of one expression.

    Examples
    --------
    >>> of_text('sum(rate(a{b="c"}[5m])) / on() max_over_time(d[1h:1m])')
    ['a{b="c"}', 'd']
    """
    return list(_walk(promql_parser.parse(text)))


def _matchers(selector: Any) -> list[Any]:
    return list(selector.matchers.matchers)


def _walk(part: Any) -> Iterator[str]:
    if isinstance(part, promql_parser.VectorSelector):
        labels = sorted(f'{one.name}{SIGNS[str(one.op)]}"{one.value}"' for one in _matchers(part))
        yield (part.name or "") + (f"{{{','.join(labels)}}}" if labels else "")
        return
    if isinstance(part, promql_parser.MatrixSelector):
        yield from _walk(part.vector_selector)
        return
    for name in ("lhs", "rhs", "expr", "param"):
        if inner := getattr(part, name, None):
            yield from _walk(inner)
    for inner in getattr(part, "args", None) or ():
        yield from _walk(inner)

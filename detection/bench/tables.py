"""The tables of a run: the harness's own, then what was found by kind and by stream."""

from collections import defaultdict
from typing import Any

import numpy as np

REPEATABLE = 5


def tell(streams: list[Any], found: dict[str, tuple[Any, Any]], metrics: Any, table: Any) -> None:
    """Print how each detector did on the streams, and what the last of them missed."""
    rows = []
    for part, (level, score) in found.items():
        judged = [
            metrics.score_stream(
                stream, level[:, i], score[:, i], np.random.default_rng(REPEATABLE), False
            )
            for i, stream in enumerate(streams)
        ]
        rows.append((part, metrics.summarise(judged)))
    print(table.table(rows))
    print(_by_kind(rows[-1][1]))
    print(_by_size(judged))


def _by_kind(summary: dict[str, Any]) -> str:
    lines = ["\n| kind | found | of | median delay |", "|---|---|---|---|"]
    for kind, one in summary["kinds"].items():
        delay = "-" if one["median_delay"] is None else f"{one['median_delay']:.0f}"
        lines.append(f"| {kind} | {one['found']} | {one['of']} | {delay} |")
    return "\n".join(lines)


def _by_size(judged: list[dict[str, Any]]) -> str:
    found: dict[str, list[float]] = defaultdict(lambda: [0, 0, 0, 0.0])
    missed: dict[str, list[str]] = defaultdict(list)
    for stream in judged:
        name = stream["inc"][0]["stream"] if stream["inc"] else "?"
        found[name][2] += stream["fp"]
        found[name][3] += stream["days"]
        for incident in stream["inc"]:
            if incident["tier"] != "must":
                continue
            found[name][1] += 1
            found[name][0] += incident["delay"] is not None
            if incident["delay"] is None:
                missed[name].append(incident["kind"])
    lines = ["\n| stream | must found | of | false pages/day | missed |", "|---|---|---|---|---|"]
    for name, (hit, all_of, pages, days) in found.items():
        lost = ", ".join(sorted(missed[name])) or "-"
        lines.append(f"| {name} | {hit} | {all_of} | {pages / max(days, 1e-9):.2f} | {lost} |")
    return "\n".join(lines)

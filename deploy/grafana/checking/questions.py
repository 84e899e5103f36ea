"""Every question that dashboards and rules ask, read from what is committed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).resolve().parents[2]
DASHBOARDS = DEPLOY / "grafana" / "dashboards" / "en"
RULES = DEPLOY / "prometheus" / "rules"


@dataclass(frozen=True)
class Question:
    """One query: where it stands, whom it asks (`prometheus` or `guardian`), and its text.

    Attributes
    ----------
    instant : bool
        Asked for the end of the time range only.
    layout : str
        How rows are read: `table` or `time_series`; empty for PromQL.
    """

    board: str
    panel: str
    source: str
    text: str
    instant: bool = False
    layout: str = ""


def boards() -> list[dict[str, Any]]:
    """Return the committed dashboards."""
    return [json.loads(path.read_text()) for path in sorted(DASHBOARDS.glob("*.json"))]


def _of_target(board: str, panel: str, target: dict[str, Any]) -> Question:
    return Question(
        board=board,
        panel=panel,
        source=target["datasource"]["uid"],
        text=target.get("expr") or target["rawSql"],
        instant=bool(target.get("instant")),
        layout=target.get("format", ""),
    )


def of_panels() -> list[Question]:
    """Return what the panels ask, in their order."""
    return [
        _of_target(board["title"], panel["title"], target)
        for board in boards()
        for panel in board["panels"]
        for target in panel.get("targets", [])
    ]


def of_frames() -> list[Question]:
    """Return what annotations and variables ask."""
    found = []
    for board in boards():
        for annotation in board["annotations"]["list"]:
            name = f"annotation {annotation['name']}"
            found.append(_of_target(board["title"], name, annotation["target"]))
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                name = f"variable {variable['name']}"
                asked = Question(
                    board["title"], name, variable["datasource"]["uid"], variable["query"]
                )
                found.append(asked)
    return found


def of_rules() -> Iterator[Question]:
    """Yield what recording rules and alerts ask."""
    for path in sorted(RULES.glob("*.yml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                name = rule.get("record") or rule["alert"]
                yield Question("rules", name, "prometheus", rule["expr"], instant=True)

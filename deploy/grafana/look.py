"""How values look: colours, units, thresholds, words for values, links."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as model

Steps = Sequence[tuple[float | None, str]]

GREEN, AMBER, RED, BLUE, GREY = "green", "#EAB308", "red", "blue", "#8E8E8E"
PLAIN: Steps = ((None, BLUE),)
ANY_IS_BAD: Steps = ((None, GREEN), (1, RED))
STATUS_COLOURS = {
    "approved": "green",
    "denied": "#EAB308",
    "failed": "red",
    "reversed": "purple",
    "backend_reversed": "#B877D9",
    "refunded": "blue",
}
LEVEL_COLOURS = {"NORMAL": GREEN, "WARNING": AMBER, "CRITICAL": RED}
# Incidents and sources open where they are worked on.
INCIDENT_LINK = "${guardian_url}/incidents/${__data.fields.id}/"
SOURCE_LINK = "${guardian_url}/sources/${__field.labels.source}/"
INCIDENTS_LINK = "${guardian_url}/incidents/"


@dataclass(frozen=True)
class Look:
    """How values are shown: unit, decimals, thresholds, words for values, a link."""

    unit: str = "short"
    decimals: int | None = None
    steps: Steps = PLAIN
    words: Mapping[str, tuple[str, str]] | None = None
    link: str = ""
    low: float | None = None
    high: float | None = None


def open_in_guardian(url: str) -> dashboard.DashboardLink:
    return dashboard.DashboardLink("Open in Guardian").url(url).target_blank(True)


def thresholds(steps: Steps) -> dashboard.ThresholdsConfig:
    return (
        dashboard.ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value=value, color=colour) for value, colour in steps])
    )


def words_for(words: Mapping[str, tuple[str, str]]) -> model.ValueMap:
    return model.ValueMap(
        options={
            value: model.ValueMappingResult(text=text, color=colour, index=index)
            for index, (value, (text, colour)) in enumerate(words.items())
        }
    )


def fixed_colour(colour: str) -> model.DynamicConfigValue:
    return model.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": colour})


def coloured_cells(colours: Mapping[str, str]) -> list[model.DynamicConfigValue]:
    options: dict[str, Any] = {
        value: {"color": colour, "text": value, "index": index}
        for index, (value, colour) in enumerate(colours.items())
    }
    return [
        model.DynamicConfigValue(id_val="mappings", value=[{"type": "value", "options": options}]),
        model.DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-text"}),
    ]

"""The kinds of panel that the dashboards are made of, each with what all of its kind share."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from grafana_foundation_sdk.builders import (
    barchart,
    bargauge,
    common,
    gauge,
    heatmap,
    piechart,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog import builder
from grafana_foundation_sdk.models import common as values
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.piechart import PieChartLegendValues

from deploy.grafana.look import (
    ANY_IS_BAD,
    GREY,
    Look,
    coloured_cells,
    fixed_colour,
    open_in_guardian,
    thresholds,
    words_for,
)
from deploy.grafana.queries import GUARDIAN, PROMETHEUS, Query, Sql

Panel = builder.Builder[model.Panel]
_Builder = TypeVar(
    "_Builder",
    stat.Panel,
    gauge.Panel,
    bargauge.Panel,
    piechart.Panel,
    timeseries.Panel,
    table.Panel,
    heatmap.Panel,
    barchart.Panel,
    statetimeline.Panel,
)


def _dressed(
    panel: _Builder, title: str, why: str, queries: Sequence[Query], size: tuple[int, int]
) -> _Builder:
    for letter, query in zip("ABCDEFGH", queries, strict=False):
        panel = panel.with_target(query.ref_id(letter))
    width, height = size
    return (
        panel.title(title)
        .description(why)
        .datasource(GUARDIAN if isinstance(queries[0], Sql) else PROMETHEUS)
        .span(width)
        .height(height)
    )


def _shown(panel: _Builder, look: Look) -> _Builder:
    panel = panel.unit(look.unit).thresholds(thresholds(look.steps))
    if look.decimals is not None:
        panel = panel.decimals(look.decimals)
    if look.words:
        panel = panel.mappings([words_for(look.words)])
    if look.low is not None:
        panel = panel.min(look.low)
    if look.high is not None:
        panel = panel.max(look.high)
    if look.link:
        panel = panel.data_links([open_in_guardian(look.link)])
    return panel


def _coloured(panel: _Builder, colours: Mapping[str, str]) -> _Builder:
    for name, colour in colours.items():
        panel = panel.override_by_name(name, [fixed_colour(colour)])
    return panel


def number(
    title: str, why: str, query: Query, look: Look, *, width: int = 4, height: int = 4
) -> Panel:
    """Show one value, coloured by its thresholds."""
    panel = _dressed(stat.Panel(), title, why, [query], (width, height))
    return (
        _shown(panel, look)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .color_mode(values.BigValueColorMode.VALUE)
        .graph_mode(values.BigValueGraphMode.NONE)
        .no_value("no data")
    )


def tiles(title: str, why: str, query: Query, look: Look, *, width: int, height: int = 4) -> Panel:
    """Show one value for each series, side by side, on its colour."""
    panel = _dressed(stat.Panel(), title, why, [query], (width, height))
    return (
        _shown(panel, look)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .color_mode(values.BigValueColorMode.BACKGROUND)
        .graph_mode(values.BigValueGraphMode.NONE)
        .text_mode(values.BigValueTextMode.VALUE_AND_NAME)
        .no_value("no data")
    )


def dial(
    title: str, why: str, query: Query, look: Look, *, width: int = 4, height: int = 4
) -> Panel:
    """Show one value between its ends."""
    panel = _dressed(gauge.Panel(), title, why, [query], (width, height))
    return _shown(panel, look).no_value("no data").show_threshold_markers(True)


def bars(title: str, why: str, query: Query, look: Look, *, width: int = 8) -> Panel:
    """Show one bar for each series."""
    panel = _dressed(bargauge.Panel(), title, why, [query], (width, 8))
    return (
        _shown(panel, look)
        .orientation(values.VizOrientation.HORIZONTAL)
        .display_mode(values.BarGaugeDisplayMode.BASIC)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .no_value("no data")
    )


def pie(title: str, why: str, query: Sql, colours: Mapping[str, str], *, width: int = 6) -> Panel:
    """Show the shares of rows of (name, value)."""
    panel = _dressed(piechart.Panel(), title, why, [query], (width, 8))
    return _coloured(
        panel.unit("short")
        .no_value("no data")
        .legend(
            piechart.PieChartLegendOptions()
            .display_mode(values.LegendDisplayMode.TABLE)
            .placement(values.LegendPlacement.RIGHT)
            .values([PieChartLegendValues.VALUE, PieChartLegendValues.PERCENT])
        )
        .reduce_options(common.ReduceDataOptions().values(True)),
        colours,
    )


def lines(
    title: str,
    why: str,
    queries: Sequence[Query],
    look: Look,
    *,
    width: int = 12,
    stacked: bool = False,
    as_bars: bool = False,
    colours: Mapping[str, str] | None = None,
    band: bool = False,
    marks: bool = False,
) -> Panel:
    """Show values over time.

    `band` shades what lies between the series `lower` and `upper`; `marks` draws the thresholds.
    """
    panel = _shown(_dressed(timeseries.Panel(), title, why, queries, (width, 8)), look)
    panel = (
        panel.show_points(values.VisibilityMode.NEVER)
        .no_value("no data")
        .legend(
            common.VizLegendOptions()
            .display_mode(values.LegendDisplayMode.LIST)
            .placement(values.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
    )
    panel = panel.tooltip(common.VizTooltipOptions().mode(values.TooltipDisplayMode.MULTI))
    if stacked:
        panel = panel.stacking(common.StackingConfig().mode(values.StackingMode.NORMAL))
        panel = panel.fill_opacity(30)
    if as_bars:
        panel = panel.draw_style(values.GraphDrawStyle.BARS).fill_opacity(70)
    if marks:
        style = common.GraphThresholdsStyleConfig().mode(values.GraphThresholdsStyleMode.DASHED)
        panel = panel.thresholds_style(style)
    if band:
        panel = _with_band(panel)
    return _coloured(panel, colours or {})


def _with_band(panel: timeseries.Panel) -> timeseries.Panel:
    shade = [
        model.DynamicConfigValue(id_val="custom.fillBelowTo", value="lower"),
        model.DynamicConfigValue(id_val="custom.fillOpacity", value=15),
        model.DynamicConfigValue(id_val="custom.lineWidth", value=0),
        fixed_colour(GREY),
    ]
    hidden = [model.DynamicConfigValue(id_val="custom.lineWidth", value=0), fixed_colour(GREY)]
    dashed = [
        model.DynamicConfigValue(id_val="custom.lineStyle", value={"fill": "dash"}),
        fixed_colour(GREY),
    ]
    return (
        panel.override_by_name("upper", shade)
        .override_by_name("lower", hidden)
        .override_by_name("expected", dashed)
    )


def columns(title: str, why: str, query: Sql, look: Look, *, width: int = 12) -> Panel:
    """Show rows of (name, values) as upright bars."""
    panel = _dressed(barchart.Panel(), title, why, [query], (width, 8))
    return _shown(panel, look).no_value("no data").show_value(values.VisibilityMode.AUTO)


def listing(
    title: str,
    why: str,
    query: Query,
    *,
    width: int = 12,
    height: int = 8,
    links: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    colours: Mapping[str, Mapping[str, str]] | None = None,
) -> Panel:
    """Show rows; `links`, `units` and `colours` (value to colour) are by column."""
    panel = _dressed(table.Panel(), title, why, [query], (width, height)).no_value("nothing")
    for column, url in (links or {}).items():
        target = [{"title": "Open in Guardian", "url": url, "targetBlank": True}]
        panel = panel.override_by_name(
            column, [model.DynamicConfigValue(id_val="links", value=target)]
        )
    for column, unit in (units or {}).items():
        panel = panel.override_by_name(
            column, [model.DynamicConfigValue(id_val="unit", value=unit)]
        )
    for column, by_value in (colours or {}).items():
        panel = panel.override_by_name(column, coloured_cells(by_value))
    return panel


def density(title: str, why: str, query: Query, *, unit: str, width: int = 12) -> Panel:
    """Show buckets over time, darker where there is more."""
    panel = _dressed(heatmap.Panel(), title, why, [query], (width, 8))
    axis = heatmap.YAxisConfig().unit(unit)
    colour = heatmap.HeatmapColorOptions().scheme("Oranges").steps(32)
    return panel.calculate(False).y_axis(axis).color(colour).no_value("no data")


def spans(title: str, why: str, query: Sql, words: Mapping[str, tuple[str, str]]) -> Panel:
    """Show states over time, one row for each series."""
    panel = _dressed(statetimeline.Panel(), title, why, [query], (24, 8))
    return _shown(panel, Look(words=words, steps=ANY_IS_BAD)).merge_values(True).no_value("no data")

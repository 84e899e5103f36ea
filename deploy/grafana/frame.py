"""What every dashboard has: variables, annotations, links to the others, rows of panels."""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog import builder
from grafana_foundation_sdk.models import dashboard as model

from deploy.grafana.panels import Panel
from deploy.grafana.queries import GUARDIAN, PROMETHEUS, Sql, SqlQuery, over_time

TAG = "guardian"
STATUSES = ("approved", "denied", "failed", "reversed", "backend_reversed", "refunded")
_SHOWN_AS_QUERY = "SELECT name FROM reporting.sources WHERE enabled ORDER BY name"
_INCIDENTS = """
    SELECT onset AS time, coalesce(ended, now()) AS "timeEnd",
           'Incident ' || id || ': ' || family || ' at ' || source AS text, level AS tags
    FROM reporting.incidents
    WHERE $__timeFilter(onset) AND NOT part AND source ~ '^(${source:regex})$'
"""
_ALL_INCIDENTS = _INCIDENTS.replace(" AND source ~ '^(${source:regex})$'", "")
# A version that was not there two minutes ago has just been deployed.
_DEPLOYS = """
    max by (version) (guardian_site_build) unless max by (version) (guardian_site_build offset 2m)
"""


@dataclass(frozen=True)
class Sheet:
    """One dashboard before it is laid out: its name, time range, variables and rows of panels."""

    uid: str
    title: str
    why: str
    since: str
    rows: Sequence[tuple[str, Sequence[Panel]]]
    variables: Sequence[str] = ()
    refresh: str = "1m"


def _guardian_url() -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable("guardian_url")
        .datasource(GUARDIAN)
        .query("SELECT url FROM reporting.installation")
        .refresh(model.VariableRefresh.ON_DASHBOARD_LOAD)
        .hide(model.VariableHide.HIDE_VARIABLE)
    )


def _source() -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable("source")
        .label("Source")
        .datasource(GUARDIAN)
        .query(_SHOWN_AS_QUERY)
        .refresh(model.VariableRefresh.ON_DASHBOARD_LOAD)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(model.VariableOption(selected=True, text="All", value="$__all"))
    )


def _status() -> dashboard.CustomVariable:
    return (
        dashboard.CustomVariable("status")
        .label("Status")
        .values(",".join(STATUSES))
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(model.VariableOption(selected=True, text="All", value="$__all"))
    )


def _goal() -> dashboard.TextBoxVariable:
    return (
        dashboard.TextBoxVariable("goal")
        .label("Goal: approved, %")
        .default_value("90")
        .current(model.VariableOption(selected=True, text="90", value="90"))
    )


VARIABLES = {"source": _source, "status": _status, "goal": _goal}


class _Fixed(builder.Builder[SqlQuery]):
    def __init__(self, query: SqlQuery) -> None:
        self.query = query

    def build(self) -> SqlQuery:
        return self.query


def _annotations(by_source: bool) -> list[dashboard.AnnotationQuery]:
    statement = Sql(_INCIDENTS if by_source else _ALL_INCIDENTS).ref_id("Incidents").build()
    incidents = (
        dashboard.AnnotationQuery()
        .name("Incidents")
        .datasource(GUARDIAN)
        .enable(True)
        .icon_color("red")
        .target(_Fixed(statement))
    )
    deploys = (
        dashboard.AnnotationQuery()
        .name("Deployments")
        .datasource(PROMETHEUS)
        .enable(True)
        .icon_color("blue")
        .expr(" ".join(_DEPLOYS.split()))
        .title_format("Guardian {{version}}")
        .target(over_time(_DEPLOYS).ref_id("Deployments"))
    )
    return [incidents, deploys]


def laid_out(sheet: Sheet) -> dashboard.Dashboard:
    """Return the dashboard: the SDK finds each panel its place."""
    board = (
        dashboard.Dashboard(sheet.title)
        .uid(sheet.uid)
        .description(sheet.why)
        .tags([TAG])
        .time(sheet.since, "now")
        .refresh(sheet.refresh)
        .timezone("browser")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .readonly()
        .link(
            dashboard.DashboardLink("Dashboards")
            .type(model.DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(True)
            .include_vars(True)
            .keep_time(True)
        )
        .link(dashboard.DashboardLink("Guardian").url("${guardian_url}/").target_blank(True))
        .with_variable(_guardian_url())
    )
    for name in sheet.variables:
        board = board.with_variable(VARIABLES[name]())
    for annotation in _annotations("source" in sheet.variables):
        board = board.annotation(annotation)
    for title, panels in sheet.rows:
        board = board.with_row(dashboard.Row(title))
        for panel in panels:
            board = board.with_panel(panel)
    return board

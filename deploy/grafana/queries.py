"""One query of a panel: PromQL to Prometheus, or SQL to the views of `reporting`."""

from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.models.common import DataSourceRef

PROMETHEUS = DataSourceRef(type_val="prometheus", uid="prometheus")
GUARDIAN = DataSourceRef(type_val="grafana-postgresql-datasource", uid="guardian")


@dataclass
class SqlQuery(variants.Dataquery):
    """What Grafana's PostgreSQL data source is asked; the SDK has no builder for it."""

    statement: str
    layout: str = "table"
    ref_id: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "datasource": GUARDIAN.to_json(),
            "editorMode": "code",
            "format": self.layout,
            "rawQuery": True,
            "rawSql": self.statement,
            "refId": self.ref_id,
        }


class Sql(builder.Builder[SqlQuery]):
    """A query whose rows are shown as they are."""

    def __init__(self, statement: str, layout: str = "table") -> None:
        self.query = SqlQuery(" ".join(statement.split()), layout)

    def ref_id(self, ref_id: str) -> "Sql":
        self.query.ref_id = ref_id
        return self

    def build(self) -> SqlQuery:
        return self.query


Query = prometheus.Dataquery | Sql


def now(expression: str, legend: str = "") -> prometheus.Dataquery:
    """Ask Prometheus for the value at the end of the time range."""
    return _prometheus(expression, legend).instant()


def over_time(expression: str, legend: str = "") -> prometheus.Dataquery:
    """Ask Prometheus for the values over the time range."""
    return _prometheus(expression, legend).range()


def _prometheus(expression: str, legend: str) -> prometheus.Dataquery:
    query = prometheus.Dataquery().expr(" ".join(expression.split())).datasource(PROMETHEUS)
    return query.legend_format(legend) if legend else query


def rows(statement: str) -> Sql:
    """Ask the database for rows."""
    return Sql(statement)


def series(statement: str) -> Sql:
    """Ask the database for `time`, values, and a `metric` that tells the series apart."""
    return Sql(statement, "time_series")

"""What panels of both dashboards are made of: queries of two kinds, and the shapes of panels.

Grafana's SDK has no builder for the ClickHouse data source, so its query is made here, as the data
source stores it. Data sources are variables of a dashboard: who loads it names them once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from grafana_foundation_sdk.builders import bargauge, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.dashboard import Dashboard, DynamicConfigValue

CLICKHOUSE = "grafana-clickhouse-datasource"
PROMETHEUS = "prometheus"
_WHOLE_WIDTH = 24

Panel: TypeAlias = bargauge.Panel | stat.Panel | table.Panel | timeseries.Panel


@dataclass(frozen=True, slots=True)
class Sql(Dataquery):
    """A query of the ClickHouse data source, as it stores it.

    Attributes:
        text: SQL; ``$__fromTime`` and ``$__toTime`` stand for the time range of the dashboard.
        over_time: The first column is a time, the others are lines; else rows of a table.
    """

    text: str
    over_time: bool = False
    ref: str = "A"

    def to_json(self) -> dict[str, object]:
        """Return what stands in the dashboard's JSON."""
        return {
            "datasource": {"type": CLICKHOUSE, "uid": "${warehouse}"},
            "editorType": "sql",
            "format": 0 if self.over_time else 1,
            "queryType": "timeseries" if self.over_time else "table",
            "rawSql": self.text,
            "refId": self.ref,
        }


@dataclass(frozen=True, slots=True)
class _Made(Builder[Dataquery]):
    query: Sql

    def build(self) -> Dataquery:  # type: ignore[explicit-override]  # no override in 3.11
        return self.query


def new(title: str, uid: str, description: str, sources: Sequence[str]) -> dashboard.Dashboard:
    """Return an empty dashboard whose data sources are variables, UTC as everywhere in custody."""
    made = dashboard.Dashboard(title).uid(uid).description(description).tags(["custody"])
    made = made.timezone("utc").time("now-7d", "now").refresh("1m").readonly()
    names = {CLICKHOUSE: ("warehouse", "Warehouse"), PROMETHEUS: ("metrics", "Metrics")}
    for source in sources:
        name, label = names[source]
        made = made.with_variable(dashboard.DatasourceVariable(name).label(label).type(source))
    return made


def rows(title: str, meaning: str, sql: str, *, links: bool = False) -> table.Panel:
    """Return a table of what a query answers, as wide as the page."""
    made = table.Panel().title(title).description(meaning).span(_WHOLE_WIDTH).height(9)
    made = made.datasource(_WAREHOUSE).with_target(_Made(Sql(sql)))
    if links:
        cell = DynamicConfigValue("custom.cellOptions", {"type": "auto", "wrapText": True})
        made = made.override_by_name("reason", [cell])
    return made


def bars(title: str, meaning: str, sql: str, unit: str) -> bargauge.Panel:
    """Return a bar for each row of a query: a name, and a figure."""
    made = bargauge.Panel().title(title).description(meaning).span(12).height(8).unit(unit)
    return made.datasource(_WAREHOUSE).with_target(_Made(Sql(sql)))


def figure(title: str, meaning: str, sql: str, unit: str) -> stat.Panel:
    """Return the one figure that a query answers."""
    made = stat.Panel().title(title).description(meaning).span(12).height(8).unit(unit)
    return made.datasource(_WAREHOUSE).with_target(_Made(Sql(sql)))


def by_day(title: str, meaning: str, sql: str, unit: str) -> timeseries.Panel:
    """Return lines over time from a query of time, name and value."""
    made = timeseries.Panel().title(title).description(meaning).span(12).height(9).unit(unit)
    return made.datasource(_WAREHOUSE).with_target(_Made(Sql(sql, over_time=True)))


def lines(
    title: str, meaning: str, unit: str, queries: Sequence[tuple[str, str]]
) -> timeseries.Panel:
    """Return lines over time from PromQL.

    Args:
        title: Of the panel.
        meaning: What to read in it, and when to act.
        unit: As Grafana names units: ``s``, ``bytes``, ``percentunit``, ``short``, ``ops``.
        queries: Expression, and the name of its lines.
    """
    made = timeseries.Panel().title(title).description(meaning).span(12).height(8).unit(unit)
    made = made.datasource(_METRICS).min(0)
    for ref, (expression, legend) in zip("ABCDEF", queries, strict=False):
        query = prometheus.Dataquery().expr(expression).legend_format(legend).ref_id(ref)
        made = made.with_target(query.datasource(_METRICS).range())
    return made


def whole(made: dashboard.Dashboard, groups: Sequence[tuple[str, Sequence[Panel]]]) -> Dashboard:
    """Return a dashboard with its panels, in rows of a name each."""
    for name, panels in groups:
        made = made.with_row(dashboard.Row(name))
        for panel in panels:
            made = made.with_panel(panel)
    return made.build()


_WAREHOUSE = DataSourceRef(CLICKHOUSE, "${warehouse}")
_METRICS = DataSourceRef(PROMETHEUS, "${metrics}")

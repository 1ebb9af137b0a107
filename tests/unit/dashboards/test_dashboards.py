"""Dashboards are those of the code, and ask of processes only what these say."""

import pytest

from dashboards import balance, health, main
from tests.support import promql

ASKED = [str(query["expr"]) for _, query in main.queries(health.FILE)]


@pytest.mark.parametrize("name", [balance.FILE, health.FILE])
def test_a_dashboard_in_the_folder_is_that_of_the_code(name: str) -> None:
    assert (main.HOME / name).read_text("utf-8") == main.texts()[name], "make docs"


@pytest.mark.parametrize("expression", ASKED)
def test_a_panel_asks_for_metrics_that_are_declared(expression: str) -> None:
    assert promql.faults(expression) == []


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("custody_outbox_age", "custody_outbox_age"),
        ("rate(custody_chunk_seconds[5m])", "custody_chunk_seconds"),
        ("custody_chunks_total_bucket", "custody_chunks_total_bucket"),
        ("sum by (family) (custody_worker_lag_records)", "family"),
        ('custody_webhook_posts_total{outcome="lost"}', "lost"),
        ("vector(1)", "it asks for no metric"),
    ],
)
def test_what_nobody_exports_is_named(wrong: str, named: str) -> None:
    assert promql.faults(wrong) == [named]


def test_each_panel_asks_the_source_its_dashboard_names() -> None:
    for name, source in ((balance.FILE, "${warehouse}"), (health.FILE, "${metrics}")):
        asked = main.queries(name)
        assert {query["datasource"]["uid"] for _, query in asked} == {source}  # type: ignore[index]  # JSON
        assert len({title for title, _ in asked}) >= 9

import re

import pytest

from producers.outcome import Code
from schemas import avro
from schemas.routes import ROUTES
from schemas.topics import SOURCES
from schemas.topics import TOPICS as ALL_TOPICS
from telemetry import metrics
from telemetry.metrics import TABLE, Counter, Gauge, Histogram, Metrics

NAME = re.compile(
    r"custody_[a-z_]+_(total|seconds|events|records|rows|files|messages|connections|bytes|kilograms)"
)


@pytest.mark.parametrize("spec", TABLE, ids=lambda s: s.name)
def test_a_name_is_custody_noun_unit(spec: Counter | Gauge | Histogram) -> None:
    assert NAME.fullmatch(spec.name)
    assert spec.name.endswith("_total") == isinstance(spec, Counter)
    assert spec.help.endswith(".")


def test_no_name_stands_twice() -> None:
    assert len({s.name for s in TABLE}) == len(TABLE)


def test_every_constant_is_in_the_table() -> None:
    declared = [v for v in vars(metrics).values() if isinstance(v, Counter | Gauge | Histogram)]
    assert sorted(s.name for s in declared) == sorted(s.name for s in TABLE)


def test_closed_sets_equal_those_of_the_route_table_and_the_topics() -> None:
    assert set(metrics.STEMS) == {r.stem for r in ROUTES}
    assert metrics.SOURCE_TOPICS == SOURCES
    assert set(metrics.TOPICS) == {t.name for t in ALL_TOPICS}


def test_refusals_and_reasons_are_those_the_gateway_and_the_reader_give() -> None:
    assert set(metrics.REFUSALS) == {code.value for code in Code}
    schema = avro.schema("dead_letter")
    fields = {field["name"]: field["type"] for field in schema["fields"]}
    assert set(metrics.DEAD_LETTER_REASONS) == set(fields["reason"]["symbols"]) - {"other"}


def test_families_are_those_of_the_alert_schema() -> None:
    fields = {field["name"]: field["type"] for field in avro.schema("alert")["fields"]}
    assert set(metrics.FAMILIES) == set(fields["family"]["symbols"]) - {"other"}


def test_every_label_shows_zero_from_the_start() -> None:
    text = Metrics("gateway").exposition().decode()
    for code in metrics.REFUSALS:
        assert f'custody_refused_requests_total{{code="{code}"}} 0.0' in text


def test_a_process_exports_its_own_part_only() -> None:
    text = Metrics("warehouse").exposition().decode()
    assert "custody_rows_total" in text
    assert "custody_outbox_depth_events" not in text


def test_a_value_outside_the_closed_set_makes_no_new_series() -> None:
    m = Metrics("worker")
    before = m.exposition().decode().count("custody_alerts_total")
    m.add(metrics.ALERTS, "never heard of")
    assert m.value(metrics.ALERTS, "other") == 1
    assert m.exposition().decode().count("custody_alerts_total") == before


def test_counters_gauges_and_histograms_show_what_was_said() -> None:
    m = Metrics("worker")
    m.add(metrics.OUTPUTS, "balance", 3)
    m.set(metrics.WORKER_SINCE_COMMIT, 2.5)
    m.watch(metrics.WORKER_LAG, lambda: 7, "custody.fact.v1")
    m.observe(metrics.CHUNK_SECONDS, 0.003)
    assert m.value(metrics.OUTPUTS, "balance") == 3
    assert m.value(metrics.WORKER_SINCE_COMMIT) == 2.5
    assert m.value(metrics.WORKER_LAG, "custody.fact.v1") == 7
    text = m.exposition().decode()
    assert 'custody_chunk_seconds_bucket{le="0.005"} 1.0' in text
    assert 'custody_chunk_seconds_bucket{le="0.002"} 0.0' in text

"""Every metric of every process, declared once.

The table at the end of the constants is closed: a process builds a ``Metrics`` for its own part of
it and names a metric by its constant, so that a wrong name or a wrong kind is a type error. Labels
take their values from closed sets and exist from the start, so that zero is visible; a value
outside its set is counted as ``other`` and never makes a new series. Ids are never labels.

``docs/metrics.md`` is written from this table and a test compares them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import prometheus_client
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import CollectorRegistry

CONTENT_TYPE = CONTENT_TYPE_LATEST

OTHER = "other"

_T = TypeVar("_T")

STEMS = (
    "lot",
    "weighing",
    "assay",
    "xrf",
    "shipment",
    "processing",
    "claim",
    "reference",
    "action",
    "content",
    "sighting",
    "residual",
    "drift",
    "tick",
    "transfer",
    "balance",
    "alert",
    "dead_letter",
    "head",
)
"""Equal to the stems of the route table (a test holds them together)."""

REFUSALS = (
    "unknown_field",
    "missing_field",
    "unknown_type",
    "wrong_unit",
    "not_a_number",
    "out_of_range",
    "negative_mass",
    "net_mismatch",
    "fraction_out_of_range",
    "fractions_exceed_one",
    "dry_above_wet",
    "moisture_mismatch",
    "too_many_items",
    "too_old",
    "missing_identity",
    "duplicate_conflict",
    "correction_mismatch",
    "unknown_reference",
    "bad_value",
    "atomic_list",
)

FAMILIES = (
    "loss",
    "gain",
    "water",
    "water_falsified",
    "waste",
    "water_or_waste",
    "foreign_material",
    "origin_mismatch",
    "omnibus",
    "blend_impossible",
    "node_imbalance",
    "recovery_impossible",
    "undeclared_feed",
    "missing_feed",
    "implausible_output",
    "over_claim",
    "instrument_bias",
    "route_loss",
    "custody_gap",
    "integrity",
    "ledger",
)

DEAD_LETTER_REASONS = (
    "undecodable",
    "unknown_schema",
    "wrong_partition",
    "too_large",
    "too_many_items",
    "out_of_range",
    "wrong_topic",
)

SOURCE_TOPICS = ("custody.fact.v1", "custody.control.v1", "custody.flow.v1")

TOPICS = (
    *SOURCE_TOPICS,
    "custody.transfer.v1",
    "custody.balance.v1",
    "custody.alert.v1",
    "custody.dead-letter.v1",
    "custody.head.v1",
)

_SHORT_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Bounds for steps that should take milliseconds; the last ones are for a busy machine."""


@dataclass(frozen=True, slots=True)
class Label:
    """A label and all values it can have; ``other`` is added by ``Metrics``."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spec:
    """What every metric has.

    Attributes:
        process: ``gateway``, ``worker`` or ``warehouse``: who exports it.
        name: Full name as scraped.
        help: What it means and when to look at it.
        label: At most one label; None for a single series.
    """

    process: str
    name: str
    help: str
    label: Label | None = None


@dataclass(frozen=True, slots=True)
class Counter(Spec):
    """Only grows; the name ends in ``_total``."""


@dataclass(frozen=True, slots=True)
class Gauge(Spec):
    """Goes up and down."""


@dataclass(frozen=True, slots=True)
class Histogram(Spec):
    """Durations, seconds, in fixed buckets."""


_STEM = Label("stem", STEMS)
_SOURCE = Label("topic", SOURCE_TOPICS)
_TOPIC = Label("topic", TOPICS)
_REASON = Label("reason", DEAD_LETTER_REASONS)

GATEWAY_ACCEPTED = Counter(
    "gateway", "custody_accepted_events_total", "Events made durable in the outbox.", _STEM
)
GATEWAY_DUPLICATE = Counter(
    "gateway", "custody_duplicate_requests_total", "Requests answered as duplicate.", _STEM
)
GATEWAY_REFUSED = Counter(
    "gateway", "custody_refused_requests_total", "Requests refused.", Label("code", REFUSALS)
)
OUTBOX_DEPTH = Gauge(
    "gateway", "custody_outbox_depth_events", "Accepted events Kafka has not acknowledged yet."
)
OUTBOX_AGE = Gauge(
    "gateway",
    "custody_outbox_age_seconds",
    "Age of the oldest event Kafka has not acknowledged; 0 when there is none.",
)
REFUSED_UNKEPT = Counter(
    "gateway",
    "custody_refused_unkept_requests_total",
    "Requests refused and not kept, for want of room.",
)
REFUSED_KEPT = Gauge("gateway", "custody_refused_kept_bytes", "What refused requests take.")
REFUSED_LIMIT = Gauge(
    "gateway",
    "custody_refused_limit_bytes",
    "What refused requests may take; beyond it they are answered and not kept.",
)
OUTBOX_USED = Gauge(
    "gateway", "custody_outbox_used_bytes", "What the outbox holds beside refused requests."
)
OUTBOX_LIMIT = Gauge(
    "gateway",
    "custody_outbox_limit_bytes",
    "What the outbox may hold beside refused requests; beyond it nothing is accepted.",
)
GATEWAY_PUBLISHED = Counter(
    "gateway", "custody_published_records_total", "Records acknowledged by Kafka.", _TOPIC
)
PUBLISH_SECONDS = Histogram(
    "gateway", "custody_publish_seconds", "From hand-over to the producer to Kafka's answer."
)
ACCEPT_SECONDS = Histogram(
    "gateway", "custody_accept_seconds", "From a request's arrival to its durable answer."
)
DROP_FILES = Counter(
    "gateway",
    "custody_dropped_files_total",
    "Files of the drop folder dealt with: done (all of it is taken), failed, or repeated (its"
    " content was taken before).",
    Label("outcome", ("done", "failed", "repeated")),
)
DROP_WAITING = Gauge(
    "gateway",
    "custody_drop_waiting_files",
    "Files in the drop folder that are not dealt with yet, those still being written included.",
)
MQTT_MESSAGES = Counter(
    "gateway",
    "custody_mqtt_messages_total",
    "MQTT messages: answered (durable and acknowledged), held (the outbox was closed and they were"
    " tried again), or lost (sent with QoS 0 while it was).",
    Label("outcome", ("answered", "held", "lost")),
)
MQTT_OPEN = Gauge(
    "gateway",
    "custody_mqtt_unacknowledged_messages",
    "MQTT messages received and not acknowledged yet.",
)
MQTT_SUBSCRIBED = Gauge(
    "gateway",
    "custody_mqtt_subscribed_connections",
    "1 while subscribed at the MQTT broker, else 0.",
)
MQTT_CONNECTIONS = Counter(
    "gateway",
    "custody_mqtt_connections_total",
    "Connections to the MQTT broker: many of them mean a bad line, or two gateways of one name.",
)

WORKER_APPLIED = Counter(
    "worker", "custody_applied_records_total", "Records applied to an owner's state.", _STEM
)
WORKER_DUPLICATE = Counter(
    "worker",
    "custody_worker_duplicates_total",
    "Records dropped because their owner had applied them already.",
    _SOURCE,
)
CHUNK_RECORDS = Counter(
    "worker", "custody_chunk_records_total", "Records read, in chunks, good and bad.", _SOURCE
)
CHUNKS = Counter("worker", "custody_chunks_total", "Chunks finished.")
CHUNK_SECONDS = Histogram(
    "worker", "custody_chunk_seconds", "A chunk from its first byte read to its outputs' acks."
)
APPLY_SECONDS = Histogram(
    "worker", "custody_apply_seconds", "The pure part of a chunk: decode and fold."
)
WORKER_LAG = Gauge(
    "worker", "custody_worker_lag_records", "Records at the broker not applied yet.", _SOURCE
)
WORKER_SINCE_PROGRESS = Gauge(
    "worker",
    "custody_worker_since_progress_seconds",
    "Seconds since a chunk was finished while records are waiting; 0 when none wait.",
)
WORKER_SINCE_COMMIT = Gauge(
    "worker",
    "custody_worker_since_commit_seconds",
    "Seconds that applied records have been waiting for a commit; 0 when none wait.",
)
ALERTS = Counter(
    "worker", "custody_alerts_total", "Alert versions written.", Label("family", FAMILIES)
)
OUTPUTS = Counter("worker", "custody_outputs_total", "Records sent by the worker.", _STEM)
FINDINGS = Counter("worker", "custody_findings_total", "Findings of the fold, of any name.")
WORKER_DEAD_LETTERS = Counter(
    "worker", "custody_worker_dead_letters_total", "Unreadable records skipped.", _REASON
)
RESTORES = Counter("worker", "custody_restores_total", "Partitions restored from the changelog.")
RESENT = Counter(
    "worker", "custody_resent_outputs_total", "Outputs sent again after a restore; receivers drop."
)

SINK_ROWS = Counter("warehouse", "custody_rows_total", "Rows inserted, by table.", _STEM)
SINK_DUPLICATE = Counter(
    "warehouse",
    "custody_sink_duplicates_total",
    "Records dropped before the insert because their number was not new.",
    _TOPIC,
)
SINK_DEAD_LETTERS = Counter(
    "warehouse", "custody_dead_letters_total", "Dead letters written, by reason.", _REASON
)
INSERT_SECONDS = Histogram(
    "warehouse", "custody_insert_seconds", "One flush: decode, insert of every table, commit."
)
SINK_BATCH_ROWS = Gauge(
    "warehouse", "custody_batch_rows", "Rows of the last flush: near the limit means a backlog."
)
SINK_LAG = Gauge(
    "warehouse", "custody_sink_lag_records", "Records at the broker not stored yet.", _TOPIC
)
SINK_SINCE_PROGRESS = Gauge(
    "warehouse",
    "custody_sink_since_progress_seconds",
    "Seconds since a flush was finished while records are waiting; 0 when none wait.",
)
SQL_QUERIES = Counter(
    "warehouse",
    "custody_sql_queries_total",
    "Queries answered over HTTP.",
    Label("outcome", ("ok", "refused", "failed")),
)

WEBHOOK_POSTS = Counter(
    "warehouse",
    "custody_webhook_posts_total",
    "Posts of alerts to the webhook; a failed one is tried again, until it is given up.",
    Label("outcome", ("ok", "failed", "given_up")),
)

PASS_FAILING = Gauge(
    "warehouse",
    "custody_pass_failing_seconds",
    "Seconds since the first of the passes beside the sink that failed in a row; 0 when the last"
    " one went through. While it grows nothing new is found, or complete up to stands still.",
    Label("pass", ("audit", "watermark")),
)

TABLE: tuple[Counter | Gauge | Histogram, ...] = (
    GATEWAY_ACCEPTED,
    GATEWAY_DUPLICATE,
    GATEWAY_REFUSED,
    REFUSED_UNKEPT,
    REFUSED_KEPT,
    REFUSED_LIMIT,
    OUTBOX_DEPTH,
    OUTBOX_AGE,
    OUTBOX_USED,
    OUTBOX_LIMIT,
    GATEWAY_PUBLISHED,
    PUBLISH_SECONDS,
    ACCEPT_SECONDS,
    DROP_FILES,
    DROP_WAITING,
    MQTT_MESSAGES,
    MQTT_OPEN,
    MQTT_SUBSCRIBED,
    MQTT_CONNECTIONS,
    WORKER_APPLIED,
    WORKER_DUPLICATE,
    CHUNK_RECORDS,
    CHUNKS,
    CHUNK_SECONDS,
    APPLY_SECONDS,
    WORKER_LAG,
    WORKER_SINCE_PROGRESS,
    WORKER_SINCE_COMMIT,
    ALERTS,
    OUTPUTS,
    FINDINGS,
    WORKER_DEAD_LETTERS,
    RESTORES,
    RESENT,
    SINK_ROWS,
    SINK_DUPLICATE,
    SINK_DEAD_LETTERS,
    INSERT_SECONDS,
    SINK_BATCH_ROWS,
    SINK_LAG,
    SINK_SINCE_PROGRESS,
    SQL_QUERIES,
    WEBHOOK_POSTS,
    PASS_FAILING,
)


class Metrics:
    """The metrics of one process, in a registry of its own.

    Methods are safe to call from any thread and cost about a microsecond.

    Args:
        process: ``gateway``, ``worker`` or ``warehouse``: which part of the table to export.
        table: The rows to choose from.
    """

    def __init__(self, process: str, table: Sequence[Counter | Gauge | Histogram] = TABLE) -> None:
        # A creation time per series doubles the page and nobody asked for one.
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # not annotated
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._counters: dict[tuple[str, str], prometheus_client.Counter] = {}
        self._gauges: dict[tuple[str, str], prometheus_client.Gauge] = {}
        self._histograms: dict[tuple[str, str], prometheus_client.Histogram] = {}
        for spec in table:
            if spec.process == process:
                self._register(spec)

    def add(self, spec: Counter, label: str = "", amount: float = 1) -> None:
        """Add to a counter; ``label`` is the label's value where the metric has one."""
        _series(self._counters, spec, label).inc(amount)

    def set(self, spec: Gauge, value: float, label: str = "") -> None:
        """Set a gauge."""
        _series(self._gauges, spec, label).set(value)

    def watch(self, spec: Gauge, read: Callable[[], float], label: str = "") -> None:
        """Let ``read`` give the gauge's value at every scrape; it must not block or raise."""
        _series(self._gauges, spec, label).set_function(read)

    def observe(self, spec: Histogram, seconds: float, label: str = "") -> None:
        """Count one duration."""
        _series(self._histograms, spec, label).observe(seconds)

    def exposition(self) -> bytes:
        """Return the text that ``GET /metrics`` answers with content type ``CONTENT_TYPE``."""
        return generate_latest(self._registry)

    def value(self, spec: Counter | Gauge, label: str = "") -> float:
        """Return what a counter or gauge shows now: for health pages and tests."""
        labels = {} if spec.label is None else {spec.label.name: label}
        found = self._registry.get_sample_value(spec.name, labels)
        return 0.0 if found is None else found

    def _register(self, spec: Counter | Gauge | Histogram) -> None:
        names = () if spec.label is None else (spec.label.name,)
        values = ("",) if spec.label is None else (*spec.label.values, OTHER)
        match spec:
            case Counter():
                counter = prometheus_client.Counter(
                    spec.name, spec.help, names, registry=self._registry
                )
                for value in values:
                    self._counters[spec.name, value] = counter.labels(value) if names else counter
            case Gauge():
                gauge = prometheus_client.Gauge(
                    spec.name, spec.help, names, registry=self._registry
                )
                for value in values:
                    self._gauges[spec.name, value] = gauge.labels(value) if names else gauge
            case Histogram():
                histogram = prometheus_client.Histogram(
                    spec.name, spec.help, names, registry=self._registry, buckets=_SHORT_S
                )
                for value in values:
                    self._histograms[spec.name, value] = (
                        histogram.labels(value) if names else histogram
                    )


def _series(series: dict[tuple[str, str], _T], spec: Spec, label: str) -> _T:
    found = series.get((spec.name, label))
    return series[spec.name, OTHER] if found is None else found

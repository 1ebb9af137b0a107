"""The dashboard *Pipeline health*: whether what plants send gets through, and where it waits."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards import panels

FILE = "pipeline-health.json"


def _p99(histogram: str) -> str:
    rate = f"rate({histogram}_bucket[$__rate_interval])"
    return f"histogram_quantile(0.99, sum by (le) ({rate}))"


def _per_second(counter: str, label: str) -> str:
    return f"sum by ({label}) (rate({counter}[$__rate_interval])) > 0"


def build() -> Dashboard:
    """Return the dashboard; the alerts of deploy/rules.yml stand on the same figures."""
    made = panels.new(
        "Pipeline health",
        "custody-pipeline",
        "From the plants' events to rows and alerts: what flows, what waits, what was refused.",
        [panels.PROMETHEUS],
    )
    groups = (
        ("Gateways", _gateways()),
        ("Workers", _workers()),
        ("Warehouse", _warehouse()),
        ("What is not taken", _refused()),
    )
    return panels.whole(made.time("now-6h", "now"), groups)


def _gateways() -> tuple[panels.Panel, ...]:
    return (
        panels.lines(
            "Processes",
            "1 while a process answers. Alert: ProcessDown.",
            "short",
            [('up{job=~"gateway|worker|warehouse"}', "{{instance}}")],
        ),
        panels.lines(
            "Events accepted",
            "Durable in an outbox, by kind, per second.",
            "ops",
            [(_per_second("custody_accepted_events_total", "stem"), "{{stem}}")],
        ),
        panels.lines(
            "Outbox: age of the oldest event",
            "0 while Kafka takes everything. Alert: OutboxOld.",
            "s",
            [("custody_outbox_age_seconds", "{{instance}}")],
        ),
        panels.lines(
            "Outbox: share in use",
            "At 1 nothing is accepted any more. Alert: OutboxFilling.",
            "percentunit",
            [("custody_outbox_used_bytes / custody_outbox_limit_bytes", "{{instance}}")],
        ),
        panels.lines(
            "Answer and publish, p99",
            "From a request to its durable answer; from hand-over to Kafka's answer.",
            "s",
            [
                (_p99("custody_accept_seconds"), "answer"),
                (_p99("custody_publish_seconds"), "publish"),
            ],
        ),
        panels.lines(
            "Outbox: events waiting",
            "Accepted, and not acknowledged by Kafka yet.",
            "short",
            [("custody_outbox_depth_events", "{{instance}}")],
        ),
    )


def _workers() -> tuple[panels.Panel, ...]:
    return (
        panels.lines(
            "Lag of the workers",
            "Records at the broker not applied yet. Alert: WorkerBehind.",
            "short",
            [("sum by (topic) (custody_worker_lag_records)", "{{topic}}")],
        ),
        panels.lines(
            "Standing still",
            "Since the last chunk, and the last commit, while records wait. Alert: WorkerStalled.",
            "s",
            [
                ("custody_worker_since_progress_seconds", "progress {{instance}}"),
                ("custody_worker_since_commit_seconds", "commit {{instance}}"),
            ],
        ),
        panels.lines(
            "A chunk, p99",
            "From its first byte read to its outputs' acknowledgements; the pure part of it.",
            "s",
            [(_p99("custody_chunk_seconds"), "chunk"), (_p99("custody_apply_seconds"), "fold")],
        ),
        panels.lines(
            "Alert versions written",
            "By family, in an hour: a flood of one family has one cause.",
            "short",
            [("sum by (family) (increase(custody_alerts_total[1h])) > 0", "{{family}}")],
        ),
    )


def _warehouse() -> tuple[panels.Panel, ...]:
    return (
        panels.lines(
            "Lag of the sink",
            "Records at the broker not stored yet. Alert: SinkBehind.",
            "short",
            [("sum by (topic) (custody_sink_lag_records)", "{{topic}}")],
        ),
        panels.lines(
            "Standing still",
            "Since a flush was finished, while records wait. Alert: SinkStalled.",
            "s",
            [("custody_sink_since_progress_seconds", "{{instance}}")],
        ),
        panels.lines(
            "Rows stored",
            "By table, per second.",
            "ops",
            [(_per_second("custody_rows_total", "stem"), "{{stem}}")],
        ),
        panels.lines(
            "A flush, p99",
            "Decode, insert of every table, commit.",
            "s",
            [(_p99("custody_insert_seconds"), "flush")],
        ),
        panels.lines(
            "Questions over HTTP",
            "By outcome, per second; refused is the guard, a bound or wrong SQL.",
            "ops",
            [(_per_second("custody_sql_queries_total", "outcome"), "{{outcome}}")],
        ),
        panels.lines(
            "Posts to the webhook",
            "By outcome, per second. Alert: WebhookFailing.",
            "ops",
            [(_per_second("custody_webhook_posts_total", "outcome"), "{{outcome}}")],
        ),
    )


def _refused() -> tuple[panels.Panel, ...]:
    return (
        panels.lines(
            "Requests refused",
            "By reason, in an hour; custody refused list names them at the gateway.",
            "short",
            [("sum by (code) (increase(custody_refused_requests_total[1h])) > 0", "{{code}}")],
        ),
        panels.lines(
            "Refused requests: share of their room in use",
            "At 1 they are answered and not kept; nothing else is closed. Alert: RefusedFull.",
            "percentunit",
            [("custody_refused_kept_bytes / custody_refused_limit_bytes", "{{instance}}")],
        ),
        panels.lines(
            "Refused and not kept",
            "In an hour, for want of room: nobody can send these again from here.",
            "short",
            [("increase(custody_refused_unkept_requests_total[1h])", "{{instance}}")],
        ),
        panels.lines(
            "Dead letters",
            "Records that could not be read, in an hour. Alert: DeadLetters.",
            "short",
            [
                ("sum by (reason) (increase(custody_dead_letters_total[1h])) > 0", "{{reason}}"),
                (
                    "sum by (reason) (increase(custody_worker_dead_letters_total[1h])) > 0",
                    "worker {{reason}}",
                ),
            ],
        ),
    )

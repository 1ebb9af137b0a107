"""What the sink is told: addresses, limits and intervals. Every limit has a name and a unit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from schemas.breaker import Limits

GROUP = "custody-sink"
"""Consumer group of all sinks."""

_MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkConfig:
    """Settings of one sink process.

    Attributes:
        bootstrap: Kafka's addresses.
        warehouse: ``chdb:///path`` for the embedded engine, ``http(s)://user:password@host:port``
            for a server.
        cluster: Name of the servers' cluster where tables are sharded and replicated; None for
            one server.
        group: Consumer group; its committed offsets are the sink's place in every topic.
        instance: Static member name, so that a restarted process is back at once. Two running
            sinks need two names.
        kafka: Further librdkafka options (security and the like); they win over ours.
        batch_rows_max: A batch is cut at this many records.
        batch_bytes_max: A batch is cut at this many bytes of values.
        batch_age_s: A batch is cut this long after its first record. Below one second costs
            about 1 % of a core per insert and second (one insert per table and flush).
        poll_s: Longest wait for records in one call, seconds.
        session_timeout_s: The broker forgets a silent member after this; its minimum is 6.
        poll_interval_s: The broker takes our partitions after this long without a poll; above
            ``retry_budget_s`` it need not be, since a waiting sink goes on polling.
        retry_wait_s: First wait before an insert is tried again; doubles with jitter.
        retry_wait_s_max: Longest wait between two tries.
        retry_budget_s: Then the process stops without committing.
        broker_timeout_s: Limit of one call to the broker.
        look_every_s: How often a sink with nothing to store looks whether a topic was made anew.
        stuck_after_s: Records wait and nothing has been stored for so long: unhealthy.
        dead_letter_limits: How many unreadable records stop the sink.
        dead_letter_bytes_max: Values beyond it are cut in the dead letter, which says so; the
            broker takes no more than its ``message.max.bytes``.
    """

    bootstrap: str
    warehouse: str = field(repr=False)
    cluster: str | None = None
    group: str = GROUP
    instance: str = "custody-sink-1"
    kafka: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    batch_rows_max: int = 50_000
    batch_bytes_max: int = 16 * _MIB
    batch_age_s: float = 0.5
    poll_s: float = 0.1
    session_timeout_s: float = 10.0
    poll_interval_s: float = 300.0
    retry_wait_s: float = 0.2
    retry_wait_s_max: float = 30.0
    retry_budget_s: float = 600.0
    broker_timeout_s: float = 30.0
    look_every_s: float = 30.0
    stuck_after_s: float = 30.0
    dead_letter_limits: Limits = field(default_factory=Limits)
    dead_letter_bytes_max: int = 900_000

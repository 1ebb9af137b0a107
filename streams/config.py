"""What a worker needs to know before it starts; runtime builds it, nothing here reads a clock."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from schemas import topics

APP_ID = "custody-worker"
"""Consumer group of all workers and the prefix of their changelog."""

TABLE = "rows"

CHANGELOG = f"{APP_ID}-{TABLE}-changelog"
"""Topic that holds every row; compacted. Named by Faust's rule ``<app id>-<table>-changelog``."""

ROW_BYTES_MAX = 256 * 1024
"""A row beyond this is a design error of the fold: the worker stops with a named reason."""


class Stage(StrEnum):
    """Points of the output protocol between which a crash must lose and double nothing."""

    WRITING = "writing"
    """Before the first byte of the chunk goes to the changelog."""
    LOGGED = "logged"
    """The changelog has acknowledged the chunk; the local store does not have it yet."""
    STORED = "stored"
    """The local store has the chunk; no output has been sent."""
    SENT = "sent"
    """All outputs are acknowledged; the chunk is not marked done."""


Pause = Callable[[Stage, int], Awaitable[None]]
"""Called with a stage and the partition: tests wait or kill here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """How the broker is reached.

    Attributes:
        protocol: Kafka's name: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.
        mechanism: PLAIN or one of SCRAM, where the protocol is SASL.
        username: Whose account, where the protocol is SASL.
        password: Its password; in no text of this object.
        ca_file: Certificates to trust, PEM; None for those of the system.
        cert_file: Certificate to show, PEM; None for none.
        key_file: Its key, PEM, without a passphrase.
    """

    protocol: str = "PLAINTEXT"
    mechanism: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    @property
    def is_sasl(self) -> bool:
        """Whether a name and a password are asked for."""
        return self.protocol.startswith("SASL")

    @property
    def is_encrypted(self) -> bool:
        """Whether the connection is TLS."""
        return self.protocol.endswith("SSL")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """Settings of one worker process.

    Attributes:
        bootstrap: Kafka's ``host:port[,host:port]``.
        registry_url: Base URL of the schema registry.
        data_dir: Directory of this worker alone; its parent must exist. Deleted by whoever
            recreates the topics.
        host: Address of ``/metrics`` and ``/health``.
        port: Port of them; 0 takes a free one, None opens none.
        session_timeout_s: Group session; 10 s, tests 6 s (the broker's minimum).
        commit_interval_s: How often finished chunks are committed.
        chunk_records_max: Records of one chunk. Many facts of one lot in a chunk are one step of
            that lot: cheaper per record, but a chunk must end within ``revoke_wait_s``.
        poll_s: Shortest time between two fetches while there is no backlog: longer makes larger,
            cheaper chunks and adds as much latency; what one owner hands another does not wait.
        cache_bytes_max: Decoded rows kept per partition, measured by their encoded size.
        revoke_wait_s: How long a running chunk may take when its partition is taken away, before
            the process ends.
        tick_interval_s: How often a partition's clock is written; 0 writes none.
        silent_after_s: A gateway whose last head is older is named as silent in the ticks.
        stuck_after_s: No progress for this long with work waiting is a failing health.
        log_level: Lowest level that is logged.
        pause: Test hook between the stages of the protocol.
        security: How the clients of the worker reach the broker that are Faust's or aiokafka's.
        librdkafka: The same of the one that restores rows, as librdkafka's options.
        kafka: Further client options by their Faust setting name.
    """

    bootstrap: str
    registry_url: str
    data_dir: Path
    host: str = "127.0.0.1"
    port: int | None = None
    session_timeout_s: float = 10.0
    commit_interval_s: float = 1.0
    chunk_records_max: int = 4_000
    poll_s: float = 0.05
    cache_bytes_max: int = 1024 * 1024
    revoke_wait_s: float = 5.0
    tick_interval_s: float = 10.0
    silent_after_s: float = 180.0
    stuck_after_s: float = 30.0
    log_level: str = "INFO"
    pause: Pause | None = None
    security: Security = field(default_factory=Security)
    librdkafka: Mapping[str, str] = field(default_factory=dict, repr=False)
    kafka: Mapping[str, object] = field(default_factory=dict)


SOURCES = topics.SOURCES
"""Topics the worker reads, in the order in which a row counts their offsets."""

SOURCE_INDEX = {topic: i for i, topic in enumerate(SOURCES)}

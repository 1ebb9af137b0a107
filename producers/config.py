"""What a gateway needs to be told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from producers.requests import MODELS

_MIB = 1 << 20

READER_GROUP = "custody-witness"
"""Group under which a gateway reads what others wrote. It keeps no place, but Kafka's client asks
for the group's coordinator all the same, and may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxConfig:
    """The outbox: where it lies and what it may take.

    Attributes:
        directory: Holds ``outbox.sqlite3``, ``epoch.json``, ``lock`` and ``token``.
        gateway_id: Name of the gateway in every record; one per outbox for ever.
        partitions: Partitions of every topic, as they were created.
        bytes_max: Largest outbox, bytes; beyond it nothing is accepted.
        disk_free_bytes_min: Least free space on its disk at which events are accepted.
        keep_published_s: How long a published record's body stays, for ``GET /v1/events/{id}``.
            Its id and content digest stay for ever: they are the duplicate detection.
        keep_refused_s: How long a refused request stays.
    """

    directory: Path
    gateway_id: str
    partitions: int = 4
    bytes_max: int = 4096 * _MIB
    disk_free_bytes_min: int = 64 * _MIB
    keep_published_s: float = 7 * 86_400
    keep_refused_s: float = 90 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class PublisherConfig:
    """The way to Kafka.

    Attributes:
        kafka: Options of the client: ``bootstrap.servers`` and whatever the cluster's security
            needs. What delivery rests on (acks, idempotence, order) is set by the publisher.
        delivery_timeout_s: Records are on their way and nothing at all is acknowledged for so long:
            everything is sent anew from the outbox, over new connections.
        silence_timeout_s: A connection that leaves a request unanswered for so long is ended; what
            was on it is sent again. Below ``stuck_after_s``, so that a dead line is no stuck
            gateway.
        linger_ms: How long a record may wait for company.
        in_flight_max: Records handed to the client and not acknowledged.
        stuck_after_s: Records wait, the broker answers, nothing is acknowledged for so long: stuck.
    """

    kafka: Mapping[str, str] = field(repr=False)
    delivery_timeout_s: float = 120.0
    silence_timeout_s: float = 20.0
    linger_ms: int = 5
    in_flight_max: int = 10_000
    stuck_after_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsConfig:
    """A gateway's own certificate.

    Attributes:
        cert_file: Its certificate and those between it and the root, PEM.
        key_file: Its private key, PEM, without a passphrase.
        client_ca_file: Who may sign the certificates that clients then have to show; None asks
            for none.
    """

    cert_file: Path
    key_file: Path
    client_ca_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpConfig:
    """The API.

    Attributes:
        host: Address to listen on.
        port: Port to listen on.
        body_bytes_max: Largest body, also after decompression. Bodies that are parsed take at most
            four times of it together.
        body_timeout_s: A body that has not come whole by then, and a second longer for every 500
            bytes of it that came, is given up.
        items_max: Most requests in one list.
        rate_per_s: Requests (items) one token may send per second on average; None for any.
        rate_burst: Items a token may send at once after a pause.
        tls: Certificate to answer with; None speaks plain HTTP.
    """

    host: str = "127.0.0.1"
    port: int = 8400
    body_bytes_max: int = 8 * _MIB
    body_timeout_s: float = 20.0
    items_max: int = 1_000
    rate_per_s: float | None = None
    rate_burst: int = 10_000
    tls: TlsConfig | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DropConfig:
    """The folder whose files are taken.

    Attributes:
        folder: Where files are dropped; ``taking``, ``done`` and ``failed`` are made in it.
        poll_s: How often it is looked into. A file that was the same twice is taken.
        file_bytes_max: Largest file.
        list_bytes_max: Largest file that has to be read whole, such as a JSON list.
        line_bytes_max: Longest line of a file that is read line by line.
        batch_requests_max: Requests that become durable together.
    """

    folder: Path
    poll_s: float = 5.0
    file_bytes_max: int = 256 * _MIB
    list_bytes_max: int = 8 * _MIB
    line_bytes_max: int = _MIB
    batch_requests_max: int = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttConfig:
    """The MQTT broker whose messages are taken.

    Attributes:
        url: ``mqtt://host:port`` or ``mqtts://host:port``; 1883 and 8883 by default.
        topics: What to subscribe to.
        client_id: Name of the session at the broker; one per gateway for ever.
        user: Name to connect with; None for none.
        password: Password to connect with.
        ca_file: Certificates to trust; None for those of the system.
        session_expiry_s: How long the broker keeps messages while the gateway is away.
        answer_prefix: Answers go only to topics that begin like this.
        payload_bytes_max: Largest message.
        items_max: Most requests in a message.
        unacknowledged_max: Messages the broker sends before it waits for an acknowledgement.
        keepalive_s: A broker that is silent for so long is away.
        retry_s: First pause before it is tried again; doubled up to ``retry_s_max``.
        retry_s_max: Longest pause.
    """

    url: str
    client_id: str
    topics: tuple[str, ...] = ("custody/events/#",)
    user: str | None = None
    password: str | None = None
    ca_file: Path | None = None
    session_expiry_s: int = 7 * 86_400
    answer_prefix: str = "custody/answers/"
    payload_bytes_max: int = 8 * _MIB
    items_max: int = 1_000
    unacknowledged_max: int = 32
    keepalive_s: int = 30
    retry_s: float = 1.0
    retry_s_max: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayConfig:
    """A whole gateway process.

    Attributes:
        outbox: Where accepted events wait.
        publisher: Where they go.
        http: Where they come from.
        types: Types of request it takes. A plant's own gateway takes facts: its account with the
            broker may not write the topic of the others, and one such record would hold up all.
        drop: Where they come from as files; None for nowhere.
        mqtt: Where they come from as messages; None for nowhere.
    """

    outbox: OutboxConfig
    publisher: PublisherConfig
    http: HttpConfig = field(default_factory=HttpConfig)
    types: frozenset[str] = frozenset(MODELS)
    drop: DropConfig | None = None
    mqtt: MqttConfig | None = None

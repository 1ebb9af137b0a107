"""Settings of the gateway; all others are in ``runtime/settings.py``."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from runtime.settings_base import MIB, Group, Port, require


class GatewaySettings(Group):
    """The site gateway."""

    gateway_id: str = Field(default="GW-LOCAL", min_length=1, max_length=64)
    """Name of this gateway in every event and in its chain; one per outbox."""
    host: str = "127.0.0.1"
    """Address to listen on. Loopback, because whoever opens it to a plant should mean to."""
    port: Port = 8400
    """Port of the HTTP API, ``/health`` and ``/metrics``."""
    outbox_bytes_max: int = Field(default=4096 * MIB, ge=16 * MIB, le=1024 * 1024 * MIB)
    """Largest outbox. Nine tenths are for records, beyond which the gateway answers 503: of 4 GiB
    6.6 million facts that wait, of 579 bytes each. A tenth is for refused requests, beyond which
    they are answered and not kept."""
    disk_free_bytes_min: int = Field(default=64 * MIB, ge=MIB, le=1024 * 1024 * MIB)
    """Least free space on the outbox's disk at which events are still accepted."""
    delivery_timeout_s: float = Field(default=120.0, ge=5.0, le=3600.0)
    """How long one send may wait for the broker before it is tried anew from the outbox."""
    takes: Literal["all", "facts", "control"] = "all"
    """Which requests it takes: ``facts`` for a plant's gateway, ``control`` for the one that posts
    reference and action records. All, because the local stack has one gateway for both. The drop
    folder and MQTT bring facts alone in any case."""
    body_bytes_max: int = Field(default=8 * MIB, ge=64 * 1024, le=1024 * MIB)
    """Largest body of a post, also after decompression; beyond it 413, and for less where it is
    many short values: bodies take at most four times as much memory together."""
    body_timeout_s: float = Field(default=20.0, ge=1.0, le=3600.0)
    """How long a body may take, and a second more for every 500 bytes of it that came; beyond it
    408. So a line of 64 kbit/s has all the time it needs, and one that says nothing has not."""
    rate_per_s: float | None = Field(default=None, ge=0.01, le=1_000_000)
    """Requests one token may send per second on average; beyond it 429. Unset: any, because a day's
    backlog of a plant should come in as fast as it can."""
    rate_burst_requests_max: int = Field(default=10_000, ge=1, le=10_000_000)
    """Requests one token may send at once after a pause."""
    tls_cert_file: Path | None = None
    """Certificate of the gateway, PEM, with those between it and the root. Unset: plain HTTP, which
    is for loopback."""
    tls_key_file: Path | None = None
    """Key of that certificate, PEM, without a passphrase."""
    tls_client_ca_file: Path | None = None
    """Who signs the certificates that senders have to show. Unset: they show none."""
    ca_file: Path | None = None
    """Certificates that the commands of this machine trust when they call the gateway, PEM. Unset:
    those of the system."""
    client_cert_file: Path | None = None
    """Certificate that these commands show, PEM, where the gateway asks for one."""
    client_key_file: Path | None = None
    """Key of that certificate, PEM, without a passphrase."""

    @model_validator(mode="after")
    def _certificates_have_keys(self) -> Self:
        require(
            (self.tls_cert_file is None) == (self.tls_key_file is None),
            "tls_cert_file and tls_key_file are needed together",
        )
        require(
            self.tls_client_ca_file is None or self.tls_cert_file is not None,
            "tls_client_ca_file needs tls_cert_file",
        )
        require(
            (self.client_cert_file is None) == (self.client_key_file is None),
            "client_cert_file and client_key_file are needed together",
        )
        return self

    drop_dir: Path | None = None
    """Folder whose files are taken, such as a share of the plant's. Unset: none. It has to be
    there; ``done``, ``failed`` and ``taking`` are made in it."""
    drop_poll_s: float = Field(default=5.0, ge=0.1, le=3600.0)
    """How often that folder is looked into; a file is taken when two looks found it the same. Five
    seconds, because network shares may show what was written some seconds late."""
    drop_file_bytes_max: int = Field(default=256 * MIB, ge=1024, le=16_384 * MIB)
    """Largest dropped file. A JSON list, which has to be read whole, is limited as a post is, to
    8 MiB."""
    mqtt_url: str | None = Field(default=None, pattern=r"^mqtts?://[^@/\s]+$")
    """``mqtt(s)://host:port`` of an MQTT 5 broker to take messages from; by default 1883 is the
    port, and 8883 with TLS. Unset: none. Needs the extra ``gateway``."""
    mqtt_topics: str = Field(default="custody/events/#", min_length=1)
    """Topics to subscribe to, with commas between them. Whoever may write there may send facts:
    that is the broker's to say."""
    mqtt_client_id: str | None = Field(default=None, min_length=1, max_length=128)
    """Name of the session that the broker keeps while the gateway is away. Unset: ``custody-`` and
    the gateway's id."""
    mqtt_user: str | None = None
    """User at the MQTT broker."""
    mqtt_password_file: Path | None = None
    """File that holds its password, as containers mount secrets."""
    mqtt_ca_file: Path | None = None
    """Certificates to trust at the MQTT broker, PEM. Unset: those of the system."""
    mqtt_session_expiry_s: int = Field(default=7 * 86_400, ge=60, le=4_294_967_295)
    """How long the MQTT broker is asked to keep what comes while the gateway is away. A week is a
    long outage."""
    mqtt_answer_prefix: str = "custody/answers/"
    """Answers go only to response topics that begin like this: a sender must not make the gateway
    write to a topic that it could not write to itself."""

    @model_validator(mode="after")
    def _mqtt_is_complete(self) -> Self:
        require(
            self.mqtt_password_file is None or self.mqtt_user is not None,
            "mqtt_user is needed where mqtt_password_file is given",
        )
        return self

"""All settings, read once: defaults, then ``.env``, then the environment, the later one winning.

Every name is ``CUSTODY_<GROUP>__<FIELD>``. A unit is part of the name. The string under a field
says what it is, why the default is what it is, and is what ``docs/settings.md`` shows. Packages
never see this class: ``runtime/wiring.py`` gives each its own small configuration.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from custody.errors import Refused
from runtime.settings_base import MIB, Group, Port, require
from runtime.settings_gateway import GatewaySettings

PREFIX = "CUSTODY_"
DELIMITER = "__"


class BadSettings(Refused):
    """One or more settings are not what they may be; each has a line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(
            f"settings: {'; '.join(problems)}",
            expected="names and ranges as in docs/settings.md",
            next_step="change the environment or .env, then custody config",
        )


class KafkaSettings(Group):
    """The broker, ours or any other."""

    bootstrap: str | None = None
    """Addresses ``host:port,...`` of a cluster that is run elsewhere. Unset: the local stack starts
    its own broker."""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """How clients talk to the broker. Plain by default, because ours listens on loopback only."""
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    """Needed where the protocol is SASL."""
    sasl_username: str | None = None
    """Needed where the protocol is SASL."""
    sasl_password: SecretStr | None = None
    """Password of the user; better given as a file."""
    sasl_password_file: Path | None = None
    """File that holds the password, as containers mount secrets."""
    ca_file: Path | None = None
    """Certificates to trust, PEM. Unset: those of the system."""
    cert_file: Path | None = None
    """Certificate to show to the broker, PEM, where it asks for one."""
    key_file: Path | None = None
    """Key of that certificate, PEM, without a passphrase."""
    partitions: int = Field(default=4, ge=1, le=1024)
    """Partition count of every topic, fixed when the topics are made. Four is two workers of two
    cores with room to grow; production 32."""
    replication_factor: int = Field(default=1, ge=1, le=9)
    """Copies of every topic. One, because the local broker is one; production 3."""
    changelog_compaction_lag_s: int = Field(default=600, ge=0, le=86_400)
    """Youngest age at which a changelog record may be compacted away, so that a restoring worker
    finds whole chunks."""

    @model_validator(mode="after")
    def _sasl_is_complete(self) -> Self:
        sasl = self.security_protocol.startswith("SASL")
        require(
            not sasl or bool(self.sasl_username and self.sasl_mechanism),
            "sasl_username and sasl_mechanism are needed where security_protocol is SASL",
        )
        require(
            self.sasl_password is None or self.sasl_password_file is None,
            "sasl_password and sasl_password_file are both given; give one",
        )
        require(
            (self.cert_file is None) == (self.key_file is None),
            "cert_file and key_file are needed together",
        )
        return self


class RegistrySettings(Group):
    """The schema registry, ours or any other that speaks Confluent's API."""

    url: str | None = Field(default=None, pattern=r"^https?://")
    """Base URL of the Confluent-compatible API. Unset: the local stack starts its own registry."""


class WorkerSettings(Group):
    """The stream workers."""

    count: int = Field(default=1, ge=0, le=64)
    """Workers the local stack starts; partitions are shared among them."""
    host: str = "127.0.0.1"
    """Address of ``/health`` and ``/metrics``."""
    port: Port = 8430
    """Port of worker 1; worker n takes port + n - 1."""
    session_timeout_s: float = Field(default=10.0, ge=6.0, le=300.0)
    """How long the group waits for a silent worker; the broker's minimum is 6 s. Shorter means a
    quicker takeover and more false alarms."""
    commit_interval_s: float = Field(default=1.0, ge=0.1, le=60.0)
    """How often finished chunks are committed; after a crash that much is read again."""
    chunk_records_max: int = Field(default=4_000, ge=1, le=20_000)
    """Records of one chunk. More are cheaper each; a chunk must end within five seconds."""
    poll_s: float = Field(default=0.05, ge=0.0, le=5.0)
    """Shortest time between two fetches without backlog: cheaper chunks against latency."""
    cache_bytes_max: int = Field(default=MIB, ge=MIB, le=4096 * MIB)
    """Decoded rows kept per partition."""
    tick_interval_s: float = Field(default=10.0, ge=0.0, le=600.0)
    """How often a partition's clock is written; deadlines are no finer. 0 writes none."""
    silent_after_s: float = Field(default=180.0, ge=60.0, le=180.0)
    """A gateway whose last head is older counts as silent. Heads come once a minute. Deadlines rest
    on three minutes, so it may be no more."""
    stuck_after_s: float = Field(default=30.0, ge=1.0, le=3600.0)
    """Work waits and nothing has been finished for so long: ``/health`` says 503."""

    @model_validator(mode="after")
    def _commits_within_the_session(self) -> Self:
        require(
            self.commit_interval_s < self.session_timeout_s,
            "commit_interval_s has to be below session_timeout_s",
        )
        return self


class SinkSettings(Group):
    """From topics to tables."""

    clickhouse_url: str | None = Field(default=None, pattern=r"^https?://[^@]+$")
    """``http(s)://host:port`` of a ClickHouse server. Unset: the embedded engine below the data
    directory."""
    clickhouse_cluster: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{1,64}$")
    """Name of the servers' cluster, as their ``remote_servers`` has it: tables are replicated and
    sharded, by the servers' macros ``shard`` and ``replica``. Unset: one server."""
    clickhouse_user: str = "custody"
    """User on the server."""
    clickhouse_password: SecretStr | None = None
    """Password on the server; better given as a file."""
    clickhouse_password_file: Path | None = None
    """File that holds the password, as containers mount secrets."""
    instance: str = Field(default="custody-sink-1", min_length=1, max_length=64)
    """Static member name in the consumer group, so that a restarted sink is back at once. Two
    running sinks need two names."""
    batch_rows_max: int = Field(default=50_000, ge=1, le=1_000_000)
    """A batch is cut at this many records."""
    batch_bytes_max: int = Field(default=16 * MIB, ge=64 * 1024, le=1024 * MIB)
    """A batch is cut at this many bytes of values."""
    batch_age_s: float = Field(default=0.5, ge=0.05, le=60.0)
    """A batch is cut this long after its first record. One insert per table and batch costs about
    1 % of a core a second."""
    session_timeout_s: float = Field(default=10.0, ge=6.0, le=300.0)
    """How long the group waits for a silent sink."""
    poll_interval_s: float = Field(default=300.0, ge=10.0, le=3600.0)
    """The broker takes our partitions after this long without a poll."""
    retry_budget_s: float = Field(default=600.0, ge=1.0, le=86_400.0)
    """How long an insert is tried again before the process stops without committing."""
    stuck_after_s: float = Field(default=30.0, ge=1.0, le=3600.0)
    """Records wait and nothing has been stored for so long: ``/health`` says 503."""
    audit_interval_s: float = Field(default=10.0, ge=0.0, le=3600.0)
    """How often what is stored is held against what gateways have signed. 0: never; of several
    processes on one warehouse one is to do it."""
    audit_grace_s: float = Field(default=60.0, ge=0.0, le=86_400.0)
    """A record may be stored so long after the head that speaks of it before it is missing."""
    watermark_interval_s: float = Field(default=20.0, ge=0.0, le=3600.0)
    """How often it is found out up to when everything is in (``v_watermark``); gateways say a head
    once a minute. 0: never; of several processes on one warehouse one is enough."""
    audit_sasl_username: str | None = None
    """The auditor's own account at the broker, where each process has one: it writes sightings,
    and the sink may not. Without it the sink's account has to have both roles."""
    audit_sasl_password_file: Path | None = None
    """File that holds that account's password."""

    @model_validator(mode="after")
    def _batches_within_the_poll(self) -> Self:
        require(
            self.batch_age_s < self.poll_interval_s,
            "batch_age_s has to be below poll_interval_s",
        )
        require(
            self.clickhouse_password is None or self.clickhouse_password_file is None,
            "clickhouse_password and clickhouse_password_file are both given; give one",
        )
        require(
            (self.audit_sasl_username is None) == (self.audit_sasl_password_file is None),
            "audit_sasl_username and audit_sasl_password_file go together",
        )
        return self


class ConsoleSettings(Group):
    """What the warehouse process answers over HTTP: SQL, ``/health`` and ``/metrics``."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: Port = 8420
    """Port to listen on."""
    query_timeout_s: float = Field(default=60.0, ge=1.0, le=3600.0)
    """Longest run of one query."""
    public_url: str | None = Field(default=None, pattern=r"^https?://[^/\s]+$")
    """Where browsers reach the console, such as ``https://custody.example``, through a proxy that
    speaks TLS. Unset: the address it listens on. With https, cookies travel by it alone."""
    session_idle_s: float = Field(default=28_800.0, ge=60.0, le=2_592_000.0)
    """So long without a request a session is over. Eight hours are a shift."""
    session_absolute_s: float = Field(default=604_800.0, ge=60.0, le=31_536_000.0)
    """So long after the login it is over, used or not."""
    gateway_url: str | None = Field(default=None, pattern=r"^https?://[^/\s]+$")
    """Gateway that takes what people do at the console: one that may publish control records. The
    local stack names its own. Unset: nobody can act."""
    gateway_token_file: Path | None = None
    """File that holds the console's token there, made with ``custody token create console --type
    action``. Unset: the operator's token of this data directory."""
    sasl_username: str | None = None
    """The console's own account at the broker, where each process has one: it reads alerts,
    balances and actions. Unset: the sink's, which reads everything."""
    sasl_password_file: Path | None = None
    """File that holds that account's password."""
    worker_urls: str = ""
    """Base addresses of the workers' ``/health``, with commas between them, so that a page sees
    when one stops. The local stack names its own. Empty: no worker is watched."""

    webhook_url: str | None = Field(default=None, pattern=r"^https?://")
    """Address that alerts which matter are posted to, each version once. Unset: none."""
    webhook_secret_file: Path | None = None
    """File that holds the secret by which the receiver knows that a post is ours."""
    webhook_ca_file: Path | None = None
    """Certificates to trust there, PEM. Unset: those of the system."""

    @model_validator(mode="after")
    def _webhook_has_a_secret(self) -> Self:
        require(
            (self.webhook_url is None) == (self.webhook_secret_file is None),
            "webhook_url and webhook_secret_file go together",
        )
        return self

    @model_validator(mode="after")
    def _account_has_a_password(self) -> Self:
        require(
            (self.sasl_username is None) == (self.sasl_password_file is None),
            "sasl_username and sasl_password_file go together",
        )
        return self


class StackSettings(Group):
    """The local stack: what ``custody up`` starts on this machine."""

    kafka_port: Port = 9092
    """Port of the broker. A default that is taken gives way to the next free one; a port that is
    set is used or refused."""
    controller_port: Port = 9093
    """Port of the broker's controller."""
    registry_port: Port = 8081
    """Port of the registry."""
    kafka_heap_mb: int = Field(default=384, ge=192, le=65_536)
    """Java heap of the broker. 384 MB carries the bench on two cores; the page cache does the
    rest."""
    registry_heap_mb: int = Field(default=192, ge=96, le=65_536)
    """Java heap of the registry."""
    disk_free_mb_min: int = Field(default=1024, ge=1, le=10_000_000)
    """Least free space in the data directory to start with: a broker that fills its disk stops
    dead, so it is better not to start."""
    ready_timeout_s: float = Field(default=120.0, ge=5.0, le=1800.0)
    """How long ``custody up`` waits for one process to be healthy."""
    exits_max: int = Field(default=5, ge=1, le=100)
    """Exits within the window after which a process is left stopped, with the reason in ``custody
    status``."""
    exits_window_s: float = Field(default=60.0, ge=1.0, le=3600.0)
    """The window those exits are counted in."""
    log_bytes_max: int = Field(default=10 * MIB, ge=64 * 1024, le=1024 * MIB)
    """A process's log file is rotated at this size."""
    log_files: int = Field(default=3, ge=1, le=100)
    """Rotated files kept per process."""
    maven_repository_url: str | None = Field(default=None, pattern=r"^https?://")
    """Maven repository the broker and the registry are downloaded from at the first start. Unset:
    the one of the user's jgo configuration, else jgo's default. Checksums are locked either
    way."""

    @model_validator(mode="after")
    def _broker_has_two_ports(self) -> Self:
        require(
            self.kafka_port != self.controller_port, "kafka_port and controller_port are the same"
        )
        return self


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=DELIMITER,
        env_file=".env",
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
    )

    data_dir: Path = Path(".custody")
    """Directory of everything the processes of this machine keep."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Lowest level that is logged. Normal operation is silent above DEBUG but for start, stop,
    rebalance and migration."""
    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    registry: RegistrySettings = Field(default_factory=RegistrySettings)
    gateway: GatewaySettings = Field(default_factory=GatewaySettings)
    worker: WorkerSettings = Field(default_factory=WorkerSettings)
    sink: SinkSettings = Field(default_factory=SinkSettings)
    console: ConsoleSettings = Field(default_factory=ConsoleSettings)
    stack: StackSettings = Field(default_factory=StackSettings)


def load(environment: Mapping[str, str]) -> Settings:
    """Read the settings.

    Args:
        environment: The process's environment; read for names that begin like one of ours and
            do not exist, which pydantic passes over.

    Raises:
        BadSettings: A name does not exist, or a value is outside its range.
    """
    unknown = sorted(set(_ours(environment)) - set(names()))
    if unknown:
        raise BadSettings([f"{name} does not exist" for name in unknown])
    try:
        return Settings()
    except ValidationError as error:
        problems = [
            f"{_name(problem['loc'])}: {_SAID.get(problem['type'], problem['msg'])}"
            for problem in error.errors(include_input=False, include_url=False)
        ]
        raise BadSettings(problems) from error


_SAID = {"extra_forbidden": "it does not exist; custody config lists those that do"}


def names() -> dict[str, tuple[str, ...]]:
    """Return the environment name of every setting and its path in the class, in page order."""
    found: dict[str, tuple[str, ...]] = {}
    for field, info in Settings.model_fields.items():
        group = info.annotation
        if isinstance(group, type) and issubclass(group, Group):
            for inner in group.model_fields:
                found[_name((field, inner))] = (field, inner)
        else:
            found[_name((field,))] = (field,)
    return found


def secret(value: SecretStr | None, file: Path | None) -> str | None:
    """Return a secret from its value or its file; None where neither is given.

    Raises:
        BadSettings: The file cannot be read.
    """
    if file is None:
        return None if value is None else value.get_secret_value()
    try:
        return file.read_text("utf-8").strip()
    except OSError as error:
        raise BadSettings([f"secret file {file}: {error.strerror}"]) from error


def _ours(environment: Mapping[str, str]) -> list[str]:
    """Names that can only be meant for a group: CUSTODY_SEED of a test is none of them."""
    groups = tuple({f"{PREFIX}{path[0]}_".upper() for path in names().values() if len(path) > 1})
    return [name.upper() for name in environment if name.upper().startswith(groups)]


def _name(path: tuple[int | str, ...]) -> str:
    return PREFIX + DELIMITER.join(str(part) for part in path).upper()

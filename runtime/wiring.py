"""From the settings to each package's own small configuration. The only place that knows both."""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from custody.errors import Unavailable
from runtime.paths import DataDir
from runtime.settings import Settings, secret
from runtime.settings_gateway import GatewaySettings
from runtime.stack import addresses as where
from runtime.trust import gateway_trust
from web import certificate

if TYPE_CHECKING:  # the packages are heavy, and each process needs one of them
    from console.config import ConsoleConfig
    from console.desk_config import DeskConfig
    from console.webhook.sender import WebhookConfig
    from producers.config import DropConfig, GatewayConfig, MqttConfig, TlsConfig
    from sinks.config import SinkConfig
    from streams.config import Security, WorkerConfig


class NoAddress(Unavailable):
    """A process was started by hand, and nobody said where the broker or the registry is."""

    def __init__(self, setting: str, addresses: Path) -> None:
        super().__init__(
            f"no address: {setting} is not set and {addresses} is not there",
            expected="a local stack, or the address of one that runs elsewhere",
            next_step=f"custody up, or set {setting}",
        )


def data_dir(settings: Settings) -> DataDir:
    """Return the data directory as an absolute path."""
    return DataDir(settings.data_dir.resolve())


def bootstrap(settings: Settings) -> str:
    """Return the broker's address: the one set, else the one of the running local stack.

    Raises:
        NoAddress: There is neither.
    """
    if settings.kafka.bootstrap is not None:
        return settings.kafka.bootstrap
    return _recorded(settings, "CUSTODY_KAFKA__BOOTSTRAP").kafka


def registry_url(settings: Settings) -> str:
    """Return the registry's address: the one set, else the one of the running local stack.

    Raises:
        NoAddress: There is neither.
    """
    if settings.registry.url is not None:
        return settings.registry.url
    return _recorded(settings, "CUSTODY_REGISTRY__URL").registry


def kafka_options(settings: Settings, address: str) -> dict[str, str]:
    """Return librdkafka's options for reaching the broker: address and security.

    Raises:
        BadSettings: The password's file cannot be read.
        CertificateUnusable: Another file cannot be used.
    """
    return {"bootstrap.servers": address, **_secured(settings)}


def _secured(settings: Settings) -> dict[str, str]:
    """Return librdkafka's options for proving who we are; aiokafka's are made of ``_security``.

    Raises:
        BadSettings: The password's file cannot be read.
        CertificateUnusable: Another file cannot be used. librdkafka would name neither it nor the
            setting.
    """
    kafka = settings.kafka
    if kafka.security_protocol.endswith("SSL"):
        certificate.kafka_context(kafka.ca_file, kafka.cert_file, kafka.key_file)
    given = {
        "security.protocol": kafka.security_protocol,
        "sasl.mechanism": kafka.sasl_mechanism,
        "sasl.username": kafka.sasl_username,
        "sasl.password": secret(kafka.sasl_password, kafka.sasl_password_file),
        "ssl.ca.location": kafka.ca_file,
        "ssl.certificate.location": kafka.cert_file,
        "ssl.key.location": kafka.key_file,
    }
    return {name: str(value) for name, value in given.items() if value is not None}


def auditor_options(settings: Settings, address: str) -> dict[str, str]:
    """Return librdkafka's options of the auditor beside the sink: its account, where it has one.

    Raises:
        BadSettings: A password's file cannot be read.
    """
    options, own = kafka_options(settings, address), settings.sink
    if own.audit_sasl_username is not None:
        options["sasl.username"] = own.audit_sasl_username
        options["sasl.password"] = str(secret(None, own.audit_sasl_password_file))
    return options


def gateway_config(settings: Settings) -> "GatewayConfig":
    """Return the configuration of the gateway process.

    Raises:
        BadSettings: A password's file cannot be read.
    """
    from producers.config import GatewayConfig, HttpConfig, OutboxConfig, PublisherConfig
    from producers.tokens import CONTROL_TYPES, FACT_TYPES

    own = settings.gateway
    return GatewayConfig(
        outbox=OutboxConfig(
            directory=data_dir(settings).gateway,
            gateway_id=own.gateway_id,
            partitions=settings.kafka.partitions,
            bytes_max=own.outbox_bytes_max,
            disk_free_bytes_min=own.disk_free_bytes_min,
        ),
        publisher=PublisherConfig(
            kafka=kafka_options(settings, bootstrap(settings)),
            delivery_timeout_s=own.delivery_timeout_s,
        ),
        http=HttpConfig(
            host=own.host,
            port=own.port,
            body_bytes_max=own.body_bytes_max,
            body_timeout_s=own.body_timeout_s,
            rate_per_s=own.rate_per_s,
            rate_burst=own.rate_burst_requests_max,
            tls=_tls(own),
        ),
        drop=_drop_config(settings),
        mqtt=_mqtt_config(settings),
        types={
            "all": FACT_TYPES | CONTROL_TYPES,
            "facts": FACT_TYPES,
            "control": CONTROL_TYPES,
        }[own.takes],
    )


def _tls(own: GatewaySettings) -> "TlsConfig | None":
    from producers.config import TlsConfig

    if own.tls_cert_file is None or own.tls_key_file is None:
        return None
    return TlsConfig(
        cert_file=own.tls_cert_file,
        key_file=own.tls_key_file,
        client_ca_file=own.tls_client_ca_file,
    )


def _drop_config(settings: Settings) -> "DropConfig | None":
    from producers.config import DropConfig

    own = settings.gateway
    if own.drop_dir is None:
        return None
    return DropConfig(
        folder=own.drop_dir.resolve(),
        poll_s=own.drop_poll_s,
        file_bytes_max=own.drop_file_bytes_max,
    )


def _mqtt_config(settings: Settings) -> "MqttConfig | None":
    from producers.config import MqttConfig

    own = settings.gateway
    if own.mqtt_url is None:
        return None
    return MqttConfig(
        url=own.mqtt_url,
        client_id=own.mqtt_client_id or f"custody-{own.gateway_id}",
        topics=tuple(topic.strip() for topic in own.mqtt_topics.split(",")),
        user=own.mqtt_user,
        password=secret(None, own.mqtt_password_file),
        ca_file=own.mqtt_ca_file,
        session_expiry_s=own.mqtt_session_expiry_s,
        answer_prefix=own.mqtt_answer_prefix,
    )


def worker_config(settings: Settings, no: int) -> "WorkerConfig":
    """Return the configuration of the worker with this number, from 1.

    Raises:
        BadSettings: The password's file cannot be read.
    """
    from streams.config import WorkerConfig

    own = settings.worker
    return WorkerConfig(
        bootstrap=bootstrap(settings),
        registry_url=registry_url(settings),
        data_dir=data_dir(settings).worker(no),
        host=own.host,
        port=own.port + no - 1,
        session_timeout_s=own.session_timeout_s,
        commit_interval_s=own.commit_interval_s,
        chunk_records_max=own.chunk_records_max,
        poll_s=own.poll_s,
        cache_bytes_max=own.cache_bytes_max,
        tick_interval_s=own.tick_interval_s,
        silent_after_s=own.silent_after_s,
        stuck_after_s=own.stuck_after_s,
        log_level=settings.log_level,
        security=_security(settings),
        librdkafka=_secured(settings),
    )


def _security(settings: Settings) -> "Security":
    from streams.config import Security

    kafka = settings.kafka
    return Security(
        protocol=kafka.security_protocol,
        mechanism=kafka.sasl_mechanism,
        username=kafka.sasl_username,
        password=secret(kafka.sasl_password, kafka.sasl_password_file),
        ca_file=kafka.ca_file,
        cert_file=kafka.cert_file,
        key_file=kafka.key_file,
    )


def sink_config(settings: Settings) -> "SinkConfig":
    """Return the configuration of the sink."""
    from sinks.config import SinkConfig

    own = settings.sink
    return SinkConfig(
        bootstrap=bootstrap(settings),
        warehouse=warehouse(settings),
        cluster=own.clickhouse_cluster if own.clickhouse_url else None,
        instance=own.instance,
        kafka=_secured(settings),
        batch_rows_max=own.batch_rows_max,
        batch_bytes_max=own.batch_bytes_max,
        batch_age_s=own.batch_age_s,
        session_timeout_s=own.session_timeout_s,
        poll_interval_s=own.poll_interval_s,
        retry_budget_s=own.retry_budget_s,
        stuck_after_s=own.stuck_after_s,
    )


def console_config(settings: Settings) -> "ConsoleConfig":
    """Return the configuration of SQL over HTTP."""
    from console.config import ConsoleConfig

    own = settings.console
    return ConsoleConfig(
        warehouse=warehouse(settings),
        token_file=data_dir(settings).sink_token,
        analyst_token_file=data_dir(settings).analyst_token,
        host=own.host,
        port=own.port,
        query_timeout_s=own.query_timeout_s,
    )


def desk_config(settings: Settings) -> "DeskConfig":
    """Return the configuration of people's side of the console.

    Raises:
        CertificateUnusable: A certificate of the settings cannot be used.
    """
    from console.desk_config import DeskConfig
    from console.live.hub import LiveConfig
    from console.people.sessions import Ends

    own, kafka = settings.console, _console_options(settings, bootstrap(settings))
    return DeskConfig(
        directory=data_dir(settings).console,
        public_url=own.public_url,
        ends=Ends(idle_s=own.session_idle_s, absolute_s=own.session_absolute_s),
        gateway_url=own.gateway_url,
        gateway_token_file=own.gateway_token_file or data_dir(settings).gateway_token,
        gateway_trust=gateway_trust(settings.gateway),
        live=LiveConfig(kafka=kafka),
        webhook=_webhook(settings, kafka),
        worker_urls=tuple(url.strip() for url in own.worker_urls.split(",") if url.strip()),
    )


def _webhook(settings: Settings, kafka: dict[str, str]) -> "WebhookConfig | None":
    from console.webhook.sender import WebhookConfig

    own = settings.console
    if own.webhook_url is None or own.webhook_secret_file is None:
        return None
    return WebhookConfig(
        url=own.webhook_url,
        secret_file=own.webhook_secret_file,
        ca_file=own.webhook_ca_file,
        directory=data_dir(settings).console,
        kafka=kafka,
    )


def _console_options(settings: Settings, address: str) -> dict[str, str]:
    options, own = kafka_options(settings, address), settings.console
    if own.sasl_username is not None:
        options["sasl.username"] = own.sasl_username
        options["sasl.password"] = str(secret(None, own.sasl_password_file))
    return options


def warehouse(settings: Settings) -> str:
    """Return where the tables are: the embedded engine's path or the server's URL with secrets."""
    own = settings.sink
    if own.clickhouse_url is None:
        return f"chdb://{data_dir(settings).warehouse}"
    url = urlsplit(own.clickhouse_url)
    password = secret(own.clickhouse_password, own.clickhouse_password_file) or ""
    user = f"{quote(own.clickhouse_user, safe='')}:{quote(password, safe='')}"
    return url._replace(netloc=f"{user}@{url.netloc}").geturl()


def _recorded(settings: Settings, setting: str) -> where.Addresses:
    path = data_dir(settings).addresses
    found = where.read(path)
    if found is None:
        raise NoAddress(setting, path)
    return found

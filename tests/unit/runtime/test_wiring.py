"""From settings to each package's configuration: the numbers arrive, and the secrets."""

from pathlib import Path
from typing import Literal

import pytest
from pydantic import SecretStr

from producers.config import TlsConfig
from producers.tokens import CONTROL_TYPES, FACT_TYPES
from runtime import wiring
from runtime.settings import (
    KafkaSettings,
    RegistrySettings,
    Settings,
    SinkSettings,
    WorkerSettings,
)
from runtime.settings_gateway import GatewaySettings
from runtime.stack import addresses
from runtime.stack.addresses import Addresses
from streams.config import Security
from tests.support.tls import Authority
from web.certificate import CertificateUnusable

_KAFKA = KafkaSettings(bootstrap="broker:9092", partitions=8)
_REGISTRY = RegistrySettings(url="http://registry:8080/apis/ccompat/v7")


def _elsewhere(data_dir: Path, worker: WorkerSettings | None = None) -> Settings:
    worker = worker or WorkerSettings()
    return Settings(data_dir=data_dir, kafka=_KAFKA, registry=_REGISTRY, worker=worker)


def test_each_worker_has_its_own_directory_and_port(tmp_path: Path) -> None:
    settings = _elsewhere(tmp_path, WorkerSettings(port=8500))
    first, second = (wiring.worker_config(settings, no) for no in (1, 2))
    assert (first.port, second.port) == (8500, 8501)
    assert first.data_dir != second.data_dir
    assert first.data_dir.parent == tmp_path


def test_gateway_is_told_the_partition_count_of_the_topics(tmp_path: Path) -> None:
    config = wiring.gateway_config(_elsewhere(tmp_path))
    assert config.outbox.partitions == 8
    assert config.outbox.directory == tmp_path / "gateway"
    assert config.publisher.kafka["bootstrap.servers"] == "broker:9092"


def test_a_file_for_the_broker_that_cannot_be_used_is_named_with_its_setting(
    tmp_path: Path,
) -> None:
    ca, pair = (one := Authority(tmp_path / "a")).ca, one.pair("x")
    other, absent = Authority(tmp_path / "b").pair("y"), tmp_path / "absent.pem"
    for setting, file, files in (
        ("CA_FILE", absent, (absent, pair.cert, pair.key)),
        ("CERT_FILE", absent, (ca, absent, pair.key)),
        ("KEY_FILE", other.key, (ca, pair.cert, other.key)),
    ):
        kafka = _kafka_of("SSL", *files)
        for config in (wiring.gateway_config, wiring.sink_config, wiring.desk_config):
            with pytest.raises(CertificateUnusable) as caught:
                config(Settings(data_dir=tmp_path, kafka=kafka, registry=_REGISTRY))
            assert caught.value.what.startswith(f"CUSTODY_KAFKA__{setting} is {file}: ")
    # Nobody asks for it where the broker is reached in the clear.
    clear = Settings(data_dir=tmp_path, kafka=_kafka_of("PLAINTEXT", absent, absent, absent))
    assert wiring.kafka_options(clear, "broker:9092")["ssl.ca.location"] == str(absent)


def _kafka_of(
    protocol: Literal["SSL", "PLAINTEXT"], ca: Path, cert: Path, key: Path
) -> KafkaSettings:
    return KafkaSettings(
        bootstrap="broker:9093",
        security_protocol=protocol,
        ca_file=ca,
        cert_file=cert,
        key_file=key,
    )


def test_secrets_reach_the_clients_from_files(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("p@ss/word\n", "utf-8")
    settings = Settings(
        data_dir=tmp_path,
        kafka=KafkaSettings(
            bootstrap="broker:9093",
            security_protocol="SASL_SSL",
            sasl_mechanism="SCRAM-SHA-512",
            sasl_username="custody",
            sasl_password_file=password,
        ),
        sink=SinkSettings(
            clickhouse_url="https://house:8443",
            clickhouse_user="sink",
            clickhouse_password_file=password,
        ),
    )
    config = wiring.sink_config(settings)
    assert config.warehouse == "https://sink:p%40ss%2Fword@house:8443"
    assert config.kafka == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "custody",
        "sasl.password": "p@ss/word",
    }


def test_embedded_warehouse_lies_in_the_data_directory(tmp_path: Path) -> None:
    config = wiring.sink_config(_elsewhere(tmp_path))
    assert config.warehouse == f"chdb://{tmp_path / 'warehouse'}"


def test_every_client_is_told_how_to_reach_a_secured_broker(tmp_path: Path) -> None:
    ca, pair = (authority := Authority(tmp_path)).ca, authority.pair("worker")
    kafka = KafkaSettings(
        bootstrap="broker:9093",
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_username="custody-worker",
        sasl_password=SecretStr("hunter2"),
        ca_file=ca,
        cert_file=pair.cert,
        key_file=pair.key,
    )
    settings = Settings(data_dir=tmp_path, kafka=kafka, registry=_REGISTRY)
    expected = {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "custody-worker",
        "sasl.password": "hunter2",
        "ssl.ca.location": str(ca),
        "ssl.certificate.location": str(pair.cert),
        "ssl.key.location": str(pair.key),
    }
    assert wiring.sink_config(settings).kafka == expected
    published = wiring.gateway_config(settings).publisher.kafka
    assert published == {**expected, "bootstrap.servers": "broker:9093"}
    # Both of the worker's kinds of client: it restores rows with the second.
    assert wiring.worker_config(settings, 1).librdkafka == expected
    assert wiring.worker_config(settings, 1).security == Security(
        protocol="SASL_SSL",
        mechanism="SCRAM-SHA-512",
        username="custody-worker",
        password="hunter2",  # noqa: S106  made up
        ca_file=ca,
        cert_file=pair.cert,
        key_file=pair.key,
    )


def test_no_configuration_shows_a_secret_when_it_is_printed(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path,
        kafka=KafkaSettings(bootstrap="broker:9093", sasl_password=SecretStr("hunter2")),
        registry=_REGISTRY,
        sink=SinkSettings(
            clickhouse_url="https://house:8443", clickhouse_password=SecretStr("hunter3")
        ),
    )
    made = (
        wiring.gateway_config(settings),
        wiring.worker_config(settings, 1),
        wiring.sink_config(settings),
        wiring.console_config(settings),
    )
    assert "hunter" not in "".join(map(repr, made))
    assert wiring.worker_config(settings, 1).security.password == "hunter2"  # noqa: S105  made up


@pytest.mark.parametrize(
    ("takes", "types"),
    [
        ("all", FACT_TYPES | CONTROL_TYPES),
        ("facts", FACT_TYPES),
        ("control", CONTROL_TYPES),
    ],
)
def test_a_gateway_takes_what_it_is_set_to_take(
    tmp_path: Path, takes: Literal["all", "facts", "control"], types: frozenset[str]
) -> None:
    settings = Settings(
        data_dir=tmp_path, kafka=_KAFKA, registry=_REGISTRY, gateway=GatewaySettings(takes=takes)
    )
    assert wiring.gateway_config(settings).types == types


def test_limits_and_certificate_reach_the_gateway(tmp_path: Path) -> None:
    own = GatewaySettings(
        rate_per_s=5,
        rate_burst_requests_max=7,
        body_bytes_max=100_000,
        body_timeout_s=3,
        tls_cert_file=Path("own.pem"),
        tls_key_file=Path("own.key"),
        tls_client_ca_file=Path("ca.pem"),
    )
    settings = Settings(data_dir=tmp_path, kafka=_KAFKA, registry=_REGISTRY, gateway=own)
    http = wiring.gateway_config(settings).http
    assert (http.rate_per_s, http.rate_burst, http.body_bytes_max) == (5, 7, 100_000)
    assert http.body_timeout_s == 3
    assert http.tls == TlsConfig(
        cert_file=Path("own.pem"), key_file=Path("own.key"), client_ca_file=Path("ca.pem")
    )
    assert wiring.gateway_config(_elsewhere(tmp_path)).http.tls is None


def test_process_started_by_hand_finds_the_running_stack(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with pytest.raises(wiring.NoAddress, match="CUSTODY_KAFKA__BOOTSTRAP"):
        wiring.bootstrap(settings)
    recorded = Addresses("127.0.0.1:1", "127.0.0.1:2", "http://127.0.0.1:3/x", "g", "c", ())
    addresses.write(tmp_path / "addresses.json", recorded)
    assert wiring.bootstrap(settings) == "127.0.0.1:1"
    assert wiring.registry_url(settings) == "http://127.0.0.1:3/x"


def test_password_given_as_a_value_works_too() -> None:
    kafka = KafkaSettings(sasl_password=SecretStr("hunter2"))
    options = wiring.kafka_options(Settings(kafka=kafka), "broker:1")
    assert options["sasl.password"] == "hunter2"


def test_the_auditor_has_the_account_of_its_sink_or_its_own(tmp_path: Path) -> None:
    kafka = KafkaSettings(sasl_username="sink", sasl_password=SecretStr("one"))
    shared = wiring.auditor_options(Settings(kafka=kafka), "broker:1")
    assert (shared["sasl.username"], shared["sasl.password"]) == ("sink", "one")
    file = tmp_path / "password"
    file.write_text("two\n", "utf-8")
    sink = SinkSettings(audit_sasl_username="auditor", audit_sasl_password_file=file)
    own = wiring.auditor_options(Settings(kafka=kafka, sink=sink), "broker:1")
    assert (own["sasl.username"], own["sasl.password"]) == ("auditor", "two")


def test_a_gateway_has_other_ways_in_only_where_they_are_set(tmp_path: Path) -> None:
    config = wiring.gateway_config(_elsewhere(tmp_path))
    assert (config.drop, config.mqtt) == (None, None)
    password = tmp_path / "password"
    password.write_text("open sesame\n", "utf-8")
    gateway = GatewaySettings(
        gateway_id="GW-7",
        drop_dir=tmp_path / "in",
        mqtt_url="mqtts://broker",
        mqtt_topics="mine/scale/+, mine/lab/#",
        mqtt_user="gateway",
        mqtt_password_file=password,
    )
    settings = _elsewhere(tmp_path).model_copy(update={"gateway": gateway})
    config = wiring.gateway_config(settings)
    assert config.drop is not None
    assert config.drop.folder == tmp_path / "in"
    assert config.mqtt is not None
    assert config.mqtt.topics == ("mine/scale/+", "mine/lab/#")
    assert (config.mqtt.client_id, config.mqtt.password) == ("custody-GW-7", "open sesame")


@pytest.mark.parametrize("url", ["http://broker", "mqtt://user:secret@broker", "mqtt://broker/x"])
def test_an_mqtt_address_is_a_broker_without_secrets(url: str) -> None:
    with pytest.raises(ValueError, match="mqtt_url"):
        GatewaySettings(mqtt_url=url)

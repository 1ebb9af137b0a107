"""Precedence, ranges, rules between fields, and what a wrong one is told."""

from pathlib import Path

import pytest

from runtime.cli.config import effective
from runtime.settings import BadSettings, Settings, load, names, secret


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No `.env` and no setting of the machine the tests run on."""
    monkeypatch.chdir(tmp_path)
    for name in names():
        monkeypatch.delenv(name, raising=False)


def _load(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load(environment)


def test_environment_wins_over_the_file_and_the_file_over_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = "CUSTODY_KAFKA__PARTITIONS=8\nCUSTODY_WORKER__COUNT=3\n"
    (tmp_path / ".env").write_text(file, "utf-8")
    settings = _load(monkeypatch, CUSTODY_KAFKA__PARTITIONS="16")
    assert (settings.kafka.partitions, settings.worker.count) == (16, 3)
    sources = {row.name: row.source for row in effective(settings)}
    assert sources["CUSTODY_KAFKA__PARTITIONS"] == "environment"
    assert sources["CUSTODY_WORKER__COUNT"] == ".env"
    assert sources["CUSTODY_GATEWAY__PORT"] == "default"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CUSTODY_KAFKA__PARTITIONS", "0"),
        ("CUSTODY_KAFKA__PARTITIONS", "four"),
        ("CUSTODY_GATEWAY__PORT", "70000"),
        ("CUSTODY_WORKER__SESSION_TIMEOUT_S", "5.9"),
        ("CUSTODY_REGISTRY__URL", "localhost:8081"),
        ("CUSTODY_SINK__CLICKHOUSE_URL", "http://user:secret@host:8123"),
        ("CUSTODY_LOG_LEVEL", "LOUD"),
    ],
)
def test_value_outside_its_range_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(BadSettings, match=name):
        _load(monkeypatch, **{name: value})


@pytest.mark.parametrize(
    "name", ["CUSTODY_KAFKA__PARTITION", "CUSTODY_KAFKA_PARTITIONS", "CUSTODY_SINK__X__Y"]
)
def test_name_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with pytest.raises(BadSettings, match=f"{name} does not exist"):
        _load(monkeypatch, **{name: "1"})


def test_name_of_somebody_else_is_let_be(monkeypatch: pytest.MonkeyPatch) -> None:
    _load(monkeypatch, CUSTODY_SEED="7")


@pytest.mark.parametrize(
    ("environment", "both"),
    [
        (
            {"CUSTODY_WORKER__COMMIT_INTERVAL_S": "10", "CUSTODY_WORKER__SESSION_TIMEOUT_S": "8"},
            ("commit_interval_s", "session_timeout_s"),
        ),
        (
            {"CUSTODY_SINK__BATCH_AGE_S": "30", "CUSTODY_SINK__POLL_INTERVAL_S": "20"},
            ("batch_age_s", "poll_interval_s"),
        ),
        (
            {"CUSTODY_STACK__KAFKA_PORT": "9093"},
            ("kafka_port", "controller_port"),
        ),
        (
            {"CUSTODY_KAFKA__SECURITY_PROTOCOL": "SASL_SSL"},
            ("sasl_username", "security_protocol"),
        ),
        (
            {
                "CUSTODY_SINK__CLICKHOUSE_PASSWORD": "one",
                "CUSTODY_SINK__CLICKHOUSE_PASSWORD_FILE": "two",
            },
            ("clickhouse_password", "clickhouse_password_file"),
        ),
        (
            {"CUSTODY_SINK__AUDIT_SASL_USERNAME": "custody-auditor"},
            ("audit_sasl_username", "audit_sasl_password_file"),
        ),
        ({"CUSTODY_KAFKA__CERT_FILE": "own.pem"}, ("cert_file", "key_file")),
        ({"CUSTODY_GATEWAY__TLS_KEY_FILE": "own.key"}, ("tls_cert_file", "tls_key_file")),
        (
            {"CUSTODY_GATEWAY__TLS_CLIENT_CA_FILE": "ca.pem"},
            ("tls_client_ca_file", "tls_cert_file"),
        ),
        (
            {"CUSTODY_GATEWAY__CLIENT_CERT_FILE": "own.pem"},
            ("client_cert_file", "client_key_file"),
        ),
    ],
)
def test_rule_between_fields_names_both(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], both: tuple[str, str]
) -> None:
    with pytest.raises(BadSettings) as refused:
        _load(monkeypatch, **environment)
    assert all(field in str(refused.value) for field in both)


def test_secret_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _load(monkeypatch, CUSTODY_KAFKA__SASL_PASSWORD="hunter2")  # noqa: S106  made up
    shown = [*map(str, effective(settings)), repr(settings), settings.model_dump_json()]
    assert "hunter2" not in "".join(shown)
    assert secret(settings.kafka.sasl_password, None) == "hunter2"


def test_secret_file_is_read_without_its_last_newline(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("hunter2\n", "utf-8")
    assert secret(None, file) == "hunter2"
    with pytest.raises(BadSettings, match="No such file"):
        secret(None, tmp_path / "absent")


def test_settings_cannot_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _load(monkeypatch)
    with pytest.raises(ValueError, match="frozen"):
        settings.kafka.partitions = 9  # type: ignore[misc]  # what is tested


def test_every_setting_says_what_it_is_and_why() -> None:
    for name, path in names().items():
        info = Settings.model_fields[path[0]]
        if len(path) > 1:
            group = info.annotation
            assert isinstance(group, type)
            info = group.model_fields[path[1]]
        assert info.description, name
        assert info.description.rstrip().endswith("."), name


def test_every_quantity_has_its_unit_in_the_name() -> None:
    units = ("_s", "_ms", "_mb", "_mb_min", "_bytes_max", "_bytes_min", "_rows_max")
    counts = ("port", "partitions", "replication_factor", "count", "_max", "log_files")
    for name, path in names().items():
        info = Settings.model_fields[path[0]]
        group = info.annotation
        kind = info.annotation
        if len(path) > 1:
            assert isinstance(group, type)
            kind = group.model_fields[path[1]].annotation
        if kind in (int, float):
            assert path[-1].endswith(units + counts), name

"""Each account at a real broker: it can do what its process does, and nothing else.

The broker takes nobody without a name, speaks TLS only, and knows the rules that
``custody prepare --acls`` gave it. All processes are the real commands, told by settings alone.
"""

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from producers.config import READER_GROUP, PublisherConfig
from producers.fields import plain
from producers.service import Options
from runtime.ends import committed, ends
from runtime.stack import ports
from runtime.stack.accounts import ROLES
from schemas import topics
from streams.config import APP_ID, CHANGELOG
from tests.support import gateway as support
from tests.support import secured
from tests.support.secured import ADMIN, Secured
from tests.support.tls import Authority

pytestmark = pytest.mark.integration

ALL = {topic.name for topic in topics.TOPICS}
WRITES = {
    "gateway": {topics.FACT, topics.HEAD},
    "operator": {topics.CONTROL, topics.HEAD},
    "console": {topics.CONTROL, topics.HEAD},
    "worker": {topics.FLOW, topics.TRANSFER, topics.BALANCE, topics.ALERT, CHANGELOG},
    "sink": {topics.DEAD_LETTER},
    "auditor": {topics.FLOW},
}
READS = {
    "gateway": {topics.HEAD, topics.CONTROL},
    "operator": {topics.HEAD, topics.CONTROL},
    "console": {topics.HEAD, topics.CONTROL, topics.ALERT, topics.BALANCE},
    "worker": {topics.FACT, topics.CONTROL, topics.FLOW, topics.HEAD, CHANGELOG},
    "sink": ALL,
    "auditor": ALL,
}
"""What follows from each process's work, written here once more and by hand."""

GROUPS = {
    "gateway": READER_GROUP,
    "operator": READER_GROUP,
    "console": READER_GROUP,
    "worker": APP_ID,
    "sink": "custody-sink",
    "auditor": "custody-audit",
}
"""As whom each reads."""

ROWS = (
    "weighing",
    "reference",
    "action",
    "transfer",
    "balance",
    "head WHERE gateway_id = 'GW-OPERATOR'",
    "sighting WHERE thing = 'gateway/GW-PLANT'",
    "head WHERE gateway_id = 'GW-PLANT' AND has(`seen.gateway_id`, 'GW-OPERATOR')",
)
"""What has to be there when every process can do what it should; the last, within two minutes."""

ACCOUNTS = [f"custody-{role}" for role in ROLES]
PARTITIONS = 2


@dataclass
class Plant:
    """The broker, the registry, and what every process is told."""

    broker: Secured
    registry: str
    directory: Path
    ran: list[Path] = field(default_factory=list)

    def environment(self, account: str, **own: str) -> dict[str, str]:
        # One of them is given its password itself, the others a file, as containers have it.
        secret = None if account == "custody-sink" else self.directory / f"{account}.password"
        clean = {k: v for k, v in os.environ.items() if not k.startswith("CUSTODY_")}
        return {
            **clean,
            **self.broker.settings(account, secret),
            "CUSTODY_DATA_DIR": str(self.directory / account),
            "CUSTODY_REGISTRY__URL": self.registry,
            "CUSTODY_KAFKA__PARTITIONS": str(PARTITIONS),
            "CUSTODY_LOG_LEVEL": "DEBUG",
            **own,
        }

    def custody(self, account: str, *arguments: str, **own: str) -> str:
        """Run a command to its end and return what it says; both outputs are kept."""
        done = subprocess.run(
            [sys.executable, "-m", "runtime.cli.main", *arguments],
            env=self.environment(account, **own),
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        said = self.directory / f"command-{len(self.ran)}.log"
        said.write_text(done.stdout + done.stderr, "utf-8")
        self.ran.append(said)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def wait_for(self, rows: str, place: Mapping[str, str]) -> None:
        """Block until the warehouse has rows of a table under a condition."""
        query = f"SELECT count() AS n FROM custody.{rows}"  # noqa: S608  of ROWS

        def there() -> bool:
            said = self.custody("custody-sink", "sql", query, "--json", **place)
            return int(json.loads(said)["n"]) > 0

        support.wait_for(there, 150)

    @contextmanager
    def process(self, account: str, *arguments: str, **own: str) -> Iterator[None]:
        """Run one of the long-lived processes for the length of the block."""
        said = self.directory / f"{account}.log"
        self.ran.append(said)
        with said.open("ab") as log:
            started = subprocess.Popen(
                [sys.executable, "-m", "runtime.cli.main", *arguments],
                env=self.environment(account, **own),
                stdout=log,
                stderr=log,
            )
        try:
            yield
        finally:
            started.terminate()
            started.wait(60)


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory, registry: str) -> Iterator[Plant]:
    """Topics, schemas, accounts and rules, as an administrator makes them."""
    directory = tmp_path_factory.mktemp("accounts")
    with secured.running(directory / "broker") as broker:
        broker.add_accounts([*ACCOUNTS, "custody-stranger"])
        made = Plant(broker, registry, directory)
        assert f"{len(ROLES)} accounts" in made.custody(ADMIN, "prepare", "--acls")
        yield made


def test_facts_become_rows_with_an_account_for_each_process(plant: Plant, tmp_path: Path) -> None:
    tls = plant.broker.authority.pair("gateway")
    port, control_port, worker, console = (ports.any_free() for _ in range(4))
    shown = {
        "CUSTODY_GATEWAY__GATEWAY_ID": "GW-PLANT",
        "CUSTODY_GATEWAY__TAKES": "facts",
        "CUSTODY_GATEWAY__PORT": str(port),
        "CUSTODY_GATEWAY__TLS_CERT_FILE": str(tls.cert),
        "CUSTODY_GATEWAY__TLS_KEY_FILE": str(tls.key),
        "CUSTODY_GATEWAY__CA_FILE": str(plant.broker.authority.ca),
    }
    control = {
        "CUSTODY_GATEWAY__GATEWAY_ID": "GW-OPERATOR",
        "CUSTODY_GATEWAY__TAKES": "control",
        "CUSTODY_GATEWAY__PORT": str(control_port),
    }
    facts, rules = (tmp_path / name for name in ("facts.ndjson", "rules.ndjson"))
    facts.write_text(lines("lot", "weighing", "assay"), "utf-8")
    rules.write_text(lines("reference", "action"), "utf-8")
    password = tmp_path / "auditor"
    password.write_text(plant.broker.passwords["custody-auditor"])
    place = {
        "CUSTODY_CONSOLE__PORT": str(console),
        "CUSTODY_SINK__AUDIT_SASL_USERNAME": "custody-auditor",
        "CUSTODY_SINK__AUDIT_SASL_PASSWORD_FILE": str(password),
        "CUSTODY_SINK__AUDIT_INTERVAL_S": "1",
    }
    with ExitStack() as running:
        for account, command, own in (
            ("custody-gateway", ["gateway"], shown),
            ("custody-operator", ["gateway"], control),
            (
                "custody-worker",
                ["worker"],
                {"CUSTODY_WORKER__PORT": str(worker), "CUSTODY_WORKER__TICK_INTERVAL_S": "1"},
            ),
            ("custody-sink", ["warehouse"], place),
        ):
            running.enter_context(plant.process(account, *command, **own))
        for at in (f"http://127.0.0.1:{control_port}", f"http://127.0.0.1:{console}"):
            support.wait_for(lambda at=at: healthy(at), 120)  # type: ignore[misc]  # bound early
        trusted = str(plant.broker.authority.ca)
        support.wait_for(lambda: healthy(f"https://127.0.0.1:{port}", trusted), 120)
        plant.custody("custody-gateway", "publish", str(facts), **shown)
        plant.custody("custody-operator", "publish", str(rules), **control)
        for rows in ROWS:
            plant.wait_for(rows, place)
        support.wait_for(lambda: size(plant.broker, topics.FLOW) > 0, 60)
        made = plant.custody("custody-gateway", "token", "create", "scale")
        kept = [plant.custody(account, "config", "--json") for account in ACCOUNTS]
        worker_says = (plant.directory / "custody-worker.log").read_text("utf-8")
    assert "tick not written" not in worker_says
    assert all(name in text for name, text in zip(ACCOUNTS, kept, strict=True))
    secrets = [*plant.broker.passwords.values(), made.strip()]
    secrets += [
        (plant.directory / account / "gateway" / file).read_text().strip()
        for account in ("custody-gateway", "custody-operator")
        for file in ("token", "signing.key")
    ]
    secrets.append((plant.directory / "custody-sink" / "sink" / "token").read_text().strip())
    said = {path.name: path.read_text("utf-8", errors="replace") for path in plant.ran}
    told = [(name, secret) for name, text in said.items() for secret in secrets if secret in text]
    # What `token create` prints is the one place where a secret is shown.
    assert [secret for _, secret in told] == [made.strip()]


@pytest.mark.parametrize("role", ROLES)
def test_the_broker_refuses_every_write_that_is_not_the_accounts(plant: Plant, role: str) -> None:
    options = plant.broker.options(f"custody-{role}")
    taken = {topic for topic in {*ALL, CHANGELOG} if write(options, topic) is None}
    assert taken == WRITES[role]


@pytest.mark.parametrize("role", ROLES)
def test_the_broker_shows_an_account_only_what_its_process_reads(plant: Plant, role: str) -> None:
    options = plant.broker.options(f"custody-{role}")
    shown = {topic for topic in {*ALL, CHANGELOG} if can_read(options, topic, GROUPS[role])}
    assert shown == READS[role]


@pytest.mark.parametrize("role", ROLES)
def test_an_account_takes_no_place_in_the_group_of_another(plant: Plant, role: str) -> None:
    options = plant.broker.options(f"custody-{role}")
    kept = {group for group in set(GROUPS.values()) if can_commit(options, group)}
    assert kept == {GROUPS[role]} - {READER_GROUP}


def test_a_gateway_says_that_it_may_not_publish_what_it_took(plant: Plant, tmp_path: Path) -> None:
    """Why a plant's gateway takes facts alone: see docs/access.md."""
    made = support.config(tmp_path, plant.broker.bootstrap)
    given = replace(
        made,
        outbox=replace(made.outbox, partitions=PARTITIONS),
        publisher=PublisherConfig(kafka=plant.broker.options("custody-gateway")),
    )
    with support.running(given) as gateway:
        gateway.take([support.golden("reference")], Options(), "test").result(30)
        support.wait_for(lambda: "authorization failed" in gateway.publisher.reason, 60)
        assert gateway.outbox.depth >= PARTITIONS
        assert "authorization failed" in str(gateway.health().fields["publisher"])


@pytest.mark.parametrize(
    ("changed", "said", "setting"),
    [
        ({"sasl.password": "wrong"}, "Authentication failed", "CUSTODY_KAFKA__SASL_PASSWORD"),
        ({"ssl.ca.location": None}, "certificate verify failed", "CUSTODY_KAFKA__CA_FILE"),
    ],
)
def test_a_gateway_says_that_the_broker_does_not_let_it_in(
    plant: Plant, tmp_path: Path, changed: Mapping[str, str | None], said: str, setting: str
) -> None:
    options = {**plant.broker.options("custody-gateway"), **changed}
    kafka = {name: value for name, value in options.items() if value is not None}
    assert_says(tmp_path, kafka, said, setting)


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (None, "alert certificate required"),
        ("of another authority", "alert certificate unknown"),
    ],
)
def test_a_gateway_says_that_its_certificate_is_missing_or_not_trusted(
    plant: Plant, tmp_path: Path, shown: str | None, said: str
) -> None:
    kafka = {
        "bootstrap.servers": plant.broker.mtls,
        "security.protocol": "SSL",
        "ssl.ca.location": str(plant.broker.authority.ca),
    }
    if shown is not None:
        pair = Authority(tmp_path / "other").pair("custody-gateway")
        kafka |= {
            "ssl.certificate.location": str(pair.cert),
            "ssl.key.location": str(pair.key),
        }
    assert_says(tmp_path / "gw", kafka, said, "CUSTODY_KAFKA__CERT_FILE")


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SASL_PLAINTEXT", "SSL"])
def test_a_gateway_says_that_it_speaks_another_protocol_than_the_broker(
    plant: Plant, tmp_path: Path, protocol: str
) -> None:
    kafka = {**plant.broker.options("custody-gateway"), "security.protocol": protocol}
    said = "closes the connection before it answers"
    assert_says(tmp_path, kafka, said, "CUSTODY_KAFKA__SECURITY_PROTOCOL")


def test_a_gateway_says_that_its_account_is_shown_no_topics(plant: Plant, tmp_path: Path) -> None:
    kafka = plant.broker.options("custody-stranger")
    said = "not there, or not shown to this account: custody.fact.v1, custody.control.v1"
    assert_says(tmp_path, kafka, said, "custody prepare --acls")


def assert_says(directory: Path, kafka: Mapping[str, str], said: str, setting: str) -> None:
    """A gateway names what the broker said, and what to look at, and goes on accepting."""
    made = support.config(directory, kafka["bootstrap.servers"])
    given = replace(
        made,
        outbox=replace(made.outbox, partitions=PARTITIONS),
        publisher=PublisherConfig(kafka=kafka),
    )
    with support.running(given) as gateway:
        support.wait_for(lambda: said in gateway.publisher.reason, 60)
        fields = gateway.health().fields
        for text in (str(fields["publisher"]), str(fields["warning"])):
            assert said in text
            assert setting in text
            assert "wrong" not in text, "no secret is said"
        assert fields["accepting"] is True


def test_prepare_says_that_the_broker_does_not_let_it_in(plant: Plant, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other").ca
    password = tmp_path / "password"
    password.write_text("not-that")
    for changed, said, setting in (
        ({"SASL_PASSWORD_FILE": str(password)}, "Authentication failed", "SASL_PASSWORD_FILE"),
        ({"CA_FILE": str(other)}, "certificate verify failed", "CA_FILE"),
    ):
        own = {f"CUSTODY_KAFKA__{name}": value for name, value in changed.items()}
        done = subprocess.run(
            [sys.executable, "-m", "runtime.cli.main", "prepare"],
            env=plant.environment(ADMIN, **own),
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == 3, done.stderr
        assert said in done.stderr
        assert f"CUSTODY_KAFKA__{setting}" in done.stderr


def test_the_auditors_account_sees_how_far_all_others_are(plant: Plant) -> None:
    options = plant.broker.options("custody-auditor")
    assert set(ends(options, ALL)) == ALL
    for group in (APP_ID, "custody-sink"):
        assert set(committed(options, group, ALL)) == ALL


def test_an_account_without_rules_may_do_nothing(plant: Plant) -> None:
    options = plant.broker.options("custody-stranger")
    assert all(write(options, topic) for topic in ALL)
    assert not any(can_read(options, topic, READER_GROUP) for topic in ALL)
    assert not any(can_commit(options, group) for group in set(GROUPS.values()))


def test_nobody_comes_in_with_a_wrong_password_or_without_tls(plant: Plant) -> None:
    good = plant.broker.options("custody-gateway")
    for bad in (
        {**good, "sasl.password": "wrong"},
        {**good, "sasl.username": "custody-nobody"},
        {**good, "security.protocol": "PLAINTEXT"},
        {k: v for k, v in good.items() if k != "ssl.ca.location"},
    ):
        with pytest.raises(KafkaException):
            Producer(bad).list_topics(timeout=3)


def test_a_certificate_is_an_account_too(plant: Plant) -> None:
    pair = plant.broker.authority.pair("custody-gateway")
    options = {
        "bootstrap.servers": plant.broker.mtls,
        "security.protocol": "SSL",
        "ssl.ca.location": str(plant.broker.authority.ca),
        "ssl.certificate.location": str(pair.cert),
        "ssl.key.location": str(pair.key),
        "log_level": "0",
    }
    assert write(options, topics.HEAD) is None
    assert write(options, topics.CONTROL) == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_the_rules_can_be_given_to_another_account(plant: Plant) -> None:
    options = plant.broker.options("custody-stranger")
    assert write(options, topics.ALERT) is not None
    said = plant.custody(ADMIN, "prepare", "--acls", "--principal", "worker=User:custody-other")
    assert "rules" in said
    plant.broker.add_accounts(["custody-other"])
    other = plant.broker.options("custody-other")
    assert write(other, topics.ALERT) is None
    assert write(other, topics.FACT) == KafkaError.TOPIC_AUTHORIZATION_FAILED


def lines(*stems: str) -> str:
    return "".join(json.dumps(plain(support.golden(stem))) + "\n" for stem in stems)


def healthy(url: str, trusted: str | None = None) -> bool:
    context = ssl.create_default_context(cafile=trusted) if trusted else True
    try:
        return httpx.get(f"{url}/health", verify=context).status_code == 200
    except httpx.TransportError:
        return False


def size(broker: Secured, topic: str) -> int:
    reader = {**broker.options(ADMIN), "group.id": "tests"}
    with closing(Consumer(reader)) as consumer:
        return sum(
            consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=30)[1]
            for p in range(PARTITIONS)
        )


def write(options: Mapping[str, str], topic: str) -> int | None:
    """Write one unreadable record; gives the error's code, None where it was taken."""
    errors: list[KafkaError | None] = []
    producer = Producer({**options, "enable.idempotence": True, "message.timeout.ms": 20_000})
    producer.produce(topic, b"?", b"?", 0, on_delivery=lambda error, _: errors.append(error))
    producer.flush(30)
    (error,) = errors
    return None if error is None else error.code()


def can_read(options: Mapping[str, str], topic: str, group: str) -> bool:
    """Whether a fetch from a topic's beginning is answered."""
    own = {
        "group.id": group,
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
    }
    with closing(Consumer({**options, **own})) as consumer:
        hidden = consumer.list_topics(topic, timeout=30).topics[topic].error
        if hidden is not None:
            assert hidden.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED, hidden
            return False
        consumer.assign([TopicPartition(topic, 0, 0)])
        message = consumer.poll(30)
        assert message is not None, "no answer"
        error = message.error()
        if error is None or error.code() == KafkaError._PARTITION_EOF:
            return True
        assert error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED, error
        return False


def can_commit(options: Mapping[str, str], group: str) -> bool:
    """Whether a place in a topic may be kept under a group's name."""
    admin = AdminClient({**options})
    place = ConsumerGroupTopicPartitions(group, [TopicPartition(topics.CONTROL, 0, 0)])
    (asked,) = admin.alter_consumer_group_offsets([place]).values()
    try:
        (answer,) = asked.result(30).topic_partitions
        error = answer.error
    except KafkaException as raised:
        # Who may not even ask for the group's coordinator gets no further.
        error = raised.args[0]
    assert error is None or error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED, error
    return error is None

"""MQTT messages to the outbox, over a real broker: acknowledged when on disk, once each."""

import random
import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from custody.events import Micros
from producers.group import Answer
from producers.inlet import Take
from producers.mqtt import Mqtt
from producers.outbox import OutboxClosed
from producers.service import Gateway
from runtime.stack import ports
from telemetry import metrics
from tests.support import gateway as support
from tests.support import inlets, mqtt_line, power_cuts
from tests.support.gateway import ticket, wait_for
from tests.support.mqtt_broker import Broker
from tests.support.mqtt_line import state
from tests.support.power_programs import MESSAGES as MESSAGES_CUT
from tests.support.power_programs import NO_COMMIT

pytestmark = pytest.mark.integration

MESSAGES = 1_000


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    made = Broker(tmp_path_factory.mktemp("mqtt") / "broker")
    made.prepare()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A session of its own for each test: the broker keeps sessions."""
    return "".join(char for char in str(request.node.name) if char.isalnum())[-40:]


def subscribed(gateway: Gateway) -> bool:
    return state(gateway)["state"] == "subscribed"


def test_a_message_is_answered_as_a_post_is(broker: Broker, tmp_path: Path, name: str) -> None:
    given = mqtt_line.config(broker.url, name)
    with mqtt_line.taking(tmp_path, given) as gateway, mqtt_line.plant(broker, name) as plant:
        wait_for(lambda: subscribed(gateway))
        one = plant.ask(ticket(1, occurred_at="2026-11-03T06:42:10+02:00"))
        assert isinstance(one, dict)
        assert one["result"] == "accepted"
        many = plant.ask([ticket(1), {"type": "?"}, ticket(2), support.golden("reference")])
        assert isinstance(many, list)
        assert [item["result"] for item in many] == [
            "duplicate",
            "refused",
            "accepted",
            "refused",
        ]
        assert plant.ask([]) == []
        assert inlets.event_ids(gateway.outbox.path) == [one["event_id"], many[2]["event_id"]]
        kept = gateway.outbox.refused(Micros(0), 9)
        assert [one.sender for one in kept] == [f"mqtt:{plant.topic}"] * 2
        wait_for(lambda: state(gateway)["unacknowledged"] == 0)
        assert gateway.counts.value(metrics.MQTT_MESSAGES, "answered") == 3


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "bad_value"),
        (b"\xff", "bad_value"),
        (b"[" * 5_000, "bad_value"),
        (b"[" * 50_000, "too_many_items"),
        (b"7", "bad_value"),
        (b"[" + b"{}," * 1_000 + b"{}]", "too_many_items"),
        (b'"' + b"x" * 100_000 + b'"', "too_many_items"),
    ],
    ids=["nothing", "no_text", "nested", "heavy", "number", "long_list", "large"],
)
def test_what_is_no_request_is_refused_kept_and_acknowledged(
    broker: Broker, tmp_path: Path, name: str, payload: bytes, code: str
) -> None:
    mqtt = mqtt_line.config(broker.url, name, payload_bytes_max=70_000)
    with (
        mqtt_line.taking(tmp_path, mqtt) as gateway,
        mqtt_line.plant(broker, name) as plant,
    ):
        wait_for(lambda: subscribed(gateway))
        answer = plant.ask(payload)
        assert isinstance(answer, dict)
        assert (answer["result"], answer["code"]) == ("refused", code)
        (kept,) = gateway.outbox.refused(Micros(0), 9)
        assert payload.startswith(kept.body[:100])
        wait_for(lambda: state(gateway)["unacknowledged"] == 0)


def test_an_answer_goes_only_where_answers_may_go(
    broker: Broker, tmp_path: Path, name: str
) -> None:
    given = mqtt_line.config(broker.url, name)
    with mqtt_line.taking(tmp_path, given) as gateway, mqtt_line.plant(broker, name) as plant:
        wait_for(lambda: subscribed(gateway))
        plant.send(ticket(1), reply_to="custody/valves/open")
        assert plant.ask(ticket(2)) is not None
        assert len(plant.answered) == 1


def test_messages_wait_at_the_broker_while_the_gateway_is_away(
    broker: Broker, tmp_path: Path, name: str
) -> None:
    given = mqtt_line.config(broker.url, name)
    with mqtt_line.taking(tmp_path, given) as gateway:
        wait_for(lambda: subscribed(gateway))
    with mqtt_line.plant(broker, name) as plant:
        for no in range(50):
            plant.send(ticket(no))
    with mqtt_line.taking(tmp_path, given) as gateway:
        wait_for(lambda: len(inlets.event_ids(gateway.outbox.path)) == 50)


def test_what_the_outbox_cannot_take_is_held_unacknowledged_and_taken_later(
    broker: Broker, tmp_path: Path, name: str
) -> None:
    """The receive maximum bounds what is held."""
    closed = threading.Event()
    given = mqtt_line.config(broker.url, name, unacknowledged_max=7)
    # The broker keeps the messages first: of those that come one by one it sends the next only
    # when the one before is acknowledged.
    with mqtt_line.taking(tmp_path, given) as gateway, mqtt_line.plant(broker, name) as plant:
        wait_for(lambda: subscribed(gateway))
    with support.running(support.config(tmp_path), publish=False) as gateway:
        inlet = Mqtt(given, inlets.surroundings(gateway, _closable(gateway, closed)))
        with mqtt_line.plant(broker, name) as plant:
            for no in range(20):
                plant.send(ticket(no))
            closed.set()
            inlet.start()
            wait_for(lambda: inlet.unacknowledged == 7)
            wait_for(lambda: gateway.counts.value(metrics.MQTT_MESSAGES, "held") >= 14)
            assert inlet.unacknowledged == 7
            assert inlet.state()["state"] == "outbox_closed"
            assert inlets.event_ids(gateway.outbox.path) == []
            closed.clear()
            wait_for(lambda: len(inlets.event_ids(gateway.outbox.path)) == 20)
            wait_for(lambda: inlet.unacknowledged == 0)
        inlet.stop()


def test_what_nobody_waits_for_is_not_held(broker: Broker, tmp_path: Path, name: str) -> None:
    """QoS 0 has no acknowledgement, so nothing would bound how many of them are held."""
    closed = threading.Event()
    closed.set()
    given = mqtt_line.config(broker.url, name)
    with support.running(support.config(tmp_path), publish=False) as gateway:
        inlet = Mqtt(given, inlets.surroundings(gateway, _closable(gateway, closed)))
        inlet.start()
        with mqtt_line.plant(broker, name) as plant:
            wait_for(lambda: inlet.state()["state"] == "subscribed")
            plant.send(ticket(1), qos=0)
            wait_for(lambda: gateway.counts.value(metrics.MQTT_MESSAGES, "lost") == 1)
            assert inlet.unacknowledged == 0
        inlet.stop()


def _closable(gateway: Gateway, closed: threading.Event) -> Take:
    def take(raws: Sequence[object], sender: str) -> "Future[list[Answer]]":
        if not closed.is_set():
            return inlets.taking_of(gateway)(raws, sender)
        refused: Future[list[Answer]] = Future()
        refused.set_exception(OutboxClosed("full", "no room"))
        return refused

    return take


def test_what_trips_over_a_bug_is_kept_as_refused_and_stops_nobody(
    broker: Broker, tmp_path: Path, name: str
) -> None:
    def take(raws: Sequence[object], sender: str) -> "Future[list[Answer]]":
        if raws == ["bug"]:
            raise ZeroDivisionError
        return inlets.taking_of(gateway)(raws, sender)

    with support.running(support.config(tmp_path), publish=False) as gateway:
        inlet = Mqtt(mqtt_line.config(broker.url, name), inlets.surroundings(gateway, take))
        inlet.start()
        with mqtt_line.plant(broker, name) as plant:
            wait_for(lambda: inlet.state()["state"] == "subscribed")
            plant.send("bug")
            assert plant.ask(ticket(1)) is not None
            wait_for(lambda: inlet.unacknowledged == 0)
        inlet.stop()
        (kept,) = gateway.outbox.refused(Micros(0), 9)
        assert kept.body == b'"bug"'


@pytest.mark.fault
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_thousand_messages_arrive_once_over_a_line_that_is_cut(
    broker: Broker, tmp_path: Path, name: str, seed: int
) -> None:
    chance = random.Random(seed)
    with mqtt_line.line(broker) as line:
        given = mqtt_line.config(line.url, name)
        with mqtt_line.taking(tmp_path, given) as gateway, mqtt_line.plant(broker, name) as plant:
            wait_for(lambda: subscribed(gateway))
            for no in range(MESSAGES):
                plant.send(ticket(no))
                if chance.random() < 0.02:
                    line.cut()
            path = gateway.outbox.path
            wait_for(lambda: len(inlets.event_ids(path)) >= MESSAGES)
            wait_for(lambda: subscribed(gateway) and state(gateway)["unacknowledged"] == 0)
            ids = inlets.event_ids(path)
            assert len(ids) == len(set(ids)) == MESSAGES, f"seed {seed}"
            assert gateway.counts.value(metrics.MQTT_CONNECTIONS) > 5


@pytest.mark.fault
def test_an_acknowledgement_is_not_sent_before_the_disk_has_it(
    broker: Broker, tmp_path: Path, name: str
) -> None:
    """The line is cut while the outbox holds its answer back: the message comes again."""
    held: list[tuple[Sequence[object], Future[list[Answer]]]] = []

    def take(raws: Sequence[object], sender: str) -> "Future[list[Answer]]":
        del sender
        held.append((raws, Future()))
        return held[-1][1]

    with (
        support.running(support.config(tmp_path), publish=False) as gateway,
        mqtt_line.line(broker) as line,
    ):
        inlet = Mqtt(mqtt_line.config(line.url, name), inlets.surroundings(gateway, take))
        inlet.start()
        with mqtt_line.plant(broker, name) as plant:
            wait_for(lambda: inlet.state()["state"] == "subscribed")
            plant.send(ticket(1))
            wait_for(lambda: len(held) == 1)
            line.cut()
            wait_for(lambda: len(held) == 2)
            assert held[0][0] == held[1][0]
            # The answer to the first comes late: its connection is gone, and so is its number.
            for raws, future in held:
                future.set_result(inlets.taking_of(gateway)(raws, "t").result(30))
            wait_for(lambda: inlet.unacknowledged == 0)
            line.cut()
            wait_for(lambda: inlet.state()["state"] == "broker_away")
            wait_for(lambda: inlet.state()["state"] == "subscribed")
            plant.send(ticket(2))
            wait_for(lambda: len(held) == 3)
        inlet.stop()
        assert held[2][0] != held[0][0], "acknowledged, so it came no third time"


@pytest.mark.fault
def test_a_broker_that_comes_back_is_found_again_with_what_it_kept(
    broker: Broker, tmp_path: Path, name: str
) -> None:
    given = mqtt_line.config(broker.url, name)
    with mqtt_line.taking(tmp_path, given) as gateway:
        wait_for(lambda: subscribed(gateway))
        with mqtt_line.plant(broker, name) as plant:
            plant.send(ticket(1))
        broker.stop()
        wait_for(lambda: state(gateway)["state"] == "broker_away")
        assert gateway.health().ok, "accepting over HTTP goes on"
        assert gateway.counts.value(metrics.MQTT_SUBSCRIBED) == 0
        broker.start()
        wait_for(lambda: subscribed(gateway))
        assert gateway.counts.value(metrics.MQTT_SUBSCRIBED) == 1
        with mqtt_line.plant(broker, name) as plant:
            plant.send(ticket(2))
        wait_for(lambda: len(inlets.event_ids(gateway.outbox.path)) == 2)


# The client leaves a socket to the collector whose handshake failed.
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in.*SSLSocket:pytest.PytestUnraisableExceptionWarning"
)
def test_it_speaks_tls_and_tells_why_it_may_not_come_in(
    broker: Broker, tmp_path: Path, name: str
) -> None:
    good = mqtt_line.config(broker.tls_url, name, ca_file=broker.ca_file)
    with mqtt_line.taking(tmp_path / "good", good) as gateway:
        wait_for(lambda: subscribed(gateway))
        with mqtt_line.plant(broker, name) as plant:
            for no in range(40):
                plant.send(ticket(no))
        wait_for(lambda: len(inlets.event_ids(gateway.outbox.path)) == 40)
    stranger = replace(good, ca_file=None)
    with mqtt_line.taking(tmp_path / "stranger", stranger) as gateway:
        wait_for(lambda: "certificate verify failed" in str(state(gateway)["reason"]))
    wrong = replace(good, password="guessed")  # noqa: S106  wrong on purpose
    with mqtt_line.taking(tmp_path / "wrong", wrong) as gateway:
        wait_for(lambda: "Bad user name or password" in str(state(gateway)["reason"]))
        assert state(gateway)["state"] == "broker_away"


def test_a_gateway_without_its_broker_starts_and_accepts(tmp_path: Path) -> None:
    nowhere = mqtt_line.config(f"mqtt://127.0.0.1:{ports.any_free()}", "nowhere")
    given = replace(support.config(tmp_path), mqtt=nowhere)
    with support.running(given) as gateway:
        wait_for(lambda: state(gateway)["state"] == "broker_away")
        (answer,) = inlets.taking_of(gateway)([ticket(1)], "t").result(30)
        assert answer.item["result"] == "accepted"
        assert gateway.health().ok


def test_a_broker_of_an_older_protocol_is_refused_by_name(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        threading.Thread(target=_refuse_version, args=(server,), daemon=True).start()
        old = mqtt_line.config(f"mqtt://127.0.0.1:{server.getsockname()[1]}", "old")
        with mqtt_line.taking(tmp_path, old) as gateway:
            wait_for(lambda: "protocol version" in str(state(gateway)["reason"]))
            assert state(gateway)["state"] == "broker_away"


def _refuse_version(server: socket.socket) -> None:
    """Answer as MQTT 3.1.1 has it (section 3.2.2.3): return code 1, another version is wanted."""
    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(b"\x20\x02\x00\x01")


@power_cuts.TRACEABLE
@pytest.mark.parametrize("bent", ["", NO_COMMIT])
def test_a_message_that_was_acknowledged_outlives_a_power_cut(
    tmp_path: Path, broker: Broker, bent: str
) -> None:
    name = "bent" if bent else "straight"
    with mqtt_line.taking(tmp_path / "early", mqtt_line.config(broker.url, name)) as gateway:
        support.wait_for(lambda: mqtt_line.state(gateway)["state"] == "subscribed")
    with mqtt_line.plant(broker, name) as plant:
        for no in range(MESSAGES_CUT):
            plant.send(ticket(no))
    directory = power_cuts.place(tmp_path)
    run = power_cuts.trial("mqtt", directory, bent, str(directory), broker.url, name)
    said = power_cuts.answers_mqtt(run.calls)
    assert len(said) == MESSAGES_CUT
    assert bool(run.faults(said, tmp_path)) == bool(bent)

"""The other ends of an MQTT inlet: a plant that sends, and a line that can be cut."""

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from producers.config import MqttConfig
from producers.service import Gateway
from tests.support import gateway as support
from tests.support.gateway import wait_for
from tests.support.mqtt_broker import PASSWORD, USER, Broker


def config(url: str, name: str, **changes: object) -> MqttConfig:
    """An inlet with a session of its own, quick to try again."""
    given = MqttConfig(
        url=url,
        client_id=name,
        topics=(f"custody/events/{name}/#",),
        user=USER,
        password=PASSWORD,
        retry_s=0.1,
        retry_s_max=0.5,
    )
    return replace(given, **changes)  # type: ignore[arg-type]  # a builder for tests


@contextmanager
def taking(directory: Path, mqtt: MqttConfig) -> Iterator[Gateway]:
    """A gateway that takes messages and publishes nothing: no broker of Kafka's is looked for."""
    given = replace(support.config(directory), mqtt=mqtt)
    with support.running(given, publish=False) as gateway:
        for inlet in gateway._inlets:
            inlet.start()
        yield gateway


class Plant:
    """A sender that waits until the broker has what it sent, and collects answers."""

    def __init__(self, broker: Broker, name: str) -> None:
        self.topic = f"custody/events/{name}/scale"
        self.answers = f"custody/answers/{name}"
        self.answered: list[tuple[bytes | None, object]] = []
        self._client = Client(
            CallbackAPIVersion.VERSION2, f"plant-{name}", protocol=MQTTProtocolVersion.MQTTv5
        )
        self._client.username_pw_set(USER, PASSWORD)
        self._client.on_message = self._on_message
        subscribed = threading.Event()
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        assert subscribed.wait(30)

    def send(self, payload: object, *, qos: int = 1, reply_to: str = "", no: bytes = b"") -> None:
        """Send JSON or, where it is bytes, just that."""
        raw = payload if isinstance(payload, bytes) else json.dumps(payload, default=float).encode()
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if reply_to:
            properties.ResponseTopic = reply_to
            properties.CorrelationData = no
        self._client.publish(self.topic, raw, qos=qos, properties=properties).wait_for_publish(30)

    def ask(self, payload: object) -> object:
        """Send, and wait for the answer."""
        before = len(self.answered)
        no = str(before).encode()
        self.send(payload, reply_to=self.answers, no=no)
        wait_for(lambda: len(self.answered) > before)
        correlation, answer = self.answered[-1]
        assert correlation == no
        return answer

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: Client, *_: object) -> None:
        client.subscribe("custody/#", 1)

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        if message.topic == self.topic:
            return
        correlation = getattr(message.properties, "CorrelationData", None)
        self.answered.append((correlation, json.loads(message.payload)))


@contextmanager
def plant(broker: Broker, name: str) -> Iterator[Plant]:
    made = Plant(broker, name)
    try:
        yield made
    finally:
        made.close()


@dataclass(slots=True)
class Line:
    """A TCP relay to a port of this machine; ``cut`` ends what runs over it."""

    to: str
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _open: list[socket.socket] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self._listener.getsockname()[1]}"

    def start(self) -> None:
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End all connections, whatever is under way."""
        with self._lock:
            ending, self._open = self._open, []
        for sock in ending:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", urlsplit(self.to).port or 0))
                with self._lock:
                    self._open += [near, far]
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=_carry, args=pair, daemon=True).start()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65_536):
            target.sendall(piece)
    for sock in (source, target):
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
    source.close()


@contextmanager
def line(broker: Broker) -> Iterator[Line]:
    made = Line(broker.url)
    made.start()
    try:
        yield made
    finally:
        made.close()


def state(gateway: Gateway) -> Mapping[str, object]:
    """What ``/health`` says of the inlet."""
    found = gateway.health().fields["mqtt"]
    assert isinstance(found, dict)
    return found

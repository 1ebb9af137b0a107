"""One connection to an MQTT broker, from connecting to its end. One thread does all of it.

A message is acknowledged (PUBACK) only after the outbox has its requests on disk. While the outbox
takes nothing, messages are held and tried again, and the broker waits: it sends no more than the
receive maximum without an acknowledgement. Whatever was not acknowledged when a connection ends,
the broker sends again over the next one, because the session outlives the connection; requests
that are known by then are answered as duplicates.

An acknowledgement belongs to the connection its message came over: it is never sent over a later
one, where the same number may stand for another message.
"""

import logging
import queue
import selectors
import socket
import ssl
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, cast
from urllib.parse import urlsplit

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from custody.errors import Unavailable
from producers import mqtt_message
from producers.config import MqttConfig
from producers.group import Answer
from producers.inlet import Take
from web import certificate

HELD_RETRY_S = 1.0
"""How often held messages are tried again."""

_TURN_S = 0.5
_CONNECT_TIMEOUT_S = 10.0
_ANSWERS_AT_ONCE = 8
"""A broker ends a connection that sends it more than it takes at once; none is known to take less
by default."""

_CA_SETTING = "CUSTODY_GATEWAY__MQTT_CA_FILE"
_PACKET_EXTRA_BYTES = 64 * 1024
_DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883}

log = logging.getLogger(__name__)


class Watcher(Protocol):
    """Is told how a connection is."""

    def subscribed(self) -> None:
        """Messages come from now on."""

    def counted(self, outcome: str) -> None:
        """One message was ``answered``, ``held`` or ``lost``."""

    def outbox(self, why_closed: str) -> None:
        """The outbox takes nothing, and why; or, with an empty text, it does."""


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """A message and what is in it."""

    mid: int
    qos: int
    topic: str
    payload: bytes
    requests: mqtt_message.Read
    reply_to: str | None
    correlation: bytes | None


_Due = tuple[Message, list[Answer] | BaseException]


class Link:
    """A connection.

    Args:
        config: To which broker, and as whom.
        take: Takes requests.
        watcher: Is told how it is.
    """

    def __init__(self, config: MqttConfig, take: Take, watcher: Watcher) -> None:
        self._config = config
        self._take = take
        self._watcher = watcher
        self._due: queue.SimpleQueue[_Due] = queue.SimpleQueue()
        self._held: list[Message] = []
        self._held_until = 0.0
        self._open: set[Message] = set()
        self._ended = "the connection was lost"
        self._client = self._made()
        self._wake_r, self._wake_w = socket.socketpair()

    @property
    def unacknowledged(self) -> int:
        """Messages that came and are not acknowledged."""
        return len(self._open)

    def run(self, stop: threading.Event) -> str:
        """Connect and take messages until the connection ends or ``stop`` is set. Blocks.

        Returns:
            Why it ended.

        Raises:
            OSError: The broker cannot be reached, or its certificate is not trusted.
        """
        try:
            self._connect()
            while self._turn() and not stop.is_set():
                pass
            if stop.is_set():
                # Said openly, so that the broker does not wait for us; the session stays.
                self._client.disconnect()
                self._client.loop_write()
            return self._ended
        finally:
            # The client closes its socket when it is made to connect anew, or is forgotten.
            with suppress(OSError):
                sock = self._client.socket()
                if sock is not None:
                    cast(socket.socket, sock).close()
            self._wake_r.close()
            self._wake_w.close()

    def wake(self) -> None:
        """End a wait for the broker early; for any thread."""
        with suppress(OSError):
            self._wake_w.send(b".")

    def _made(self) -> Client:
        config = self._config
        client = Client(
            CallbackAPIVersion.VERSION2,
            config.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = _CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(_ANSWERS_AT_ONCE)
        if config.user is not None:
            client.username_pw_set(config.user, config.password)
        if urlsplit(config.url).scheme == "mqtts":
            client.tls_set_context(certificate.client_context(_CA_SETTING, config.ca_file))
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        return client

    def _connect(self) -> None:
        url = urlsplit(self._config.url)
        wanted = _properties(PacketTypes.CONNECT)
        wanted.SessionExpiryInterval = self._config.session_expiry_s
        wanted.ReceiveMaximum = self._config.unacknowledged_max
        # A broker keeps a larger one to itself, so that it cannot fill our memory.
        wanted.MaximumPacketSize = self._config.payload_bytes_max + _PACKET_EXTRA_BYTES
        self._client.connect(
            url.hostname or "",
            url.port or _DEFAULT_PORTS[url.scheme],
            keepalive=self._config.keepalive_s,
            clean_start=False,
            properties=wanted,
        )

    def _turn(self) -> bool:
        """Read, write and settle what is due; False when the connection has ended."""
        sock = self._client.socket()
        if sock is None:
            return False
        wire = cast(socket.socket, sock)
        readable = self._wait(wire)
        ok = MQTTErrorCode.MQTT_ERR_SUCCESS
        while readable and ok == MQTTErrorCode.MQTT_ERR_SUCCESS:
            ok = self._client.loop_read()
            # What TLS has deciphered already shows in no wait for the socket.
            readable = isinstance(wire, ssl.SSLSocket) and wire.pending() > 0
        self._settle()
        self._retry()
        if self._client.want_write():
            ok = ok or self._client.loop_write()
        ok = ok or self._client.loop_misc()
        return ok == MQTTErrorCode.MQTT_ERR_SUCCESS and self._client.socket() is not None

    def _wait(self, wire: socket.socket) -> bool:
        """Wait for the broker, for an answer of the outbox, or for half a second."""
        events = selectors.EVENT_READ
        if self._client.want_write():
            events |= selectors.EVENT_WRITE
        with selectors.DefaultSelector() as selector:
            selector.register(wire, events)
            selector.register(self._wake_r, selectors.EVENT_READ)
            ready = {key.fileobj: mask for key, mask in selector.select(_TURN_S)}
        if self._wake_r in ready:
            self._wake_r.recv(4096)
        return bool(ready.get(wire, 0) & selectors.EVENT_READ)

    def _settle(self) -> None:
        """Acknowledge what the outbox has, hold what it could not take."""
        while not self._due.empty():
            message, answers = self._due.get()
            if isinstance(answers, Unavailable):
                self._hold(message, answers)
            elif isinstance(answers, BaseException):
                self._give_up(message, answers)
            else:
                self._watcher.outbox("")
                self._acknowledge(message, answers)

    def _acknowledge(self, message: Message, answers: list[Answer]) -> None:
        # First: an answer that the broker does not let us give must not bring the message back.
        if message.qos:
            self._client.ack(message.mid, message.qos)
        self._open.discard(message)
        self._watcher.counted("answered")
        if message.reply_to is None or not message.reply_to.startswith(self._config.answer_prefix):
            return
        properties = _properties(PacketTypes.PUBLISH)
        if message.correlation is not None:
            properties.CorrelationData = message.correlation
        payload = mqtt_message.answer(message.requests, answers)
        with suppress(ValueError):  # a topic with wildcards, or too long
            self._client.publish(message.reply_to, payload, qos=1, properties=properties)

    def _hold(self, message: Message, why: Unavailable) -> None:
        self._watcher.outbox(why.what)
        if not message.qos:
            # Nobody waits for its acknowledgement, so nothing would bound how many we keep.
            self._open.discard(message)
            self._watcher.counted("lost")
            return
        self._watcher.counted("held")
        self._held.append(message)
        self._held_until = time.monotonic() + HELD_RETRY_S

    def _retry(self) -> None:
        if self._held and time.monotonic() >= self._held_until:
            held, self._held = self._held, []
            for message in held:
                self._submit(message)

    def _give_up(self, message: Message, error: BaseException) -> None:
        """Keep as refused what trips over a bug: sent again by the broker, it would trip again."""
        log.error("an MQTT message could not be judged", exc_info=error)
        self._open.discard(message)
        instead = replace(message, requests=mqtt_message.refused(message.payload))
        self._open.add(instead)
        self._held.append(instead)
        self._held_until = time.monotonic() + HELD_RETRY_S

    def _submit(self, message: Message) -> None:
        try:
            future = self._take(message.requests.requests, f"mqtt:{message.topic}")
        except Exception as error:  # noqa: BLE001  a bug of ours; ``_settle`` deals with it
            self._due.put((message, error))
        else:
            future.add_done_callback(partial(self._heard, message))

    def _heard(self, message: Message, future: "Future[list[Answer]]") -> None:
        """Note what became of a message; on the outbox's thread."""
        error = future.exception()
        self._due.put((message, future.result() if error is None else error))
        self.wake()

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "?"
        given, payload = message.properties, bytes(message.payload)
        one = Message(
            mid=message.mid,
            qos=message.qos,
            topic=topic,
            payload=payload,
            requests=mqtt_message.read(payload, self._config),
            reply_to=getattr(given, "ResponseTopic", None),
            correlation=getattr(given, "CorrelationData", None),
        )
        self._open.add(one)
        self._submit(one)

    def _on_connect(
        self, client: Client, _data: object, _flags: ConnectFlags, why: ReasonCode, _given: object
    ) -> None:
        if why.is_failure:
            self._ended = f"the broker refuses us: {why}"
            client.disconnect()
            return
        options = SubscribeOptions(
            qos=1, noLocal=True, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB
        )
        client.subscribe([(topic, options) for topic in self._config.topics])

    def _on_subscribe(
        self, client: Client, _data: object, _mid: int, codes: list[ReasonCode], _given: object
    ) -> None:
        # Granted QoS 0 would mean messages that nobody sends again.
        refused = [str(code) for code in codes if code.value != 1]
        if refused:
            self._ended = f"the broker refuses a subscription: {', '.join(refused)}"
            client.disconnect()
            return
        self._watcher.subscribed()

    def _on_disconnect(
        self,
        _client: Client,
        _data: object,
        flags: DisconnectFlags,
        why: ReasonCode,
        _given: object,
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._ended = f"the broker ended the connection: {why}"


def _properties(packet: int) -> Properties:
    return Properties(packet)  # type: ignore[no-untyped-call]  # not annotated

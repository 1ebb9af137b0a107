"""The MQTT inlet: one connection after the other, with pauses while the broker is away.

The gateway is a subscriber with a session that outlives its connections: what comes while it is
away, the broker keeps. The client's library is imported only where a broker is configured.
"""

import logging
import threading
from collections.abc import Callable, Mapping

from custody.errors import Unavailable
from producers.config import MqttConfig
from producers.inlet import Surroundings
from telemetry import metrics
from web.certificate import CertificateUnusable

CONNECTING, SUBSCRIBED, AWAY, STOPPED = "connecting", "subscribed", "broker_away", "stopped"
CLOSED = "outbox_closed"
"""States in ``/health``."""

log = logging.getLogger(__name__)


class NoMqttClient(Unavailable):
    """MQTT is configured, and its client is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "CUSTODY_GATEWAY__MQTT_URL is set, and paho-mqtt is not installed",
            expected="the extra gateway",
            next_step="pip install 'custody[gateway]', or unset it",
        )


class Mqtt:
    """Takes the messages of a broker, on a thread of its own.

    Args:
        config: Which broker, as whom.
        given: What the gateway gives it.

    Raises:
        NoMqttClient: The client is not installed.
    """

    name = "mqtt"

    def __init__(self, config: MqttConfig, given: Surroundings) -> None:
        try:
            from producers.mqtt_link import Link
        except ImportError as error:
            raise NoMqttClient from error
        self._config = config
        self._given = given
        self._new_link: Callable[[], Link] = lambda: Link(config, given.take, self)
        self._link: Link | None = None
        self._stop = threading.Event()
        self._state, self._reason = CONNECTING, ""
        self._pause_s = config.retry_s
        given.counts.watch(metrics.MQTT_OPEN, lambda: float(self.unacknowledged))
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)

    @property
    def unacknowledged(self) -> int:
        """Messages that came and are not acknowledged."""
        return 0 if self._link is None else self._link.unacknowledged

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End the connection; what is not acknowledged comes again at the next start."""
        self._stop.set()
        if self._link is not None:
            self._link.wake()
        if self._thread.is_alive():
            self._thread.join()
        self._note(STOPPED, "")

    def state(self) -> Mapping[str, object]:
        """Return how it is, for ``/health``."""
        return {
            "state": self._state,
            "reason": self._reason,
            "unacknowledged": self.unacknowledged,
        }

    def subscribed(self) -> None:
        """Note that messages come from now on."""
        self._given.counts.add(metrics.MQTT_CONNECTIONS)
        self._pause_s = self._config.retry_s
        self._note(SUBSCRIBED, "")

    def counted(self, outcome: str) -> None:
        """Count a message."""
        self._given.counts.add(metrics.MQTT_MESSAGES, outcome)

    def outbox(self, why_closed: str) -> None:
        """Note whether the outbox takes messages."""
        self._note(CLOSED if why_closed else SUBSCRIBED, why_closed)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._link = self._new_link()
                reason = self._link.run(self._stop)
            except CertificateUnusable as error:
                reason = error.what
            except OSError as error:
                reason = str(error)
            except Exception as error:
                # A process edge: whatever it is, what is not acknowledged comes again.
                log.exception("taking MQTT messages failed")
                reason = str(error)
            self._link = None
            if not self._stop.is_set():
                self._note(AWAY, reason)
                self._stop.wait(self._pause_s)
                self._pause_s = min(2 * self._pause_s, self._config.retry_s_max)

    def _note(self, state: str, reason: str) -> None:
        if state != self._state:
            if state in {AWAY, CLOSED}:
                log.warning("no MQTT messages", extra={"state": state, "reason": reason})
            elif state == SUBSCRIBED:
                log.info("MQTT messages come")
        self._state, self._reason = state, reason
        self._given.counts.set(metrics.MQTT_SUBSCRIBED, float(state in {SUBSCRIBED, CLOSED}))

"""What brings requests in besides HTTP; started and stopped with the gateway, told of in health.

An inlet hands requests to the same judge and the same outbox as HTTP does, and lets go of what it
was given (moves the file, acknowledges the message) only after they are on disk. It has shown no
token, so it brings facts alone: reference and action records change how facts are read.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from custody.events import Micros
from producers.config import GatewayConfig
from producers.group import Answer
from telemetry.metrics import Metrics

Take = Callable[[Sequence[object], str], Future[list[Answer]]]
"""Takes requests and the name of their sender; its future is resolved when they are on disk, and
raises ``Unavailable`` where nothing can be put there now."""


class Inlet(Protocol):
    """A way in that runs by itself."""

    @property
    def name(self) -> str:
        """What it is called in ``/health``."""

    def start(self) -> None:
        """Begin; returns at once."""

    def stop(self) -> None:
        """End. What is not finished is gone on with at the next start."""

    def state(self) -> Mapping[str, object]:
        """Return how it is, for ``/health``; never blocks."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an inlet is given of its gateway.

    Attributes:
        take: Takes facts; refuses reference and action records, for which a token is needed.
        counts: Metrics of the process.
        database: The outbox's file, for what has to be restored together with it.
        clock: Time of day.
        gateway_id: Name of the gateway.
    """

    take: Take
    counts: Metrics
    database: Path
    clock: Callable[[], Micros]
    gateway_id: str


def open_inlets(config: GatewayConfig, given: Surroundings) -> list[Inlet]:
    """Return the inlets that are configured, not started yet.

    Raises:
        NoMqttClient: MQTT is configured and its client is not installed.
    """
    found: list[Inlet] = []
    if config.drop is not None:
        from producers.drop import Drop

        found.append(Drop(config.drop, given))
    if config.mqtt is not None:
        from producers.mqtt import Mqtt

        found.append(Mqtt(config.mqtt, given))
    return found

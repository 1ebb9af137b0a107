"""A sink that another one has replaced must stop, so that its supervisor starts it anew."""

import time
from collections.abc import Callable, Mapping, Sequence

import pytest

from custody.errors import Unavailable
from sinks.config import SinkConfig
from sinks.consumer import Consumer
from sinks.slice import Place

pytestmark = [pytest.mark.integration, pytest.mark.slow]

WITHIN_S = 60.0


class Reading:
    """A listener that reads every partition from its start."""

    def __init__(self) -> None:
        self.places: list[Place] = []

    def assigned(self, places: Sequence[Place]) -> Mapping[Place, int]:
        self.places += places
        return dict.fromkeys(places, 0)

    def revoked(self, places: Sequence[Place]) -> None:
        self.lost(places)

    def lost(self, places: Sequence[Place]) -> None:
        self.places = [place for place in self.places if place not in places]


def test_a_replaced_member_stops_instead_of_waiting_for_ever(
    kafka: str, topics: Callable[..., list[str]]
) -> None:
    [topic] = topics("fenced", partitions=1)
    config = SinkConfig(bootstrap=kafka, warehouse="unused", group=topic, session_timeout_s=6.0)
    first, second = Consumer(config), Consumer(config)
    deadline = time.monotonic() + WITHIN_S
    try:
        reading = Reading()
        first.subscribe([topic], reading)
        while not reading.places:
            first.take()
            assert time.monotonic() < deadline
        second.subscribe([topic], Reading())
        with pytest.raises(Unavailable, match="fenced"):
            take_in_turn(second, first, deadline)
    finally:
        first.close()
        second.close()


def take_in_turn(one: Consumer, other: Consumer, deadline: float) -> None:
    while time.monotonic() < deadline:
        one.take()
        other.take()

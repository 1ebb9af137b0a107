"""Read a topic from its end, as any outsider would, and say what came when."""

import threading
import time
from collections.abc import Callable, Sized

from confluent_kafka import Consumer

from bench.drive import Target, confluent_catalog
from schemas.reader import read_batch
from schemas.routes import Record

_ASSIGNED_WITHIN_S = 30


class Watch:
    """Hands each new record of a topic to ``take``, with the time of day it was read at.

    Args:
        to: A running stack.
        topic: Topic; only what is committed is read.
        name: Makes the consumer group of this watch its own.
        take: Called in the watch's thread with a record and microseconds since the epoch.
    """

    def __init__(
        self, to: Target, topic: str, name: str, take: Callable[[Record, int], None]
    ) -> None:
        self._to = to
        self._topic = topic
        self._name = name
        self._take = take
        self._assigned = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def start(self) -> None:
        """Begin; returns when the partitions are assigned.

        Raises:
            TimeoutError: They were not within 30 s.
        """
        self._thread.start()
        if not self._assigned.wait(_ASSIGNED_WITHIN_S):
            message = f"{self._topic} was not assigned within {_ASSIGNED_WITHIN_S} s"
            raise TimeoutError(message)

    def wait(self, taken: Sized, many: int, within_s: float) -> bool:
        """Wait until so many have been taken; tell whether they have."""
        deadline = time.monotonic() + within_s
        while len(taken) < many and time.monotonic() < deadline:
            self._stop.wait(0.1)
        return len(taken) >= many

    def close(self) -> None:
        """Stop reading."""
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": self._to.kafka,
                "group.id": f"bench-{self._name}",
                "auto.offset.reset": "latest",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 10,
            }
        )
        catalog = confluent_catalog(self._to.registry)
        consumer.subscribe([self._topic], on_assign=lambda *_: self._assigned.set())
        while not self._stop.is_set():
            message = consumer.poll(0.1)
            if message is None or message.error():
                continue
            now_us = time.time_ns() // 1000
            batch = read_batch(
                self._topic, message.partition() or 0, self._to.partitions, [message.key()],
                [message.value()], catalog,
            )  # fmt: skip
            for group in batch.groups:
                self._take(group.event(0), now_us)
        consumer.close()


def quantile(values: list[float], share: float) -> float:
    """Return the value below which ``share`` of the sorted values lie; NaN without values."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

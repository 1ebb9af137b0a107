"""Records of one partition as they came, column by column."""

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

REPLAY_HEADER = "x-replay-of"

Headers = Sequence[tuple[str, bytes | None]] | None


class Place(NamedTuple):
    """A topic and one of its partitions."""

    topic: str
    partition: int


class Message(Protocol):
    """The part of confluent_kafka's message that we read."""

    def key(self) -> bytes | None:
        """Return the key as it came."""
        ...

    def value(self) -> bytes | None:
        """Return the value as it came."""
        ...

    def offset(self) -> int:
        """Return where it stands in its partition."""
        ...

    def timestamp(self) -> tuple[int, int]:
        """Return the kind of timestamp and milliseconds since the epoch."""
        ...

    def headers(self) -> Headers:
        """Return the headers as they came."""
        ...


class Slice:
    """Records of one partition in offset order; at least one.

    Attributes:
        place: Where they stand.
        messages: The records.
    """

    def __init__(self, place: Place, messages: Sequence[Message]) -> None:
        assert messages, "a slice holds at least one record"
        self.place = place
        self.messages = messages

    def __len__(self) -> int:
        return len(self.messages)

    @cached_property
    def offsets(self) -> npt.NDArray[np.int64]:
        """Offsets, ascending."""
        return np.array([m.offset() for m in self.messages], np.int64)

    @cached_property
    def keys(self) -> list[bytes | None]:
        """Keys as they came."""
        return [m.key() for m in self.messages]

    @cached_property
    def values(self) -> list[bytes | None]:
        """Values as they came."""
        return [m.value() for m in self.messages]

    @cached_property
    def timestamps_ms(self) -> npt.NDArray[np.int64]:
        """Kafka timestamps, milliseconds since the epoch; -1 for none."""
        return np.array([m.timestamp()[1] for m in self.messages], np.int64)

    @cached_property
    def headers(self) -> list[Headers]:
        """Headers as they came."""
        return [m.headers() for m in self.messages]

    @property
    def first(self) -> int:
        """Offset of the first record."""
        return self.messages[0].offset()

    @property
    def last(self) -> int:
        """Offset of the last record."""
        return self.messages[-1].offset()

    def header(self, name: str) -> list[bytes]:
        """Return one header of every record; empty where it is missing."""
        return [_header(headers, name) for headers in self.headers]

    def replays(self) -> npt.NDArray[np.bool_]:
        """Return which records are dead letters sent again."""
        return np.array(
            [any(k == REPLAY_HEADER for k, _ in h or ()) for h in self.headers],
            np.bool_,
        )


def _header(headers: Headers, name: str) -> bytes:
    for key, value in headers or ():
        if key == name:
            return value or b""
    return b""

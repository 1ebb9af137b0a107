"""Records of one partition as they came, column by column."""

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from schemas.headers import DIGEST, GATEWAY, GATEWAY_WRITES, PREV, REPLAY_OF

_WRITTEN = len(GATEWAY_WRITES)

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

    @cached_property
    def chain(self) -> "Chain":
        """The headers that matter, of all records; one pass, for it costs as much as decoding."""
        found = self.headers
        if all(map(_is_plain, found)):
            prev = [headers[0][1] or b"" for headers in found]  # type: ignore[index]  # see _is_plain
            digest = [headers[1][1] or b"" for headers in found]  # type: ignore[index]
            return Chain(prev, digest, np.zeros(len(found), np.bool_))
        named = [dict(headers or ()) for headers in found]
        return Chain(
            [headers.get(PREV) or b"" for headers in named],
            [headers.get(DIGEST) or b"" for headers in named],
            np.array([REPLAY_OF in headers for headers in named], np.bool_),
        )


class Chain(NamedTuple):
    """Headers of all records of a slice; empty bytes where one is missing.

    Attributes:
        prev: Digest before each record in its gateway's chain.
        digest: Digest of each record.
        replay: Which records are dead letters sent again.
    """

    prev: list[bytes]
    digest: list[bytes]
    replay: npt.NDArray[np.bool_]


def _is_plain(headers: Headers) -> bool:
    """Tell whether these are the headers a gateway writes, in its order, as nearly all are."""
    return (
        headers is not None
        and len(headers) == _WRITTEN
        and headers[0][0] == PREV
        and headers[1][0] == DIGEST
        and headers[2][0] == GATEWAY
    )

"""A chunk: all records of one partition from one fetch, as one event of Faust."""

from collections.abc import Sequence
from typing import Any

import faust
from aiokafka.structs import ConsumerRecord
from faust.types import TP, AppT, Message
from typing_extensions import override


class Chunk:
    """Records of one partition from one fetch, dressed as one record for Faust.

    ``value`` holds the records; ``offset`` is the last one's, so that Faust's bookkeeping, which
    only compares offsets, moves past all of them at once.
    """

    __slots__ = (
        "checksum",
        "headers",
        "key",
        "offset",
        "partition",
        "serialized_key_size",
        "serialized_value_size",
        "timestamp",
        "timestamp_type",
        "topic",
        "value",
    )

    def __init__(self, tp: TP, records: Sequence[ConsumerRecord]) -> None:
        last = records[-1]
        self.topic = tp.topic
        self.partition = tp.partition
        self.offset = last.offset
        self.timestamp = last.timestamp
        self.timestamp_type = last.timestamp_type
        self.headers = ()
        self.key = None
        self.value = records
        self.checksum = None
        self.serialized_key_size = 0
        self.serialized_value_size = 0


class ChunkSchema(faust.Schema):  # type: ignore[type-arg]  # neither key nor value is decoded
    """Hands a chunk to the agent as it is: Faust decodes nothing."""

    @override
    def compile(self, app: AppT, **_: Any) -> Any:
        """Return Faust's decoder for a channel."""
        make = app.create_event

        async def decode(message: Message, *, propagate: bool = False) -> object:  # noqa: ARG001  Faust's signature
            return make(None, message.value, {}, message)

        return decode

"""Records to Kafka in batches: the cheap way to write a chunk.

A batch is filled here and handed over whole; no future per record. It still leaves through
aiokafka's sender and so through the lease (``streams.transport``, guard J).
"""

import asyncio
from collections.abc import Iterable, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

BATCH_BYTES = 900_000
"""Below the broker's default of 1 MB for a batch (``message.max.bytes``)."""

BATCH_BYTES_MAX = 32 * 1024 * 1024
"""What one group may have: what an owner's step leaves must survive a crash whole or not at all.
The changelog takes such batches, and only there are groups so large."""

_RECORD_OVERHEAD_BYTES = 32
"""More than a record of a batch needs beside key and value."""

Record = tuple[bytes | None, bytes | None]
"""Key and value; a key without a value is of a row that is gone."""


async def send(
    producer: AIOKafkaProducer, topic: str, partition: int, groups: Iterable[Sequence[Record]]
) -> int | None:
    """Write records to one partition in order and wait for Kafka's acknowledgement.

    Records of one group stand in the same batch where they fit, and a batch is all or nothing.

    Args:
        producer: A running producer.
        topic: Topic.
        partition: Partition.
        groups: Records in order.

    Returns:
        Offset of the last record, or None where there is none or the broker recognised a repeated
        batch and does not tell it.

    Raises:
        KafkaError: Not acknowledged.
    """
    waiting: list[tuple[asyncio.Future[object], int]] = []
    batch = producer.create_batch()
    for group in groups:
        if batch.record_count() and batch.size() + size_of(group) > BATCH_BYTES:
            waiting.append(await _post(producer, batch, topic, partition))
            batch = producer.create_batch()
        for key, value in group:
            if batch.append(timestamp=None, key=key, value=value) is None:
                waiting.append(await _post(producer, batch, topic, partition))
                batch = producer.create_batch()
                batch.append(timestamp=None, key=key, value=value)
    if batch.record_count():
        waiting.append(await _post(producer, batch, topic, partition))
    return await _last_offset(waiting)


async def _post(
    producer: AIOKafkaProducer, batch: BatchBuilder, topic: str, partition: int
) -> tuple[asyncio.Future[object], int]:
    count = batch.record_count()
    batch.close()
    return await producer.send_batch(batch, topic, partition=partition), count


async def _last_offset(waiting: Sequence[tuple[asyncio.Future[object], int]]) -> int | None:
    last: int | None = None
    for metadata, (_, count) in zip(
        await asyncio.gather(*(future for future, _ in waiting)), waiting, strict=True
    ):
        base: int = metadata.offset  # type: ignore[attr-defined]  # RecordMetadata of aiokafka
        last = base + count - 1 if base >= 0 else None
    return last


def size_of(group: Sequence[Record]) -> int:
    """Return what records take in a batch, bytes; rather a little more than less."""
    return sum(len(key or b"") + len(value or b"") + _RECORD_OVERHEAD_BYTES for key, value in group)

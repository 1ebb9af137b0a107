"""Kafka's own partitioner, so that every writer of ours agrees with every other client."""

from functools import lru_cache

_M = 0x5BD1E995
_SEED = 0x9747B28C
_U32 = 0xFFFFFFFF
_KEYS_MAX = 65_536
"""Keys whose partition is remembered; a lot's key comes back with each of its facts."""


def murmur2(data: bytes) -> int:
    """Return the murmur2 hash of Kafka's Java client as an unsigned 32-bit integer.

    Source:
        org.apache.kafka.common.utils.Utils.murmur2.
    """
    length = len(data)
    h = _SEED ^ length
    whole = length - length % 4
    for start in range(0, whole, 4):
        k = int.from_bytes(data[start : start + 4], "little") * _M & _U32
        k = (k ^ k >> 24) * _M & _U32
        h = h * _M & _U32 ^ k
    if whole < length:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & _U32
    h = (h ^ h >> 13) * _M & _U32
    return h ^ h >> 15


@lru_cache(_KEYS_MAX)
def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition of a key.

    Args:
        key: Kafka key.
        partitions: Number of partitions of the topic, > 0.

    Returns:
        Index from 0, equal to what Kafka's default partitioner chooses for this key.
    """
    return (murmur2(key) & 0x7FFFFFFF) % partitions

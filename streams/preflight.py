"""What must stand before Faust starts: a broker that answers, and topics that fit together."""

import asyncio
import logging
from collections.abc import Mapping

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from custody.errors import Unavailable
from streams.batches import BATCH_BYTES_MAX
from streams.config import CHANGELOG, SOURCES, Security
from streams.security import client_options

COMPACTION_LAG_MS = 600_000
"""Rows stay uncompacted ten minutes: a restore of a short absence reads only what is new."""

CHANGELOG_SETTINGS = {
    "cleanup.policy": "compact",
    "min.compaction.lag.ms": str(COMPACTION_LAG_MS),
    "max.message.bytes": str(BATCH_BYTES_MAX + 1024),
}

_RETRY_S = 1.0

log = logging.getLogger("streams")


class WrongTopics(Unavailable):
    """The source topics are not there or do not fit together."""

    def __init__(self, found: Mapping[str, int]) -> None:
        super().__init__(
            f"source topics have partitions {dict(found)}",
            expected=f"{', '.join(SOURCES)}, all with the same number",
            next_step="custody up creates them; never change their number afterwards",
        )


class NoBroker(Unavailable):
    """Broker or topics did not come up in time."""

    def __init__(self, bootstrap: str, wait_s: float) -> None:
        super().__init__(
            f"no broker with our topics at {bootstrap} within {wait_s:.0f} s",
            next_step="custody status; the worker's log says what it waited for",
        )


async def prepare(bootstrap: str, wait_s: float, security: Security | None = None) -> int:
    """Wait for the broker, check the source topics, and create the changelog.

    Faust would create it too late on a first start, and the first chunk would be lost.

    Args:
        bootstrap: Kafka's addresses.
        wait_s: How long to wait for broker and topics.
        security: How to reach the broker; in the clear by default.

    Returns:
        Number of partitions of every topic.

    Raises:
        Unavailable: No broker, or no fitting topics, within the time.
    """
    try:
        async with asyncio.timeout(wait_s):
            return await _prepare(bootstrap, client_options(security or Security()))
    except TimeoutError as error:
        raise NoBroker(bootstrap, wait_s) from error


async def _prepare(bootstrap: str, options: Mapping[str, object]) -> int:
    while True:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **options)
        try:
            await admin.start()
            return await _check(admin)
        except (KafkaError, WrongTopics) as error:
            if isinstance(error, KafkaError) and not error.retriable:
                raise
            log.warning("waiting for broker and topics", extra={"why": str(error)})
            await asyncio.sleep(_RETRY_S)
        finally:
            await admin.close()


async def _check(admin: AIOKafkaAdminClient) -> int:
    described = await admin.describe_topics([*SOURCES, CHANGELOG])
    found = {t["topic"]: t["partitions"] for t in described if not t["error_code"]}
    counts = {topic: len(partitions) for topic, partitions in found.items()}
    if not set(SOURCES) <= set(counts) or len(set(counts.values())) != 1:
        raise WrongTopics(counts)
    model = found[SOURCES[0]]
    if CHANGELOG not in found:
        await _create_changelog(admin, len(model), len(model[0]["replicas"]))
    return len(model)


async def _create_changelog(admin: AIOKafkaAdminClient, partitions: int, replicas: int) -> None:
    topic = NewTopic(CHANGELOG, partitions, replicas, topic_configs=CHANGELOG_SETTINGS)
    answer = await admin.create_topics([topic])
    for _, code, *_ in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise error

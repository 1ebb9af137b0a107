"""The sink's place in Kafka, forgotten: the next start goes on from what the tables have.

The committed offset is the truth as long as warehouse and offsets belong together. They do not
where a warehouse was lost, or where somebody has moved an offset. A group without offsets begins
behind its last stored batch, and where there is none at the first record the broker has
(``sinks.recovery``); rows that are there already are not stored again.
"""

import threading
import time
from collections.abc import Callable, Mapping

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from custody.errors import Unavailable

_ASK_S = 30.0
_AGAIN_S = 0.5


class StillThere(Unavailable):
    """A sink is a member of the group, or was until a moment ago."""

    def __init__(self, group: str, waited_s: float) -> None:
        super().__init__(
            f"the group {group} still has members after {waited_s:.0f} s",
            expected="no sink running: the broker forgets offsets of a group without members only",
            next_step="custody status; stop the warehouse, and say this again",
        )


class NotForgotten(Unavailable):
    """The broker did not do it."""

    def __init__(self, group: str, why: str) -> None:
        super().__init__(
            f"the broker did not forget the offsets of {group}: {why}",
            next_step="custody status; an account of one's own needs DELETE on the group",
        )


def forget(
    kafka: Mapping[str, str], group: str, patience_s: float, waits: Callable[[], None]
) -> bool:
    """Delete a consumer group with its offsets; blocks.

    Args:
        kafka: Client options: the bootstrap address and the security.
        group: Its name.
        patience_s: How long to wait for its members to be gone: a sink that was stopped stays one
            until its session ends.
        waits: Called once where there is something to wait for.

    Returns:
        Whether there was one.

    Raises:
        StillThere: It has members.
        NotForgotten: The broker refuses, or does not answer.
    """
    admin = AdminClient({**kafka, "log_level": 0})
    end, told, never = time.monotonic() + patience_s, False, threading.Event()
    while True:
        try:
            admin.delete_consumer_groups([group], request_timeout=_ASK_S)[group].result(_ASK_S)
        except KafkaException as error:
            code = error.args[0].code()
            if code == KafkaError.GROUP_ID_NOT_FOUND:
                return False
            if code != KafkaError.NON_EMPTY_GROUP:
                raise NotForgotten(group, str(error)) from error
        else:
            return True
        if time.monotonic() >= end:
            raise StillThere(group, patience_s)
        if not told:
            waits()
            told = True
        never.wait(_AGAIN_S)

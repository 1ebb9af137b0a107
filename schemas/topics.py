"""The Kafka topics: names, clean-up and retention. Created before anything reads or writes."""

from dataclasses import dataclass

FACT = "custody.fact.v1"
CONTROL = "custody.control.v1"
FLOW = "custody.flow.v1"
TRANSFER = "custody.transfer.v1"
BALANCE = "custody.balance.v1"
ALERT = "custody.alert.v1"
DEAD_LETTER = "custody.dead-letter.v1"
HEAD = "custody.head.v1"

SOURCES = (FACT, CONTROL, FLOW)
"""What the worker reads; all subscribed from the first release on."""

_DAY_MS = 86_400_000
FOREVER_MS = -1


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic.

    Attributes:
        name: Kafka's name.
        retention_ms: How long records are kept; ``FOREVER_MS`` for ever.
        cleanup: ``delete`` or ``compact``. No source topic is ever compacted: the order check
            needs contiguous offsets.
    """

    name: str
    retention_ms: int
    cleanup: str = "delete"


TOPICS = (
    Topic(FACT, FOREVER_MS),
    Topic(CONTROL, FOREVER_MS),
    Topic(FLOW, 30 * _DAY_MS),
    Topic(TRANSFER, FOREVER_MS),
    Topic(BALANCE, FOREVER_MS),
    Topic(ALERT, FOREVER_MS),
    Topic(DEAD_LETTER, 90 * _DAY_MS),
    Topic(HEAD, FOREVER_MS),
)

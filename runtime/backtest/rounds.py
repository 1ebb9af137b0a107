"""A history cut into rounds: what is told together, in the order of recording.

A worker takes what has come since it looked last, sorts it by owner, and asks the core once for
each. So does a backtest, by the times of recording: a round is what was recorded in one and the
same minute. Reference records and actions of people are told in rounds of their own, so that no
fact is judged by what was said after it, or before what was said before it.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from custody.charting import SETTLED_US
from custody.events import ActionTaken, Micros, ReferenceSet
from custody.fold import Input
from custody.records import Content, Drift, Residual, Sighting, Tick
from runtime.backtest.history import recorded_at
from schemas.partition import partition_of
from schemas.routes import fact_key
from streams.outputs import bare_id

MINUTE_US = 60_000_000


class Pace(NamedTuple):
    """How much is told together.

    Attributes:
        round_us: Time of recording that is one round, microseconds; 0: each record by itself.
        series_us: How long the shots of a lot wait for one another, microseconds, where nothing
            else is heard of the lot; 0: not at all.
    """

    round_us: int
    series_us: int


ONE_BY_ONE = Pace(0, 0)
"""Each record by itself."""

BY_SERIES = Pace(MINUTE_US, SETTLED_US)
"""Minute by minute, and the shots of a series together: by when a lot has settled, all are told."""


class Round(NamedTuple):
    """Records that are told together.

    Attributes:
        begin: From when on they were recorded; the clock has ticked as far as that.
        end: When the last was recorded.
        facts: They are facts; else reference records or actions.
        shares: By partition its records, in the order they were recorded.
    """

    begin: Micros
    end: Micros
    facts: bool
    shares: dict[int, list[Input]]


def rounds_of(records: Iterable[Input], pace: Pace, partitions: int) -> list[Round]:
    """Return the rounds of a history.

    Args:
        records: In the order they were recorded.
        pace: How much is told together.
        partitions: How many there are; each fact is in that of its key, as in Kafka.
    """
    if not pace.round_us:
        return [_round(recorded_at(one), [one], partitions) for one in records]
    grouped = groupby(records, lambda one: (recorded_at(one) // pace.round_us, _is_fact(one)))
    return [_round(no * pace.round_us, list(some), partitions) for (no, _), some in grouped]


def of_partitions(rounds: Sequence[Round], some: Iterable[int]) -> list[Round]:
    """Return rounds with the records of some partitions alone."""
    wanted = frozenset(some)
    return [
        one._replace(shares={p: mine for p, mine in one.shares.items() if p in wanted})
        for one in rounds
    ]


def _round(begin: int, records: Sequence[Input], partitions: int) -> Round:
    shares: dict[int, list[Input]] = {}
    for record in records:
        for partition in receivers(record, partitions):
            shares.setdefault(partition, []).append(record)
    return Round(Micros(begin), recorded_at(records[-1]), _is_fact(records[0]), shares)


def _is_fact(record: Input) -> bool:
    return not isinstance(record, ReferenceSet | ActionTaken)


def receivers(event: Input, partitions: int) -> Iterator[int]:
    """Yield the partitions that hear of an event: of reference data and of a drift all do."""
    if partitions == 1:
        yield 0
    elif isinstance(event, ReferenceSet | Drift):
        yield from range(partitions)
    else:
        yield partition_of(key_of(event).encode(), partitions)


def key_of(event: Input) -> str:
    """Return the Kafka key of a record, as gateway and worker set it."""
    match event:
        case Content(to_owner=receiver) | ActionTaken(subject=receiver):
            return bare_id(receiver)
        case Sighting(thing=receiver) | Residual(thing=receiver) | Drift(thing=receiver):
            return bare_id(receiver)
        case ReferenceSet():
            return event.id
        case Tick():
            return ""
        case _:
            return fact_key(event)

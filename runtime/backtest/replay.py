"""The core over records in memory: what the worker does with them, without Kafka.

One record at a time, in the order in which they were recorded, and whatever owners hand each other
before the next: so an alert is raised with the record that makes it provable, and two runs say the
same to the byte. There is one partition, and its clock is the time of the records.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from custody.deadlines import DUE, waiting_of
from custody.events import ActionTaken, Micros, ReferenceSet
from custody.fold import Fold, Handed, Input, Output, Row
from custody.held import BEGINNING
from custody.ids import BETWEEN
from custody.records import Content, Drift, Residual, Sighting, Tick
from custody.ticking import SILENT_US
from runtime.backtest.history import recorded_at
from schemas.routes import BY_TYPE, fact_key
from streams.outputs import bare_id, number, sender_of

PARTITION = 0

TICK_US = 10_000_000
"""How often a worker writes a tick."""

LAST_TICKS = 3
"""Ticks after the last record: a doubt is told by the second tick from the next one on."""

_TICK = f"tick/{PARTITION}"
_DUE = DUE + "/"


class Entry(NamedTuple):
    """A record as the fold sees it."""

    stem: str
    offset: int
    event: Input


class Rows:
    """Rows of the partition: the reader of the fold.

    Keys are grouped up to their first ``BETWEEN``, because that is what scans ask for; those that
    wait for the clock stand in order.
    """

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._groups: dict[str, dict[str, set[str]]] = {}
        self._due: list[str] = []

    def get(self, key: str) -> Row | None:
        """Return the row under a key, or None."""
        return self._rows.get(key)

    def scan(self, prefix: str, before: str | None = None) -> list[str]:
        """Return the keys that begin with a prefix, in order; those before another where given."""
        if prefix == _DUE:
            return self._due[: len(self._due) if before is None else bisect_left(self._due, before)]
        found = self._found(prefix)
        return found if before is None else [key for key in found if key < before]

    def _found(self, prefix: str) -> list[str]:
        kind, group = _group(prefix)
        groups = self._groups.get(kind, {})
        if BETWEEN in prefix:
            return sorted(key for key in groups.get(group, ()) if key.startswith(prefix))
        return sorted(
            key for name, keys in groups.items() if name.startswith(prefix) for key in keys
        )

    def put(self, key: str, row: Row | None) -> None:
        """Replace a row; None takes it away."""
        kind, group = _group(key)
        if kind == DUE:
            self._put_due(key, gone=row is None)
        if row is not None:
            if key not in self._rows:
                self._groups.setdefault(kind, {}).setdefault(group, set()).add(key)
            self._rows[key] = row
        elif self._rows.pop(key, None) is not None:
            keys = self._groups[kind][group]
            keys.discard(key)
            if not keys:
                del self._groups[kind][group]

    def first_due(self) -> Micros | None:
        """Return when the first row that waits for the clock wants to be looked at."""
        return waiting_of(self._due[0]).at if self._due else None

    def _put_due(self, key: str, *, gone: bool) -> None:
        if not gone and key not in self._rows:
            insort(self._due, key)
        elif gone and key in self._rows:
            del self._due[bisect_left(self._due, key)]


def _group(key: str) -> tuple[str, str]:
    group = key.partition(BETWEEN)[0]
    return group.partition("/")[0], group


class Replay:
    """Tells a fold records and hands on what its owners tell each other.

    Args:
        fold: The core.
    """

    def __init__(self, fold: Fold) -> None:
        self._fold = fold
        self._ticks = "tick" in fold.row_types
        self._rows = Rows()
        self._n = 0
        self._offset = 0
        self._now = BEGINNING

    @property
    def rows(self) -> Rows:
        """Rows of the partition, as the records told so far have left them."""
        return self._rows

    def run(self, records: Iterable[Input]) -> Iterator[list[Output]]:
        """Yield what is said with each record, in order.

        Args:
            records: Facts, reference records and actions, in the order they were recorded.

        Yields:
            What each record led to, with what the clock said before it; and what it says after the
            last one.
        """
        for record in records:
            now = recorded_at(record)
            said = self._until(now) if self._ticks else []
            self._now = max(self._now, now)
            said.extend(self._tell(record))
            yield said
        if self._ticks:
            # What was doubted at the last records has its time; no deadline ends in it.
            yield self._until(Micros(self._now + LAST_TICKS * TICK_US))

    def _until(self, now: Micros) -> list[Output]:
        """Let the clock tick as far as anything waits for it."""
        said: list[Output] = []
        while (due := self._rows.first_due()) is not None:
            # Whoever waits for the next ticks, or for a time that is over, gets the next one.
            at = max(-(-(due + SILENT_US) // TICK_US), self._now // TICK_US + 1) * TICK_US
            if at > now:
                break
            self._now = Micros(at)
            tick = Tick(partition=PARTITION, now=self._now, fact_end_offset=0, silent_sites=())
            told = self._step(_TICK, tick)
            said.extend([*told, *self._hand_on(told)])
        return said

    def _tell(self, record: Input) -> list[Output]:
        said = self._step(self._owner(record), record)
        said.extend(self._hand_on(said))
        return said

    def _hand_on(self, said: list[Output]) -> list[Output]:
        """Deliver contents and sightings until none is left; return what that led to."""
        waiting = [one for one in said if isinstance(one, Handed)]
        led_to: list[Output] = []
        for one in waiting:
            new = self._step(self._owner(one), one)
            led_to.extend(new)
            waiting.extend([n for n in new if isinstance(n, Handed)])
        return led_to

    def _owner(self, event: Input) -> str:
        return self._fold.owner(self._entry(event), key_of(event))

    def _entry(self, event: Input) -> Entry:
        return Entry(BY_TYPE[type(event)].stem, self._offset, event)

    def _step(self, owner: str, event: Input) -> list[Output]:
        self._offset += 1
        step = self._fold.step(owner, self._rows.get(owner), [self._entry(event)], self._rows)
        for key, row in step.rows.items():
            self._rows.put(key, row)
        self._rows.put(owner, step.row)
        for output in step.outputs:
            self._n += 1
            number(output, sender_of(PARTITION), self._n)
        return list(step.outputs)


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

"""The core over records in memory: what the worker does with them, without Kafka.

One record at a time, in the order in which they were recorded, and whatever owners hand each other
before the next: so an alert is raised with the record that makes it provable, and two runs say the
same to the byte. There is one partition, and its clock is the time of the records.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from custody.events import ActionTaken, Micros, ReferenceSet
from custody.fold import Fold, Input, Output, Row
from custody.ids import BETWEEN
from custody.records import Content, Sighting, Tick
from schemas.routes import BY_TYPE, fact_key
from streams.outputs import bare_id, number, sender_of

PARTITION = 0

TICK_US = 10_000_000
"""How often a worker writes a tick."""

SILENT_AFTER_US = 180_000_000
"""A gateway is silent when it was last heard so long ago: deadlines are looked at that much later,
as the worker does."""

_TICK = f"tick/{PARTITION}"
_DUE = "due/"


class Entry(NamedTuple):
    """A record as the fold sees it."""

    stem: str
    offset: int
    event: Input


class Rows:
    """Rows of the partition: the reader of the fold.

    Keys are grouped up to their first ``BETWEEN``, because that is what scans ask for.
    """

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._groups: dict[str, dict[str, set[str]]] = {}

    def get(self, key: str) -> Row | None:
        """Return the row under a key, or None."""
        return self._rows.get(key)

    def scan(self, prefix: str) -> list[str]:
        """Return the keys that begin with a prefix, in order."""
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
        if row is not None:
            if key not in self._rows:
                self._groups.setdefault(kind, {}).setdefault(group, set()).add(key)
            self._rows[key] = row
        elif self._rows.pop(key, None) is not None:
            keys = self._groups[kind][group]
            keys.discard(key)
            if not keys:
                del self._groups[kind][group]

    def first_due(self) -> int | None:
        """Return when the first row that waits for the clock wants to be looked at."""
        groups = self._groups.get("due")
        return int(_time_of(min(groups))) if groups else None


def _group(key: str) -> tuple[str, str]:
    group = key.partition(BETWEEN)[0]
    return group.partition("/")[0], group


def _time_of(group: str) -> str:
    return group.removeprefix(_DUE).partition("|")[0]


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

    def run(self, records: Iterable[Input]) -> Iterator[list[Output]]:
        """Yield what is said with each record, in order.

        Args:
            records: Facts, reference records and actions, in the order they were recorded.
        """
        for record in records:
            said = self._until(recorded_at(record)) if self._ticks else []
            said.extend(self._tell(record))
            yield said

    def _until(self, now: Micros) -> list[Output]:
        """Let the clock tick as far as anything waits for it."""
        said: list[Output] = []
        while (due := self._rows.first_due()) is not None:
            at = -(-(due + SILENT_AFTER_US) // TICK_US) * TICK_US
            if at > now:
                break
            tick = Tick(partition=PARTITION, now=Micros(at), fact_end_offset=0, silent_sites=())
            said.extend(self._step(_TICK, tick))
            said.extend(self._hand_on(said))
            if self._rows.first_due() == due:
                break
        return said

    def _tell(self, record: Input) -> list[Output]:
        said = self._step(self._owner(record), record)
        said.extend(self._hand_on(said))
        return said

    def _hand_on(self, said: list[Output]) -> list[Output]:
        """Deliver contents and sightings until none is left; return what that led to."""
        waiting = [one for one in said if isinstance(one, Content | Sighting)]
        led_to: list[Output] = []
        for one in waiting:
            new = self._step(self._owner(one), one)
            led_to.extend(new)
            waiting.extend([n for n in new if isinstance(n, Content | Sighting)])
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


def recorded_at(record: Input) -> Micros:
    """Return when a record was recorded, or became known."""
    if isinstance(record, Tick):
        return record.now
    if isinstance(record, Content | Sighting):
        return record.known_at
    return record.recorded_at


def key_of(event: Input) -> str:
    """Return the Kafka key of a record, as gateway and worker set it."""
    match event:
        case Content(to_owner=receiver) | Sighting(thing=receiver) | ActionTaken(subject=receiver):
            return bare_id(receiver)
        case ReferenceSet():
            return event.id
        case Tick():
            return ""
        case _:
            return fact_key(event)

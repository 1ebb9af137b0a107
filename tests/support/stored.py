"""A warehouse filled without Kafka, by the sink's own mapping, and asked as the console asks."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from console.config import ConsoleConfig
from console.reader import Reader
from custody.events import Micros
from producers.chain import Entry
from runtime.audit.standing import Standing, fingerprints_of
from schemas import avro
from schemas.breaker import Breaker, Limits
from schemas.codec import frame
from schemas.partition import partition_of
from schemas.reader import read_batch
from schemas.routes import BY_TYPE, Record
from sinks import migrate
from sinks.client import Warehouse, open_warehouse
from sinks.consumer import Topic
from sinks.dedup import Seen
from sinks.flush import Part, missing_of
from sinks.recovery import Partition
from sinks.rows import rows_of
from sinks.slice import Place, Slice
from tests.support.sinks import CATALOG, PARTITIONS, Kept, framed, slice_of

KEY = b"any"
PARTITION = partition_of(KEY, PARTITIONS)


@dataclass(slots=True)
class Stored:
    """Records in tables, on one partition of each topic."""

    warehouse: Warehouse
    reader: Reader
    next: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    at_ms: int | None = None
    """When Kafka took what is put from now on; any time where it is None."""

    def put(self, records: Sequence[Record]) -> None:
        """Store records as a flush of the sink would."""
        by_topic: dict[str, list[Record]] = defaultdict(list)
        for record in records:
            by_topic[BY_TYPE[type(record)].topic].append(record)
        for topic, group in by_topic.items():
            place, first = Place(topic, PARTITION), self.next[topic]
            slice_ = slice_of(place, [(KEY, framed(record)) for record in group], first)
            self._insert(slice_)
            self.next[topic] += len(group)

    def put_entries(self, entries: Sequence[Entry]) -> None:
        """Store what a gateway has in its outbox, with its headers, in this order."""
        by_topic: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            by_topic[entry.topic].append(entry)
        for topic, group in by_topic.items():
            first = self.next[topic]
            kept = [
                Kept(
                    first + at,
                    KEY,
                    frame(CATALOG.schema_id(entry.stem), entry.body),
                    None
                    if entry.prev is None
                    else [("prev", entry.prev), ("digest", entry.digest), ("gateway", b"GW")],
                )
                for at, entry in enumerate(group)
            ]
            self._insert(Slice(Place(topic, PARTITION), kept))
            self.next[topic] += len(group)

    def put_slice(self, slice_: Slice) -> None:
        """Store records as they came from Kafka, whatever headers they have."""
        self._insert(slice_)
        self.next[slice_.place.topic] += len(slice_)

    def _insert(self, slice_: Slice) -> None:
        if self.at_ms is not None:
            kept = cast("list[Kept]", slice_.messages)
            dated = [replace(one, kept_timestamp_ms=self.at_ms) for one in kept]
            slice_ = Slice(slice_.place, dated)
        place, first = slice_.place, slice_.first
        batch = read_batch(*place, PARTITIONS, slice_.keys, slice_.values, CATALOG)
        assert not batch.bad
        partition = Partition(
            place=place, topic=Topic("id", PARTITIONS), done=first, next=first, last=-1,
            sealed=first, present={}, seen=Seen(), breaker=Breaker("test", Limits()),
        )  # fmt: skip
        for table, rows in missing_of(Part(partition, slice_, rows_of(slice_, batch, Seen()), "")):
            self.warehouse.insert_arrow(table, rows, "test")

    def ask(self, query: str, params: Mapping[str, str]) -> list[dict[str, object]]:
        """Run a statement through the guard and the limits of SQL over HTTP."""
        return [json.loads(r) for r in self.reader.ask(query, "JSONEachRow", params).splitlines()]


@contextmanager
def opened(directory: Path) -> Iterator[Stored]:
    """A warehouse with all migrations, closed at the end of the block."""
    address = f"chdb://{directory / 'warehouse'}"
    warehouse = open_warehouse(address)
    migrate.migrate(warehouse, Micros(0))
    reader = Reader(ConsoleConfig(warehouse=address, token_file=directory / "token"))
    try:
        yield Stored(warehouse, reader)
    finally:
        reader.close()
        warehouse.close()


def seal(stored: Stored) -> None:
    """Say that all that is stored is confirmed, as a flush of the sink does."""
    for topic, end in stored.next.items():
        row = f"'{topic}', {PARTITION}, 0, {end - 1}"
        columns = "topic, partition, first, last"
        stored.warehouse.command(f"INSERT INTO custody.ingest_batches ({columns}) VALUES ({row})")  # noqa: S608  names of ours


def standing_of(stored: Stored, grace_us: int = 0) -> Standing:
    """What stands against gateways by what is stored; nothing has been gone over yet."""

    def text(number: int) -> str | None:
        writer = CATALOG.writer(number)
        return None if writer is None else writer.text

    return Standing(
        stored.ask, lambda: fingerprints_of(stored.ask, text, avro.fingerprint_of), grace_us
    )

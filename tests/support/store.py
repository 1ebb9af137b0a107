"""A warehouse on the real engine, filled without Kafka by the sink's own mapping."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from console.config import ConsoleConfig
from console.reader import Reader
from custody.events import Micros
from runtime.verify import Check, Ends, verify
from schemas.partition import partition_of
from schemas.reader import read_batch
from schemas.routes import BY_TYPE, Record
from sinks import migrate, repeats
from sinks.client import Warehouse, open_warehouse
from sinks.consumer import Topic
from sinks.dedup import Seen
from sinks.flush import Part, ledger_rows, missing_of
from sinks.recovery import Partition
from sinks.repeats import Writers
from sinks.rows import rows_of
from sinks.slice import Place
from tests.support.sinks import CATALOG, PARTITIONS, framed, slice_of

KEY = b"L-1"
PARTITION = partition_of(KEY, PARTITIONS)


@dataclass(slots=True)
class Store:
    """A warehouse filled without Kafka, by the sink's own mapping."""

    warehouse: Warehouse
    reader: Reader
    directory: Path
    ends: dict[str, dict[int, tuple[int, int]]] = field(default_factory=dict)
    writers: Writers = field(default_factory=dict)

    def put(self, topic: str, records: Sequence[Record], *, extra_bad: int = 0) -> None:
        """Store records behind those of earlier calls, with their row of the ledger."""
        first = self.ends.get(topic, {}).get(PARTITION, (0, 0))[1]
        place = Place(topic, PARTITION)
        values = [framed(record) for record in records] + [b"bad"] * extra_bad
        slice_ = slice_of(place, [(KEY, value) for value in values], first)
        batch = read_batch(*place, PARTITIONS, slice_.keys, slice_.values, CATALOG)
        judged = rows_of(slice_, batch, Seen())
        partition = Partition(
            place, Topic("id", PARTITIONS), first, first, -1, first, {}, Seen(), None  # type: ignore[arg-type]  # not asked
        )  # fmt: skip
        part = Part(partition, slice_, judged, "d")
        for table, rows in missing_of(part):
            self.warehouse.insert_arrow(table, rows, "test")
        if facts := repeats.suspects(judged.tables, self.writers):
            found = repeats.repeats_of(self.warehouse, place, facts)
            self.warehouse.insert_arrow(repeats.TABLE, found, "test")
        ledger = ledger_rows([part], "test", Micros(1))
        self.warehouse.insert_arrow("ingest_batches", ledger, "test")
        self.ends.setdefault(topic, {})[PARTITION] = (0, first + len(values))

    def ask(self, statement: str) -> list[dict[str, object]]:
        answer = self.reader.ask(statement, "JSONEachRow", {})
        return [json.loads(line) for line in answer.splitlines()]

    def verify(self, ends: Ends | None = None) -> dict[str, Check]:
        return {c.name: c for c in verify(self.ask, lambda: ends or self.ends)}

    def wrong(self, ends: Ends | None = None) -> dict[str, list[tuple[str, str]]]:
        """Violations by check, of the checks that are not clean."""
        found = self.verify(ends)
        return {
            name: [(v.subject, v.detail) for v in check.violations]
            for name, check in found.items()
            if not check.clean
        }

    def put_all(self, records: Sequence[Record]) -> None:
        """Store records of any kinds, each on its topic, in their order."""
        for topic in dict.fromkeys(BY_TYPE[type(record)].topic for record in records):
            self.put(topic, [r for r in records if BY_TYPE[type(r)].topic == topic])

    def rows(
        self, statement: str, params: Mapping[str, str] | None = None
    ) -> list[dict[str, object]]:
        """Ask with parameters, as the command line does over HTTP."""
        answer = self.reader.ask(statement, "JSONEachRow", params or {})
        return [json.loads(line) for line in answer.splitlines()]


@contextmanager
def opened(directory: Path) -> Iterator[Store]:
    """An empty warehouse with all migrations, closed at the end of the block."""
    address = f"chdb://{directory / 'warehouse'}"
    with closing(open_warehouse(address)) as warehouse:
        migrate.migrate(warehouse, Micros(0))
        reader = Reader(ConsoleConfig(warehouse=address, token_file=directory / "token"))
        with closing(reader):
            yield Store(warehouse, reader, directory)

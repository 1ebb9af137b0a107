"""The last link of the golden chain: avro.hex -> row.json, what the sink makes of the bytes.

One object per record, in column order; bytes are hexadecimal, times ISO 8601 in UTC.
"""

import json
from datetime import datetime
from pathlib import Path

from custody.events import ReferenceSet
from schemas import codec
from schemas.partition import partition_of
from schemas.reader import read_batch
from schemas.routes import BY_STEM
from sinks.dedup import Seen
from sinks.rows import rows_of
from sinks.slice import Place, Slice
from sinks.tables import columns, stored
from tests.support import golden
from tests.support.sinks import CATALOG, PARTITIONS, Kept

KEY = b"golden"
HEADERS = [("prev", bytes(32)), ("digest", bytes.fromhex("11" * 32)), ("gateway", b"GW-1")]


def rows(stem: str) -> list[dict[str, object]]:
    """Return the rows of a stem's golden bytes."""
    return [_row(stem, no, body) for no, body in enumerate(golden.bodies(stem))]


def file(stem: str) -> Path:
    return golden.FOLDER / stem / "row.json"


def write() -> None:
    """Write row.json of every stem that has a table."""
    for route in stored():
        file(route.stem).write_text(json.dumps(rows(route.stem), indent=2) + "\n")


def _row(stem: str, offset: int, body: bytes) -> dict[str, object]:
    value = codec.frame(CATALOG.schema_id(stem), body)
    record = codec.decode(stem, body)
    partition = partition_of(KEY, PARTITIONS)
    if isinstance(record, ReferenceSet):
        partition = record.partition
    place = Place(BY_STEM[stem].topic, partition)
    slice_ = Slice(place, [Kept(offset, KEY, value, HEADERS)])
    batch = read_batch(*place, PARTITIONS, slice_.keys, slice_.values, CATALOG)
    assert not batch.bad, batch.bad
    [(_, table)] = rows_of(slice_, batch, Seen()).tables
    [found] = table.to_pylist()
    return {column.name: _shown(found[column.name]) for column in columns(stem)}


def _shown(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return value


if __name__ == "__main__":
    write()

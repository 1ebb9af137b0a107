"""Kafka against the warehouse, record by record: what was dropped, changed, inserted or repeated.

A record's bytes, its two digests and its time are hashed on either side and compared by place.
What has no row is a dead letter, a kind without a table, a repeat of a record that has its row, or
missing.
"""

import struct
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple, cast

from confluent_kafka import Message

from runtime.asof import Ask
from runtime.audit.blocks import Block, blocks
from runtime.ends import ends
from schemas import headers
from schemas.codec import FRAME_BYTES, schema_id_of
from schemas.registry import Catalog
from schemas.routes import BY_STEM, BY_TYPE, ROUTES, Record
from schemas.rows import BadRecord

LOST_AT_ONCE = 500
"""Records without a row that are asked for at once."""

DROPPED, CHANGED, INSERTED, REPEATED = "dropped", "changed", "inserted", "repeated"
REORDERED, DEAD = "reordered", "dead letter"
TWICE = "two records with one number"
OTHERWISE = "repeated with other digests"
KINDS = frozenset({DROPPED, CHANGED, INSERTED, REPEATED, REORDERED, DEAD, TWICE, OTHERWISE})
_NO_RECORD = "a row that Kafka has no record of"

_HASH = struct.Struct("20s32s")

RECORD = "record_"
"""What a column is named with whose name the envelope has."""

_ALONE = ("head", "dead_letter")
"""Kinds that are numbered among themselves."""

_TABLES = tuple(route.table for route in ROUTES if route.table is not None)
TOPICS = tuple(dict.fromkeys(route.topic for route in ROUTES if route.table is not None))


class Difference(NamedTuple):
    """A record that is not the same on both sides.

    Attributes:
        kind: One of those above.
        place: Topic, partition and offset.
        detail: Which record.
    """

    kind: str
    place: str
    detail: str

    @property
    def harmless(self) -> bool:
        """Nobody has done anything: sent again and counted once, or kept as a dead letter."""
        return self.kind in {REPEATED, DEAD}


def differences(
    kafka: Mapping[str, str], ask: Ask, catalog: Catalog, advance: Callable[[int], None]
) -> Iterator[Difference]:
    """Yield what is not the same in Kafka and in the warehouse; blocks.

    Args:
        kafka: Client options, address and security.
        ask: Runs SQL.
        catalog: Where schema ids are looked up.
        advance: Told of records, as they are done.

    Raises:
        Unavailable: Broker, warehouse or registry does not answer.
    """
    for block in blocks(kafka, ends(kafka, TOPICS)):
        yield from _compared(block, ask, catalog)
        advance(len(block.messages))
    yield from _beyond(kafka, ask)


def _compared(block: Block, ask: Ask, catalog: Catalog) -> Iterator[Difference]:
    rows = _hashes(block, ask)
    homeless: list[Message] = []
    for message in block.messages:
        offset = message.offset() or 0
        found = rows.pop(offset, None)
        if found is None:
            homeless.append(message)
            continue
        own = _hash(message)
        if own not in found:
            yield Difference(CHANGED, block.place(offset), "Kafka and the table differ")
        for _ in found[1:]:
            yield Difference(INSERTED, block.place(offset), "another row at the place of a record")
    for offset in sorted(rows):
        yield Difference(INSERTED, block.place(offset), _NO_RECORD)
    if homeless:
        yield from _without_row(block, homeless, ask, catalog)


def _hashes(block: Block, ask: Ask) -> dict[int, list[bytes]]:
    tables = [route.table for route in ROUTES if route.topic == block.topic and route.table]
    each = _union(
        "SELECT offset, SHA256(concat(value, prev, digest,"
        " toString(toUnixTimestamp64Milli(timestamp)))) AS hash FROM {table}"
        " WHERE topic = {topic:String} AND partition = {partition:Int32}"
        " AND offset >= {first:Int64} AND offset < {end:Int64}",
        tables,
    )
    # Offsets as text of a fixed length: the engine cuts zero bytes off a number's own.
    packed = "concat(leftPad(toString(offset), 20, '0'), hash)"
    rows = ask(
        f"SELECT base64Encode(arrayStringConcat(groupArray({packed}))) AS packed"  # noqa: S608
        f" FROM ({each})",
        block.params,
    )
    raw = b64decode(str(rows[0]["packed"])) if rows else b""
    found: dict[int, list[bytes]] = {}
    for offset, hashed in _HASH.iter_unpack(raw):
        found.setdefault(int(offset), []).append(hashed)
    return found


def _beyond(kafka: Mapping[str, str], ask: Ask) -> Iterator[Difference]:
    """Yield rows where Kafka has nothing yet: behind the last record, or in no such partition."""
    each = _union(
        "SELECT topic, partition, max(offset) AS last FROM {table} GROUP BY topic, partition",
        _TABLES,
    )
    stored = ask(f"SELECT topic, partition, max(last) AS last FROM ({each}) GROUP BY ALL", {})  # noqa: S608
    # Asked after the tables: what is written meanwhile has its record.
    there = ends(kafka, TOPICS)
    for row in stored:
        topic, partition = str(row["topic"]), int(str(row["partition"]))
        end = there.get(topic, {}).get(partition, (0, 0))[1]
        if int(str(row["last"])) >= end:
            yield from _rows_beyond(topic, partition, end, ask)


def _rows_beyond(topic: str, partition: int, end: int, ask: Ask) -> Iterator[Difference]:
    each = _union(
        "SELECT offset FROM {table} WHERE topic = {topic:String}"
        " AND partition = {partition:Int32} AND offset >= {end:Int64}",
        _TABLES,
    )
    values = {"topic": topic, "partition": str(partition), "end": str(end)}
    for row in ask(f"SELECT offset FROM ({each}) ORDER BY offset", values):  # noqa: S608
        yield Difference(INSERTED, f"{topic}/{partition}@{row['offset']}", _NO_RECORD)


def _union(select: str, tables: Iterable[str]) -> str:
    """Return one statement over tables of our own, each in the place of ``{table}``."""
    return " UNION ALL ".join(select.replace("{table}", table) for table in tables)


def _hash(message: Message) -> bytes:
    prev, digest = _digests(message)
    sent_at = str(message.timestamp()[1]).encode()
    return sha256(_bytes(message.value()) + prev + digest + sent_at).digest()


def _digests(message: Message) -> tuple[bytes, bytes]:
    found = dict(message.headers() or ())
    return _bytes(found.get(headers.PREV)), _bytes(found.get(headers.DIGEST))


def _bytes(value: str | bytes | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""


def _without_row(
    block: Block, messages: Sequence[Message], ask: Ask, catalog: Catalog
) -> Iterator[Difference]:
    dead = _dead(block, ask)
    lost: dict[str, list[_Lost]] = {}
    for message in messages:
        offset = message.offset() or 0
        if offset in dead:
            yield Difference(DEAD, block.place(offset), dead[offset])
            continue
        record = _read(message, catalog)
        if record is None:
            detail = "a record that cannot be read, without a dead letter"
            yield Difference(DROPPED, block.place(offset), detail)
        elif BY_TYPE[type(record)].table is not None:
            stem = BY_TYPE[type(record)].stem
            body = sha256(_bytes(message.value())[FRAME_BYTES:]).hexdigest().upper()
            number = tuple(
                str(getattr(record, name.removeprefix(RECORD))) for name in _identity(stem)
            )
            digests = "/".join(one.hex().upper() for one in _digests(message))
            lost.setdefault(stem, []).append(_Lost(offset, number, body, digests))
    for stem, some in sorted(lost.items()):
        for at in range(0, len(some), LOST_AT_ONCE):
            yield from _fates(block, stem, some[at : at + LOST_AT_ONCE], ask)


def _dead(block: Block, ask: Ask) -> dict[int, str]:
    """Return why records of a block could not be read, by offset."""
    rows = ask(
        "SELECT record_offset, concat(reason, ': ', detail) AS why FROM dead_letter"
        " WHERE record_topic = {topic:String} AND record_partition = {partition:Int32}"
        " AND record_offset >= {first:Int64} AND record_offset < {end:Int64}",
        block.params,
    )
    return {int(str(row["record_offset"])): str(row["why"]) for row in rows}


def _read(message: Message, catalog: Catalog) -> Record | None:
    value = _bytes(message.value())
    try:
        writer = catalog.writer(schema_id_of(value))
        return None if writer is None else writer.read(value, FRAME_BYTES)
    except BadRecord:
        return None


class _Lost(NamedTuple):
    """A record without a row: its offset, its number as text, the digest of its body.

    ``digests`` are those it came with, the one before and its own.
    """

    offset: int
    number: tuple[str, ...]
    body: str
    digests: str


def _fates(block: Block, stem: str, some: Sequence[_Lost], ask: Ask) -> Iterator[Difference]:
    """Yield what became of records without a row: their number has another, or none has."""
    names = _identity(stem)
    fields = ", ".join(names)
    # Text of hexadecimal digits: a list of quoted names does not survive as a parameter.
    values = {
        f"v{at}": ",".join(one.number[at].encode().hex() for one in some)
        for at in range(len(names))
    }
    zipped = ", ".join(
        f"arrayMap(x -> CAST(unhex(x), '{kind}'), splitByChar(',', {{v{at}:String}}))"
        for at, kind in enumerate(names.values())
    )
    same = f"({fields}) IN (SELECT arrayJoin(arrayZip({zipped})))"
    more = f"[{', '.join(f'toString({name})' for name in names)}] AS number"
    there: dict[tuple[str, ...], list[Mapping[str, object]]] = {}
    more += (
        ", hex(SHA256(substring(value, 6))) AS hash, concat(hex(prev), '/', hex(digest)) AS came"
    )
    for row in ask(_each(more, stem, same), values):
        there.setdefault(tuple(cast("list[str]", row["number"])), []).append(row)
    for one in some:
        told = " ".join(f"{n} {v}" for n, v in zip(names, one.number, strict=True))
        rows = there.get(one.number)
        if rows is None:
            yield _missed(block, stem, one, told, ask)
            continue
        yield Difference(*_repeat(one, rows, f"{stem} {told}", block.place(one.offset)))


def _repeat(
    one: _Lost, rows: Sequence[Mapping[str, object]], told: str, place: str
) -> tuple[str, str, str]:
    """Return what a record is whose number has rows: kind, place, detail."""
    where = ", ".join(f"{row['topic']}/{row['partition']}@{row['offset']}" for row in rows[:2])
    same = [row for row in rows if str(row["hash"]) == one.body]
    if not same:
        return TWICE, place, f"{told} is another than the one at {where}"
    if any(str(row["came"]) == one.digests for row in same):
        return REPEATED, place, f"{told} stands at {where}"
    came = "with others" if one.digests.strip("/") else "without any"
    return OTHERWISE, place, f"{told} stands at {where} with its digests, and came here {came}"


def _missed(block: Block, stem: str, one: _Lost, told: str, ask: Ask) -> Difference:
    """Return whether a record without a row stands behind later numbers, or has been dropped.

    An event has its row wherever it stands; others count by their numbers alone.
    """
    place = block.place(one.offset)
    if BY_STEM[stem].chained:
        return Difference(DROPPED, place, f"{stem} {told} has no row")
    (sender, kind), *rest = _identity(stem).items()
    numbers = ", ".join(name for name, _ in rest)
    params = ", ".join(f"{{v{at}:{kind}}}" for at, (_, kind) in enumerate(rest, 1))
    later = (
        f"{sender} = {{v0:{kind}}} AND ({numbers}) > ({params}) AND topic = {{topic:String}}"
        " AND partition = {partition:Int32} AND offset < {offset:Int64}"
    )
    values = {f"v{at}": value for at, value in enumerate(one.number)}
    values |= {"topic": block.topic, "partition": str(block.partition), "offset": str(one.offset)}
    each = _each(f"tuple({numbers}) AS number", stem, later)
    for row in ask(f"SELECT * FROM ({each}) ORDER BY number DESC LIMIT 1", values):  # noqa: S608
        first = f"{row['topic']}/{row['partition']}@{row['offset']}"
        detail = f"{stem} {told} stands behind a later number at {first}: it counted as a repeat"
        return Difference(REORDERED, place, f"{detail} and has no row")
    return Difference(DROPPED, place, f"{stem} {told} has no row")


def _each(more: str, stem: str, where: str) -> str:
    """Return the statement for rows of all tables in which a number of a stem may stand."""
    return _union(
        f"SELECT topic, partition, offset, {more} FROM {{table}} WHERE {where}",  # noqa: S608
        _beside(stem),
    )


def _identity(stem: str) -> Mapping[str, str]:
    """Return the fields by which the sink tells a record from its repeat, and their types."""
    if BY_STEM[stem].derived:
        return {"sender": "String", "n": "Int64"}
    if stem == "head":
        return {"gateway_id": "String", "gateway_epoch": "Int32", "size": "Int64"}
    if stem == "dead_letter":
        # Its table has its record's place under these names: its own is the dead letter's.
        return {
            f"{RECORD}topic": "String",
            f"{RECORD}partition": "Int32",
            f"{RECORD}offset": "Int64",
        }
    number = {"gateway_id": "String", "gateway_epoch": "Int32", "gateway_seq": "Int64"}
    return {**number, "event_id": "String"}


def _beside(stem: str) -> Iterable[str]:
    """Return the tables in which a record with the same number may stand."""
    if stem in _ALONE:
        return [str(BY_STEM[stem].table)]
    derived = BY_STEM[stem].derived
    return [
        route.table
        for route in ROUTES
        if route.table is not None and route.stem not in _ALONE and route.derived == derived
    ]

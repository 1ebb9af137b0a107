"""A warehouse in memory: tables of rows, and the questions the sink asks of them.

An insert that fails leaves some of its rows, as a server's may: each table and month is a part of
its own. The questions are those of ``sinks.readback``, read from their SQL; any other is an error.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, cast
from zlib import crc32

import pyarrow as pa
from typing_extensions import override

from sinks import corrections, edges, events, prints, repeats
from sinks.client import Warehouse, WarehouseRefused, WarehouseUnavailable
from sinks.tables import columns, stored

UNKNOWN_COLUMN = 16
SEALS = "ingest_batches"

Row = Mapping[str, Any]

_OFFSETS = re.compile(
    r"SELECT partition, offset, (?P<prints>.+) FROM custody\.(?P<table>\w+)"
    r" WHERE topic = \{topic:String\} AND \((?P<each>.+)\)"
)
_NUMBERS = re.compile(
    r"SELECT partition, (?P<who>.+) AS who, max\(\((?P<major>\w+), (?P<minor>.+)\)\) AS number"
    r" FROM custody\.(?P<table>\w+)"
    r" WHERE topic = \{topic:String\} AND \((?P<each>.+)\) GROUP BY partition, who"
)
_STANDING = re.compile(
    r"SELECT DISTINCT toString\((?P<who>.+)\), toInt64\((?P<major>\w+)\),"
    r" toInt64\((?P<minor>.+)\), (?P<event>event_id|'') FROM custody\.(?P<table>\w+)"
    r" WHERE topic = \{topic:String\} AND partition = \{partition:Int32\}"
    r" AND offset < \{before:Int64\} AND toInt64\((?P=minor)\) IN \((?P<minors>[-\d, ]+)\)"
)
_WRITERS = re.compile(
    r"SELECT DISTINCT partition, site_id, gateway_id, gateway_epoch FROM custody\.(?P<table>\w+)"
    r" WHERE topic = \{topic:String\} AND \((?P<each>.+)\)"
)
_SAID = re.compile(
    r"SELECT event_id, offset, (?P<said>.+) FROM custody\.(?P<table>\w+)"
    r" WHERE topic = \{topic:String\} AND partition = \{partition:Int32\}"
    r" AND offset <= \{last:Int64\}"
    r" AND lot_id IN \{lots:Array\(String\)\} AND event_id IN \{events:Array\(String\)\}"
)
_SEALED = (
    "SELECT partition, argMax(topic_id, last), max(last) + 1 FROM custody.ingest_batches"
    " WHERE topic = {topic:String} GROUP BY partition"
)
_ONE = re.compile(r"\(partition = (\d+) AND offset (>=|<) (\d+)\)")

_EXPRESSIONS: Mapping[str, Callable[[Row], object]] = {
    "0": lambda row: 0,  # noqa: ARG005
    "''": lambda row: "",  # noqa: ARG005
    "concat(record_topic, '/', toString(record_partition))": lambda row: (
        f"{row['record_topic']}/{row['record_partition']}"
    ),
    "toUnixTimestamp64Micro(at)": lambda row: row["at"],
}
_KEPT = (
    "topic", "partition", "offset", "value", "sender", "n", "gateway_id", "gateway_epoch",
    "gateway_seq", "event_id", "at", "record_topic", "record_partition", "record_offset", "debit",
    "credit", "corrects", "site_id", "lot_id",
)  # fmt: skip
_SEAL_COLUMNS = (
    "topic", "topic_id", "partition", "first", "last", "rows", "duplicates", "dead_letters",
    "not_stored", "digest", "inserted_at", "writer",
)  # fmt: skip

Fault = Callable[[str, int], "Failing | None"]
"""Asked before an insert, with table and rows: whether it fails, and how."""


@dataclass(frozen=True, slots=True)
class Failing:
    """An insert that fails: the rows that are in all the same, and what is raised."""

    kept: tuple[int, ...]
    error: BaseException


def _never(table: str, rows: int) -> None:
    del table, rows


@dataclass
class Tables:
    """What is stored; outlives its clients.

    Attributes:
        rows: Rows by table, in the order they came.
        fault: Decides what goes wrong.
    """

    rows: dict[str, list[Row]] = field(default_factory=dict)
    fault: Fault = _never

    def of(self, table: str) -> list[Row]:
        """Return the rows of a table."""
        return self.rows.get(table, [])


class MemoryWarehouse(Warehouse):
    """A client of it, for the sink.

    Args:
        tables: What is stored.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.embedded = True

    @override
    def insert_arrow(self, table: str, rows: pa.Table, query_id: str) -> None:
        names = _columns_of(table)
        for name in rows.column_names:
            if name not in names:
                raise WarehouseRefused(UNKNOWN_COLUMN, f"No such column {name} in custody.{table}")
        if table == SEALS:
            found = list(_rows(rows, _SEAL_COLUMNS))
        else:
            named = prints.prints_of(table, rows)
            made = rows.append_column("print", pa.array(named))
            made = made.append_column("said", pa.array(_said(rows)))
            found = list(_rows(made, (*_KEPT, "print", "said")))
        failing = self._tables.fault(table, len(found))
        kept = range(len(found)) if failing is None else failing.kept
        self._tables.rows.setdefault(table, []).extend(found[number] for number in kept)
        if failing is not None:
            raise failing.error

    @override
    def rows(
        self, query: str, parameters: Mapping[str, object] | None = None
    ) -> Sequence[Sequence[object]]:
        topic = str((parameters or {})["topic"])
        failing = self._tables.fault("", 0)
        if failing is not None:
            raise failing.error
        if match := _OFFSETS.fullmatch(query):
            return self._prints(match, topic)
        if match := _NUMBERS.fullmatch(query):
            return self._numbers(match, topic)
        if match := _STANDING.fullmatch(query):
            return self._standing(match, parameters or {})
        if match := _WRITERS.fullmatch(query):
            return self._writers(match, topic)
        if match := _SAID.fullmatch(query):
            return self._saying(match, parameters or {})
        if query == _SEALED:
            return self._sealed(topic)
        raise WarehouseRefused(62, f"not one of the sink's questions: {query}")

    @override
    def command(self, statement: str) -> None:
        """Empty a table: the only command there is."""
        match = re.fullmatch(r"TRUNCATE TABLE custody\.(\w+)", statement)
        if match is None:
            raise WarehouseRefused(62, f"not a statement known here: {statement}")
        self._tables.rows.pop(match[1], None)

    @override
    def close(self) -> None:
        pass

    def _where(self, table: str, topic: str, each: str) -> Iterator[Row]:
        bounds = {int(p): (sign == "<", int(start)) for p, sign, start in _ONE.findall(each)}
        for row in self._tables.of(table):
            if row["topic"] != topic or row["partition"] not in bounds:
                continue
            below, start = bounds[row["partition"]]
            if (row["offset"] < start) == below:
                yield row

    def _prints(self, match: re.Match[str], topic: str) -> list[tuple[object, ...]]:
        table = match["table"]
        assert match["prints"] == prints.expression(table)
        return [
            (row["partition"], row["offset"], row["print"].partition("/")[2])
            for row in self._where(table, topic, match["each"])
        ]

    def _numbers(self, match: re.Match[str], topic: str) -> list[tuple[object, ...]]:
        who, major, minor = (_value(match[name]) for name in ("who", "major", "minor"))
        highest: dict[tuple[int, object], tuple[Any, Any]] = {}
        for row in self._where(match["table"], topic, match["each"]):
            name, number = (row["partition"], who(row)), (major(row), minor(row))
            highest[name] = max(number, highest.get(name, number))
        return [(partition, sender, number) for (partition, sender), number in highest.items()]

    def _standing(
        self, match: re.Match[str], parameters: Mapping[str, object]
    ) -> list[tuple[object, ...]]:
        names = ("who", "major", "minor", "event")
        each = [_value(match[name]) for name in names]
        minors = {int(number) for number in match["minors"].split(",")}
        below = f"(partition = {parameters['partition']} AND offset < {parameters['before']})"
        rows = self._where(match["table"], str(parameters["topic"]), below)
        found = {tuple(value(row) for value in each) for row in rows}
        return [row for row in found if row[2] in minors]

    def _writers(self, match: re.Match[str], topic: str) -> list[tuple[object, ...]]:
        names = ("partition", "site_id", "gateway_id", "gateway_epoch")
        rows = self._where(match["table"], topic, match["each"])
        return list({tuple(row[name] for name in names) for row in rows})

    def _saying(
        self, match: re.Match[str], parameters: Mapping[str, object]
    ) -> list[tuple[object, ...]]:
        assert match["said"] == repeats.said(match["table"])
        lots, names = (set(cast("list[str]", parameters[n])) for n in ("lots", "events"))
        before = cast("int", parameters["last"]) + 1
        below = f"(partition = {parameters['partition']} AND offset < {before})"
        return [
            (row["event_id"], row["offset"], row["said"])
            for row in self._where(match["table"], str(parameters["topic"]), below)
            if row["lot_id"] in lots and row["event_id"] in names
        ]

    def _sealed(self, topic: str) -> list[tuple[object, ...]]:
        mine = [row for row in self._tables.of(SEALS) if row["topic"] == topic]
        mine.sort(key=lambda row: (row["partition"], row["last"]))
        found: list[tuple[object, ...]] = []
        for partition, rows in groupby(mine, lambda row: row["partition"]):
            last = list(rows)[-1]
            found.append((partition, last["topic_id"], last["last"] + 1))
        return found


def unavailable() -> WarehouseUnavailable:
    """Return what a server that cannot now says."""
    return WarehouseUnavailable(210, "connection lost")


def _value(expression: str) -> Callable[[Row], Any]:
    return _EXPRESSIONS.get(expression) or (lambda row: row[expression])


def _said(rows: pa.Table) -> list[int]:
    """Return a hash of what each row says, in place of the engine's."""
    names = [name for name in rows.column_names if name not in repeats.NOT_SAID]
    return [crc32(repr(row).encode()) for row in rows.select(names).to_pylist()]


def _rows(table: pa.Table, names: Sequence[str]) -> Iterator[Row]:
    there = [name for name in names if name in table.column_names]
    chosen = table.select(there)
    if "at" in there:
        at = chosen["at"].cast(pa.int64())
        chosen = chosen.set_column(there.index("at"), "at", at)
    yield from cast("list[Row]", chosen.to_pylist())


_EDGE_OWN = ("parent", "child", "place", "process_id")
_NAMES: dict[str, frozenset[str]] = {}


def _columns_of(table: str) -> frozenset[str]:
    if not _NAMES:
        for route in stored():
            _NAMES[str(route.table)] = frozenset(c.name for c in columns(route.stem))
        _NAMES[edges.TABLE] = _NAMES["transfer"] | set(_EDGE_OWN)
        _NAMES[corrections.TABLE] = frozenset({*corrections.COPIED, "stem"})
        _NAMES[events.TABLE] = frozenset(events.COLUMNS)
        _NAMES[repeats.TABLE] = frozenset(repeats.COLUMNS)
        _NAMES[SEALS] = frozenset(_SEAL_COLUMNS)
    return _NAMES[table]

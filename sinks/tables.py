"""The tables as declared by the Avro schemas, one per stem.

``columns`` is what a contract test holds the real tables against after all migrations, and
``render`` writes the first migration of a new stem (``python -m sinks.tables STEM``); from then
on the committed SQL is the truth.

A column is named as the field in the schema. Where that name is taken by the envelope the
record's own gets the prefix ``record_`` (a dead letter's ``record_offset`` is where the bad
record stood; its ``offset`` is its own place on the dead-letter topic). An array of records is a
set of parallel arrays, ``results.analyte``; one inside it nests the arrays.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from schemas import avro, topics
from schemas.routes import BY_STEM, ROUTES, Route

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, its ClickHouse type and what it means."""

    name: str
    type: str
    comment: str


_UTC = "DateTime64(6, 'UTC')"

ENVELOPE = (
    Column("topic", "LowCardinality(String)", "Kafka topic the record stands on."),
    Column("partition", "Int32", "Kafka partition."),
    Column("offset", "Int64", "Kafka offset: topic, partition and offset lead to the record."),
    Column("timestamp", "DateTime64(3, 'UTC')", "Kafka timestamp of the record."),
    Column("schema_id", "Int32", "Registry id of the writer's schema."),
    Column("key", "String", "Kafka key, bytes."),
    Column("prev", "String", "Header prev: SHA-256 before it in the gateway's chain; else empty."),
    Column("digest", "String", "Header digest: SHA-256 of this record in the chain; else empty."),
    Column("value", "String", "The record's bytes as they came, for audits: 5 bytes and Avro."),
)

_TABLE_SETTINGS = (
    "fsync_after_insert = 1, fsync_part_directory = 1, merge_selector_base = 10, "
    "min_bytes_for_wide_part = 134217728"
)
"""Merging about ten parts of a size, not five, writes each row less often and leaves more parts:
merges cost 2.3 to 2.7 us of CPU per row, not 3.2 to 3.8 (500,000 weighings, two pairs of runs).
A part below 128 MB is one file with all columns: an insert of 50,000 rows made, and synced, some
150 files (4.6 and 6.0 us of CPU per row in the engine; 3.1 and 2.7 as one file, in turn)."""

_CODECS = {
    "offset": "CODEC(Delta, ZSTD(1))",
    "timestamp": "CODEC(Delta, ZSTD(1))",
    "prev": "CODEC(NONE)",
    "digest": "CODEC(NONE)",
    "value": "CODEC(ZSTD(1))",
    "event_id": "CODEC(ZSTD(1))",
}

_FEW_VALUES = frozenset(
    {
        "actor",
        "analyte",
        "basis",
        "carrier",
        "characteristic",
        "commodity",
        "counterparty",
        "custodian",
        "device_id",
        "direction",
        "family",
        "from_site",
        "gateway_id",
        "kind",
        "lab_id",
        "method",
        "mode",
        "moisture_unit",
        "name",
        "party",
        "place",
        "quantity",
        "rule",
        "route_id",
        "sender",
        "severity",
        "site_id",
        "source",
        "statistic",
        "status",
        "threshold_basis",
        "to_site",
        "unit",
    }
)
"""Strings with few different values: dictionary-encoded."""

_FACT_ORDER = ("lot_id", "occurred_at", "event_id")
_ORDER = {
    "reference": ("kind", "id", "valid_from", "event_id", "partition"),
    "action": ("subject", "recorded_at", "event_id"),
    "content": ("to_owner", "from_owner", "sender", "n"),
    "sighting": ("thing", "occurred_at", "sender", "n"),
    "residual": ("thing", "occurred_at", "sender", "n"),
    "drift": ("thing", "quantity", "sender", "n"),
    "transfer": ("lot_id", "effective_at", "sender", "n"),
    "balance": ("account", "sender", "n"),
    "alert": ("alert_id", "version", "sender", "n"),
    "dead_letter": ("record_topic", "record_partition", "record_offset"),
    "head": ("gateway_id", "gateway_epoch", "at"),
}
_BLOOM = ("event_id", "process_id", "cause_event_id", "raised_by_event_id")
_NEVER_NULL = "lot_id"
"""A key column cannot be nullable: no lot is the empty string."""


def stored() -> tuple[Route, ...]:
    """Return the routes that have a table."""
    return tuple(route for route in ROUTES if route.table is not None)


def tables_of(topic: str) -> tuple[str, ...]:
    """Return the tables that a topic feeds."""
    return tuple(r.table for r in ROUTES if r.topic == topic and r.table is not None)


def column_name(field: str) -> str:
    """Return the column of a record's field: its own name unless the envelope has taken it."""
    return f"record_{field}" if field in _TAKEN else field


_TAKEN = frozenset(column.name for column in ENVELOPE)


def columns(stem: str) -> tuple[Column, ...]:
    """Return the declared columns of a stem's table, envelope first, in schema order."""
    return ENVELOPE + tuple(_record_columns(cast("Json", _inlined(_schema(stem), {}))))


def order_by(stem: str) -> tuple[str, ...]:
    """Return the sorting key of a stem's table."""
    return _ORDER.get(stem, _FACT_ORDER)


def _schema(stem: str) -> Json:
    return cast("Json", avro.schema(stem))


def _inlined(kind: object, named: dict[str, object]) -> object:
    """Return the schema with every mention of a named type replaced by its definition."""
    if isinstance(kind, str):
        return named.get(kind, kind)
    if isinstance(kind, list):
        return [_inlined(k, named) for k in kind]
    if not isinstance(kind, dict):
        return kind
    whole = {
        key: _inlined(value, named) if key in {"type", "items", "fields"} else value
        for key, value in kind.items()
    }
    if kind.get("type") in ("record", "enum"):
        named[str(kind["name"])] = whole
    return whole


def _record_columns(schema: Json) -> Iterator[Column]:
    for field in _fields(schema):
        name, kind = str(field["name"]), field["type"]
        if _is_records(kind):
            for path, type_, inner in _parallel(name, cast("Json", kind)):
                yield Column(path, type_, inner)
        else:
            type_ = _scalar(name, kind)
            yield Column(column_name(name), type_, _comment(name, type_, field))


def _parallel(prefix: str, array: Json) -> Iterator[tuple[str, str, str]]:
    """Yield (path, type, doc) of an array of records; nested arrays nest the type."""
    for field in _fields(cast("Json", array["items"])):
        name, kind = str(field["name"]), field["type"]
        path = f"{prefix}.{name}"
        if _is_records(kind):
            for inner, type_, text in _parallel(path, cast("Json", kind)):
                yield inner, f"Array({type_})", text
        else:
            type_ = _scalar(name, kind)
            yield path, f"Array({type_})", _comment(name, type_, field)


def _comment(name: str, type_: str, field: Json) -> str:
    """Return the field's doc in the words of the table: a time has a type, no lot is empty."""
    doc = str(field.get("doc", ""))
    if _UTC in type_:
        doc = doc.replace("microseconds since 1970-01-01T00:00:00Z", "UTC")
    return doc.replace("null for", "empty for") if name == _NEVER_NULL else doc


def _fields(schema: Json) -> Sequence[Json]:
    return cast("Sequence[Json]", schema["fields"])


def _is_records(kind: object) -> bool:
    if not isinstance(kind, dict) or kind.get("type") != "array":
        return False
    items = kind["items"]
    return isinstance(items, dict) and items.get("type") == "record"


def _scalar(name: str, kind: object) -> str:
    if isinstance(kind, list):
        inner = next(k for k in kind if k != "null")
        bare = _scalar(name, inner)
        if name == _NEVER_NULL:
            return bare
        if bare.startswith("LowCardinality("):
            return f"LowCardinality(Nullable({bare[15:-1]}))"
        return f"Nullable({bare})"
    if isinstance(kind, dict):
        return _complex(name, kind)
    if kind == "string":
        return "LowCardinality(String)" if name in _FEW_VALUES else "String"
    return _PRIMITIVES[str(kind)]


_PRIMITIVES = {
    "long": "Int64",
    "int": "Int32",
    "double": "Float64",
    "boolean": "Bool",
    "bytes": "String",
}


def _complex(name: str, kind: Json) -> str:
    match kind["type"]:
        case "enum":
            return "LowCardinality(String)"
        case "array":
            return f"Array({_scalar(name, kind['items'])})"
        case "long" if kind.get("logicalType") == "timestamp-micros":
            return _UTC
        case other:
            return _scalar(name, other)


def render(stem: str) -> str:
    """Return the CREATE TABLE of a stem as the first migration has it."""
    route = BY_STEM[stem]
    declared = columns(stem)
    lines = [_definition(column) for column in declared]
    lines.append("    INDEX ix_offset `offset` TYPE minmax GRANULARITY 1")
    names = {column.name for column in declared}
    lines += [
        f"    INDEX ix_{name} `{name}` TYPE bloom_filter(0.01) GRANULARITY 1"
        for name in _BLOOM
        if name in names
    ]
    month = "recorded_at" if route.topic in {topics.FACT, topics.CONTROL} else "timestamp"
    key = ", ".join(f"`{name}`" for name in order_by(stem))
    return (
        f"CREATE TABLE IF NOT EXISTS custody.{route.table}\n(\n"
        + ",\n".join(lines)
        + f"\n)\nENGINE = MergeTree\nPARTITION BY toYYYYMM({month})\nORDER BY ({key})\n"
        + f"SETTINGS {_TABLE_SETTINGS}\n"
        + f"COMMENT {_quoted(str(_schema(stem)['doc']))};\n"
    )


def _definition(column: Column) -> str:
    parts = [f"    `{column.name}` {column.type}", f"COMMENT {_quoted(column.comment)}"]
    if column.name in _CODECS:
        parts.append(_CODECS[column.name])
    return " ".join(parts)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


if __name__ == "__main__":
    sys.stdout.write(render(sys.argv[1]))

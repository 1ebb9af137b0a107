"""The rules of FULL compatibility, checked here before a registry is asked.

Two versions are fully compatible when either reads what the other wrote. This is the part of the
Avro rules that our schemas use; what it does not know it calls a problem.

Source:
    Avro specification, Schema Resolution; Confluent documentation, compatibility types.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from schemas.avro import Schema


def problems(old: Schema, new: Schema) -> list[str]:
    """Return what keeps two versions from being fully compatible; empty where nothing does."""
    forward = [f"the old reader: {p}" for p in _Reading(reader=old, writer=new).problems()]
    backward = [f"the new reader: {p}" for p in _Reading(reader=new, writer=old).problems()]
    return backward + forward


class _Reading:
    """One direction: what keeps a reader from reading what a writer wrote."""

    def __init__(self, *, reader: Schema, writer: Schema) -> None:
        self._reader = reader
        self._writer = writer
        self._reader_names = dict(_named(reader))
        self._writer_names = dict(_named(writer))

    def problems(self) -> Iterator[str]:
        """Yield the problems in field order."""
        yield from self._type(self._reader, self._writer, str(self._reader["name"]))

    def _type(self, reader: object, writer: object, path: str) -> Iterator[str]:
        reader = self._reader_names.get(str(reader), reader)
        writer = self._writer_names.get(str(writer), writer)
        kinds = _kind(reader), _kind(writer)
        if kinds[0] != kinds[1]:
            yield f"{path}: {kinds[1]} for {kinds[0]}"
        elif isinstance(reader, list) and isinstance(writer, list):
            yield from self._union(reader, writer, path)
        elif isinstance(reader, dict) and isinstance(writer, dict):
            yield from self._named_or_array(reader, writer, path)

    def _union(self, reader: list[object], writer: list[object], path: str) -> Iterator[str]:
        if len(reader) != len(writer):
            yield f"{path}: {len(writer)} branches for {len(reader)}"
            return
        for ours, theirs in zip(reader, writer, strict=True):
            yield from self._type(ours, theirs, path)

    def _named_or_array(self, reader: Schema, writer: Schema, path: str) -> Iterator[str]:
        if reader.get("name") != writer.get("name"):
            yield f"{path}: {writer.get('name')} for {reader.get('name')}"
        if reader.get("logicalType") != writer.get("logicalType"):
            yield f"{path}: {writer.get('logicalType')} for {reader.get('logicalType')}"
        match reader["type"]:
            case "enum":
                unknown = set(writer["symbols"]) - set(reader["symbols"])
                if unknown and "default" not in reader:
                    yield f"{path}: no default for {', '.join(sorted(unknown))}"
            case "array":
                yield from self._type(reader["items"], writer["items"], path)
            case "record":
                yield from self._fields(reader, writer, path)
            case _:
                return

    def _fields(self, reader: Schema, writer: Schema, path: str) -> Iterator[str]:
        written = {field["name"]: field for field in writer["fields"]}
        for field in reader["fields"]:
            name = f"{path}.{field['name']}"
            if field["name"] in written:
                yield from self._type(field["type"], written[field["name"]]["type"], name)
            elif "default" not in field:
                yield f"{name}: not written, and no default"


def _kind(schema: object) -> str:
    if isinstance(schema, dict):
        return str(schema["type"])
    return schema if isinstance(schema, str) else "union"


def _named(schema: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the named types in a schema by short name; all live in one namespace."""
    if isinstance(schema, list):
        for part in schema:
            yield from _named(part)
    elif isinstance(schema, dict):
        if schema.get("type") in ("record", "enum"):
            yield str(schema["name"]), schema
        for part in (schema.get("type"), schema.get("items"), *schema.get("fields", ())):
            yield from _named(part)

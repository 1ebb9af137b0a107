"""Record to bytes and back: the Avro body and the framing of the Confluent wire format."""

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from io import BytesIO
from operator import attrgetter
from typing import Any, cast, get_args, get_origin

from fastavro import parse_schema, schemaless_writer

from custody.errors import Refused
from schemas import avro
from schemas.plan import own_plan
from schemas.routes import BY_STEM, BY_TYPE, Record
from schemas.rows import UNDECODABLE, BadRecord, row_reader

FRAME_BYTES = 5
"""Magic byte 0 and the schema's id, four bytes, most significant first."""


class Unencodable(Refused):
    """A record does not fit its schema: a wrong type, a symbol that is not in its list."""

    def __init__(self, stem: str, cause: Exception) -> None:
        super().__init__(f"{stem}: cannot encode: {cause}", expected=f"schemas/avsc/{stem}.avsc")


def encode(record: Record) -> bytes:
    """Return the Avro body of a record, under the schema of its stem.

    Limits (range, caps) are not checked here; see ``schemas.limits.violation``.

    Args:
        record: An instance of a class of the route table.

    Raises:
        Unencodable: A value does not fit its type, or a symbol is not in its list.
        KeyError: The class is not in the route table.
    """
    stem = BY_TYPE[type(record)].stem
    out = BytesIO()
    try:
        schemaless_writer(out, _parsed(stem), _dictionary(stem)(record))
    except (TypeError, ValueError, AttributeError, OverflowError, KeyError) as error:
        raise Unencodable(stem, error) from error
    return out.getvalue()


def decode(stem: str, body: bytes) -> Record:
    """Return the record in an Avro body written under the present schema of a stem.

    Args:
        stem: Stem of the route table.
        body: Avro body without framing.

    Raises:
        BadRecord: The body is not exactly one valid record within its limits.
    """
    return _reader(stem)(body, 0)


def frame(schema_id: int, body: bytes) -> bytes:
    """Return a body in the Confluent wire format."""
    return b"\0" + schema_id.to_bytes(4, "big") + body


def schema_id_of(value: bytes) -> int:
    """Return the schema id of a framed message.

    Raises:
        BadRecord: The message is too short or does not begin with the magic byte.
    """
    if len(value) < FRAME_BYTES or value[0] != 0:
        raise BadRecord(UNDECODABLE, "not in the Confluent wire format")
    return int.from_bytes(value[1:FRAME_BYTES], "big")


@cache
def _reader(stem: str) -> Callable[[bytes, int], Record]:
    return row_reader(own_plan(stem))


@cache
def _parsed(stem: str) -> avro.Schema:
    """Return the schema for fastavro without logical types: our values are plain integers."""
    plain = json.loads(avro.text(stem), object_hook=_without_logical_type)
    return cast(avro.Schema, parse_schema(plain))


def _without_logical_type(part: avro.Schema) -> avro.Schema:
    return {name: value for name, value in part.items() if name != "logicalType"}


@cache
def _dictionary(stem: str) -> Callable[[object], dict[str, Any]]:
    return _dictionary_of(BY_STEM[stem].type)


def _dictionary_of(cls: type) -> Callable[[object], dict[str, Any]]:
    """Return a function from a record to the dictionary that fastavro writes."""
    names = tuple(f.name for f in fields(cls))
    values = attrgetter(*names)
    lists = [(f.name, _dictionary_of(_item(f.type))) for f in fields(cls) if _is_list(f.type)]

    def dictionary(record: object) -> dict[str, Any]:
        out = dict(zip(names, values(record), strict=True))
        for name, item in lists:
            out[name] = [item(part) for part in out[name]]
        return out

    return dictionary


def _is_list(annotation: object) -> bool:
    """Say whether a field is a list of records."""
    return get_origin(annotation) is tuple and is_dataclass(_item(annotation))


def _item(annotation: object) -> type:
    return cast(type, get_args(annotation)[0])

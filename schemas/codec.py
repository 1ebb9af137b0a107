"""Record to bytes and back: the Avro body and the framing of the Confluent wire format."""

import struct
from collections.abc import Callable, Mapping
from functools import cache

from custody.errors import Refused
from schemas.plan import own_plan
from schemas.routes import BY_TYPE, Record
from schemas.row_writer import row_writer
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
    return encode_with(record, {})


def encode_with(record: Record, instead: Mapping[str, object]) -> bytes:
    """Return the same with fields in place of the record's own.

    A copy of the record with them would cost as much as writing it.

    Args:
        record: An instance of a class of the route table.
        instead: Values by field.

    Raises:
        Unencodable: A value does not fit its type, or a symbol is not in its list.
        KeyError: The class is not in the route table.
    """
    stem = BY_TYPE[type(record)].stem
    try:
        return _writer(stem)(record, instead)
    except (TypeError, ValueError, KeyError, AttributeError, struct.error) as error:
        raise Unencodable(stem, error) from error


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
def _writer(stem: str) -> Callable[[object, Mapping[str, object]], bytes]:
    return row_writer(own_plan(stem))

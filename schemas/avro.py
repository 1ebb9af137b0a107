"""The Avro schemas as they stand in ``schemas/avsc``: text, canonical form, fingerprint.

The files are the truth. Beyond Avro they carry attributes of ours, which other readers ignore:
``min`` and ``max`` on a number's field, ``cap`` (items) on an array's field, ``message_bytes_max``
on the record. They stay in the registered text, so that a reader of an older or newer writer
finds them.
"""

import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any

from fastavro.schema import to_parsing_canonical_form

Schema = dict[str, Any]
"""A record schema as parsed JSON."""


@cache
def text(stem: str) -> str:
    """Return the schema of a stem as compact JSON, the text that is registered.

    Args:
        stem: Stem of the route table.

    Raises:
        FileNotFoundError: There is no such stem.
    """
    source = files("schemas").joinpath("avsc", f"{stem}.avsc").read_text(encoding="utf-8")
    return json.dumps(json.loads(source), separators=(",", ":"))


def schema(stem: str) -> Schema:
    """Return the schema of a stem as a fresh object that the caller may change."""
    parsed: Schema = json.loads(text(stem))
    return parsed


def symbols(stem: str, field: str) -> list[str]:
    """Return the closed list of an enum field of a stem, in the schema's order."""
    [found] = [f for f in schema(stem)["fields"] if f["name"] == field]
    return [str(symbol) for symbol in found["type"]["symbols"]]


@cache
def canonical(stem: str) -> str:
    """Return the parsing canonical form of a stem's schema.

    Source:
        Avro specification, Parsing Canonical Form for Schemas.
    """
    return to_parsing_canonical_form(schema(stem))


@cache
def fingerprint(stem: str) -> bytes:
    """Return the SHA-256 of the parsing canonical form, 32 bytes; the digest chain holds it."""
    return hashlib.sha256(canonical(stem).encode()).digest()


def fingerprint_of(registered: str) -> bytes:
    """Return the same of a schema as it is registered, whoever's version it is."""
    return hashlib.sha256(to_parsing_canonical_form(json.loads(registered)).encode()).digest()

"""``custody outbox export``: a record as a line of JSON, and the request that such a line restates.

The line carries the record's bytes. They are what counts when it is read back: what it says in
words has to agree with them, and they with the digest the record has in its gateway's chain.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import asdict

from custody.digest import DIGEST_BYTES, link
from custody.errors import Refused
from producers.chain import Entry
from producers.requests import MODELS
from runtime.client import JsonObject
from runtime.restated import request_of
from schemas import avro, headers
from schemas.codec import decode
from schemas.present import rfc3339

HEAD = "head"

DAMAGED, OTHER_SCHEMA, UNKNOWN_TYPE = "damaged_export", "other_schema", "unknown_type"
"""Why a line is not read back, as a refusal names it."""

_MARKS = frozenset({"schema_fingerprint", "body_base64", "content"})


class BadExport(Refused):
    """A line of an export that cannot be read back.

    Attributes:
        code: Why, as a refusal names it.
        field: Where.
    """

    def __init__(self, code: str, field: str, found: str, expected: str) -> None:
        self.code = code
        self.field = field
        self.found = found
        super().__init__(f"{field}: {found}", expected=expected)


def row_of(epoch: int, entry: Entry, gateway_id: str) -> JsonObject:
    """Return the line of a record, or of a head.

    Args:
        epoch: Epoch it was numbered in.
        entry: As it stands in the outbox.
        gateway_id: Whose outbox it is.
    """
    return {
        "gateway_id": gateway_id,
        "gateway_epoch": epoch,
        "gateway_seq": entry.seq,
        "no": entry.no,
        "type": entry.stem,
        "event_id": entry.event_id,
        "accepted_at": rfc3339(entry.accepted_at),
        "topic": entry.topic,
        "partition": entry.partition,
        "key": entry.key.decode("utf-8", "backslashreplace"),
        "headers": _headers(entry, gateway_id),
        "schema_fingerprint": entry.fingerprint.hex(),
        "body_base64": base64.b64encode(entry.body).decode(),
        "content": _content(entry.stem, entry.fingerprint, entry.body),
    }


def is_row(request: object) -> bool:
    """Tell whether parsed JSON is a line of an export: no request has such names."""
    return isinstance(request, Mapping) and request.keys() >= _MARKS


def request_in(row: Mapping[str, object]) -> JsonObject | None:
    """Return the request that gives the record of a line; None of a gateway's head.

    A head is signed for what its own gateway has; another signs its own.

    Raises:
        BadExport: The line is not as it was written, or of another version's schema.
    """
    stem = row.get("type")
    if stem == HEAD:
        return None
    if not isinstance(stem, str) or stem not in MODELS:
        raise BadExport(UNKNOWN_TYPE, "type", str(stem)[:80], f"one of {', '.join(MODELS)}")
    fingerprint = _hex_bytes(row, "schema_fingerprint")
    body = _body(row)
    _assert_linked(row, fingerprint, body)
    if fingerprint != avro.fingerprint(stem):
        expected = f"{avro.fingerprint(stem).hex()}: exported by the version that reads it"
        raise BadExport(OTHER_SCHEMA, "schema_fingerprint", fingerprint.hex(), expected)
    if row["content"] != _content(stem, fingerprint, body):
        found, expected = "not what the body says", "both as they were exported: to mend a record,"
        raise BadExport(DAMAGED, "content", found, f"{expected} send a correction")
    return request_of(stem, decode(stem, body))


def _assert_linked(row: Mapping[str, object], fingerprint: bytes, body: bytes) -> None:
    """Hold a body against its digest in the chain."""
    said = row.get("headers")
    links = said if isinstance(said, Mapping) else {}
    prev, digest = (_hex_bytes(links, name) for name in headers.GATEWAY_WRITES[:2])
    if link(prev, fingerprint, body) != digest:
        expected = f"a body with the digest {digest.hex()}"
        raise BadExport(DAMAGED, "body_base64", "another body", expected)


def _hex_bytes(of: Mapping[str, object], name: str) -> bytes:
    found = of.get(name)
    try:
        read = bytes.fromhex(found) if isinstance(found, str) else b""
    except ValueError:
        read = b""
    if len(read) != DIGEST_BYTES:
        expected = f"{2 * DIGEST_BYTES} hexadecimal digits"
        raise BadExport(DAMAGED, name, str(found)[:80], expected)
    return read


def _body(row: Mapping[str, object]) -> bytes:
    try:
        return base64.b64decode(str(row["body_base64"]), validate=True)
    except (binascii.Error, ValueError):
        expected = "base64, as it was exported"
        raise BadExport(DAMAGED, "body_base64", "no base64", expected) from None


def _headers(entry: Entry, gateway_id: str) -> dict[str, str]:
    if entry.prev is None or entry.digest is None:
        return {}
    values = (entry.prev, entry.digest, gateway_id.encode())
    pairs = zip(headers.GATEWAY_WRITES, values, strict=True)
    return {name: value.hex() for name, value in pairs}


def _content(stem: str, fingerprint: bytes, body: bytes) -> object:
    """Return what a body says; None where it was written under an earlier schema."""
    if fingerprint != avro.fingerprint(stem):
        return None
    found: object = json.loads(json.dumps(asdict(decode(stem, body)), default=_hex))
    return found


def _hex(value: object) -> str:
    assert isinstance(value, bytes), "records hold numbers, texts, lists and bytes"
    return value.hex()

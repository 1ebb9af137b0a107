"""Whether a file proves that an event stood in a gateway's history when its head was signed.

It holds the record's bytes and their schema, the path of hashes to the root of the tree (RFC 6962),
and the head that states the root, with its signature. Whoever has the gateway's public key needs
nothing else: no network, no warehouse, no trust in whoever made the file.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from custody import digest, heads
from custody.errors import Refused
from custody.events import Micros
from custody.heads import Head, SeenHead
from schemas import avro
from schemas.codec import FRAME_BYTES
from schemas.registry import writer_of
from schemas.routes import Record
from schemas.rows import BadRecord

FORMAT = "custody-proof/1"

Json = dict[str, Any]


class NotProved(Refused):
    """A file does not prove what it says."""

    def __init__(self, what: str, expected: str) -> None:
        super().__init__(
            f"not proved: {what}",
            expected=expected,
            next_step="ask whoever sent the file to make it anew: custody prove EVENT_ID",
        )


@dataclass(frozen=True, slots=True)
class Proved:
    """What a proof says.

    Attributes:
        record: The record.
        head: The head that speaks of it.
        seq: Its number in the history of the head's gateway.
        key_id: Key the head was signed with.
    """

    record: Record
    head: Head
    seq: int
    key_id: str


class _Parts(NamedTuple):
    head: Head
    schema: str
    body: bytes
    prev: bytes
    digest: bytes
    path: list[bytes]
    seq: int
    event_id: str
    note: str
    public: bytes | None


def check(proof: Mapping[str, Any], key: bytes | None = None) -> Proved:
    """Return what a proof proves.

    Args:
        proof: As ``runtime.audit.proof.prove`` made it.
        key: Public key of the gateway; without one the file's own is taken, and then it is only
            proved that the file agrees with itself.

    Raises:
        NotProved: It proves nothing.
    """
    parts = _parts(proof)
    public = key or parts.public or b""
    for what, expected in _problems(parts, public):
        raise NotProved(what, expected)
    record = _record(parts)
    for what, expected in _disagreements(record, parts):
        raise NotProved(what, expected)
    key_id = heads.key_id(parts.head.gateway_id, public)
    return Proved(record, parts.head, parts.seq, key_id)


def _parts(proof: Mapping[str, Any]) -> _Parts:
    try:
        if proof["format"] != FORMAT:
            raise NotProved(repr(proof["format"]), FORMAT)
        return _Parts(
            _head_of(proof["head"]),
            json.dumps(proof["schema"]),
            _raw(proof["body"]),
            _raw(proof["prev"]),
            _raw(proof["digest"]),
            [_raw(one) for one in proof["path"]],
            int(proof["gateway_seq"]),
            str(proof["event_id"]),
            str(proof["note"]),
            heads.key_of(proof["public_key"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        unread = f"{type(error).__name__} {error}"
        raise NotProved(unread, FORMAT) from error


def _problems(parts: _Parts, public: bytes) -> Iterator[tuple[str, str]]:
    head = parts.head
    if len(public) != heads.KEY_BYTES:
        yield "no public key", "an Ed25519 key in base64, as in reference data"
    if _made(parts) != parts.digest:
        yield "the record's bytes do not make its digest", parts.digest.hex()
    root = digest.root_by_path(parts.digest, parts.seq - 1, head.size, parts.path)
    if root is None or root != head.merkle_root:
        yield "the path does not lead to the root of the head", (head.merkle_root or b"").hex()
    if not heads.is_signed(head, public):
        # An id is of key and gateway together: of this key under that gateway nobody has seen one.
        yield (
            "the head is not signed by this key",
            f"the public key of {head.gateway_id} that has the id {head.key_id}",
        )
    elif parts.note != heads.note(head, public):
        yield "the note is not the head's", "the head as a signed note, for other tools"


def _made(parts: _Parts) -> bytes | None:
    """Return the digest that the record's bytes make; None where they make none."""
    try:
        return digest.link(parts.prev, avro.fingerprint_of(parts.schema), parts.body)
    except Exception:  # noqa: BLE001  whatever a library says of a schema that is none
        return None


def _record(parts: _Parts) -> Record:
    writer, why = writer_of(parts.schema), "its schema is none of ours"
    try:
        if writer is not None:
            return writer.read(bytes(FRAME_BYTES) + parts.body, FRAME_BYTES)
    except BadRecord as error:
        why = str(error)
    raise NotProved(why, "a record of its schema")


def _disagreements(record: Record, parts: _Parts) -> Iterator[tuple[str, str]]:
    """Yield where the record is not the one that the proof and its head speak of."""
    wanted = {
        "event_id": parts.event_id,
        "gateway_id": parts.head.gateway_id,
        "gateway_epoch": parts.head.gateway_epoch,
        "gateway_seq": parts.seq,
    }
    for name, value in wanted.items():
        found = getattr(record, name, None)
        if found != value:
            yield f"the record's {name} is {found}", f"{value}, as the proof says"


def head_json(head: Head) -> Json:
    """Return a head as JSON, bytes in base64."""
    return {
        "gateway_id": head.gateway_id,
        "gateway_epoch": head.gateway_epoch,
        "at": head.at,
        "size": head.size,
        "last_seq": head.last_seq,
        "digest": text_of(head.digest),
        "merkle_root": text_of(head.merkle_root or b""),
        "signature": text_of(head.signature or b""),
        "key_id": head.key_id,
        "seen": [
            {
                "gateway_id": one.gateway_id,
                "gateway_epoch": one.gateway_epoch,
                "size": one.size,
                "merkle_root": text_of(one.merkle_root),
            }
            for one in head.seen
        ],
    }


def _head_of(said: Mapping[str, Any]) -> Head:
    return Head(
        gateway_id=str(said["gateway_id"]),
        gateway_epoch=int(said["gateway_epoch"]),
        at=Micros(int(said["at"])),
        size=int(said["size"]),
        last_seq=int(said["last_seq"]),
        digest=_raw(said["digest"]),
        merkle_root=_raw(said["merkle_root"]),
        signature=_raw(said["signature"]),
        key_id=str(said["key_id"]),
        seen=tuple(
            SeenHead(
                gateway_id=str(one["gateway_id"]),
                gateway_epoch=int(one["gateway_epoch"]),
                size=int(one["size"]),
                merkle_root=_raw(one["merkle_root"]),
            )
            for one in said["seen"]
        ),
    )


def _raw(text: object) -> bytes:
    return b64decode(str(text), validate=True)


def text_of(raw: bytes) -> str:
    """Return bytes in base64."""
    return b64encode(raw).decode()

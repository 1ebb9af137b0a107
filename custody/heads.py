"""Heads of gateways' chains as anybody can check them: checkpoints, signed as notes.

The text that is signed is a checkpoint of a transparency log, so tools for those read ours:

    custody/<gateway>/<epoch>
    <records>
    <root, base64>
    at <microseconds since 1970>
    last <digest of the last record, base64>
    seen <gateway> <epoch> <records> <root, base64>      one line per head of another gateway

Names are percent-encoded. The signature is Ed25519 over these bytes, line ends included. A key is
known by its id: the first four bytes of SHA-256 over name, line end, algorithm and public key.

Source:
    C2SP tlog-checkpoint and signed-note; RFC 8032 (Ed25519); RFC 8410 (public keys as text)
"""

import hashlib
from base64 import b64decode, b64encode
from dataclasses import dataclass
from urllib.parse import quote

from custody.events import Micros

KEY_BYTES = 32
SEEN_MAX = 64
"""Heads of others in one head; the schema's cap."""

_SPKI = bytes.fromhex("302a300506032b6570032100")
"""What comes before the 32 bytes of an Ed25519 key in RFC 8410's DER."""

_ED25519 = b"\x01"
"""A note's number for the algorithm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenHead:
    """The newest head of another gateway as its writer has read it."""

    gateway_id: str
    gateway_epoch: int
    size: int
    merkle_root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The head of a gateway's chain, one per gateway and minute; signed where a key is set."""

    gateway_id: str
    gateway_epoch: int
    at: Micros
    size: int
    last_seq: int
    digest: bytes
    merkle_root: bytes | None
    signature: bytes | None
    key_id: str | None
    seen: tuple[SeenHead, ...] = ()


def checkpoint(head: Head) -> bytes:
    """Return the text of a head that is signed: all that it says but key and signature."""
    lines = [
        origin(head.gateway_id, head.gateway_epoch),
        str(head.size),
        _text(head.merkle_root or b""),
        f"at {head.at}",
        f"last {_text(head.digest)}",
    ]
    lines.extend(
        f"seen {_name(one.gateway_id)} {one.gateway_epoch} {one.size} {_text(one.merkle_root)}"
        for one in head.seen
    )
    return "".join(f"{line}\n" for line in lines).encode()


def origin(gateway_id: str, epoch: int) -> str:
    """Return the name of a gateway's log, which is one per epoch."""
    return f"custody/{_name(gateway_id)}/{epoch}"


def key_id(gateway_id: str, public: bytes) -> str:
    """Return the id of a gateway's key, eight hexadecimal digits."""
    return _key_hash(gateway_id, public).hex()


def note(head: Head, public: bytes) -> str:
    """Return a signed head as a note that other tools can check."""
    signed = _key_hash(head.gateway_id, public) + (head.signature or b"")
    return f"{checkpoint(head).decode()}\n— {_name(head.gateway_id)} {_text(signed)}\n"


def is_signed(head: Head, public: bytes) -> bool:
    """Tell whether a head carries the signature of a key."""
    if head.signature is None:
        return False
    # Most who know heads verify none, and the library takes a while to load.
    from nacl.exceptions import BadSignatureError
    from nacl.signing import VerifyKey

    try:
        VerifyKey(public).verify(checkpoint(head), head.signature)
    except (BadSignatureError, ValueError):
        return False
    return True


def key_text(public: bytes) -> str:
    """Return a public key as reference data has it: base64 of its DER, as in a PEM file."""
    return _text(_SPKI + public)


def key_of(text: object) -> bytes | None:
    """Return the 32 bytes of a public key in reference data; None where it is none."""
    if not isinstance(text, str):
        return None
    try:
        der = b64decode(text, validate=True)
    except ValueError:
        return None
    is_key = len(der) == len(_SPKI) + KEY_BYTES and der.startswith(_SPKI)
    return der[len(_SPKI) :] if is_key else None


def _key_hash(gateway_id: str, public: bytes) -> bytes:
    named = _name(gateway_id).encode() + b"\n" + _ED25519 + public
    return hashlib.sha256(named).digest()[:4]


def _name(gateway_id: str) -> str:
    return quote(gateway_id, safe="")


def _text(raw: bytes) -> str:
    return b64encode(raw).decode()

"""The gateway's key: made at the first start, beside the outbox; signs its heads.

The file holds the 32-byte seed as hexadecimal. Whoever reads it can sign in the gateway's name, so
it is its owner's alone. What makes a signature worth something is the public key in reference data
(kind ``gateway``), written by somebody else than the gateway.
"""

import os
import secrets
from dataclasses import replace
from pathlib import Path

from nacl.signing import SigningKey

from custody import heads
from custody.errors import Unavailable
from custody.heads import Head
from producers import folders

FILE = "signing.key"


class KeyUnreadable(Unavailable):
    """The key's file is there and holds no key."""

    def __init__(self, path: Path, found: str) -> None:
        super().__init__(
            f"signing key {path}: {found}",
            expected="64 hexadecimal digits, as this gateway wrote them",
            next_step="put the file back from a backup, or: custody gateway-key rotate",
        )


class Signer:
    """Signs the heads of one gateway.

    Args:
        gateway_id: Whose heads they are.
        seed: The private key, 32 bytes.
    """

    def __init__(self, gateway_id: str, seed: bytes) -> None:
        self._key = SigningKey(seed)
        self.public = bytes(self._key.verify_key)
        self.key_id = heads.key_id(gateway_id, self.public)

    def signed(self, head: Head) -> Head:
        """Return a head with signature and key id."""
        signature = self._key.sign(heads.checkpoint(head)).signature
        return replace(head, signature=signature, key_id=self.key_id)


def load_or_make(directory: Path, gateway_id: str) -> Signer:
    """Return the signer of a gateway; make its key where there is none.

    Raises:
        KeyUnreadable: The file is no key.
        OSError: The directory cannot be written.
    """
    path = directory / FILE
    if not path.exists():
        _write(path, secrets.token_bytes(heads.KEY_BYTES))
    folders.own(path)
    return Signer(gateway_id, _read(path))


def rotate(directory: Path, gateway_id: str) -> Signer:
    """Make a new key in the place of the old one, which is kept beside it under its id.

    Raises:
        OSError: The directory cannot be written.
    """
    path = directory / FILE
    if path.exists():
        try:
            old = Signer(gateway_id, _read(path)).key_id
        except KeyUnreadable:
            old = "unreadable"
        path.replace(path.with_name(f"{FILE}.{old}"))
    return load_or_make(directory, gateway_id)


def _read(path: Path) -> bytes:
    try:
        seed = bytes.fromhex(path.read_text().strip())
    except ValueError as error:
        raise KeyUnreadable(path, str(error)) from error
    if len(seed) != heads.KEY_BYTES:
        raise KeyUnreadable(path, f"{len(seed)} bytes")
    return seed


def _write(path: Path, seed: bytes) -> None:
    """Write a key so that a crash leaves the whole of it or nothing."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(seed.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)

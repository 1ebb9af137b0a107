"""A bearer token: made at the first start, read ever after.

Where files have modes it is 0600. Windows has none to speak of: there the directory's access list
keeps others out, and who makes the directory sets it (``docs/install-gateway.md``).
"""

import os
import secrets
from pathlib import Path

from custody.errors import Unavailable

_BYTES = 32


class TokenUnreadable(Unavailable):
    """The token's file is there but is no token, or others may read it."""

    def __init__(self, path: Path, found: str) -> None:
        super().__init__(
            f"token file {path}: {found}",
            expected="one line, mode 0600",
            next_step=f"chmod 600 {path}, or delete it to have a new token made",
        )


def load_or_make(path: Path) -> str:
    """Return the token in a file; make both where the file is missing.

    Raises:
        TokenUnreadable: The file is empty, or others than its owner may read it.
        OSError: The directory cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    token = secrets.token_urlsafe(_BYTES)
    with os.fdopen(descriptor, "w") as file:
        file.write(token + "\n")
    return token


def renew(path: Path) -> None:
    """Put a new token in the place of the one in a file; the old one is nobody's any more.

    Raises:
        OSError: The directory cannot be written.
    """
    # Its own name, so that nobody reads half a token; the last step takes the old one's place.
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    load_or_make(fresh)
    fresh.replace(path)


def _read(path: Path) -> str:
    mode = path.stat().st_mode & 0o777
    # Windows keeps no such bits and reports every file as open to all.
    if os.name == "posix" and mode & 0o077:
        raise TokenUnreadable(path, f"mode {mode:o}")
    token = path.read_text().strip()
    if not token:
        raise TokenUnreadable(path, "it is empty")
    return token

"""Folders whose entries outlive a power cut, and files in them that are their owner's alone.

A synced file is lost where its name is not. A database is made before SQLite would make it, as
open to others as any file; what SQLite puts beside it (``-wal``, ``-shm``) gets its mode.
"""

import contextlib
import logging
import os
from pathlib import Path

PRIVATE = 0o600
"""Mode of what only its owner may read."""

_BESIDE = ("", "-wal", "-shm")

log = logging.getLogger(__name__)


def make(folder: Path, mode: int = 0o777) -> None:
    """Make a folder and those above it where they are missing, their names on disk.

    Args:
        folder: What to make.
        mode: Who may do what with it, as far as the system knows of it.

    Raises:
        OSError: It cannot be made.
    """
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True, mode=mode)
    for one in reversed(missing):
        sync(one.parent)


def sync(folder: Path) -> None:
    """Have a folder's entries on disk, where the system can do that at all (Windows cannot)."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def own(path: Path) -> None:
    """Make a file where it is missing; take it from others where they may read or write it.

    What SQLite keeps beside it is taken as well. Windows has no modes to speak of: there the
    directory's access list decides (``docs/install-gateway.md``).

    Raises:
        OSError: It cannot be made.
    """
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT, PRIVATE))
    if os.name != "posix":
        return
    for one in (path.with_name(path.name + end) for end in _BESIDE):
        with contextlib.suppress(FileNotFoundError):
            if one.stat().st_mode & 0o077:
                _close_to_others(one)


def _close_to_others(path: Path) -> None:
    try:
        path.chmod(PRIVATE)
    except PermissionError:
        # Another's file, which this user may use: only its owner can close it.
        log.warning("others may read a file of the gateway", extra={"file": str(path)})
    else:
        log.warning("others could read a file of the gateway", extra={"file": str(path)})

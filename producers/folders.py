"""Folders whose entries outlive a power cut: a synced file is lost where its name is not."""

import contextlib
import os
from pathlib import Path


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

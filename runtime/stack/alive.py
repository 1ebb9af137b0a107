"""Whether a process of the stack lives: each holds a lock file for as long as it does."""

import os
from pathlib import Path


def lock_file(directory: Path, name: str) -> Path:
    """Return the file a process holds locked for as long as it lives."""
    return directory / f"{name}.lock"


def is_locked(path: Path) -> bool:
    """Return whether a living process holds the lock of this file."""
    if not path.exists():
        return False
    # Here, because commands of a gateway ask too, on systems where no stack ever made the file.
    import fcntl

    held = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(held)

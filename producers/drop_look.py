"""What lies in a drop folder, and which of it has stopped growing."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from producers.drop_name import is_ignored

FILES_PER_LOOK_MAX = 10_000
"""Names that one look takes in; others have their turn when these are gone."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A regular file as it was seen: equal sights mean that nobody wrote in between."""

    size_bytes: int
    changed_ns: int
    inode: int


@dataclass(slots=True)
class Found:
    """What one look found.

    Attributes:
        files: Regular files by name.
        others: Links, folders, pipes and devices: what they are, by name.
    """

    files: dict[str, Sight] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)


def look(folder: Path, ours: frozenset[str]) -> Found:
    """Return what lies in a folder, without what is ignored.

    Args:
        folder: Where to look.
        ours: Names of our own folders in it.

    Raises:
        OSError: The folder cannot be read.
    """
    found = Found()
    with os.scandir(folder) as entries:
        meant = (e.name for e in entries if e.name not in ours and not is_ignored(e.name))
        for name in islice(meant, FILES_PER_LOOK_MAX):
            status = status_of(folder / name)
            if status is None:
                continue
            if stat.S_ISREG(status.st_mode):
                found.files[name] = sight(status)
            else:
                found.others[name] = _kind(status.st_mode)
    return found


def status_of(path: Path) -> os.stat_result | None:
    """Return a name's status, links not followed; None where it has just gone.

    Asked of the name itself: a listing on Windows shows the size a file had before its writer
    opened it.
    """
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def sight(status: os.stat_result) -> Sight:
    """Return what of a status tells that nobody wrote."""
    return Sight(status.st_size, status.st_mtime_ns, status.st_ino)


def steady(before: Mapping[str, Sight], now: Mapping[str, Sight]) -> list[str]:
    """Return the files that were the same at two looks, the oldest first.

    An empty file is not ready: many programs make a file first and write to it later.
    """
    ready = [name for name, seen in now.items() if seen.size_bytes and before.get(name) == seen]
    return sorted(ready, key=lambda name: (now[name].changed_ns, name))


def _kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "a link"
    return "a folder" if stat.S_ISDIR(mode) else "a pipe, socket or device"

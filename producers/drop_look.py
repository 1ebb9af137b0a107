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

LOOKS = 2
"""A file that was the same so often is taken."""

EMPTY_LOOKS = 12
"""The same of an empty one: many programs make a file first and write to it later."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A regular file as it was seen: equal sights mean that nobody wrote in between."""

    size_bytes: int
    changed_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class Quiet:
    """How long a file has been quiet: what it looks like, and for how many looks."""

    sight: Sight
    looks: int

    @property
    def is_steady(self) -> bool:
        """Whether it can be taken."""
        return self.looks >= (LOOKS if self.sight.size_bytes else EMPTY_LOOKS)


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
                found.others[name] = kind_of(status.st_mode)
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


def seen_again(before: Mapping[str, Quiet], now: Mapping[str, Sight]) -> dict[str, Quiet]:
    """Return for how many looks each file has been the same, this one included."""
    return {
        name: Quiet(seen, before[name].looks + 1 if _same(before.get(name), seen) else 1)
        for name, seen in now.items()
    }


def steady(quiet: Mapping[str, Quiet]) -> list[str]:
    """Return the files that nobody writes to any more, the oldest first."""
    ready = [name for name, one in quiet.items() if one.is_steady]
    return sorted(ready, key=lambda name: (quiet[name].sight.changed_ns, name))


def _same(before: Quiet | None, seen: Sight) -> bool:
    return before is not None and before.sight == seen


def kind_of(mode: int) -> str:
    """Return what something is that is no regular file, of the mode in its status."""
    if stat.S_ISLNK(mode):
        return "a link"
    return "a folder" if stat.S_ISDIR(mode) else "a pipe, socket or device"

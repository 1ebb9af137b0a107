"""The folders of a file drop, and moves between them that a crash cannot tear.

``taking`` holds the one file that is being read: it is moved there first, so that nobody's later
file of that name can take its place. ``done`` and ``failed`` hold what is dealt with, each file
with its result beside it. All three may lie on file systems of their own.
"""

import errno
import os
import shutil
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from custody.errors import Unavailable
from producers import folders
from producers.drop_name import RESULT

NAMES_TRIED_MAX = 10_000


class NoPlace(Unavailable):
    """A folder of ours cannot be used."""

    def __init__(self, path: Path, found: str) -> None:
        super().__init__(
            f"drop folder: {path} {found}",
            expected="a folder that the gateway may write to",
            next_step="see docs/ways-in.md, when the folder is away",
        )


@dataclass(frozen=True, slots=True)
class Places:
    """The folders.

    Attributes:
        folder: Where files are dropped.
    """

    folder: Path

    @property
    def taking(self) -> Path:
        """Holds the file that is being read."""
        return self.folder / "taking"

    @property
    def done(self) -> Path:
        """Holds files of which all is taken."""
        return self.folder / "done"

    @property
    def failed(self) -> Path:
        """Holds files that somebody has to look at."""
        return self.folder / "failed"

    def prepare(self) -> None:
        """Make the three folders where they are missing.

        The folder itself is never made: a share that is not mounted must not be replaced by an
        empty folder of the same name.

        Raises:
            NoPlace: The folder is away, or one of the three is something else than a folder.
            OSError: They cannot be made.
        """
        if not self.folder.is_dir():
            raise NoPlace(self.folder, "is not there")
        for place in (self.taking, self.done, self.failed):
            folders.make(place)
            # Whoever may write to the folder could lead our writing elsewhere by a link.
            if not stat.S_ISDIR(place.lstat().st_mode):
                raise NoPlace(place, "is a link")


def is_file(path: Path) -> bool:
    """Tell whether there is a regular file; links are not followed."""
    return stat.S_ISREG(path.lstat().st_mode)


def opened(path: Path) -> BinaryIO:
    """Open a regular file for reading; a link or a device is not opened.

    Raises:
        OSError: It is none, or may not be read.
    """
    # A pipe would otherwise block until somebody writes to it.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    file = os.fdopen(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "no regular file")
    return file


def free_name(folder: Path, name: str) -> str:
    """Return the name, or with ``~1``, ``~2``, ... in it where a file of that name is there.

    Only we write to the folder, so the name stays free until we use it.

    Raises:
        OSError: There are too many.
    """
    stem, suffix = os.path.splitext(name)  # noqa: PTH122  of a name, not of a path
    for no in range(NAMES_TRIED_MAX):
        found = f"{stem}~{no}{suffix}" if no else name
        if not os.path.lexists(folder / found):
            return found
    raise OSError(errno.EEXIST, f"{NAMES_TRIED_MAX} files of that name")


def move(source: Path, target: Path) -> None:
    """Move a file, also to another file system; a crash leaves it whole at one end or at both.

    Raises:
        OSError: It cannot be moved.
    """
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        partial = target.with_name(f".{target.name}.part")
        shutil.copyfile(source, partial, follow_symlinks=False)
        if is_file(partial):
            with partial.open("rb+") as file:
                os.fsync(file.fileno())
        partial.replace(target)
        folders.sync(target.parent)
        source.unlink()
    folders.sync(target.parent)
    folders.sync(source.parent)


def write_result(folder: Path, name: str, chunks: Iterable[str]) -> None:
    """Write the result of the file of that name: whole, or not at all.

    Raises:
        OSError: It cannot be written.
    """
    partial = folder / f".{name}{RESULT}.part"
    with partial.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(chunks)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(folder / f"{name}{RESULT}")
    folders.sync(folder)

"""A disk that is filled to the last byte."""

import errno
import shutil
from pathlib import Path


def fill(disk: Path) -> Path:
    """Write until the disk takes no byte more."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        for block in (1 << 16, 1):
            try:
                while True:
                    file.write(bytes(block))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
    assert shutil.disk_usage(disk).free == 0
    return filler

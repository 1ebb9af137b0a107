"""Files that are there as a whole or not at all, whenever a process ends."""

from pathlib import Path


def write(path: Path, text: str) -> None:
    """Put text in the place of what a file holds, at once; the file need not be there.

    Raises:
        OSError: It cannot be written; what was there stays.
    """
    partial = path.with_suffix(".tmp")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)

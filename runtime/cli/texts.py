"""Files of text as commands open them: a byte that is no UTF-8 ends no command.

A mark of byte order at the beginning, as Windows writes it, is no part of the text.
"""

from typing import IO

import click

_ENCODING = "utf-8-sig"
_JUDGED, _SHOWN = "surrogateescape", "backslashreplace"

LINES = click.File("r", _ENCODING, _JUDGED)
"""Lines judged one by one; ``strict_json.is_utf8`` tells which to refuse."""
TEXT = click.File("r", _ENCODING, _SHOWN)
"""Text that is read as a whole, or only compared and shown: no JSON has ``\\xe9``."""


def open_lines(name: str) -> IO[str]:
    """Open what ``LINES`` opens, by name; ``-`` is standard input."""
    return click.open_file(name, encoding=_ENCODING, errors=_JUDGED)


def open_text(name: str) -> IO[str]:
    """Open what ``TEXT`` opens, by name; ``-`` is standard input."""
    return click.open_file(name, encoding=_ENCODING, errors=_SHOWN)

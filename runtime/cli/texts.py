"""Files of text as commands open them: a byte that is no UTF-8 ends no command.

A mark of byte order at the beginning, as Windows writes it, is no part of the text.
"""

import click

LINES = click.File("r", encoding="utf-8-sig", errors="surrogateescape")
"""Lines judged one by one; ``strict_json.is_utf8`` tells which to refuse."""
TEXT = click.File("r", encoding="utf-8-sig", errors="backslashreplace")
"""Text that is read as a whole, or only compared and shown: no JSON has ``\\xe9``."""

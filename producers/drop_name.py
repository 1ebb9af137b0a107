"""Names of dropped files: which are left alone, which are refused, and what is written instead.

A name has to be good on Linux and on Windows, because folders are shared between them, and short
enough that ``.result.json`` still fits behind it.
"""

import hashlib
import unicodedata

NAME_BYTES_MAX = 200
"""File systems take 255; a result's name and a number for a second file of that name are longer."""

RESULT = ".result.json"

_IGNORED_ENDS = (".part", ".tmp", ".filepart", ".mapping.toml")
_IGNORED = ("mapping.toml",)
_ODD = frozenset('<>:"/\\|?*')
_SAFE_CHARS_MAX = 100
_DIGEST_CHARS = 12
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{no}" for port in ("com", "lpt") for no in range(1, 10))]
)
"""Windows opens a device where such a name stands before the first dot."""


def is_ignored(name: str) -> bool:
    """Tell whether a name says that the file is not meant, or not yet: hidden or half written."""
    lower = name.lower()
    return name.startswith((".", "~")) or lower.endswith(_IGNORED_ENDS) or lower in _IGNORED


def wrong_in(name: str) -> str | None:
    """Return what is wrong with a name, or None."""
    odd = sorted({repr(char) for char in name if _is_odd(char)})
    if odd:
        return f"characters {', '.join(odd)}"
    if len(name.encode()) > NAME_BYTES_MAX:
        return f"{len(name.encode())} bytes, at most {NAME_BYTES_MAX}"
    if name.endswith((" ", ".")) or name.startswith(" "):
        return "a space before it, or a space or dot behind it"
    if name.partition(".")[0].lower() in _DEVICES:
        return "the name of a device on Windows"
    if name.lower().endswith(RESULT):
        return f"{RESULT} is what results are called"
    return None


def safe(name: str) -> str:
    """Return a name that can stand for any other: what is odd becomes ``_``, and a digest follows.

    Two bad names that differ only in what is odd stay two.
    """
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:_DIGEST_CHARS]
    kept = "".join("_" if _is_odd(char) or not char.isascii() else char for char in name)
    return f"{kept[:_SAFE_CHARS_MAX].strip('. ').replace('.', '_')}-{digest}"


def _is_odd(char: str) -> bool:
    # Controls, marks that turn the direction of writing, and bytes that are no UTF-8.
    return char in _ODD or unicodedata.category(char) in {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}

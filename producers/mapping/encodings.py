"""Encodings a table may have, under the names that people write."""

import codecs

_OF_ONE_BYTE = (
    "cp1252", "latin-1", "iso8859-15", "cp437", "cp850", "mac-roman",
    "cp1250", "cp852", "iso8859-2",
    "cp1251", "cp866", "cp855", "koi8-r", "iso8859-5",
    "cp1253", "cp1254", "cp857", "iso8859-9",
)  # fmt: skip
_OF_MORE = ("gb18030", "gbk", "big5", "cp932", "shift_jis", "cp949", "euc-kr")

ENCODINGS = ("utf-8", "utf-16", *_OF_ONE_BYTE, *_OF_MORE)
"""A closed list: Python also knows encodings that are none of text, such as ``zip``."""

CODE_PAGES = frozenset((*_OF_ONE_BYTE, *_OF_MORE))
"""Those that are not Unicode."""

ONE_BYTE = frozenset(_OF_ONE_BYTE)
"""Those with a byte for each letter.

Of the others a few letters may be UTF-8 by chance.
"""

_BY_CODEC = {codecs.lookup(name).name: name for name in reversed(ENCODINGS)}


def known(name: str) -> str | None:
    """Return our name of an encoding, or None: ``windows-1252`` is ``cp1252``."""
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    return _BY_CODEC.get("utf-8" if found == "utf-8-sig" else found)


def reading(name: str) -> str:
    """Return the codec to read with: a byte order mark is never part of the text."""
    return "utf-8-sig" if name == "utf-8" else name

"""Places in several partitions as one text: the id of an event, which outlives a restart. Pure.

An id says for every partition which offset comes next. So whoever comes back with one gets what he
has not seen, in whatever order another reader has interleaved the partitions since.
"""

import re
from collections.abc import Iterable, Mapping

from schemas import topics

Place = tuple[str, int]
"""Topic and partition."""

Places = Mapping[Place, int]
"""The next offset of each partition."""

LETTERS: Mapping[str, str] = {topics.ALERT: "a", topics.BALANCE: "b", topics.CONTROL: "c"}
"""The topics that are told, in the order of an id."""

TOPICS = tuple(LETTERS)

_TOPIC = r"[a-z]\d{1,19}(?:\.\d{1,19}){0,1023}"
_ID = re.compile(rf"{_TOPIC}(?:-{_TOPIC}){{0,7}}", re.ASCII)


def text_of(places: Places) -> str:
    """Return places as text: ``a5.0-b7.1-c0.3``, topic by topic in order of partitions."""
    parts = []
    for topic, letter in LETTERS.items():
        own = sorted((number, offset) for (name, number), offset in places.items() if name == topic)
        parts.append(letter + ".".join(str(offset) for _, offset in own))
    return "-".join(parts)


def places_of(text: str, known: Iterable[Place]) -> dict[Place, int] | None:
    """Return the places of a text; None where it is none, or of other partitions than these."""
    if not _ID.fullmatch(text):
        return None
    names = {letter: topic for topic, letter in LETTERS.items()}
    found = {
        (names.get(part[0], ""), number): int(offset)
        for part in text.split("-")
        for number, offset in enumerate(part[1:].split("."))
    }
    return found if found.keys() == set(known) else None

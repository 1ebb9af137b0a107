"""Versions of reference records: which one stands at a time, once corrections have spoken.

Source:
    docs/ledger.md, "Reference data".
"""

from collections.abc import Sequence

from custody.events import Micros, ReferenceSet
from custody.fold import Getter
from custody.rows import LibraryRow, RefRow, RefVersion

FINGERPRINT = "fingerprint"
LIBRARY = "library/fingerprint"
"""Row that lists the fingerprints there are."""


def with_version(row: RefRow | None, fact: ReferenceSet) -> RefRow:
    """Return the row with one more version; the same event twice stands once.

    Of copies that differ the first in order stands, of equal ones the first as text.
    """
    times = fact.valid_from, fact.valid_to, fact.recorded_at
    new = RefVersion(fact.event_id, *times, fact.corrects, fact.void, fact.body)
    by_id = {} if row is None else {version.event_id: version for version in row.versions}
    by_id[new.event_id] = min(by_id.get(new.event_id, new), new, key=_copy_order)
    return RefRow(sorted(by_id.values(), key=_order))


def listed(key: str, reader: Getter) -> dict[str, LibraryRow]:
    """Return the list of records of a kind that is read as a whole, with one more in it.

    Args:
        key: Row key of a record.
        reader: Rows of the partition.
    """
    kind, _, name = key.removeprefix("ref/").partition("/")
    if kind != FINGERPRINT:
        return {}
    row = reader.get(LIBRARY)
    ids = row.ids if isinstance(row, LibraryRow) else []
    return {} if name in ids else {LIBRARY: LibraryRow(sorted([*ids, name]))}


def _order(version: RefVersion) -> tuple[Micros, Micros, str]:
    return version.valid_from, version.known, version.event_id


def _copy_order(version: RefVersion) -> tuple[tuple[Micros, Micros, str], str, str]:
    return _order(version), version.body, repr(version)


def body_at(row: RefRow, at: Micros) -> str | None:
    """Return the body valid at a time."""
    found = version_at(row, at)
    return None if found is None else found.body


def first_body(row: RefRow) -> str | None:
    """Return the body that stands of the version that begins first; None where none stands."""
    stand = _standing(row.versions)
    return stand[0].body if stand else None


def version_at(row: RefRow, at: Micros) -> RefVersion | None:
    """Return the version valid at a time: of those, the one that begins last and is newest."""
    for version in reversed(_standing(row.versions)):
        if version.valid_from <= at and (version.valid_to is None or at < version.valid_to):
            return version
    return None


def _standing(versions: Sequence[RefVersion]) -> Sequence[RefVersion]:
    """Return the versions that stand once corrections have spoken, in order.

    The rules are those of facts (``factset.standing``): the last word of its corrections speaks
    for a statement, a void leaves nothing, a void of a void has no effect.
    """
    if all(version.corrects is None for version in versions):
        return versions
    by_id = {version.event_id: version for version in versions}
    corrections: dict[str, list[RefVersion]] = {}
    words: list[RefVersion] = []
    for version in versions:
        target = by_id.get(version.corrects or "")
        if target is None:
            words.append(version)
        elif not (version.void and target.void):
            corrections.setdefault(target.event_id, []).append(version)
    for number, word in enumerate(words):
        last = word
        while made := corrections.get(last.event_id):
            last = max(made, key=lambda other: (other.known, other.event_id))
        words[number] = last
    stand = [version for version in words if not version.void]
    return sorted(stand, key=_order)

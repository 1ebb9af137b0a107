"""Columns of errors and limits in a proposal: each beside the element it belongs to."""

from collections.abc import Mapping, Sequence

from producers.mapping.draft import Draft, Value
from producers.mapping.heading_roles import Role
from producers.mapping.load import UNKNOWN
from producers.mapping.titles import Title

_ERRORS: Mapping[tuple[str, int | None], str] = {
    ("xrf", 1): "error_1sigma_column",
    ("xrf", 2): "error_2sigma_column",
    ("xrf", None): "error_2sigma_column",
    ("assay", 1): "u_column",
}
"""Key of an element that takes an error, by type of the record and number of sigma."""


def add_beside(
    draft: Draft, titles: Sequence[tuple[int, Title]], owners: Mapping[str, dict[str, Value]]
) -> set[int]:
    """Name the columns of errors and limits in the elements they belong to; return those used.

    Args:
        draft: Takes what is doubtful.
        titles: Columns of elements, with their numbers.
        owners: What is said of each element, by its symbol; is added to.
    """
    used: set[int] = set()
    unsaid = []
    for index, title in titles:
        if title.role not in (Role.ERROR, Role.LIMIT):
            continue
        said = owners.get(title.analyte, {})
        key, why = _key(draft.stem, title, said)
        if why:
            draft.doubts.append(f"column {title.text!r}: not taken, {why}")
            continue
        used.add(index)
        said[key] = title.text
        if title.role is Role.ERROR and title.sigma is None:
            unsaid.append(repr(title.text))
    if unsaid:
        draft.doubts.append(
            "errors taken to be of two sigma, as handhelds mostly give them; error_1sigma_column"
            f" where they are of one (columns {', '.join(unsaid)})"
        )
    return used


def _key(stem: str, title: Title, said: Mapping[str, Value]) -> tuple[str, str]:
    """Return the key that takes a column, or why none does."""
    kind = title.role.value
    if not said:
        return "", f"{kind} of {title.analyte}, which no column holds"
    named = title.unit or title.foreign
    if named and named != said["unit"] and said["unit"] != UNKNOWN:
        return "", f"{kind} in {named} of an element in {said['unit']}"
    is_limit = title.role is Role.LIMIT
    key = "limit_column" if is_limit else _ERRORS.get((stem, title.sigma), "")
    if not key:
        return "", "an error; where it is one standard uncertainty it can be u_column"
    return (key, "") if key not in said else ("", f"a second {kind} of {title.analyte}")

"""A refusal in one sentence, for whoever mends the row."""

from collections.abc import Mapping

_NEXT = {
    "missing_identity": "without it a repeat could not be told from a second ticket; fill in the"
    " column, or give the mapping one that never repeats",
    "duplicate_conflict": "this number was sent before with other content; a correction names the"
    " first in corrects, and another fact needs another number",
    "too_old": "correct the year, or publish with --backfill",
}
_FOUND_CHARS_MAX = 80
_LISTED_MAX = 12


def reason(answer: Mapping[str, object], column: str) -> str:
    """Return what is wrong with a row: where, what was found, what is allowed, what to do.

    Args:
        answer: A refusal as the gateway words it.
        column: Heading of the column at fault; empty where it is none.
    """
    code, field = str(answer.get("code")), answer.get("field")
    where = f"column {column!r}" if column else f"field {field}" if field else "the row"
    found = answer.get("found")
    said = "" if found is None or found == "" else f" has {str(found)[:_FOUND_CHARS_MAX]!r}"
    if code == "missing_identity" or (found is None and code == "missing_field"):
        said = " is empty"
    parts = [f"{where}{said}", _allowed(answer.get("allowed")), _NEXT.get(code, "")]
    if code == "missing_identity":
        parts[1] = ""
    return "; ".join(part for part in parts if part)


def _allowed(allowed: object) -> str:
    if allowed is None:
        return ""
    if isinstance(allowed, list):
        listed = ", ".join(str(item) for item in allowed[:_LISTED_MAX])
        return f"expected: one of {listed}"
    return f"expected: {allowed}"

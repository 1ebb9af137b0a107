"""What a refused request is sent as the next time: as it is kept, or with fields changed.

A request is kept up to a length; one that was longer is kept cut, and half a request is none.
"""

import json
from collections.abc import Sequence

from custody.errors import Refused
from producers.refused_share import BODY_BYTES_MAX
from producers.view import Kept


class BodyCut(Refused):
    """A refused request was longer than what is kept of one."""

    def __init__(self, no: int) -> None:
        super().__init__(
            f"refused request {no} was longer than the {BODY_BYTES_MAX:,} bytes that are kept",
            expected="a request that is kept whole",
            next_step="send it again from its source, or mended with --edit FILE",
        )


class BadChange(Refused):
    """A change cannot be made."""

    def __init__(self, change: str, why: str) -> None:
        super().__init__(
            f"--set {change}: {why}", expected="FIELD=VALUE of a field of the request: net_kg=30000"
        )


def is_whole(kept: Kept) -> bool:
    """Tell whether all of a request is kept."""
    if len(kept.body) < BODY_BYTES_MAX:
        return True
    try:
        json.loads(kept.body)
    except ValueError:
        return False
    return True


def text_of(kept: Kept) -> str:
    """Return a refused request as JSON text.

    Raises:
        BodyCut: It is not kept whole.
    """
    if not is_whole(kept):
        raise BodyCut(kept.no)
    return kept.body.decode("utf-8")


def mended(text: str, changes: Sequence[str]) -> str:
    """Return a request with fields changed.

    Args:
        text: The request, JSON.
        changes: ``FIELD=VALUE``; a dot leads into an object or, by its number, a list. The value
            is JSON where it reads as such, else text; none takes the field out.

    Raises:
        BadChange: The request is no JSON object, or has no such place.
    """
    if not changes:
        return text
    try:
        request: object = json.loads(text)
    except ValueError as error:
        raise BadChange(changes[0], f"the request is no JSON: {error}") from error
    for change in changes:
        path, is_change, value = change.partition("=")
        if not is_change or not path:
            raise BadChange(change, "names no field or no value")
        _set(request, path.split("."), value, path)
    return json.dumps(request, ensure_ascii=False)


def _set(place: object, steps: Sequence[str], value: str, path: str) -> None:
    step, rest = steps[0], steps[1:]
    if isinstance(place, list) and step.isdigit() and int(step) < len(place):
        if rest:
            _set(place[int(step)], rest, value, path)
        else:
            place[int(step)] = _value(value)
    elif isinstance(place, dict) and rest:
        _set(place.get(step), rest, value, path)
    elif isinstance(place, dict) and value:
        place[step] = _value(value)
    elif isinstance(place, dict):
        place.pop(step, None)
    else:
        raise BadChange(path, "the request has no such place")


def _value(text: str) -> object:
    try:
        found: object = json.loads(text)
    except ValueError:
        return text
    return found

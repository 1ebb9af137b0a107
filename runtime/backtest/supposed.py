"""A history as if its reference data said something else of the test: ``--set NAME=VALUE``.

What may be set are the plain values of a ``detection`` record, by its published schema, but for
dates: of which history it was is nothing to suppose. The record is that of id ``lot``. The value
holds at any time: it is put into every version of the record, and into one that is valid where none
is.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import cast

from custody.bodies import number, object_of
from custody.errors import Refused
from custody.events import ReferenceSet
from custody.held import BEGINNING
from custody.ids import derived_id
from producers import json_schemas
from producers.outcome import Record
from runtime.json_schema import Schema, faults

KIND, RECORD = "detection", "lot"

BASIS = "set for this run"
"""What an alert says of a threshold that was set: nothing of any history."""

NUMBER_MAX = 1e300
_NUMBERS = frozenset({"number", "integer"})

Setting = Mapping[str, object]
"""Values by name, without the kind before it."""


class BadSetting(Refused):
    """What was to be set cannot be, or not to that."""

    def __init__(self, text: str, why: str, expected: str) -> None:
        super().__init__(
            f"--set {text}: {why}",
            expected=expected,
            next_step=f"custody schema reference-{KIND}",
        )


def settings_of(texts: Iterable[str]) -> Setting:
    """Return what is to be set; of a name that is said twice the last value.

    Args:
        texts: Each ``detection.NAME=VALUE``.

    Raises:
        BadSetting: There is no such name, or the value is none it may have.
    """
    allowed = _allowed()
    found: dict[str, object] = {}
    for text in texts:
        path, _, value = text.partition("=")
        kind, _, name = path.strip().partition(".")
        if kind != KIND or name not in allowed:
            names = ", ".join(f"{KIND}.{one}" for one in allowed)
            raise BadSetting(text, "no such setting", names)
        found[name] = _value(text, value.strip(), allowed[name])
    return found


def supposing(records: Sequence[Record], setting: Setting) -> list[Record]:
    """Return records as if the test's record had always said what is set.

    Args:
        records: In the order they were recorded.
        setting: Values by name; none changes nothing.
    """
    if not setting:
        return list(records)
    first = ReferenceSet(
        event_id=derived_id("reference", [KIND, RECORD, "backtest", "set"]),
        gateway_id="backtest",
        gateway_epoch=1,
        gateway_seq=0,
        kind=KIND,
        id=RECORD,
        valid_from=BEGINNING,
        valid_to=None,
        recorded_at=BEGINNING,
        partition=0,
        corrects=None,
        void=False,
        body="{}",
    )
    return [_with(one, setting) for one in (first, *records)]


def _with(record: Record, setting: Setting) -> Record:
    if not isinstance(record, ReferenceSet) or (record.kind, record.id) != (KIND, RECORD):
        return record
    said = dict(object_of(record.body))
    if "threshold" in setting:
        said["basis"] = BASIS
        said.pop("lots", None)
    body = json.dumps(
        {**said, **setting}, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    return replace(record, body=body)


def _allowed() -> dict[str, Schema]:
    """Return schemas of the values that can be written on a command line, by name."""
    text = json_schemas.published(f"reference-{KIND}.json") or b"{}"
    properties = cast("Mapping[str, Schema]", object_of(text.decode())["properties"])
    return {
        name: schema
        for name, schema in sorted(properties.items())
        if schema.get("type") in (*_NUMBERS, "string") and schema.get("format") != "date"
    }


def _value(text: str, value: str, schema: Schema) -> object:
    found: object = value
    if schema.get("type") in _NUMBERS:
        try:
            found = json.loads(value)
        except ValueError:
            found = None
        if number(found, -NUMBER_MAX, NUMBER_MAX) is None:
            raise BadSetting(text, "not a number", str(schema.get("description", "a number")))
    for fault in faults(schema, found):
        raise BadSetting(text, "not in its range", fault.allowed)
    return found

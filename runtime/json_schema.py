"""Checks a JSON value against one of our published schemas, and says which bound it breaks.

The schema file is the only source: nothing here knows a field. Of JSON Schema (draft 2020-12) it
reads the words our reference schemas use; a test holds that set and compares the verdicts with a
complete validator, which the base install does without.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

Schema = Mapping[str, object]

ANNOTATIONS = frozenset({"$schema", "$id", "title", "description", "examples", "default"})
"""Words that ask for nothing."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One bound that is broken.

    Attributes:
        field: Path from the root, ``legs.0.from``; empty for the value itself.
        found: What stands there.
        allowed: What may.
    """

    field: str
    found: object
    allowed: str


def faults(schema: Schema, value: object, field: str = "") -> Iterator[Fault]:
    """Yield what is wrong with a value, in the order of the schema's words.

    Args:
        schema: A schema that uses no other words than ``WORDS`` and ``ANNOTATIONS``.
        value: Parsed JSON.
        field: Where it stands.
    """
    for word, wanted in schema.items():
        check = WORDS.get(word)
        if check is not None:
            yield from check(wanted, value, field, schema)


_Check = Callable[[object, object, str, Schema], Iterator[Fault]]


def _is(kind: str, value: object) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    match kind:
        case "integer":
            return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        case "number":
            return isinstance(value, int | float)
        case "null":
            return value is None
        case _:
            return isinstance(value, {"string": str, "array": list, "object": dict}.get(kind, ()))


def _type(wanted: object, value: object, field: str, _schema: Schema) -> Iterator[Fault]:
    kinds = [str(kind) for kind in wanted] if isinstance(wanted, list) else [str(wanted)]
    if not any(_is(kind, value) for kind in kinds):
        yield Fault(field, value, " or ".join(kinds))


def _required(wanted: object, value: object, field: str, _schema: Schema) -> Iterator[Fault]:
    if isinstance(wanted, list) and isinstance(value, dict):
        for name in wanted:
            if name not in value:
                yield Fault(_below(field, name), None, "it is required")


def _properties(wanted: object, value: object, field: str, _schema: Schema) -> Iterator[Fault]:
    if isinstance(wanted, dict) and isinstance(value, dict):
        for name, schema in wanted.items():
            if name in value:
                yield from faults(schema, value[name], _below(field, name))


def _additional(wanted: object, value: object, field: str, schema: Schema) -> Iterator[Fault]:
    if not isinstance(value, dict) or wanted is True:
        return
    named = schema.get("properties")
    known = named if isinstance(named, dict) else {}
    for name in value.keys() - known.keys():
        if isinstance(wanted, dict):
            yield from faults(wanted, value[name], _below(field, name))
        else:
            yield Fault(_below(field, name), value[name], f"one of {', '.join(sorted(known))}")


def _items(wanted: object, value: object, field: str, _schema: Schema) -> Iterator[Fault]:
    if isinstance(wanted, dict) and isinstance(value, list):
        for number, item in enumerate(value):
            yield from faults(wanted, item, _below(field, number))


def _any_of(wanted: object, value: object, field: str, _schema: Schema) -> Iterator[Fault]:
    if not isinstance(wanted, list):
        return
    found = [list(faults(schema, value, field)) for schema in wanted]
    if all(found):
        # Of the alternatives, the one that got furthest says best what is wrong.
        yield max(found, key=lambda each: each[0].field.count("."))[0]


def _enum(wanted: object, value: object, field: str, _schema: Schema) -> Iterator[Fault]:
    if isinstance(wanted, list) and not any(
        value == one and isinstance(value, bool) == isinstance(one, bool) for one in wanted
    ):
        yield Fault(field, value, f"one of {', '.join(map(str, wanted))}")


def _bound(
    holds: Callable[[float, float], bool], text: str
) -> Callable[[object, object, str, Schema], Iterator[Fault]]:
    def check(wanted: object, value: object, field: str, _schema: Schema) -> Iterator[Fault]:
        numbers = isinstance(wanted, int | float) and isinstance(value, int | float)
        if numbers and not isinstance(value, bool) and not holds(value, wanted):  # type: ignore[arg-type]  # both are numbers
            yield Fault(field, value, f"{text} {wanted}")

    return check


def _sized(kind: type, at_least: bool, what: str) -> _Check:  # noqa: FBT001  a table of two
    def check(wanted: object, value: object, field: str, _schema: Schema) -> Iterator[Fault]:
        if not isinstance(value, kind) or not isinstance(wanted, int):
            return
        size = len(value)  # type: ignore[arg-type]  # a string or a list
        if size < wanted if at_least else size > wanted:
            yield Fault(field, value, f"at {'least' if at_least else 'most'} {wanted} {what}")

    return check


def _pattern(wanted: object, value: object, field: str, _schema: Schema) -> Iterator[Fault]:
    if isinstance(value, str) and not re.search(str(wanted), value):
        yield Fault(field, value, f"text like {wanted}")


def _format(wanted: object, value: object, field: str, _schema: Schema) -> Iterator[Fault]:
    if wanted != "date" or not isinstance(value, str):
        return
    try:
        good = len(value) == 10 and bool(date.fromisoformat(value))
    except ValueError:
        good = False
    if not good:
        yield Fault(field, value, "a date, YYYY-MM-DD")


def _below(field: str, name: object) -> str:
    return f"{field}.{name}" if field else str(name)


WORDS: Mapping[str, _Check] = MappingProxyType(
    {
        "type": _type,
        "required": _required,
        "properties": _properties,
        "additionalProperties": _additional,
        "items": _items,
        "anyOf": _any_of,
        "enum": _enum,
        "minimum": _bound(lambda value, bound: value >= bound, "at least"),
        "maximum": _bound(lambda value, bound: value <= bound, "at most"),
        "exclusiveMinimum": _bound(lambda value, bound: value > bound, "more than"),
        "exclusiveMaximum": _bound(lambda value, bound: value < bound, "less than"),
        "minItems": _sized(list, at_least=True, what="items"),
        "maxItems": _sized(list, at_least=False, what="items"),
        "minLength": _sized(str, at_least=True, what="characters"),
        "maxLength": _sized(str, at_least=False, what="characters"),
        "pattern": _pattern,
        "format": _format,
    }
)
"""The words that are checked."""

"""What a field of a request is: read off the published JSON Schema, so that both agree."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from typing import cast

from producers.json_schemas import request_schema

INDEX_MAX = 999

_Schema = Mapping[str, object]


class Kind(Enum):
    """What a field holds."""

    TEXT = auto()
    NAME = auto()
    """One of a closed list."""
    MASS = auto()
    DECIMAL = auto()
    """A number with all its digits."""
    NUMBER = auto()
    WHOLE = auto()
    FRACTION = auto()
    """0 to 1, whatever the column has."""
    CONCENTRATION = auto()
    """A value with its unit."""
    TIME = auto()
    DAY = auto()
    FLAG = auto()


@dataclass(frozen=True, slots=True)
class Target:
    """A field of a request.

    Attributes:
        kind: What it holds.
        names: The closed list of a name.
        nullable: It may be null.
    """

    kind: Kind
    names: tuple[str, ...] = ()
    nullable: bool = False


@cache
def schema(stem: str) -> dict[str, object]:
    """Return the JSON Schema of a stem's request."""
    return request_schema(stem)


def names(stem: str) -> list[str]:
    """Return the fields of a request."""
    return sorted(cast("dict[str, object]", schema(stem)["properties"]))


def required(stem: str) -> list[str]:
    """Return the fields a request must have, without its type."""
    return [n for n in cast("list[str]", schema(stem)["required"]) if n != "type"]


@cache
def target(stem: str, path: str) -> Target | None:
    """Return what a field is, or None where a table cannot hold it.

    Args:
        stem: Type of the request.
        path: Names and, in lists, numbers, with dots between: ``inputs.0.lot_id``.
    """
    root = schema(stem)
    node: _Schema | None = root
    for step in path.split("."):
        node, _ = _plain(root, node)
        node = _step(node, step)
        if node is None:
            return None
    plain, nullable = _plain(root, node)
    kind = _kind(plain)
    if kind is None or path == "type":
        return None
    if kind is Kind.NUMBER and path.endswith(("_fraction", "share")):
        kind = Kind.FRACTION
    listed = cast("list[str]", plain.get("enum", []))
    return Target(kind, tuple(listed), nullable)


def _step(node: _Schema, step: str) -> _Schema | None:
    if step.isdigit():
        items = node.get("items")
        fits = len(step) <= 3 and int(step) <= INDEX_MAX
        return cast("_Schema", items) if items is not None and fits else None
    properties = cast("Mapping[str, _Schema]", node.get("properties", {}))
    return properties.get(step)


def _plain(root: _Schema, node: _Schema | None) -> tuple[_Schema, bool]:
    """Return a schema without its null and its reference, and whether it had a null."""
    assert node is not None, "every step was found"
    nullable = False
    while True:
        if "$ref" in node:
            name = str(node["$ref"]).rpartition("/")[2]
            node = cast("Mapping[str, _Schema]", root["$defs"])[name]
        elif "anyOf" in node:
            choices = cast("list[_Schema]", node["anyOf"])
            others = [c for c in choices if c.get("type") != "null"]
            nullable |= len(others) < len(choices)
            if len(others) != 1:
                return {"anyOf": others}, nullable
            node = others[0]
        else:
            return node, nullable


_BY_TYPE = {
    "string": Kind.TEXT,
    "integer": Kind.WHOLE,
    "boolean": Kind.FLAG,
    "number": Kind.NUMBER,
}
_BY_FORMAT = {"date-time": Kind.TIME, "date": Kind.DAY}


def _kind(node: _Schema) -> Kind | None:
    if "anyOf" in node:
        has_unit = any(c.get("type") == "object" for c in cast("list[_Schema]", node["anyOf"]))
        return Kind.MASS if has_unit else Kind.DECIMAL
    if "enum" in node:
        return Kind.NAME
    if node.get("type") == "object":
        both = {"value", "unit"} <= set(cast("_Schema", node.get("properties", {})))
        return Kind.CONCENTRATION if both and "analyte" not in _properties(node) else None
    if node.get("format") in _BY_FORMAT:
        return _BY_FORMAT[str(node["format"])]
    return _BY_TYPE.get(str(node.get("type")))


def _properties(node: _Schema) -> _Schema:
    return cast("_Schema", node.get("properties", {}))

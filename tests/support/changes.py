"""Changes of schemas: those that readers of any age survive, and those they do not."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from schemas.avro import Schema

NEW = "added_later"
"""Name of a symbol or field that a later version adds."""


def widened(schema: Schema) -> Schema:
    """Return a next version: a symbol more in each enum, a nullable field more in each record."""
    wide = deepcopy(schema)
    for part in named_types(wide):
        if part["type"] == "enum":
            part["symbols"].insert(-1, NEW)
        else:
            part["fields"].insert(
                len(part["fields"]) // 2,
                {"name": NEW, "doc": "New.", "type": ["null", "string"], "default": None},
            )
    return wide


def incompatible_changes(schema: Schema) -> dict[str, Schema]:
    """Return next versions that break some reader, by name."""
    changes: dict[str, Schema] = {}

    bare = deepcopy(schema)
    bare["fields"].append({"name": NEW, "doc": "New.", "type": "string"})
    changes["a field without a default"] = bare

    less = deepcopy(schema)
    # Of a plain type: another field may use a type that this one defines.
    required = next(f for f in less["fields"] if "default" not in f and isinstance(f["type"], str))
    less["fields"].remove(required)
    changes["a required field removed"] = less

    other = deepcopy(schema)
    field = next(f for f in other["fields"] if f["type"] in ("string", "long", "int"))
    field["type"] = "boolean"
    changes["another type"] = other

    strict = deepcopy(schema)
    enums = [part for part in named_types(strict) if part["type"] == "enum"]
    if enums:
        del enums[0]["symbols"][0], enums[0]["default"]
        changes["a symbol and the default removed"] = strict
    return changes


def named_types(schema: object) -> Iterator[dict[str, Any]]:
    """Yield every record and enum in a schema."""
    if isinstance(schema, list):
        for part in schema:
            yield from named_types(part)
    elif isinstance(schema, dict):
        if schema.get("type") in ("record", "enum"):
            yield schema
        for part in (schema.get("type"), schema.get("items"), *schema.get("fields", ())):
            yield from named_types(part)

"""How records of one writer's schema become records of ours: the resolution, done once.

A plan is a tree over the *writer's* fields in wire order. It says what to read, which Python
class to build, what to fill in for fields the writer did not know, and where the limits lie.
``rows`` and ``columns`` both walk it, so they cannot disagree about a schema.

Only what FULL compatibility allows is resolved: added and removed fields with defaults, changed
symbols of enums with a default. Anything else is ``Unreadable``.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from custody import events, heads, information, records
from custody.errors import Refused
from schemas import avro
from schemas.routes import BY_RECORD

NESTED: Mapping[str, type] = MappingProxyType(
    {
        f"custody.{cls.__name__}": cls
        for cls in (
            events.DeclaredOrigin,
            events.DeclaredAnalyte,
            events.Attribute,
            events.AssayResult,
            events.ScanResult,
            events.Document,
            records.Part,
            records.Metal,
            records.Amount,
            records.OriginShare,
            records.MetalOrigin,
            records.Share,
            records.AttributeAmount,
            records.ResidualFigure,
            records.DriftLevel,
            records.Posterior,
            records.Evidence,
            records.GatedShot,
            records.Detectable,
            records.CalibratedUntil,
            information.Cause,
            information.Onset,
            information.TripOnset,
            information.OtherSite,
            heads.SeenHead,
        )
    }
)
"""Class of each record inside a record."""

FOREIGN_CAP = 2_000
"""Items allowed in an array of a newer writer that states no cap of its own."""

_REAL_MAX = sys.float_info.max
"""Bound of a real that has no other, so that infinities and NaN are out of range."""
_LEAVES = frozenset({"int", "long", "double", "boolean", "string", "bytes"})
_NUMBERS = frozenset({"int", "long", "double", "boolean"})


class Unreadable(Refused):
    """A writer's schema cannot be resolved against ours."""

    def __init__(self, path: str, found: object) -> None:
        super().__init__(
            f"schema: field {path or '(record)'} has {found}",
            expected="a schema that is FULL compatible with ours",
            next_step="custody schema NAME shows ours",
        )


@dataclass(frozen=True, slots=True)
class Leaf:
    """A number, boolean, text or bytes.

    Attributes:
        kind: Avro name of the type.
        low: Least value allowed; None for no bound.
        high: Greatest value allowed; None for no bound.
        micros: A timestamp in microseconds.
    """

    kind: str
    low: float | None = None
    high: float | None = None
    micros: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """An enum: our symbol by the writer's index, so an unknown one is already our default."""

    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Maybe:
    """A value or null; ``null_index`` is the writer's branch of null."""

    null_index: int
    inner: "Node"


@dataclass(frozen=True, slots=True)
class Many:
    """A list of at most ``cap`` items."""

    item: "Node"
    cap: int


@dataclass(frozen=True, slots=True)
class Member:
    """One field of the writer; ``kept`` is False where our record does not have it."""

    name: str
    path: str
    node: "Node"
    kept: bool


@dataclass(frozen=True, slots=True)
class Struct:
    """A record.

    Attributes:
        cls: Class to build; None inside a field that is dropped.
        members: The writer's fields in wire order.
        names: Our fields in order; empty where ``cls`` is None.
        defaults: Our fields the writer does not have.
    """

    cls: type | None
    members: tuple[Member, ...]
    names: tuple[str, ...]
    defaults: Mapping[str, object]


Node = Leaf | Choice | Maybe | Many | Struct


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole of it for one writer's schema.

    Attributes:
        stem: Stem of the route table.
        root: The record.
        bytes_max: Bytes allowed in one message, framing included.
        numbers: Our fields that are a number or boolean and never null.
    """

    stem: str
    root: Struct
    bytes_max: int
    numbers: frozenset[str]


def plan_of(writer: avro.Schema) -> Plan | None:
    """Resolve a writer's schema against ours.

    Args:
        writer: A record schema as parsed JSON.

    Returns:
        The plan; None where the record is none of ours.

    Raises:
        Unreadable: The two schemas are not compatible.
    """
    route = BY_RECORD.get(f"{writer.get('namespace', '')}.{writer.get('name', '')}")
    if route is None:
        return None
    reader = avro.schema(route.stem)
    return Plan(
        stem=route.stem,
        root=_Resolution(_names(writer), _names(reader)).struct(writer, reader, route.type, ""),
        bytes_max=int(reader["message_bytes_max"]),
        numbers=frozenset(f["name"] for f in reader["fields"] if _kind(f["type"]) in _NUMBERS),
    )


@cache
def own_plan(stem: str) -> Plan:
    """Return the plan for records written under our present schema of a stem."""
    plan = plan_of(avro.schema(stem))
    assert plan is not None, stem
    return plan


def _names(schema: object, found: dict[str, Any] | None = None) -> dict[str, Any]:
    """Collect the named types below a schema; all live in one namespace."""
    found = {} if found is None else found
    if isinstance(schema, list):
        for part in schema:
            _names(part, found)
    elif isinstance(schema, dict):
        if schema.get("type") in ("record", "enum"):
            found[str(schema["name"]).rpartition(".")[2]] = schema
        for part in (schema.get("type"), schema.get("items"), *schema.get("fields", ())):
            _names(part, found)
    return found


class _Resolution:
    """Walks both schemas side by side; ``ours`` is None inside a field we do not have."""

    def __init__(self, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> None:
        self._theirs = theirs
        self._ours = ours

    def struct(
        self, theirs: avro.Schema, ours: avro.Schema | None, cls: type | None, path: str
    ) -> Struct:
        """Resolve a record."""
        wanted = {f["name"]: f for f in ours["fields"]} if ours else {}
        members = []
        for field in theirs["fields"]:
            name = field["name"]
            mine = wanted.get(name)
            node = self.node(field["type"], mine and mine["type"], mine or field, f"{path}{name}")
            members.append(Member(name, f"{path}{name}", node, mine is not None))
        known = {f["name"] for f in theirs["fields"]}
        missing = [f for name, f in wanted.items() if name not in known]
        for field in missing:
            if "default" not in field:
                raise Unreadable(path + field["name"], "no value from the writer")
        return Struct(
            cls,
            tuple(members),
            tuple(wanted),
            {f["name"]: () if f["default"] == [] else f["default"] for f in missing},
        )

    def node(self, theirs: object, ours: object, field: Mapping[str, Any], path: str) -> Node:
        """Resolve one type; ``field`` bears the limits."""
        theirs, ours = self._look(theirs, self._theirs), self._look(ours, self._ours)
        if isinstance(theirs, list):
            return self._maybe(theirs, ours, field, path)
        kind = _kind(theirs)
        if ours is not None and _kind(ours) != kind:
            raise Unreadable(path, f"{kind} for {_kind(ours)}")
        if kind in _LEAVES:
            return _leaf(kind, ours, field)
        if not isinstance(theirs, dict):
            raise Unreadable(path, kind)
        mine = ours if isinstance(ours, dict) else None
        if kind == "enum":
            return Choice(_symbols(theirs["symbols"], mine, path))
        if kind == "array":
            cap = int(field.get("cap", FOREIGN_CAP))
            items = self.node(theirs["items"], mine and mine["items"], {}, path)
            return Many(items, cap)
        if kind == "record":
            cls = NESTED[f"custody.{mine['name']}"] if mine else None
            return self.struct(theirs, mine, cls, f"{path}.")
        raise Unreadable(path, kind)

    def _maybe(
        self, theirs: Sequence[object], ours: object, field: Mapping[str, Any], path: str
    ) -> Maybe:
        values = [part for part in theirs if part != "null"]
        if len(theirs) != 2 or len(values) != 1:
            raise Unreadable(path, "a union that is not null and one type")
        inner = None
        if ours is not None:
            if not isinstance(ours, list):
                raise Unreadable(path, "a null for a required value")
            inner = next(part for part in ours if part != "null")
        return Maybe(theirs.index("null"), self.node(values[0], inner, field, path))

    @staticmethod
    def _look(schema: object, names: Mapping[str, Any]) -> object:
        """Follow a reference to a named type."""
        if isinstance(schema, str):
            return names.get(schema.rpartition(".")[2], schema)
        return schema


def _kind(schema: object) -> str:
    if isinstance(schema, dict):
        return str(schema["type"])
    return schema if isinstance(schema, str) else "union"


def _leaf(kind: str, ours: object, field: Mapping[str, Any]) -> Leaf:
    """Resolve a leaf; of a field we drop only the structure is checked."""
    if ours is None:
        return Leaf("bytes" if kind == "string" else kind)
    micros = isinstance(ours, dict) and ours.get("logicalType") == "timestamp-micros"
    low, high = field.get("min"), field.get("max")
    if kind == "double":
        low, high = (-_REAL_MAX if low is None else low), (_REAL_MAX if high is None else high)
    return Leaf(kind, low, high, micros)


def _symbols(theirs: Sequence[str], ours: avro.Schema | None, path: str) -> tuple[str, ...]:
    if ours is None:
        return tuple(theirs)
    default = ours.get("default")
    known = frozenset(ours["symbols"])
    if default is None and not known.issuperset(theirs):
        raise Unreadable(path, "a symbol we do not have, and no default")
    return tuple(s if s in known else str(default) for s in theirs)

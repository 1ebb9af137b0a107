"""The limits the schemas state, checked on a record before it is written.

The gateway asks here before it accepts, so that nothing it accepts is a dead letter later: the
bounds are those the shared reader enforces, read from the same resolved schemas.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.codec import FRAME_BYTES
from schemas.plan import Choice, Leaf, Many, Maybe, Node, Struct, own_plan
from schemas.routes import BY_TYPE, Record

TOO_MANY_ITEMS = "too_many_items"
OUT_OF_RANGE = "out_of_range"
UNKNOWN_SYMBOL = "unknown_symbol"

_BITS = {"int": 31, "long": 63}


@dataclass(frozen=True, slots=True)
class Violation:
    """A limit a record does not keep.

    Attributes:
        code: out_of_range, too_many_items or unknown_symbol.
        field: Path of the field, without item numbers, such as ``results.fraction``.
        found: What stands there, or how many items.
        allowed: The limit in words.
    """

    code: str
    field: str
    found: object
    allowed: str


def violation(record: Record) -> Violation | None:
    """Return the first limit a record does not keep, in field order; None where it keeps all."""
    return next(_struct(own_plan(BY_TYPE[type(record)].stem).root, record), None)


def body_bytes_max(stem: str) -> int:
    """Return the greatest length of an Avro body of a stem that readers take."""
    return own_plan(stem).bytes_max - FRAME_BYTES


def _struct(struct: Struct, record: object) -> Iterator[Violation]:
    for member in struct.members:
        yield from _node(member.node, member.path, getattr(record, member.name))


def _node(node: Node, path: str, value: object) -> Iterator[Violation]:
    match node:
        case Leaf():
            yield from _leaf(node, path, value)
        case Choice(symbols=symbols) if value not in symbols:
            yield Violation(UNKNOWN_SYMBOL, path, value, ", ".join(symbols))
        case Maybe(inner=inner) if value is not None:
            yield from _node(inner, path, value)
        case Many():
            assert isinstance(value, tuple), path
            yield from _many(node, path, value)
        case Struct():
            yield from _struct(node, value)
        case _:
            return


def _many(many: Many, path: str, items: tuple[object, ...]) -> Iterator[Violation]:
    if len(items) > many.cap:
        yield Violation(TOO_MANY_ITEMS, path, len(items), f"at most {many.cap} items")
    for item in items:
        yield from _node(many.item, path, item)


def _leaf(leaf: Leaf, path: str, value: object) -> Iterator[Violation]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    low, high = leaf.low, leaf.high
    if leaf.kind in _BITS:
        bound = 1 << _BITS[leaf.kind]
        low, high = (-bound if low is None else low), (bound - 1 if high is None else high)
    if low is None or high is None or not low <= value <= high:
        yield Violation(OUT_OF_RANGE, path, value, f"{low} to {high}")

"""Hypothesis strategies for every record of the route table, one named function per stem.

They are made from the resolved schemas, so they keep to what the schemas allow (ranges, symbols,
caps) and reach its edges; what a plant would really send is a matter of builders.
"""

from dataclasses import replace
from typing import Any, cast

from hypothesis import strategies as st

from custody import events, records
from custody.heads import Head
from schemas.plan import Choice, Leaf, Many, Maybe, Node, Struct, own_plan
from schemas.routes import ROUTES, Record

LIST_ITEMS_MAX = 4
"""Items drawn for a list, well below every cap; tests of caps build their own."""

texts = st.text(st.characters(codec="utf-8"), max_size=12)


def records_of(stem: str) -> st.SearchStrategy[Record]:
    """Draw records of a stem within their limits."""
    return cast(st.SearchStrategy[Record], _struct(own_plan(stem).root))


def unlimited_records_of(stem: str) -> st.SearchStrategy[Record]:
    """Draw records of a stem whose numbers are any their Avro types can hold."""
    return cast(st.SearchStrategy[Record], _struct(_unlimited(own_plan(stem).root)))


def any_record() -> st.SearchStrategy[Record]:
    """Draw records of any stem."""
    return st.one_of([records_of(route.stem) for route in ROUTES])


def lots() -> st.SearchStrategy[events.LotDeclared]:
    return cast(st.SearchStrategy[events.LotDeclared], records_of("lot"))


def weighings() -> st.SearchStrategy[events.LotWeighed]:
    return cast(st.SearchStrategy[events.LotWeighed], records_of("weighing"))


def assays() -> st.SearchStrategy[events.LotAssayed]:
    return cast(st.SearchStrategy[events.LotAssayed], records_of("assay"))


def scans() -> st.SearchStrategy[events.LotScanned]:
    return cast(st.SearchStrategy[events.LotScanned], records_of("xrf"))


def shipments() -> st.SearchStrategy[events.LotMoved]:
    return cast(st.SearchStrategy[events.LotMoved], records_of("shipment"))


def processings() -> st.SearchStrategy[events.MaterialProcessed]:
    return cast(st.SearchStrategy[events.MaterialProcessed], records_of("processing"))


def claims() -> st.SearchStrategy[events.ClaimMade]:
    return cast(st.SearchStrategy[events.ClaimMade], records_of("claim"))


def references() -> st.SearchStrategy[events.ReferenceSet]:
    return cast(st.SearchStrategy[events.ReferenceSet], records_of("reference"))


def actions() -> st.SearchStrategy[events.ActionTaken]:
    return cast(st.SearchStrategy[events.ActionTaken], records_of("action"))


def contents() -> st.SearchStrategy[records.Content]:
    return cast(st.SearchStrategy[records.Content], records_of("content"))


def sightings() -> st.SearchStrategy[records.Sighting]:
    return cast(st.SearchStrategy[records.Sighting], records_of("sighting"))


def ticks() -> st.SearchStrategy[records.Tick]:
    return cast(st.SearchStrategy[records.Tick], records_of("tick"))


def transfers() -> st.SearchStrategy[records.Transfer]:
    return cast(st.SearchStrategy[records.Transfer], records_of("transfer"))


def balances() -> st.SearchStrategy[records.Balance]:
    return cast(st.SearchStrategy[records.Balance], records_of("balance"))


def alerts() -> st.SearchStrategy[records.Alert]:
    return cast(st.SearchStrategy[records.Alert], records_of("alert"))


def dead_letters() -> st.SearchStrategy[records.DeadLetter]:
    return cast(st.SearchStrategy[records.DeadLetter], records_of("dead_letter"))


def heads() -> st.SearchStrategy[Head]:
    return cast(st.SearchStrategy[Head], records_of("head"))


def _node(node: Node) -> st.SearchStrategy[Any]:
    match node:
        case Leaf():
            return _leaf(node)
        case Choice():
            return st.sampled_from(node.symbols)
        case Maybe():
            return st.none() | _node(node.inner)
        case Many():
            return st.lists(_node(node.item), max_size=LIST_ITEMS_MAX).map(tuple)
        case Struct():
            return _struct(node)


def _struct(struct: Struct) -> st.SearchStrategy[Any]:
    assert struct.cls is not None
    return st.builds(struct.cls, **{m.name: _node(m.node) for m in struct.members})


def _unlimited(struct: Struct) -> Struct:
    members = [replace(member, node=_unbounded(member.node)) for member in struct.members]
    return replace(struct, members=tuple(members))


def _unbounded(node: Node) -> Node:
    match node:
        case Leaf():
            return replace(node, low=None, high=None)
        case Maybe():
            return replace(node, inner=_unbounded(node.inner))
        case Many():
            return replace(node, item=_unbounded(node.item))
        case Struct():
            return _unlimited(node)
        case Choice():
            return node


def _leaf(leaf: Leaf) -> st.SearchStrategy[Any]:
    match leaf.kind:
        case "string":
            return texts
        case "bytes":
            return st.binary(max_size=12)
        case "boolean":
            return st.booleans()
        case "double":
            return st.floats(leaf.low, leaf.high)
        case _:
            bits = 31 if leaf.kind == "int" else 63
            low = -(1 << bits) if leaf.low is None else int(leaf.low)
            high = (1 << bits) - 1 if leaf.high is None else int(leaf.high)
            return st.integers(low, high)

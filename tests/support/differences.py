"""The smallest thing to look at where two books differ: one account, one figure, its facts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields

from custody.events import Fact, LotFact

Sums = Mapping[str, Mapping[str, int]]
HEAD = {"event_id", "gateway_id", "gateway_epoch", "gateway_seq", "recorded_at", "occurred_at"}
FACTS_MAX = 40

GRAMS_TIED = 16
"""Grams by which a mass may differ: floats that are half a unit apart but for their last bit are
rounded either way, the second model multiplies in another order on purpose, and some ten such
roundings add up in one account of the histories drawn here."""

METAL_PER_GRAM = 60
"""Milligrams of metal that follow a gram of dry mass here."""

ATTRIBUTE_RELATIVE = 2e-6
"""Part of an attribute that follows the grams of ties: 16 g of the eight tonnes a lot has here."""

RELATIVE = 1e-9
"""Difference allowed to floats."""


def difference(found: Sums, expected: Sums, facts: Sequence[LotFact]) -> str:
    """Name the first account and figure that differ, in order of ids, or '' where none does.

    Args:
        found: Amounts by account.
        expected: Likewise.
        facts: All facts; those of the account's owner are shown.
    """
    for account in sorted(found.keys() | expected.keys()):
        one, other = found.get(account, {}), expected.get(account, {})
        for name in sorted(one.keys() | other.keys()):
            if not _same(name, one.get(name, 0), other.get(name, 0)):
                head = f"{account} {name}: {one.get(name, 0)} but should be {other.get(name, 0)}"
                return "\n".join([head, *shown(facts_of(account, facts))])
    return ""


def _same(name: str, one: int, other: int) -> bool:
    tied = GRAMS_TIED * (1 if name in ("wet", "dry") else METAL_PER_GRAM)
    relative = ATTRIBUTE_RELATIVE if name.startswith("@") else RELATIVE
    return abs(one - other) <= tied + relative * max(abs(one), abs(other))


def facts_of(account: str, facts: Iterable[LotFact]) -> list[LotFact]:
    """The facts that name what an account is about, in canonical order."""
    named = set(account.split("/")[1:2])
    about = [
        fact
        for fact in facts
        if {fact.lot_id, getattr(fact, "process_id", None), getattr(fact, "output_lot_id", None)}
        & named
    ]
    return sorted(about, key=lambda f: (f.occurred_at, f.recorded_at, f.event_id))


def shown(facts: Sequence[Fact]) -> list[str]:
    """One line for each fact: its class, short id, and the fields that say something."""
    lines = []
    for fact in facts[:FACTS_MAX]:
        said = {
            f.name: getattr(fact, f.name)
            for f in fields(fact)
            if f.name not in HEAD and getattr(fact, f.name) not in (None, (), False, "")
        }
        lines.append(f"  {type(fact).__name__} {fact.event_id[:8]} {said}")
    return lines

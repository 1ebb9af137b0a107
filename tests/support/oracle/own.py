"""What a lot has of its own beside what processes handed over, and what comes back to it."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from custody.events import Fact, MaterialProcessed
from tests.support.oracle.amounts import Handed

if TYPE_CHECKING:
    from tests.support.oracle.lots import LotBooks


class Back(NamedTuple):
    """What is known of a lot that comes back from a process, beside what that handed over.

    Attributes:
        supplies: Processes that give the lot, and where, and when first.
        fed: What inputs took that are not taken from these books, by event.
        at: When the lot came back after the input that is asked for.
    """

    supplies: Mapping[tuple[str, str], int]
    fed: Mapping[str, Handed] = MappingProxyType({})
    at: int | None = None


def part(bare: "LotBooks", facts: Sequence[Fact], back: Back) -> Handed | None:
    """Its own as one more amount that was handed over; None where it has none.

    Args:
        bare: The lot's books had processes handed over nothing.
        facts: Its facts that stand.
        back: Processes that give the lot.
    """
    sold = {p.cause for p in bare.postings if p.kind == "sale"}
    first = [p for p in bare.postings if p.kind == "first_weighing" and p.cause not in sold]
    wet = sum(p.amounts["wet"] for p in first)
    givers = {process for process, _ in back.supplies}
    for fact in facts:
        if isinstance(fact, MaterialProcessed) and fact.process_id in givers and wet > 0:
            wet -= _taken(fact, wet, bare.now.moisture or 0.0)
    if wet <= 0:
        return None
    dry = wet * (1 - (bare.now.moisture or 0.0))
    amounts = bare.now.content(wet, dry) | bare.attributes(wet, dry)
    return Handed("", 0, "", amounts, bare.carried)


def _taken(side: MaterialProcessed, left: int, moisture: float) -> int:
    """The wet mass an input took; one that states no mass took all there was."""
    if side.mass_wet_g is not None:
        return side.mass_wet_g
    if side.mass_dry_g is None:
        return left
    share = 1 - (moisture if side.moisture_fraction is None else side.moisture_fraction)
    return round(side.mass_dry_g / share) if share >= 0.001 else side.mass_dry_g

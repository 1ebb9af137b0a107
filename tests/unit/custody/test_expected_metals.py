"""Which metals of a balance nobody has measured: a separation is expected to have given them."""

import pytest

from custody.events import LotFact
from tests.support.agreement import said_in, unlike
from tests.support.facts import Maker
from tests.support.oracle.books import Oracle
from tests.support.oracle.rules import RULES
from tests.support.world import World

TONNE = 1_000_000


def worked(kind: str, process: str = "P-1", feed: str = "IN", out: str = "OUT") -> list[LotFact]:
    """All of a lot goes into a process, and half of it comes out as another."""
    minute = 100 * int(process[-1])
    maker = Maker(process)
    side = {"kind": kind, "mass_wet_g": 10 * TONNE}
    return [
        Maker(f"{feed}-{process}").side("PLANT", minute, "input", process, lot_id=feed, **side),
        maker.side(
            "PLANT",
            minute + 1,
            "output",
            process,
            kind=kind,
            output_lot_id=out,
            mass_wet_g=5 * TONNE,
        ),
    ]


def ore() -> list[LotFact]:
    maker = Maker("IN")
    return [
        maker.weighing("PLANT", 10, "stock", 25_000, 15_000, movement_id=None),
        maker.assay("PLANT", 20, {"Cu": (0.03, 0.0003), "Co": (0.004, 0.0001)}, (0.1, 0.002)),
    ]


def certificate(lot: str, minute: float, **grades: float) -> LotFact:
    values: dict[str, tuple[float, float | None]] = {
        name: (value, 0.01 * value) for name, value in grades.items()
    }
    return Maker("of " + lot).assay("PLANT", minute, values, None, lot_id=lot)


def expected(lot: str, *facts: LotFact) -> set[str]:
    """The metals that the lot's balance marks, by core and second model."""
    world = World()
    world.tell(*facts)
    assert unlike(Oracle(facts), said_in(world), facts, RULES) == ""
    [balance] = [one for one in world.balances.values() if one.owner == "lot/" + lot]
    return {metal.analyte for metal in balance.metals if metal.expected}


@pytest.mark.parametrize("kind", ["concentrate", "leach", "smelt", "refine", "other"])
def test_a_metal_of_a_separation_is_expected_until_a_certificate_gives_it(kind: str) -> None:
    facts = [*ore(), *worked(kind)]
    assert expected("OUT", *facts) == {"Cu", "Co"}
    assert expected("OUT", *facts, certificate("OUT", 150, Cu=0.05)) == {"Co"}
    assert expected("OUT", *facts, certificate("OUT", 150, Cu=0.05, Co=0.006)) == set()
    assert expected("IN", *facts) == set()


@pytest.mark.parametrize("kind", ["blend", "split", "crush", "repack", "stockpile"])
def test_what_is_not_separated_is_as_expected_as_what_went_in(kind: str) -> None:
    assert expected("OUT", *ore(), *worked(kind)) == set()
    chain = [*ore(), *worked("concentrate"), *worked(kind, "P-2", "OUT", "NEXT")]
    assert expected("NEXT", *chain) == {"Cu", "Co"}
    assert expected("NEXT", *chain, certificate("OUT", 150, Cu=0.05)) == {"Co"}
    assert expected("NEXT", *chain, certificate("NEXT", 250, Co=0.006)) == {"Cu"}


def test_a_pile_forgets_what_was_expected_once_it_is_empty() -> None:
    pile = Maker("pile")
    kind = {"kind": "stockpile"}
    facts = [
        *ore(),
        *worked("concentrate"),
        Maker("a").side("PLANT", 200, "input", "P-2", lot_id="OUT", mass_dry_g=TONNE, **kind),
        pile.side("PLANT", 201, "output", "P-2", output_lot_id="ALL", mass_dry_g=TONNE, **kind),
        Maker("b").side("PLANT", 202, "input", "P-2", lot_id="IN", mass_dry_g=TONNE, **kind),
        pile.side("PLANT", 203, "output", "P-2", output_lot_id="NEXT", mass_dry_g=TONNE, **kind),
    ]
    assert expected("ALL", *facts) == {"Cu", "Co"}
    assert expected("NEXT", *facts) == set()

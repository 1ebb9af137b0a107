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


def never_assayed_for_cobalt(lot: str = "BARE") -> list[LotFact]:
    """10 t of which a certificate gives copper, and nobody ever asked for cobalt."""
    maker = Maker(lot)
    return [
        maker.weighing("PLANT", 10, "stock", 25_000, 15_000, movement_id=None),
        maker.assay("PLANT", 20, {"Cu": (0.02, 0.0002)}, (0.1, 0.002)),
    ]


@pytest.mark.parametrize("kind", ["blend", "repack", "stockpile"])
def test_what_a_part_of_a_mixture_has_no_figure_of_is_at_least_what_the_others_hold(
    kind: str,
) -> None:
    """36 kg of cobalt in one half, and nobody knows what in the other."""
    other = Maker("other").side(
        "PLANT", 99, "input", "P-1", kind=kind, lot_id="BARE", mass_wet_g=10 * TONNE
    )
    facts = [*ore(), *never_assayed_for_cobalt(), other, *worked(kind)]
    assert expected("OUT", *facts) == {"Co"}
    assert expected("OUT", *facts, certificate("BARE", 30, Co=0.001)) == set()
    assert expected("OUT", *facts, certificate("OUT", 300, Co=0.002)) == set()


@pytest.mark.parametrize("kind", ["blend", "stockpile"])
def test_it_stays_so_in_what_that_goes_into(kind: str) -> None:
    other = Maker("other").side(
        "PLANT", 99, "input", "P-1", kind="blend", lot_id="BARE", mass_wet_g=10 * TONNE
    )
    on = worked(kind, "P-2", "OUT", "ON")
    facts = [*ore(), *never_assayed_for_cobalt(), other, *worked("blend"), *on]
    assert expected("ON", *facts) == {"Co"}


def test_a_pile_that_nobody_knew_makes_all_metals_the_least_there_is() -> None:
    """5 t lay there when the first survey was taken, before any ore of the books came."""
    survey = Maker("survey").side(
        "PLANT", 5, "stock", "P-1", kind="stockpile", mass_wet_g=5 * TONNE, moisture_fraction=0.1
    )
    world = World()
    world.tell(survey, *ore(), *worked("stockpile"))
    metals = world.balances["lot/OUT/PLANT"].metals
    assert {metal.analyte: metal.expected for metal in metals} == {"Cu": True, "Co": True}


def test_water_has_none_and_leaves_the_others_as_known_as_they_were() -> None:
    maker = Maker("WET")
    water: list[LotFact] = [
        maker.weighing("PLANT", 10, "stock", 25_000, 15_000, movement_id=None),
        maker.side(
            "PLANT", 99, "input", "P-1", kind="blend", mass_wet_g=TONNE, moisture_fraction=1.0
        ),
    ]
    assert expected("OUT", *ore(), *water, *worked("blend")) == set()


def test_a_lots_own_that_nobody_assayed_makes_what_it_got_the_least_there_is() -> None:
    own = Maker("OUT").weighing("PLANT", 15, "stock", 25_000, 15_000, movement_id=None)
    facts = [*ore(), *worked("split"), own]
    assert expected("OUT", *facts) == {"Cu", "Co"}
    assert expected("OUT", *facts, certificate("OUT", 300, Cu=0.02)) == {"Co"}

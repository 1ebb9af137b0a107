"""A side that states a wet mass, a dry mass and a moisture that the two contradict."""

import pytest

from custody.events import LotFact
from custody.stated import contradicted
from tests.support.agreement import said_in, unlike
from tests.support.facts import Maker
from tests.support.instruments import reference
from tests.support.oracle.books import Oracle
from tests.support.oracle.rules import RULES
from tests.support.world import World

TONNE = 1_000_000
TWO = {"mass_wet_g": 10 * TONNE, "mass_dry_g": 9 * TONNE}


def books(*facts: LotFact) -> World:
    """A world that was told facts, and agrees with the second model."""
    world = World()
    world.tell(*facts)
    assert unlike(Oracle(facts), said_in(world), facts, RULES) == ""
    return world


def fed(kind: str, **side: object) -> list[LotFact]:
    """Ore of 10 % moisture, of which some goes into P-1."""
    maker = Maker("IN")
    return [
        maker.lot("PLANT", 0, {"Cu": 0.02}),
        maker.weighing("PLANT", 10, "stock", 45_000, 15_000, movement_id=None),
        maker.assay("PLANT", 20, {"Cu": (0.02, 0.0002)}, (0.1, 0.002)),
        maker.side("PLANT", 30, "input", "P-1", kind=kind, **side),
    ]


@pytest.mark.parametrize("kind", ["crush", "stockpile"])
def test_a_moisture_that_two_masses_contradict_is_found(kind: str) -> None:
    """9 t dry in 10 t were accepted with a moisture of 50 %, and nothing was said."""
    out = Maker("OUT").side(
        "PLANT", 40, "output", "P-1", kind=kind, output_lot_id="OUT", moisture_fraction=0.5, **TWO
    )
    world = books(*fed(kind, mass_wet_g=20 * TONNE), out)
    (alert,) = [one for one in world.alerts.values() if one.state == "open"]
    assert (alert.rule, alert.subject) == ("stated_dry_differs", "process/P-1")
    assert alert.reason == (
        "A side of P-1 states 9.000 t of dry mass in 10.000 t and a moisture of 50.00%, by which"
        " it is 5.000 t; the two masses count"
    )
    assert world.balances["lot/OUT/PLANT"].mass_dry_g == 9 * TONNE


def test_of_what_goes_in_the_lot_says_it() -> None:
    world = books(*fed("crush", moisture_fraction=0.5, **TWO))
    (alert,) = [one for one in world.alerts.values() if one.state == "open"]
    assert (alert.rule, alert.subject) == ("stated_dry_differs", "lot/IN")


@pytest.mark.parametrize(("moisture", "found"), [(0.1, False), (0.119, False), (0.121, True)])
def test_within_four_sigma_of_the_sites_laboratory_nothing_is_found(
    moisture: float, *, found: bool
) -> None:
    facts = fed("crush", moisture_fraction=moisture, **TWO)
    assert (books(*facts).open_rules() == {("stated_dry_differs", "lot/IN")}) == found
    world = World()
    world.tell(reference("laboratory", "PLANT", {"moisture_u": 0.01}), *facts)
    assert world.open_rules() == set()


@pytest.mark.parametrize(
    ("masses", "moisture", "u_mass"),
    [
        ((10_000, None), 0.5, None),
        ((None, 9_000), 0.5, None),
        ((10_000, 9_000), None, None),
        ((0, 0), 0.5, None),
        ((10_000, 9_000), 0.2, 300),
    ],
)
def test_two_figures_of_three_or_a_mass_known_badly_contradict_nothing(
    masses: tuple[int | None, int | None], moisture: float | None, u_mass: int | None
) -> None:
    assert contradicted(masses, moisture, (u_mass, 0.005)) is None

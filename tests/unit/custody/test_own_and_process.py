"""A lot that has material of its own and gets more from a process: it keeps its own."""

from itertools import permutations
from random import Random

import pytest

from custody.events import Attribute, DeclaredOrigin, LotFact
from custody.records import Balance
from tests.support.agreement import said_in, unlike
from tests.support.facts import Maker
from tests.support.oracle.books import Oracle
from tests.support.oracle.rules import RULES
from tests.support.world import World

TONNE = 1_000_000
LEG = ("MINE", "PLANT")


def books(*facts: LotFact) -> World:
    """A world that was told facts, and agrees with the second model."""
    world = World()
    world.tell(*facts)
    assert unlike(Oracle(facts), said_in(world), facts, RULES) == ""
    return world


def declared(maker: Maker, site: str, country: str, **more: object) -> LotFact:
    """Ore of a country, of 1 kg CO2e a tonne of dry mass; nobody says its grade."""
    origins = (DeclaredOrigin(level="country", id=country, share=1.0),)
    co2 = Attribute(
        name="co2e", amount=1.0, unit="kg", per="t_dry", quality="measured", source=None
    )
    return maker.lot(site, 0, {}, declared_origins=origins, attributes=(co2,), **more)


def fed_from(maker: Maker) -> list[LotFact]:
    """50 t of ore of ZM at the plant, 20 % moisture and 5 % Cu, of which 20 t go into S-1."""
    return [
        declared(maker, "PLANT", "ZM"),
        maker.weighing("PLANT", 60, "stock", 65_000, 15_000, movement_id=None),
        maker.assay("PLANT", 120, {"Cu": (0.05, 0.0005)}, (0.2, 0.002)),
        maker.side("PLANT", 240, "input", "S-1", kind="split", mass_wet_g=20 * TONNE),
    ]


def split(lot: str, tonnes: int = 20) -> list[LotFact]:
    """S-1 gives some of it to a lot."""
    sides = Maker("sides")
    out = {"output_lot_id": lot, "mass_wet_g": tonnes * TONNE}
    return [
        sides.side("PLANT", 270, "output", "S-1", kind="split", **out),
        sides.side("PLANT", 300, "close", "S-1", kind="split"),
    ]


def trucked(maker: Maker) -> list[LotFact]:
    """30 t of ore of CD that came from the mine."""
    return [
        declared(maker, "MINE", "CD"),
        maker.weighing("MINE", 60, "dispatch", 45_000, 15_000),
        maker.weighing("PLANT", 78, "receipt", 45_000, 15_000),
    ]


def surveyed(maker: Maker, tonnes: int = 100) -> list[LotFact]:
    """Ore of CD that lay at the plant before anything was added."""
    gross = tonnes * 1_000 + 15_000
    return [
        declared(maker, "PLANT", "CD"),
        maker.weighing("PLANT", 60, "stock", gross, 15_000, movement_id=None),
    ]


def of(world: World, lot: str = "A") -> Balance:
    return world.balances[f"lot/{lot}/PLANT"]


def shares(balance: Balance) -> dict[str, float]:
    return {one.id: one.share for one in balance.origins}


def test_what_came_by_truck_and_what_a_process_gave_add_up() -> None:
    """28.5 t dry (5 % of a default) of CD and 16 t of ZM, which hold 800 kg of copper."""
    world = books(*trucked(Maker("A")), *fed_from(Maker("Z")), *split("A"))
    here = of(world)
    assert (here.mass_wet_g, here.mass_dry_g) == (50 * TONNE, 44_500_000)
    assert {m.analyte: m.value_mg for m in here.metals} == {"Cu": 800 * TONNE}
    assert shares(here) == pytest.approx({"CD": 28.5 / 44.5, "ZM": 16 / 44.5})
    assert {(s.dimension, s.label): s.share for s in here.shares} == pytest.approx(
        {("mined", "CD"): 28.5 / 44.5, ("mined", "ZM"): 16 / 44.5}
    )
    assert [one.id for one in here.metal_origins if one.analyte == "Cu"] == ["ZM"]
    assert [a.value_micro for a in here.attributes] == [44_500_000]
    # The mine gave its own, no copper of a mixture it never saw.
    assert world.sums()["origin/MINE"] == {"wet": -30 * TONNE, "dry": -28_500_000}
    assert "unaccounted/A" not in world.sums()
    assert world.open_rules() == set()


def test_a_pile_that_was_surveyed_before_more_came_is_not_overdrawn() -> None:
    """100 t surveyed, 20 t handed in, 60 t out: 60 t are left, and half of everything."""
    out = Maker("A out").side(
        "PLANT", 360, "input", "T-1", kind="blend", mass_wet_g=60 * TONNE, lot_id="A"
    )
    world = books(*surveyed(Maker("A")), *fed_from(Maker("Z")), *split("A"), out)
    here = of(world)
    assert (here.mass_wet_g, here.mass_dry_g) == (60 * TONNE, 55_500_000)
    assert {m.analyte: m.value_mg for m in here.metals} == {"Cu": 400 * TONNE}
    assert shares(here) == pytest.approx({"CD": 95 / 111, "ZM": 16 / 111})
    assert "unaccounted/A" not in world.sums()
    assert world.open_rules() == set()


def test_what_was_surveyed_with_what_a_process_had_given_is_no_material_of_its_own() -> None:
    """All that lies there was handed over an hour before: nothing came out of the ground."""
    stock = Maker("A").weighing("PLANT", 330, "stock", 35_000, 15_000, movement_id=None)
    world = books(*fed_from(Maker("Z")), *split("A"), stock)
    assert "origin/PLANT" not in {t.debit for t in world.transfers if t.lot_id == "A"}
    assert of(world).mass_dry_g == 16 * TONNE


def test_what_was_sold_before_anything_joined_it_is_not_in_the_mixture() -> None:
    """10 t of the mine's 40 go to a trader at once: 30 t are left to be mixed with 20."""
    maker = Maker("A")
    trader = {"movement_id": "M-9", "counterparty": "TRADER", "to_site": None}
    sold: list[LotFact] = [
        maker.weighing("MINE", 20, "dispatch", 25_000, 15_000, movement_id="M-9"),
        maker.move("dispatch", "MINE", 21, ("MINE", "-"), **trader),
    ]
    world = books(*trucked(maker), *sold, *fed_from(Maker("Z")), *split("A"))
    assert of(world).mass_dry_g == 44_500_000
    assert "unaccounted/A" not in world.sums()


def test_a_certificate_is_of_both_and_no_word_about_the_process() -> None:
    """The mixture is 12 % water and 2 % Cu: what is off nobody can tell, so the lot keeps it."""
    certificate = Maker("A cert").assay(
        "PLANT", 400, {"Cu": (0.02, 0.0002)}, (0.12, 0.002), lot_id="A"
    )
    world = books(*trucked(Maker("A")), *fed_from(Maker("Z")), *split("A"), certificate)
    here = of(world)
    assert here.mass_dry_g == 44 * TONNE
    assert here.metals[0].value_mg == 880 * TONNE
    assert "unaccounted/S-1" not in world.sums()
    assert shares(here) == pytest.approx({"CD": 26.4 / 42.4, "ZM": 16 / 42.4})


def test_half_of_a_pile_that_is_crushed_under_its_own_id_keeps_the_other_half() -> None:
    """60 of 100 t go in with 20 t of another lot, and 80 t come back: 95 t dry and 16."""
    maker, sides = Maker("A"), Maker("sides")
    world = books(
        *surveyed(maker),
        *fed_from(Maker("Z")),
        maker.side("PLANT", 250, "input", "S-1", kind="split", mass_wet_g=60 * TONNE),
        sides.side(
            "PLANT", 270, "output", "S-1", kind="split", output_lot_id="A", mass_wet_g=80 * TONNE
        ),
        sides.side("PLANT", 300, "close", "S-1", kind="split"),
    )
    here = of(world)
    assert (here.mass_wet_g, here.mass_dry_g) == (120 * TONNE, 111 * TONNE)
    assert shares(here) == pytest.approx({"CD": 95 / 111, "ZM": 16 / 111})
    assert [a.value_micro for a in here.attributes] == [111_000_000]
    assert "unaccounted/A" not in world.sums()


def test_any_order_ends_in_the_same_books() -> None:
    maker = Maker("A")
    mine = trucked(maker)
    later: list[LotFact] = [
        maker.weighing("MINE", 400, "dispatch", 25_000, 15_000, movement_id="M-2"),
        maker.weighing("PLANT", 420, "receipt", 25_000, 15_000, movement_id="M-2"),
        maker.side("PLANT", 500, "input", "T-1", kind="blend", mass_wet_g=12 * TONNE),
    ]
    facts = [*mine, *later, *fed_from(Maker("Z")), *split("A")]
    for seed in range(20):
        order = list(facts)
        Random(seed).shuffle(order)
        books(*order)
    for some in permutations([*mine, split("A")[0]]):
        books(*fed_from(Maker("Z")), *some)


def test_a_metal_that_only_material_of_unknown_origin_holds_is_of_unknown_origin() -> None:
    """Nobody says where the lot's own came from, and it alone holds zinc."""
    own = Maker("A").weighing("PLANT", 60, "stock", 45_000, 15_000, movement_id=None)
    shot = Maker("A gun").shot("PLANT", 61, {"Zn": 0.01}, lot_id="A")
    here = of(books(own, shot, *fed_from(Maker("Z")), *split("A")))
    assert {one.id for one in here.origins} == {"ZM", ""}
    zinc = [(one.level, one.share) for one in here.metal_origins if one.analyte == "Zn"]
    assert zinc == [("unknown", 1.0)]

"""What a process's output is when it states its dry mass, or that it is water."""

import math

import pytest

from custody.events import Attribute, LotFact
from custody.records import Balance, Part
from tests.support.agreement import attributes_of, said_in, unlike
from tests.support.facts import Maker, last_ticks
from tests.support.oracle.books import Oracle
from tests.support.oracle.rules import RULES
from tests.support.world import World

TONNE = 1_000_000


def books(*facts: LotFact) -> World:
    """A world that was told facts, and agrees with the second model."""
    world = World()
    world.tell(*facts)
    assert unlike(Oracle(facts), said_in(world), facts, RULES) == ""
    return world


def fed(tonnes: int, moisture: float, kind: str, **declared: object) -> list[LotFact]:
    """Ore of 2.5 % Cu or concentrate of 25 %, certified at the plant, that goes into P-1 whole."""
    maker, copper = Maker("IN"), 0.25 if kind == "smelt" else 0.025
    gross = tonnes * 1_000 + 15_000
    return [
        maker.lot("PLANT", 0, {"Cu": copper}, **declared),
        maker.weighing("PLANT", 10, "stock", gross, 15_000, movement_id=None),
        maker.assay("PLANT", 20, {"Cu": (copper, 0.01 * copper)}, (moisture, 0.0025)),
        maker.side("PLANT", 30, "input", "P-1", kind=kind, mass_wet_g=tonnes * TONNE),
    ]


def of_lot(world: World, lot: str = "OUT", place: str = "PLANT") -> Balance:
    return world.balances[f"lot/{lot}/{place}"]


def given(kind: str, **out: object) -> LotFact:
    """What P-1 gives: lot OUT."""
    maker = Maker("sides")
    return maker.side("PLANT", 100, "output", "P-1", kind=kind, output_lot_id="OUT", **out)


@pytest.mark.parametrize("kind", ["blend", "stockpile", "smelt"])
def test_an_output_of_water_has_no_dry_mass(kind: str) -> None:
    """0.4 t of filtrate: the lot was given the 5 % of an ore nobody knows, 0.38 t of dry mass."""
    out = {"mass_wet_g": 400_000, "moisture_fraction": 1.0}
    world = books(*fed(10, 0.1, kind), given(kind, **out))
    water = of_lot(world)
    assert (water.mass_wet_g, water.mass_dry_g, water.moisture_fraction) == (400_000, 0, 1.0)
    assert not any(metal.value_mg for metal in water.metals)
    assert world.sums().get("unaccounted/OUT") is None


def test_what_is_said_of_water_makes_no_metal_of_it() -> None:
    """A grade as is would be of the wet mass, an attribute per tonne of dry mass or of metal."""
    water = Maker("OUT")
    out = {"mass_wet_g": 400_000, "moisture_fraction": 1.0}
    world = books(
        *fed(10, 0.1, "blend"),
        given("blend", **out),
        water.lot("PLANT", 120, {"Cu": 0.01}, declared_mass_dry_g=TONNE),
        water.shot("PLANT", 130, {"Cu": 0.02, "Co": 0.01}),
        water.weighing("PLANT", 140, "dispatch", 15_400, 15_000),
        water.move("dispatch", "PLANT", 141, ("PLANT", "PORT")),
    )
    assert of_lot(world, place="transit").mass_dry_g == 0
    assert not any(metal.value_mg for metal in of_lot(world, place="transit").metals)


def test_a_loss_of_water_takes_wet_mass_alone() -> None:
    maker = Maker("loss")
    lost = {"loss_kind": "evaporation", "mass_wet_g": 500_000, "moisture_fraction": 1.0}
    world = books(*fed(10, 0.1, "blend"), maker.side("PLANT", 90, "loss", "P-1", **lost))
    assert world.sums()["loss/P-1/evaporation"] == {"wet": 500_000}


def certified(moisture: float | None, copper: float, minute: float = 200) -> LotFact:
    """A certificate of OUT."""
    said = None if moisture is None else (moisture, 0.0005)
    return Maker(f"of OUT {minute}").assay(
        "PLANT", minute, {"Cu": (copper, 0.003)}, said, lot_id="OUT"
    )


def closed(kind: str) -> LotFact:
    return Maker("close").side("PLANT", 110, "close", "P-1", kind=kind)


def test_a_stated_dry_mass_stands_and_a_certificates_moisture_tells_the_wet_mass() -> None:
    """Matte: 11.000 t dry of a smelter's 30 t feed of 10 %; 0.1 % of water makes 11.011 t of it.

    Worked out with the moisture of the feed it weighed 12.222 t, 12.210 t of them dry.
    """
    before = [*fed(30, 0.1, "smelt"), given("smelt", mass_dry_g=11 * TONNE)]
    world = books(*before, certified(0.001, 0.6), closed("smelt"))
    matte = of_lot(world)
    assert (matte.mass_wet_g, matte.mass_dry_g) == (11_011_011, 11 * TONNE)
    assert matte.metals[0].value_mg == pytest.approx(6_600 * TONNE, abs=300)  # half a gram
    # Of what went in, 27 t dry: 16 t are slag and gas, and all the water but eleven litres.
    assert world.sums()["conversion/P-1"] == {"wet": 30 * TONNE - 11_011_011, "dry": 16 * TONNE}
    assert "unaccounted/OUT" not in world.sums()
    again = books(*before, closed("smelt"))
    assert of_lot(again).mass_dry_g == 11 * TONNE


@pytest.mark.parametrize("moisture", [0.0, 0.001, 0.05, 0.37])
def test_a_stated_dry_mass_is_known_as_it_was_stated_and_its_water_by_the_certificate(
    moisture: float,
) -> None:
    """u of 55 kg of the mass, and of the moisture 0.05 %: it is in the wet mass alone."""
    out = given("smelt", mass_dry_g=11 * TONNE, u_mass_g=55_000)
    world = books(*fed(30, 0.1, "smelt"), out, certified(moisture, 0.6))
    found = of_lot(world)
    assert found.mass_dry_g == 11 * TONNE
    rel = 55_000 / (11 * TONNE / 0.9)
    assert u_of(found.mass_dry_u_random_g, found.mass_dry_u_systematic_g) == pytest.approx(
        rel * 11 * TONNE, rel=1e-3
    )
    assert u_of(found.mass_wet_u_random_g, found.mass_wet_u_systematic_g) == pytest.approx(
        math.hypot(rel, 0.0005 / (1 - moisture)) * found.mass_wet_g, rel=1e-3
    )


def u_of(random: float, parts: tuple[Part, ...]) -> float:
    return math.hypot(random, *[part.u for part in parts])


def test_what_is_weighed_out_as_wet_as_its_certificate_says_leaves_nothing_behind() -> None:
    """Else 1.211 t of dry mass stayed where all 11.010 t had gone."""
    matte = Maker("matte")
    gone: list[LotFact] = [
        matte.weighing("PLANT", 300, "dispatch", 26_010, 15_000, lot_id="OUT"),
        matte.move("dispatch", "PLANT", 301, ("PLANT", "PORT"), lot_id="OUT"),
    ]
    dry = given("smelt", mass_dry_g=11 * TONNE)
    world = books(*fed(30, 0.1, "smelt"), dry, certified(0.001, 0.6), *gone)
    assert "lot/OUT/PLANT" not in world.sums()
    assert world.sums()["lot/OUT/transit"]["wet"] == 11_010_000
    assert world.open_rules() == set()


def test_a_concentrates_stated_dry_mass_balances_where_its_certificate_comes() -> None:
    """8.730 t dry stated, 9 % of water found: 0.540 t were missing of it."""
    maker = Maker("tailings")
    lost = maker.side(
        "PLANT", 105, "loss", "P-1", kind="concentrate", loss_kind="tailings", mass_dry_g=88_270_000
    )
    facts = [
        *fed(100, 0.03, "concentrate"),
        given("concentrate", mass_dry_g=8_730_000),
        lost,
        certified(0.09, 0.25),
        closed("concentrate"),
    ]
    world = books(*facts)
    world.tell(*last_ticks())
    assert of_lot(world).mass_dry_g == 8_730_000
    assert world.open_rules() == set()
    assert "dry" not in world.sums().get("unaccounted/P-1", {})


def test_of_a_mass_that_is_stated_both_ways_the_wet_one_was_weighed() -> None:
    """It states a moisture, and a certificate's takes the place of that as of any other."""
    out = given("smelt", mass_wet_g=11_000_000, mass_dry_g=10_900_000)
    world = books(*fed(30, 0.1, "smelt"), out, certified(0.001, 0.6))
    assert (of_lot(world).mass_wet_g, of_lot(world).mass_dry_g) == (11_000_000, 10_989_000)


@pytest.mark.parametrize(("moisture", "sigmas"), [(0.001, None), (0.05, "-8.1"), (0.03, "-4.2")])
def test_two_stated_masses_that_a_certificate_contradicts_are_found(
    moisture: float, sigmas: str | None
) -> None:
    """0.91 % of water by the two, with the site's u of 0.5 %, and 0.05 % of the certificate."""
    out = given("smelt", mass_wet_g=11_000_000, mass_dry_g=10_900_000)
    world = books(*fed(30, 0.1, "smelt"), out, certified(moisture, 0.6))
    found = [alert for alert in world.alerts.values() if alert.rule == "stated_dry_differs"]
    assert [alert.subject for alert in found] == ["lot/OUT"] * (sigmas is not None)
    for alert in found:
        assert f"({sigmas} sigma), which counts" in alert.reason
        world.tell(certified(0.0091, 0.6, 300))
    assert world.open_rules() == set()


def test_two_processes_stated_dry_masses_both_stand() -> None:
    """A certificate of what they gave together tells each only the water of its own."""
    one, two = Maker("one"), Maker("two")
    world = books(
        *fed(30, 0.1, "smelt"),
        one.side(
            "PLANT", 100, "output", "P-1", kind="smelt", output_lot_id="OUT", mass_dry_g=TONNE
        ),
        two.side("MILL", 90, "output", "P-2", kind="smelt", output_lot_id="OUT", mass_dry_g=TONNE),
        certified(0.2, 0.6),
    )
    for place in ("PLANT", "MILL"):
        found = of_lot(world, place=place)
        assert (found.mass_wet_g, found.mass_dry_g) == (1_250_000, TONNE)
    measured = {(t.credit, t.mass_wet_g, t.mass_dry_g) for t in world.transfers
                if t.kind == "measured"}  # fmt: skip
    assert ("process/P-2", -250_000, 0) in measured


def refined(moisture: float, minute: float = 300, tonnes: float = 11.0) -> LotFact:
    """OUT goes into P-2 by a dry mass and the wet one that the scale there shows."""
    dry = round(tonnes * TONNE)
    masses = {"mass_dry_g": dry, "mass_wet_g": round(dry / (1 - moisture))}
    return Maker(f"fed {minute}").side(
        "PLANT", minute, "input", "P-2", kind="refine", lot_id="OUT", **masses
    )


@pytest.mark.parametrize("feed", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("moisture", [0.001, 0.12])
def test_a_stated_dry_mass_that_left_whole_leaves_no_water_and_no_debt(
    feed: float, moisture: float
) -> None:
    """Matte of 11.000 t dry, taken to be as wet as its feed, went on whole, and has no certificate.

    Of a feed of 10 % the lot kept 1.212 t, and for that 1.091 t of dry mass that nobody had seen.
    """
    dry = given("smelt", mass_dry_g=11 * TONNE)
    world = books(*fed(30, feed, "smelt"), dry, refined(moisture))
    assert "lot/OUT/PLANT" not in world.sums()
    gone = world.sums()["process/P-2"]
    assert gone["dry"] == 11 * TONNE
    # What the two say of its water is apart, and nothing else is.
    assert world.sums()["unaccounted/OUT"] == {"wet": round(11 * TONNE / (1 - feed)) - gone["wet"]}
    assert of_lot(world).status == "empty"
    assert world.open_rules() == set()


@pytest.mark.parametrize("tonnes", [5.0, 10.0])
def test_what_is_left_of_a_stated_dry_mass_stays(tonnes: float) -> None:
    dry = given("smelt", mass_dry_g=11 * TONNE)
    world = books(*fed(30, 0.1, "smelt"), dry, refined(0.001, tonnes=tonnes))
    assert of_lot(world).mass_wet_g > 1_000_000
    world.tell(refined(0.001, 400, 11.0 - tonnes))
    assert of_lot(world).mass_wet_g == 0
    assert set(world.sums()["unaccounted/OUT"]) == {"wet"}


def test_a_certificate_tells_the_water_of_what_has_left_whole() -> None:
    dry = given("smelt", mass_dry_g=11 * TONNE)
    world = books(*fed(30, 0.1, "smelt"), dry, refined(0.001), certified(0.001, 0.6))
    assert "lot/OUT/PLANT" not in world.sums()
    rounding = world.sums()["unaccounted/OUT"]
    assert rounding == {"Cu": pytest.approx(0, abs=1_000)}  # 0.001 g of 6.6 t


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_order_of_arrival_says_nothing_of_a_stated_dry_mass(order: tuple[int, ...]) -> None:
    facts = [given("smelt", mass_dry_g=11 * TONNE), certified(0.001, 0.6), closed("smelt")]
    world = books(*[facts[at] for at in order], *fed(30, 0.1, "smelt"))
    assert (of_lot(world).mass_wet_g, of_lot(world).mass_dry_g) == (11_011_011, 11 * TONNE)


def water(amount: float, per: str = "total", quality: str = "measured") -> Attribute:
    return Attribute(name="water", amount=amount, unit="m3", per=per, quality=quality, source=None)


@pytest.mark.parametrize("kind", ["crush", "concentrate", "stockpile"])
@pytest.mark.parametrize("stated", [{"mass_wet_g": 90 * TONNE}, {"mass_dry_g": 81 * TONNE}])
@pytest.mark.parametrize("end", [True, False])
def test_attributes_of_an_output_do_not_follow_its_moisture(
    kind: str, stated: dict[str, int], *, end: bool
) -> None:
    """100 m3 of the feed, 7 of the plant: 107 before the certificate and after it."""
    more = Maker("more")
    facts = [
        *fed(100, 0.1, kind, attributes=(water(100),)),
        more.side("PLANT", 90, "added", "P-1", kind=kind, attributes=(water(7),)),
        given(kind, **stated),
        *([closed(kind)] if end else []),
    ]
    before, after = books(*facts), books(*facts, certified(0.05, 0.025))
    for world in (before, after):
        held = attributes_of(world.transfers)
        name = "@water/m3/measured"
        assert "unaccounted/OUT" not in held
        in_all = held["lot/OUT/PLANT"][name] + held.get("process/P-1", {}).get(name, 0)
        assert in_all == 107 * TONNE
    assert attributes_of(before.transfers) == attributes_of(after.transfers)


def test_half_of_a_certified_output_takes_half_of_its_attributes() -> None:
    maker = Maker("half")
    facts = [
        *fed(100, 0.1, "crush", attributes=(water(100),)),
        given("crush", mass_dry_g=90 * TONNE),
        closed("crush"),
        certified(0.05, 0.025),
        maker.side("PLANT", 300, "input", "P-2", lot_id="OUT", mass_dry_g=45 * TONNE),
    ]
    held = attributes_of(books(*facts).transfers)
    assert held["process/P-2"] == {"@water/m3/measured": 50 * TONNE}
    assert held["lot/OUT/PLANT"] == {"@water/m3/measured": 50 * TONNE}

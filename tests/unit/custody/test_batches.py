"""Batch processes by hand: what rounding leaves, what weighs origins, what outputs really were."""

from dataclasses import replace
from typing import Any

import pytest

from custody.events import Attribute, MaterialProcessed, Micros
from custody.process_intake import SIDES_MAX
from custody.records import Alert, Content, Transfer
from tests.support.facts import MINUTE, T0, Maker, corrected
from tests.support.plant import (
    ROW_MAX,
    Plant,
    amounts_of,
    handed,
    reference,
    shares_of,
)

TONNE = 1_000_000


class Sides:
    """Sides of P-1, of one kind, dry."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.maker = Maker("sides-of-" + kind)

    def out(self, lot: str | None, dry: int, **more: Any) -> MaterialProcessed:  # noqa: ANN401
        return self.side("output", output_lot_id=lot, mass_dry_g=dry, mass_wet_g=dry, **more)

    def loss(self, dry: int) -> MaterialProcessed:
        return self.side("loss", loss_kind="tailings", mass_dry_g=dry, mass_wet_g=dry)

    def side(self, part: str, **more: Any) -> MaterialProcessed:  # noqa: ANN401
        return self.maker.side("PLANT", 100, part, "P-1", **({"kind": self.kind} | more))

    def added(self, amount: float, per: str = "total") -> MaterialProcessed:
        ghg = Attribute(
            name="ghg", amount=amount, unit="kg", per=per, quality="measured", source=None
        )
        return self.side("added", attributes=(ghg,))


def told_to(plant: Plant, lot: str) -> Content:
    return next(c for c in plant.told.values() if c.to_owner == "lot/" + lot)


def unmoist(content: Content) -> Content:
    return replace(content, mass_wet_g=content.mass_dry_g)


def test_what_rounding_leaves_goes_to_the_last_output_and_nothing_is_unaccounted() -> None:
    sides, plant = Sides("split"), Plant()
    ore = unmoist(handed("A", 0, 10 * TONNE, {"Cu": 100_000_001, "Co": 7}))
    outputs = [sides.out(name, 3_333_333) for name in "XY"] + [sides.out("Z", 3_333_334)]
    plant.tell(ore, *outputs, sides.side("close"))
    assert "unaccounted/P-1" not in plant.posted()
    last = max(plant.told)
    copper = {cause: amounts_of(c)["Cu"] for cause, c in plant.told.items()}
    assert sum(copper.values()) == 100_000_001
    for cause, content in plant.told.items():
        expected = round(100_000_001 * content.mass_dry_g / (10 * TONNE))
        assert copper[cause] - expected == (1 if cause == last else 0)


def test_a_real_rest_is_unaccounted_and_not_given_to_anybody() -> None:
    sides, plant = Sides("split"), Plant()
    ore = unmoist(handed("A", 0, 10 * TONNE, {"Cu": 10**9}))
    plant.tell(ore, sides.out("X", 9 * TONNE), sides.side("close"))
    assert plant.posted()["unaccounted/P-1"] == {"wet": TONNE, "dry": TONNE, "Cu": 10**8}


def test_a_split_then_a_blend_gives_back_mass_metal_and_shares() -> None:
    sides, plant, again = Sides("split"), Plant(), Plant("process/P-2")
    for name, dry in (("A", 7 * TONNE), ("B", 2 * TONNE + 1)):
        metals = {"Cu": 123_456_789 + dry, "Co": 987_654}
        plant.tell(unmoist(handed(name, 0, dry, metals, site="MINE-" + name)))
    plant.tell(sides.out("X", 4 * TONNE), sides.out("Y", 5 * TONNE + 1), sides.side("close"))
    for content in plant.told.values():
        back = replace(content, from_owner=content.to_owner, to_owner="process/P-2")
        again.tell(replace(back, cause_event_id="in-" + content.cause_event_id))
    blend = Maker("blend").side("PLANT", 200, "output", "P-2", mass_dry_g=9 * TONNE + 1)
    again.tell(replace(blend, mass_wet_g=9 * TONNE + 1, output_lot_id="Z"))
    again.tell(Maker("end").side("PLANT", 201, "close", "P-2"))
    whole = told_to(again, "Z")
    assert amounts_of(whole) == {
        "wet": 9 * TONNE + 1,
        "dry": 9 * TONNE + 1,
        "Cu": 2 * 123_456_789 + 9 * TONNE + 1,
        "Co": 2 * 987_654,
    }
    mine = 7 * TONNE / (9 * TONNE + 1)
    assert shares_of(whole) == pytest.approx({"MINE-A": mine, "MINE-B": 1.0 - mine}, abs=1e-9)


def test_ore_with_50_kg_per_tonne_becomes_concentrate_with_all_of_it_and_the_plants_own() -> None:
    """100 t of dry ore with 50 kg CO2e a tonne: 5,000 kg over 3 t, not 50 kg a tonne."""
    sides, plant = Sides("concentrate"), Plant()
    ore = handed("A", 0, 100 * TONNE, {"Cu": 2 * 10**9}, attributes={"ghg": 5_000 * 10**6})
    plant.tell(ore, sides.out("C", 3 * TONNE), sides.loss(97 * TONNE), sides.side("close"))
    assert amounts_of(told_to(plant, "C"))["ghg"] == 5_000 * 10**6
    plant.tell(sides.added(210.0), sides.added(2.5, "t_dry"))
    assert amounts_of(told_to(plant, "C"))["ghg"] == (5_000 + 210 + 250) * 10**6
    assert plant.posted()["origin/PLANT"] == {"ghg": -460 * 10**6}
    assert plant.held == {}
    assert "ghg" not in plant.posted()["loss/P-1/tailings"]


def test_while_a_process_is_open_an_output_takes_its_part_of_the_attributes() -> None:
    sides, plant = Sides("blend"), Plant()
    plant.tell(handed("A", 0, 4 * TONNE, attributes={"ghg": 8_000_001}), sides.out("X", TONNE))
    assert amounts_of(told_to(plant, "X"))["ghg"] == 2_000_000
    assert plant.held["ghg"] == 6_000_001


def test_without_outputs_attributes_are_unaccounted_at_close() -> None:
    sides, plant = Sides("blend"), Plant()
    plant.tell(handed("A", 0, 4 * TONNE, attributes={"ghg": 8_000_001}), sides.side("close"))
    assert plant.posted()["unaccounted/P-1"]["ghg"] == 8_000_001


@pytest.mark.parametrize("allocation", ["mass", "key_metal", "economic"])
def test_attributes_are_divided_to_the_last_millionth(allocation: str) -> None:
    sides, plant = Sides("refine"), Plant()
    body = f'{{"key_analyte":"Cu","allocation":"{allocation}"}}'
    price = '{"analyte":"Cu","amount":9650,"currency":"USD","per":"t"}'
    plant.tell(reference("process", "refine", body), reference("price", "Cu", price))
    plant.tell(handed("A", 0, 9 * TONNE, {"Cu": 10**9}, attributes={"ghg": 6_000_001}))
    plant.tell(sides.out("X", TONNE), sides.out("Y", 2 * TONNE), sides.side("close"))
    x, y = (amounts_of(told_to(plant, lot))["ghg"] for lot in "XY")
    assert x + y == 6_000_001
    assert x in (2_000_000, 2_000_001)


@pytest.mark.parametrize("later_id_first", [False, True])
def test_prices_are_those_of_when_the_first_output_came_out(*, later_id_first: bool) -> None:
    """All of the copper, none of the cobalt: half of the value, three quarters later."""
    plant, maker = Plant(), Maker("sides")
    body = '{"allocation":"economic","recovery":{"Cu":1.0,"Co":0.0}}'
    plant.tell(reference("process", "refine", body))
    for name, amount, minute in (("Co", 1, 0), ("Cu", 1, 0), ("Cu", 3, 150)):
        price = f'{{"analyte":"{name}","amount":{amount},"currency":"USD","per":"kg"}}'
        begins = Micros(T0 + minute * MINUTE)
        plant.tell(replace(reference("price", name, price), valid_from=begins))
    ore = handed("A", 0, 9 * TONNE, {"Cu": 10**9, "Co": 10**9}, attributes={"ghg": 6_000_000})
    outputs = [
        maker.side(
            "PLANT", minute, "output", "P-1", kind="refine", output_lot_id=lot, mass_dry_g=TONNE
        )
        for lot, minute in (("X", 100), ("Y", 200))
    ]
    first, second = sorted(fact.event_id for fact in outputs)
    ids = (second, first) if later_id_first else (first, second)
    plant.tell(ore, *(replace(f, event_id=i) for f, i in zip(outputs, ids, strict=True)))
    assert [amounts_of(told_to(plant, lot))["ghg"] for lot in "XY"] == [1_500_000, 1_500_000]


def test_a_price_of_none_of_the_metals_lets_the_mass_divide() -> None:
    sides, plant = Sides("refine"), Plant()
    plant.tell(reference("process", "refine", '{"allocation":"economic"}'))
    plant.tell(handed("A", 0, 9 * TONNE, {"Cu": 10**9}, attributes={"ghg": 6_000_000}))
    plant.tell(sides.out("X", TONNE), sides.out("Y", 2 * TONNE), sides.side("close"))
    assert amounts_of(told_to(plant, "X"))["ghg"] == 2_000_000


def test_a_separation_weighs_origins_by_its_key_metal_and_each_metal_by_itself() -> None:
    sides, plant = Sides("concentrate"), Plant()
    plant.tell(reference("process", "concentrate", '{"key_analyte":"Cu"}'))
    plant.tell(
        handed("A", 0, 90 * TONNE, {"Cu": 100, "Co": 300}, site="POOR"),
        handed("B", 0, 10 * TONNE, {"Cu": 300, "Co": 100}, site="RICH"),
        sides.out("C", 3 * TONNE),
    )
    content = told_to(plant, "C")
    assert shares_of(content) == {"POOR": 0.25, "RICH": 0.75}
    cobalt = {o.id: o.share for o in content.metal_origins if o.analyte == "Co"}
    assert cobalt == {"POOR": 0.75, "RICH": 0.25}
    assert {o.analyte for o in content.metal_origins} == {"Co"}


def test_a_stage_that_happens_here_has_the_country_of_the_site() -> None:
    sides, plant = Sides("smelt"), Plant()
    plant.tell(handed("A", 0, 10 * TONNE, {"Cu": 10**9}), sides.out("M", TONNE))
    assert told_to(plant, "M").shares == ()
    plant.tell(reference("site", "PLANT", '{"name":"Plant","country":"ZM"}'))
    plant.recheck()
    (share,) = told_to(plant, "M").shares
    assert (share.dimension, share.label, share.share) == ("metal", "ZM", 1.0)


def test_a_record_of_the_process_itself_is_taken_instead_of_that_of_its_kind() -> None:
    sides, plant = Sides("concentrate"), Plant()
    plant.tell(handed("A", 0, 10 * TONNE, {"Cu": 10**9, "Co": 10**8}), sides.out("C", TONNE))
    assert amounts_of(told_to(plant, "C"))["Cu"] == 880_000_000
    plant.tell(reference("process", "concentrate", '{"recovery":{"Cu":0.5}}'))
    plant.recheck()
    assert amounts_of(told_to(plant, "C"))["Cu"] == 500_000_000
    plant.tell(reference("process", "P-1", '{"recovery":0.7}'))
    plant.recheck()
    assert amounts_of(told_to(plant, "C")) == {
        "wet": TONNE, "dry": TONNE, "Cu": 700_000_000, "Co": 70_000_000
    }  # fmt: skip


def test_a_reference_that_makes_a_batch_continuous_and_back_changes_nothing_for_ever() -> None:
    sides, plant = Sides("blend"), Plant()
    plant.tell(handed("A", 0, 10 * TONNE, {"Cu": 10**9}), sides.out("X", 4 * TONNE))
    plant.tell(sides.side("close"))
    posted, held = plant.posted(), plant.held
    plant.tell(reference("process", "P-1", '{"continuous":true}'))
    plant.recheck()
    assert plant.balance.status == "open"
    assert plant.held == {"wet": 6_526_316, "dry": 6 * TONNE, "Cu": 600_000_000}
    assert "unaccounted/P-1" not in plant.posted()
    plant.tell(reference("process", "P-1", '{"continuous":false}', minute=1))
    plant.recheck()
    assert (plant.posted(), plant.held) == (posted, held)


def test_what_an_output_turned_out_to_be_changes_the_rest_and_no_share() -> None:
    sides, plant = Sides("blend"), Plant()
    output = sides.out("X", 4 * TONNE)
    plant.tell(handed("A", 0, 10 * TONNE, {"Cu": 10**9}, u=0.001), output)
    before, told = plant.balance, plant.told
    more = {"cause_event_id": output.event_id, "from_owner": "lot/X", "generation": 9}
    measured = handed("m", 300, -1000, {"Cu": 5_000_000}, **more)
    plant.tell(measured)
    assert plant.told == told
    assert plant.held["dry"] == 6 * TONNE - 1000
    assert plant.held["Cu"] == 605_000_000
    assert plant.balance.origins == before.origins
    # The output's own mass was known to 0.5 %, the measurement says 0.1 % of a kilogram.
    assert plant.balance.mass_dry_u_random_g < before.mass_dry_u_random_g
    plant.tell(replace(measured, void=True))
    assert replace(plant.balance, known_at=before.known_at) == before


def test_a_measurement_that_comes_before_its_output_ends_the_same() -> None:
    books = []
    for order in ((0, 1, 2, 3), (2, 0, 3, 1), (3, 2, 1, 0)):
        sides, plant = Sides("blend"), Plant()
        output = sides.out("X", 4 * TONNE)
        more = {"cause_event_id": output.event_id, "from_owner": "lot/X"}
        records: list[Content | MaterialProcessed] = [
            handed("A", 0, 10 * TONNE, {"Cu": 10**9}),
            output,
            handed("m", 300, -1000, {"Cu": 5_000_000}, **more),
            sides.side("close"),
        ]
        plant.tell(*[records[index] for index in order])
        books.append((plant.posted(), plant.held, plant.told.keys()))
    assert books[0] == books[1] == books[2]
    assert books[0][0]["unaccounted/P-1"]["Cu"] == 605_000_000


def test_what_is_too_much_is_said_anew_when_the_inputs_come() -> None:
    sides, plant = Sides("split"), Plant()
    plant.tell(sides.out("M", 20 * TONNE), sides.side("close"))
    plant.pass_ticks()
    plant.tell(handed("A", 0, 9 * TONNE, {}))
    said = [o for o in plant.outputs if isinstance(o, Alert)]
    assert [(a.rule, a.version, a.state) for a in said] == [
        ("output_exceeds_input", 1, "open"),
        ("output_exceeds_input", 2, "retracted"),
        ("node_balance", 1, "open"),
    ]
    assert said[0].reason == "More went out than came in: 20.000 t of dry mass."
    assert said[2].reason.startswith("dry mass: 9.000 t went in, 20.000 t came out")


def test_more_metal_out_than_in_is_found_at_close_and_not_before() -> None:
    sides, plant = Sides("smelt"), Plant()
    output = sides.out("M", 3 * TONNE)
    plant.tell(handed("A", 0, 10 * TONNE, {"Cu": 10**9}), output)
    more = {"cause_event_id": output.event_id, "from_owner": "lot/M"}
    plant.tell(handed("m", 300, 0, {"Cu": -(10**9)}, **more))
    assert plant.findings == []
    plant.tell(sides.side("close"))
    assert not [o for o in plant.outputs if isinstance(o, Alert)]
    plant.pass_ticks()
    [alert] = [o for o in plant.outputs if isinstance(o, Alert)]
    assert (alert.rule, alert.family) == ("node_balance", "undeclared_feed")


def test_what_is_left_is_no_better_known_than_what_was_lost() -> None:
    """20 kg of the input, 25 kg of the output and 100 kg of the loss: 300 kg are no finding."""
    sides, plant = Sides("split"), Plant()
    lost = round(5.3 * TONNE)
    loss = {"loss_kind": "dust", "mass_dry_g": lost, "mass_wet_g": lost, "u_mass_g": 100_000}
    ore = unmoist(handed("A", 0, 10 * TONNE, {"Cu": 10**9}))
    plant.tell(ore, sides.out("X", 5 * TONNE), sides.side("loss", **loss))
    square = 20_000**2 + 25_000**2 + 100_000**2
    assert plant.balance.mass_dry_u_random_g == pytest.approx(square**0.5, rel=0.01)
    plant.tell(sides.side("close"))
    assert plant.findings == []


def test_odd_sides_are_found_by_name_once() -> None:
    sides, plant = Sides("blend"), Plant()
    lotless = sides.out(None, TONNE)
    stray = sides.out("X", TONNE, kind="crush")
    plant.tell(handed("A", 0, 10 * TONNE), lotless, stray, sides.out("Y", TONNE))
    plant.tell(sides.out("Z", TONNE))
    assert sorted(plant.findings) == ["output_without_lot", "side_of_other_kind"]
    first = corrected(stray, "c-1", 10, kind="blend")
    plant.tell(first, corrected(stray, "c-2", 20, kind="blend"))
    assert plant.findings[2:] == ["correction_conflict"]
    assert {t.process_id for t in plant.outputs if isinstance(t, Transfer)} == {"P-1"}


@pytest.mark.slow
def test_a_thousand_inputs_of_as_many_origins_stay_in_small_rows() -> None:
    sides, plant = Sides("blend"), Plant()
    inputs = [
        handed(f"in-{n}", 0, TONNE + n, {"Cu": 10**7 + n, "Co": 10**6 - n}, site=f"MINE-{n:04}")
        for n in range(1000)
    ]
    dry = sum(record.mass_dry_g for record in inputs)
    plant.tell(sides.out("X", dry // 2), sides.out("Y", dry - dry // 2))
    for start in range(0, 1000, 50):
        plant.tell(*inputs[start : start + 50], together=True)
    plant.tell(sides.side("close"))
    assert "unaccounted/P-1" not in plant.posted() or "dry" not in plant.posted()["unaccounted/P-1"]
    shares = shares_of(told_to(plant, "X"))
    assert len(shares) == 256
    assert sum(shares.values()) == pytest.approx(1.0, abs=1e-9)
    assert shares["other"] == pytest.approx(745 / 1000, abs=0.001)
    assert max(plant.sizes.values()) < ROW_MAX, dict(plant.sizes)


@pytest.mark.slow
def test_4096_sides_are_taken_and_one_more_is_found() -> None:
    sides, plant = Sides("split"), Plant()
    plant.tell(handed("A", 0, 10**4 * TONNE, {"Cu": 10**12}))
    outputs = [sides.out(f"X-{n}", TONNE) for n in range(500)]
    losses = [sides.loss(TONNE) for _ in range(SIDES_MAX - 500)]
    plant.tell(outputs[0])
    plant.tell(*outputs[1:], *losses, together=True)
    assert len(plant.told) == 500
    assert plant.held["dry"] == (10**4 - SIDES_MAX) * TONNE
    plant.tell(sides.out("ONE-TOO-MANY", TONNE))
    assert plant.findings == ["too_many_sides"]
    assert len(plant.told) == 500
    assert max(plant.sizes.values()) < ROW_MAX, dict(plant.sizes)


def test_deep_in_a_ring_an_output_moves_what_it_moved_last() -> None:
    sides, plant = Sides("blend"), Plant()
    first = handed("A", 0, 10 * TONNE, {"Cu": 10**9}, generation=64)
    plant.tell(replace(first, generation=63), sides.out("X", 10 * TONNE))
    told, posted = plant.told, plant.posted()
    assert told_to(plant, "X").generation == 64
    plant.tell(replace(first, mass_dry_g=5 * TONNE))
    assert plant.findings == ["cycle_or_too_deep"]
    assert (plant.told, plant.posted()) == (told, posted)
    plant.tell(replace(first, mass_dry_g=5 * TONNE, generation=1))
    assert told_to(plant, "X").generation == 2
    assert amounts_of(told_to(plant, "X"))["Cu"] == 2 * 10**9


def test_in_a_ring_through_a_pile_an_output_moves_what_it_moved_last() -> None:
    sides, plant = Sides("stockpile"), Plant()
    first = handed("A", 0, 20 * TONNE, {"Cu": 10**9}, generation=63)
    plant.tell(first, sides.out("X", 10 * TONNE), sides.out("Y", 10 * TONNE))
    told = plant.told
    deep = replace(first, mass_dry_g=40 * TONNE, generation=64)
    plant.tell(deep)
    assert set(plant.findings) == {"cycle_or_too_deep"}
    assert plant.told == told
    assert plant.held["dry"] == 20 * TONNE
    assert "Cu" not in plant.held

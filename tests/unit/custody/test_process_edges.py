"""Edges of processes: sides that change their lot, their kind or go, shares beyond the possible."""

from dataclasses import replace

import pytest

from custody import batch_findings
from custody.batch import Batch
from custody.carried import NOTHING_CARRIED
from custody.events import MaterialProcessed, Micros
from custody.held import Carried, Held, Posted
from custody.kinds import KINDS
from custody.knowledge import Amount, Cause
from custody.process import Standing, dry_share, frozen, mass_u, staged
from custody.process_node import node_of
from custody.process_rows import OutRow, ProcessRow, Told
from custody.records import Content
from custody.reference import References
from custody.rows import Side
from tests.support.facts import Maker, corrected
from tests.support.plant import Plant, handed, reference

TONNE = 1_000_000
AT = Micros(5)
CAUSE = Cause(AT, AT, "e")


def side(part: str = "output", **more: object) -> Side:
    fields = {"wet": 1000, "dry": None, "moisture": None, "u_mass": None} | more
    return Side("P-1", "blend", part, 1, "X", None, **fields)  # type: ignore[arg-type]


def held(owner: str, dry: int, dry_u: float, copper: int | None) -> Held:
    metals = {} if copper is None else {"Cu": (copper, 0.0, dict[str, float]())}
    return Held(
        "c", owner, "PLANT", 1, AT, dry, 0.0, {}, dry, dry_u, {}, metals, NOTHING_CARRIED
    )  # fmt: skip


def of(kind: str, maker: Maker, **more: object) -> MaterialProcessed:
    masses = {"mass_wet_g": 10 * TONNE, "mass_dry_g": 10 * TONNE}
    return maker.side("PLANT", 100, "output", "P-1", kind=kind, **(masses | more))


def test_no_material_is_drier_than_dry() -> None:
    assert dry_share(100, 110) == 1.0
    assert dry_share(100, -5) == 0.0
    assert dry_share(0, 10) == 1.0


def test_a_survey_without_a_u_is_known_to_5_percent_and_an_output_to_half_of_one() -> None:
    assert mass_u(side("stock"), 1000) == 50.0
    assert mass_u(side("output"), 1000) == 5.0
    assert mass_u(side("stock", u_mass=7), 1000) == 7.0


def test_deep_in_a_ring_only_what_a_lot_was_told_stays() -> None:
    one = Standing(1, CAUSE, "PLANT", side())
    stands = {"process_output|e": Posted("p", "l", 9, 8, {"Cu": 7}, AT, None, "P-1")}
    amount, told = Amount(3, 2, {}), Told("lot/X", "PLANT", 65, AT, b"")
    assert frozen(one, amount, OutRow(posted=stands, told=told), {}) == Amount(9, 8, {"Cu": 7})
    assert frozen(one, amount, OutRow(posted=stands), {}) == amount
    assert frozen(one, amount, OutRow(told=told), {}) == amount


def test_a_stage_that_happens_at_a_site_without_a_country_has_no_share() -> None:
    before = Carried({}, {}, {"refined": {"CD": 1.0}, "recycled": {"yes": 0.2}}, {})
    found = staged(before, "refined", "NOWHERE", References({}), CAUSE)
    assert found.shares == {"recycled": {"yes": 0.2}}
    assert staged(NOTHING_CARRIED, None, "NOWHERE", References({}), CAUSE) == NOTHING_CARRIED


def test_the_lot_that_an_output_was_not_is_told_so() -> None:
    maker, plant = Maker("other-lot"), Plant()
    wrong = of("split", maker, output_lot_id="X")
    plant.tell(handed("A", 0, 10 * TONNE, {"Cu": 100}), wrong)
    plant.tell(corrected(wrong, "right", output_lot_id="Y"))
    last = {one.to_owner: one for one in plant.outputs if isinstance(one, Content)}
    assert (last["lot/X"].void, last["lot/Y"].void) == (True, False)
    assert last["lot/X"].mass_dry_g == 0


def test_a_copy_that_takes_the_place_of_another_takes_the_output_from_its_lot() -> None:
    """One event twice, of two lots: the earlier counts, and the other lot gets nothing."""
    maker, plant = Maker("copies"), Plant()
    late = of("split", maker, output_lot_id="X")
    early = replace(late, output_lot_id="Y", occurred_at=Micros(late.occurred_at - 1))
    plant.tell(handed("A", 0, 10 * TONNE, {"Cu": 100}), late, early)
    last = {one.to_owner: one for one in plant.outputs if isinstance(one, Content)}
    assert (last["lot/X"].void, last["lot/Y"].void) == (True, False)


def test_sides_that_were_all_withdrawn_name_no_kind() -> None:
    maker, plant = Maker("gone"), Plant()
    one = of("concentrate", maker, output_lot_id="X")
    plant.tell(one, corrected(one, "void", void=True))
    row = plant.rows["process/P-1"]
    assert isinstance(row, ProcessRow)
    assert row.kinds == {}
    plant.tell(handed("A", 0, 10 * TONNE, {"Cu": 100}))
    assert plant.balance.status == "open"


def test_a_measurement_of_an_output_that_was_withdrawn_is_no_input_of_the_process() -> None:
    """Its side is known, so what its lot gives back is no lot that went in."""
    maker, plant = Maker("measured"), Plant()
    one = of("split", maker, output_lot_id="X")
    back = handed("X", 30, 2 * TONNE, cause_event_id=one.event_id)
    plant.tell(one, back, handed("A", 0, 10 * TONNE, {"Cu": 100}))
    assert plant.held["dry"] == 2 * TONNE
    plant.tell(handed("X", 30, 0, cause_event_id=one.event_id, void=True))
    assert "dry" not in plant.held


@pytest.mark.parametrize(("copper", "found"), [(108_900, False), (109_100, True)])
def test_metal_within_4_sigma_of_the_dry_mass_is_no_more_than_it(
    copper: int, *, found: bool
) -> None:
    """100 g of dry mass with a u of 2 g, a gram for rounding: 109 g of copper may be all of it."""
    out = held("lot/X", 100, 2.0, copper)
    said = batch_findings._too_rich(KINDS["blend"], out, None, frozenset())
    assert bool(said) == found


@pytest.mark.parametrize(("copper", "grades"), [(300, {"Cu": 700 / 900}), (None, {})])
def test_the_test_of_a_node_takes_an_output_as_it_was_measured(
    copper: int | None, grades: dict[str, float]
) -> None:
    """1,000 g with 1,000 mg were handed over, and 100 g with 300 mg less were there."""
    given = {"in": held("lot/A", 1000, 1.0, 1000)}
    back = {"e": held("process/P-1", 100, 5.0, copper)}
    sides = [Standing(0, CAUSE, "PLANT", side(dry=1000))]
    kind, references = KINDS["split"], References({})
    batch = Batch("P-1", kind, sides, (given, back), references)
    batch.derive({0: OutRow()})
    [output] = node_of(batch, kind, sides, (given, back), references).outputs
    assert output.dry.value == 900.0
    assert {a: one.value for a, one in output.grades.items()} == pytest.approx(grades)


def test_metal_is_held_against_the_dry_mass_that_was_measured() -> None:
    out, back = held("lot/X", 100, 1.0, 90_000), held("process/P-1", 20, 0.1, None)
    kind = KINDS["blend"]
    assert batch_findings._too_rich(kind, out, None, frozenset()) == ""
    assert "in 0.000 t" in batch_findings._too_rich(kind, out, back, frozenset())


def test_metals_that_a_recovery_is_said_of_are_named_as_the_key_is() -> None:
    kind = KINDS["concentrate"]._replace(key_analyte="Cu", by_analyte={"Co": 0.5})
    assert batch_findings._named(kind, ["Cu", "Co", "Fe"]) == {"Cu", "Co"}


def test_an_open_batch_lacks_inputs_from_the_output_on_that_was_too_much_as_measured() -> None:
    """12 kg in, 13 out, then 10 that were measured to be 1: the first was too much already."""
    sides = [
        Standing(no, Cause(Micros(5 + no), AT, name), "PLANT", side(wet=dry, dry=dry, u_mass=1))
        for no, (name, dry) in enumerate((("x", 13_000), ("y", 10_000)))
    ]
    given, back = (
        {"in": held("lot/A", 12_000, 1.0, None)},
        {"y": held("process/P-1", 9_000, 1.0, None)},
    )
    batch = Batch("P-1", KINDS["split"], sides, (given, back), References({}))
    batch.derive({0: OutRow(), 1: OutRow()})
    assert batch.lack is not None
    assert batch.lack.side.number == 0
    assert "0.002 t" in batch.lack.detail


def test_a_process_that_was_a_batch_for_a_while_is_the_node_it_was() -> None:
    """What lies there is derived anew from all its sides, also of those that came in between."""
    maker = Maker("back-and-forth")
    first, second, third = (of("crush", maker, output_lot_id=n, mass_dry_g=None) for n in "XYZ")
    feed = handed("A", 0, 50 * TONNE, {"Cu": 100 * TONNE}, mass_dry_u_random_g=TONNE)
    node, batch = (reference("process", "P-1", f'{{"continuous":{said}}}', minute)
                   for said, minute in (("true", 1), ("false", 2)))  # fmt: skip
    again = reference("process", "P-1", '{"continuous":true,"mixing":"perfect"}', 3)
    plant, straight = Plant(), Plant()
    plant.tell(node, feed, first, batch, second, again, third)
    straight.tell(again, feed, first, second, third)
    found, right = plant.balance, straight.balance
    assert (found.status, found.mass_dry_g) == (right.status, right.mass_dry_g)
    [part], [part_right] = found.mass_dry_u_systematic_g, right.mass_dry_u_systematic_g
    assert part.u == pytest.approx(part_right.u)
    assert [metal.value_mg for metal in found.metals] == [metal.value_mg for metal in right.metals]
    told, told_right = (
        {(c.to_owner, c.cause_event_id): (c.mass_dry_g, c.metals) for c in one.told.values()}
        for one in (plant, straight)
    )
    assert told == told_right

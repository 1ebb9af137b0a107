"""Grades of one lot that together are more than all there is, whoever said them."""

from dataclasses import replace

import pytest

from custody.events import Attribute, DeclaredAnalyte, LotDeclared, LotFact
from custody.records import Share
from tests.support.agreement import said_in, unlike
from tests.support.facts import Maker, corrected
from tests.support.oracle.books import Oracle
from tests.support.oracle.rules import RULES
from tests.support.world import World

RULE = "fractions_exceed_one"
Grades = dict[str, tuple[float, float | None]]


def books(*facts: LotFact) -> World:
    """A world that was told facts, and agrees with the second model."""
    world = World()
    world.tell(*facts)
    assert unlike(Oracle(facts), said_in(world), facts, RULES) == ""
    return world


def lot(maker: Maker, *, as_is: bool = False, **composition: float) -> list[LotFact]:
    """100 t of ore, declared so."""
    declared: LotDeclared = maker.lot("MINE", 0, {})
    said = tuple(
        DeclaredAnalyte(analyte=a, fraction=f, unit="pct", basis="as_is" if as_is else "dry")
        for a, f in composition.items()
    )
    stock = maker.weighing("MINE", 10, "stock", 115_000, 15_000, movement_id=None)
    return [replace(declared, declared_composition=said), stock]


def certified(*certificates: Grades) -> tuple[list[LotFact], Maker]:
    """The lot with certificates, the first of which gives a moisture of 10 %."""
    maker = Maker()
    facts = lot(maker)
    for no, grades in enumerate(certificates):
        moisture = None if no else (0.10, 0.002)
        facts.append(maker.assay("MINE", 20 + no, grades, moisture))
    return facts, maker


def reasons(world: World) -> list[str]:
    alerts = [alert for alert in world.alerts.values() if alert.rule == RULE]
    return [alert.reason for alert in alerts if alert.state == "open"]


def test_two_certificates_of_more_than_all_the_dry_matter_are_found() -> None:
    """108 t of metal stood in 90 t of dry mass, and nobody said so."""
    facts, maker = certified({"Cu": (0.6, 0.006)}, {"Zn": (0.6, 0.006)})
    world = books(*facts)
    (reason,) = reasons(world)
    assert reason == "Cu 60.00%, Zn 60.00% of the dry matter, together 120.00%"
    held = world.balances["lot/L-1/MINE"]
    assert sum(m.value_mg for m in held.metals) > 1_000 * held.mass_dry_g
    (zinc,) = maker.assay("MINE", 21, {"Zn": (0.06, 0.0006)}).results
    world.tell(corrected(facts[-1], "the decimal point", results=(zinc,)))
    assert world.open_rules() == set()


@pytest.mark.parametrize(("u", "found"), [(0.006, False), (0.002, True), (None, False)])
def test_what_certificates_do_not_know_of_their_grades_is_no_contradiction(
    u: float | None, *, found: bool
) -> None:
    """102 % by two: 4 sigma are 3.4 % with a u of 0.6 % each, 1.1 % with 0.2 %."""
    facts, _ = certified({"Cu": (0.51, u)}, {"Zn": (0.51, u)})
    assert bool(reasons(books(*facts))) == found


def test_a_sum_within_what_one_certificate_may_have_is_none() -> None:
    """The gateway lets 101 % pass."""
    facts, _ = certified({"Cu": (0.505, 0.0001)}, {"Zn": (0.504, 0.0001)})
    assert reasons(books(*facts)) == []


def test_compounds_stand_beside_their_elements_and_none_is_more_than_all() -> None:
    facts, maker = certified({"Fe": (0.69, 0.002)}, {"Fe2O3": (0.98, 0.002)})
    assert reasons(books(*facts)) == []
    wet = maker.assay("MINE", 30, {"SiO2": (0.95, 0.002)})
    wet = replace(wet, results=(replace(wet.results[0], basis="as_is"),))
    (reason,) = reasons(books(*facts, wet))
    assert reason == "SiO2 105.56% of the dry matter, together 105.56%"


@pytest.mark.parametrize(("copper", "found"), [(0.97, True), (0.95, False), (0.30, False)])
def test_a_declaration_as_is_that_the_usual_moisture_contradicts_is_found(
    copper: float, *, found: bool
) -> None:
    """97 t of copper stood in 95 t of dry mass; a declaration has no u to explain it by."""
    world = books(*lot(Maker(), as_is=True, Cu=copper))
    said = reasons(world)
    assert bool(said) == found
    if found:
        assert said[0].endswith("together 102.11%, by the usual moisture of 5.0%")


def test_a_declaration_and_a_certificate_may_contradict_each_other() -> None:
    maker = Maker()
    facts = [*lot(maker, Zn=0.5), maker.assay("MINE", 20, {"Cu": (0.6, 0.006)}, (0.1, 0.002))]
    assert len(reasons(books(*facts))) == 1


def test_of_a_lot_nobody_has_declared_no_moisture_is_usual() -> None:
    """Its certificate is here before its declaration: cathode holds no water."""
    maker = Maker()
    declared = maker.lot("MINE", 0, {}, form="cathode")
    assay = maker.assay("MINE", 20, {"Cu": (0.9999, 0.0001)})
    assay = replace(assay, results=(replace(assay.results[0], basis="as_is"),))
    world = World()
    world.tell(assay, maker.weighing("MINE", 10, "stock", 115_000, 15_000, movement_id=None))
    assert RULE not in {alert.rule for alert in world.alerts.values()}
    world.tell(declared)
    assert RULE not in {alert.rule for alert in world.alerts.values()}


def test_what_a_separation_is_expected_to_give_is_left_to_the_process() -> None:
    """Both metals of a feed of 10 % each, in a twelfth of its mass, would be 176 % of it."""
    maker = Maker("IN")
    facts: list[LotFact] = [
        *lot(maker),
        maker.assay("MINE", 20, {"Cu": (0.1, 0.001), "Zn": (0.1, 0.001)}, (0.0, 0.002)),
        maker.side("MINE", 30, "input", "P-1", kind="concentrate", mass_wet_g=100_000_000),
        Maker("P").side(
            "MINE", 40, "output", "P-1", kind="concentrate", output_lot_id="OUT",
            mass_wet_g=8_000_000,
        ),
    ]  # fmt: skip
    assert reasons(books(*facts)) == []


def test_what_is_split_of_a_contradiction_is_one_as_well() -> None:
    facts, maker = certified({"Cu": (0.6, 0.006)}, {"Zn": (0.6, 0.006)})
    facts += [
        maker.side("MINE", 40, "input", "P-1", kind="split", mass_wet_g=50_000_000),
        Maker("P").side(
            "MINE", 50, "output", "P-1", kind="split", output_lot_id="HALF", mass_wet_g=50_000_000
        ),
    ]
    world = books(*facts)
    assert {a.subject for a in world.alerts.values() if a.rule == RULE} == {"lot/L-1", "lot/HALF"}


def content(name: str, amount: float, unit: str) -> Attribute:
    return Attribute(
        name=name, amount=amount, unit=unit, per="t_dry", quality="declared", source=None
    )


def declared(*contents: Attribute) -> list[LotFact]:
    stated, stock = lot(Maker())
    assert isinstance(stated, LotDeclared)
    return [replace(stated, attributes=contents), stock]


@pytest.mark.parametrize(
    ("amount", "unit"),
    [(0.4, "fraction"), (40, "pct"), (400, "kg_per_t"), (4e5, "ppm"), (4e5, "g_per_t")],
)
@pytest.mark.parametrize("name", ["recycled", "verified"])
def test_a_content_is_one_share_in_any_unit(name: str, amount: float, unit: str) -> None:
    """40 % were all of it."""
    world = books(*declared(content(name, amount, unit)))
    assert world.open_rules() == set()
    assert world.balances["lot/L-1/MINE"].shares == (Share(dimension=name, label="yes", share=0.4),)


@pytest.mark.parametrize(
    ("name", "amount", "unit"),
    [
        ("recycled", 1.4, "fraction"),
        ("recycled", -0.3, "fraction"),
        ("biogenic", 1.4, "fraction"),
        ("verified", 100.5, "pct"),
        ("recycled", 0.4, "kg"),
    ],
)
def test_a_content_that_is_no_share_is_found_and_counts_nothing(
    name: str, amount: float, unit: str
) -> None:
    """1.4 was all of it, less than nothing was nothing, and nobody said so."""
    facts = declared(content(name, amount, unit), content("verified", 0.5, "fraction"))
    world = books(*facts)
    assert reasons(world) == [f"no share of 0 to 1, not counted: {name} {amount} {unit}"]
    held = world.balances["lot/L-1/MINE"]
    assert held.shares == (Share(dimension="verified", label="yes", share=0.5),)
    assert held.attributes == ()
    world.tell(corrected(facts[0], "typo", attributes=(content(name, 0.4, "fraction"),)))
    assert world.open_rules() == set()


@pytest.mark.parametrize(("amount", "unit"), [(1, "fraction"), (0, "pct"), (100, "pct")])
def test_all_and_nothing_are_shares(amount: float, unit: str) -> None:
    assert reasons(books(*declared(content("recycled", amount, unit)))) == []


def test_of_many_contents_that_are_none_some_are_named_and_scores_are_not_asked() -> None:
    wrong = [content(f"part-{no}", 2, "fraction") for no in range(10)]
    scored = content("score/IRMA", 75, "fraction")
    (reason,) = reasons(books(*declared(*wrong, scored)))
    assert reason.startswith("no share of 0 to 1, not counted: part-0 2 fraction, part-1 ")
    assert reason.endswith("part-7 2 fraction and 2 more")

"""What exact rules find is an alert of family ledger, opened and retracted with its reason."""

from dataclasses import replace

import pytest

from custody.events import DeclaredOrigin, LotFact, ReferenceSet
from tests.support.facts import Maker, corrected, tick
from tests.support.oracle.books import Oracle
from tests.support.plant import reference
from tests.support.world import World


def open_rules(world: World) -> set[str]:
    return {a.rule for a in world.alerts.values() if a.state == "open" and a.family == "ledger"}


def test_a_lot_declared_twice_with_other_content_is_found_in_one_chunk_or_two() -> None:
    maker = Maker()
    once, again = maker.lot("MINE", 0, {"Cu": 0.02}), maker.lot("MINE", 5, {"Cu": 0.03})
    for together in (True, False):
        world = World()
        world.tell(once, again, together=together)
        assert open_rules(world) == {"lot_redeclared"}


@pytest.mark.parametrize(
    "other", [{"owner": "B"}, {"custodian": "B"}, {"custody_model": "segregated"}], ids=str
)
def test_a_lot_declared_into_other_hands_is_found(other: dict[str, str]) -> None:
    maker, world = Maker(), World()
    hands = {"owner": "A", "custodian": "A", "custody_model": "mass_balance"}
    once = maker.lot("MINE", 0, {"Cu": 0.02}, **hands)
    again = maker.lot("MINE", 5, {"Cu": 0.02}, **(hands | other))
    world.tell(once, again)
    assert open_rules(world) == {"lot_redeclared"}


def test_another_site_that_declares_the_same_bears_it_out() -> None:
    """Docs of traceability send a receiving site there: it confirms an origin."""
    maker, world = Maker(), World()
    first = maker.lot("MINE", 0, {"Cu": 0.02})
    world.tell(first, replace(first, event_id="second", site_id="SMELT"))
    assert open_rules(world) == set()


def test_the_same_declaration_twice_is_no_finding() -> None:
    maker = Maker()
    once = maker.lot("MINE", 0, {"Cu": 0.02})
    world = World()
    world.tell(once, replace(once, event_id=maker.lot("MINE", 0, {}).event_id))
    assert open_rules(world) == set()


def test_a_declaration_like_a_correction_of_another_is_held_against_the_others() -> None:
    """Two differ, the second is corrected, and the third says what the correction does."""
    maker = Maker()
    first = maker.lot("MINE", 0, {"Cu": 0.02})
    second, third = (maker.lot("MINE", at, {"Cu": 0.03}) for at in (1, 9))
    mended = corrected(second, "mended", 1)
    worlds = World(), World()
    worlds[0].tell(first, second, mended, third)
    worlds[1].tell(first, second, mended, third, together=True)
    for world in worlds:
        assert open_rules(world) == {"lot_redeclared"}


def test_a_finding_whose_reason_is_corrected_away_is_retracted_with_the_cause() -> None:
    maker, world = Maker(), World()
    arrived = maker.weighing("DEPOT", 0, "receipt", 25_000, 15_000)
    left = maker.weighing("DEPOT", 60, "dispatch", 45_000, 15_000, movement_id="M-2")
    gone = maker.move("dispatch", "DEPOT", 61, ("DEPOT", "PORT"), movement_id="M-2")
    world.tell(arrived, left, gone, tick(70), tick(71))
    assert open_rules(world) == {"overdrawn"}
    mended = corrected(left, "mended", gross_g=25_000_000, net_g=10_000_000)
    world.tell(mended)
    assert open_rules(world) == set()
    [alert] = [a for a in world.alerts.values() if a.rule == "overdrawn"]
    assert (alert.state, alert.cause) == ("retracted", mended.event_id)


@pytest.mark.parametrize("backwards", [False, True])
def test_a_certificate_beyond_64_is_found_and_the_oldest_of_the_lowest_stage_is_left_out(
    *, backwards: bool
) -> None:
    """The oldest is final and stays; the second gives Co alone, and is the one that goes."""
    maker = Maker()
    facts: list[LotFact] = [
        maker.weighing("MINE", 0, "stock", 30_000, 0, movement_id=None),
        maker.assay("MINE", 1, {"Cu": (0.02, None)}, (0.1, None), stage="final"),
        maker.assay("MINE", 2, {"Co": (0.01, None)}),
        *(maker.assay("MINE", 3 + no, {"Cu": (0.03, None)}) for no in range(62)),
    ]
    last = maker.assay("MINE", 100, {"Cu": (0.04, None)})
    world = World()
    world.tell(*facts)
    assert open_rules(world) == set()
    assert world.sums() == Oracle(facts).accounts()
    facts.append(last)
    world = World()
    world.tell(*(facts[::-1] if backwards else facts))
    assert open_rules(world) == {"too_many_certificates"}
    assert world.sums() == Oracle(facts).accounts()
    assert Oracle(facts).findings() == {("too_many_certificates", "lot/L-1")}
    [found] = [a for a in world.alerts.values() if a.rule == "too_many_certificates"]
    assert found.reason.startswith("more than 64 certificates; ")
    assert world.sums()["lot/L-1/MINE"] == {"wet": 30_000_000, "dry": 27_000_000, "Cu": 540_000_000}
    world.tell(corrected(last, "void", void=True))
    assert open_rules(world) == set()
    assert world.sums()["lot/L-1/MINE"]["Co"] == 270_000_000


def test_a_finding_whose_figures_change_says_them_in_a_new_version() -> None:
    """Ten tonnes came, thirty left: when five more have come, twenty are too much no longer."""
    maker, world = Maker(), World()
    arrived = maker.weighing("DEPOT", 0, "receipt", 25_000, 15_000)
    left = maker.weighing("DEPOT", 60, "dispatch", 45_000, 15_000, movement_id="M-2")
    gone = maker.move("dispatch", "DEPOT", 61, ("DEPOT", "PORT"), movement_id="M-2")
    world.tell(arrived, left, gone, tick(70), tick(71))
    [before] = [a for a in world.alerts.values() if a.rule == "overdrawn"]
    world.tell(maker.weighing("DEPOT", 30, "receipt", 20_000, 15_000, movement_id="M-3"))
    [after] = [a for a in world.alerts.values() if a.rule == "overdrawn"]
    assert "20.000 t" in before.reason
    assert "15.000 t" in after.reason
    assert (after.alert_id, after.state, after.version) == (before.alert_id, "open", 2)
    world.tell(maker.move("checkpoint", "DEPOT", 62, ("DEPOT", "PORT"), movement_id="M-2"))
    [same] = [a for a in world.alerts.values() if a.rule == "overdrawn"]
    assert same.version == 2


RULE = "origin_country_differs"
CONGOLESE = reference("site", "MINE", '{"name":"Mine","role":"mine","country":"CD"}')
DEPOT = '{"name":"Depot","role":"depot","country":"CD"}'


def said_to_be_of(country: str, site: str = "MINE", minute: float = 0) -> LotFact:
    origin = DeclaredOrigin(level="country", id=country, share=0.75)
    return Maker().lot(site, minute, {"Cu": 0.02}, declared_origins=(origin,))


def test_a_mine_that_declares_ore_of_another_country_is_found() -> None:
    for chunks in ([CONGOLESE, said_to_be_of("ZM")], [said_to_be_of("ZM"), CONGOLESE]):
        world = World()
        world.tell(*chunks)
        assert open_rules(world) == {RULE}
        [found] = [a for a in world.alerts.values() if a.rule == RULE]
        assert found.reason == "ZM is declared at MINE, which lies in CD; ZM counts"
    assert Oracle([said_to_be_of("ZM")], [CONGOLESE]).findings() == {(RULE, "lot/L-1")}


@pytest.mark.parametrize(
    ("reference_data", "declared"),
    [
        (CONGOLESE, said_to_be_of("CD")),
        (CONGOLESE, said_to_be_of("ZM", "ELSEWHERE")),
        (CONGOLESE, Maker().lot("MINE", 0, {"Cu": 0.02})),
        (reference("site", "MINE", '{"name":"Mine"}'), said_to_be_of("ZM")),
        (reference("site", "DEPOT", DEPOT), said_to_be_of("ZM", "DEPOT")),
    ],
)
def test_the_same_country_an_unknown_one_and_what_a_depot_bought_are_no_finding(
    reference_data: ReferenceSet, declared: LotFact
) -> None:
    world = World()
    world.tell(reference_data, declared)
    assert open_rules(world) == set()
    assert Oracle([declared], [reference_data]).findings() == set()


def test_a_corrected_declaration_or_site_takes_the_country_s_finding_back() -> None:
    declared = said_to_be_of("ZM")
    origin = DeclaredOrigin(level="country", id="CD", share=0.75)
    moved = reference("site", "MINE", '{"name":"Mine","country":"ZM"}', minute=60)
    for mended in (corrected(declared, "mended", declared_origins=(origin,)), moved):
        world = World()
        world.tell(CONGOLESE, declared)
        assert open_rules(world) == {RULE}
        world.tell(mended)
        assert open_rules(world) == set()

"""One fraud on one lot is one alert: rules and tests that see the same do not both say it."""

from custody.events import LotFact
from custody.records import Alert
from tests.support.facts import Maker, corrected
from tests.support.world import World

Grades = dict[str, tuple[float, float | None]]

ORE: Grades = {"Co": (0.010, 1e-4), "Cu": (0.030, 3e-4), "Fe": (0.110, 1.1e-3), "Ni": (0.005, 5e-5)}
OTHER: Grades = {
    "Co": (0.006, 6e-5),
    "Cu": (0.045, 4.5e-4),
    "Fe": (0.160, 1.6e-3),
    "Ni": (0.002, 2e-5),
}


def still_open(world: World) -> dict[str, Alert]:
    return {one.rule: one for one in world.alerts.values() if one.state == "open"}


def swapped(maker: Maker) -> list[LotFact]:
    """Weighed and assayed at both ends; another ore arrives."""
    return [
        maker.assay("MINE", 0, ORE),
        maker.weighing("MINE", 10, "dispatch", 45_000, 15_000),
        maker.weighing("DEPOT", 60, "receipt", 45_000, 15_000),
        maker.assay("DEPOT", 90, OTHER),
    ]


def test_laboratories_disagree_about_swapped_ore_within_the_alert_of_the_swap() -> None:
    world = World()
    world.tell(*swapped(Maker()))
    assert [*still_open(world)] == ["lot_eprocess"]
    assert {one.rule for one in world.outputs if isinstance(one, Alert)} == {"lot_eprocess"}


def test_where_the_test_knows_no_way_any_more_the_rule_says_it_and_gives_it_back() -> None:
    world, facts = World(), swapped(Maker())
    world.tell(*facts)
    world.tell(corrected(facts[2], "void", void=True))
    assert [*still_open(world)] == ["certificates_disagree"]
    after = World()
    after.tell(*facts[:2], facts[3])
    assert [*still_open(after)] == ["certificates_disagree"]
    after.tell(facts[2])
    assert [*still_open(after)] == ["lot_eprocess"]
    [gone] = [one for one in after.alerts.values() if one.state == "retracted"]
    assert gone.reason == "it is not the same material: the lot's own alert"


def test_laboratories_that_disagree_about_one_heap_are_said_by_the_rule() -> None:
    """Nothing happened between them, so nothing of the lot explains it."""
    world, maker = World(), Maker()
    world.tell(maker.assay("MINE", 0, ORE), maker.assay("MINE", 5, OTHER, lab_id="LAB-2"))
    assert [*still_open(world)] == ["certificates_disagree"]

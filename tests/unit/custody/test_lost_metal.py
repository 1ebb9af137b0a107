"""What a separation is expected to lose is known as badly as what it is expected to recover."""

from custody.events import LotFact
from tests.support.facts import Maker, tick
from tests.support.world import World

FEED, LEAD, ZINC = (1_000_000, 3.0), (52_844, 50.0), (93_650, 2.0)
"""Dry kilograms and percent of lead of the plant with three products in docs/uncertainty.md."""


def plant(lead_pct: float) -> World:
    """Feed and concentrates assayed, tailings weighed only: they get what is not expected."""
    feed, lead, zinc = Maker("FEED"), Maker("LEAD", count=100), Maker("ZINC", count=200)
    kg, dry = 1_000, {"kind": "concentrate", "moisture_fraction": 0.0}
    rest = FEED[0] - LEAD[0] - ZINC[0]
    facts: list[LotFact] = [
        feed.assay("PLANT", 1, {"Pb": (FEED[1] / 100, 0.0002)}, moisture=(0.0, 0.0025)),
        feed.weighing("PLANT", 2, "stock", FEED[0] + 15_000, 15_000),
        feed.side("PLANT", 10, "input", "P-1", mass_dry_g=FEED[0] * kg, **dry),
        feed.side(
            "PLANT", 10, "output", "P-1", output_lot_id="LEAD", mass_dry_g=LEAD[0] * kg, **dry
        ),
        feed.side(
            "PLANT", 10, "output", "P-1", part_no=2, output_lot_id="ZINC",
            mass_dry_g=ZINC[0] * kg, **dry,
        ),
        feed.side(
            "PLANT", 10, "loss", "P-1", part_no=3, loss_kind="tailings", mass_dry_g=rest * kg, **dry
        ),
        feed.side("PLANT", 10, "close", "P-1", part_no=4, **dry),
        lead.assay("PLANT", 20, {"Pb": (lead_pct / 100, 0.002)}, moisture=(0.0, 0.0025)),
        zinc.assay("PLANT", 20, {"Pb": (ZINC[1] / 100, 0.0002)}, moisture=(0.0, 0.0025)),
    ]  # fmt: skip
    world = World()
    world.tell(*facts, *[tick(minute) for minute in (30, 31, 32)])
    return world


def test_a_plant_that_recovers_more_lead_than_expected_has_made_none() -> None:
    assert not plant(LEAD[1]).open_rules()


def test_lead_beyond_all_that_went_in_is_still_found() -> None:
    """The test of the whole node names it, and then the rule need not."""
    assert plant(70.0).open_rules() == {("node_balance", "process/P-1")}

"""What is said of a lot's shares when they change and nothing moves."""

from custody.events import Attribute, DeclaredOrigin, LotFact
from custody.records import OriginShare
from tests.support.facts import Maker, corrected
from tests.support.oracle.books import Oracle
from tests.support.world import World


def test_a_corrected_origin_is_said_everywhere_the_lot_has_been() -> None:
    maker, world = Maker(), World()
    declared = maker.lot("MINE", 0, {"Cu": 0.02})
    weighed = maker.weighing("MINE", 10, "dispatch", 45_000, 15_000)
    left = maker.move("dispatch", "MINE", 11, ("MINE", "PLANT"))
    came = maker.weighing("PLANT", 60, "receipt", 45_000, 15_000)
    used = maker.side("PLANT", 90, "input", "P")
    world.tell(declared, weighed, left, came, used)
    moved = len(world.transfers)
    other = (DeclaredOrigin(level="site", id="ELSEWHERE", share=1.0),)
    world.tell(corrected(declared, "other", 500.0, declared_origins=other))
    assert len(world.transfers) == moved
    mine = [b for account, b in world.balances.items() if account.startswith("lot/L-1/")]
    assert len(mine) == 3
    assert all(not b.mass_wet_g for b in mine)
    said = (OriginShare(level="site", id="ELSEWHERE", share=1.0),)
    assert [b.origins for b in mine] == [said] * 3
    assert world.balances["process/P"].origins == said


def test_shares_that_did_not_change_are_not_said_again() -> None:
    maker, world = Maker(), World()
    declared = maker.lot("MINE", 0, {"Cu": 0.02})
    world.tell(
        declared,
        maker.weighing("MINE", 10, "dispatch", 45_000, 15_000),
        maker.move("dispatch", "MINE", 11, ("MINE", "PLANT")),
        maker.weighing("PLANT", 60, "receipt", 45_000, 15_000),
        maker.side("PLANT", 90, "input", "P"),
    )
    said = len(world.outputs)
    world.tell(corrected(declared, "same", 500.0))
    assert world.outputs[said:] == []


def test_a_declared_content_counts_where_nothing_handed_over_says_any() -> None:
    maker, plant, world = Maker(), Maker("P"), World()
    recycled = Attribute(
        name="recycled", amount=0.4, unit="fraction", per="total", quality="measured", source=None
    )
    facts: list[LotFact] = [
        maker.weighing("PLANT", 10, "stock", 45_000, 15_000, movement_id=None),
        maker.side("PLANT", 20, "input", "P", mass_wet_g=30_000_000),
        plant.side("PLANT", 30, "output", "P", output_lot_id="OUT", mass_dry_g=20_000_000),
        Maker("OUT").lot("PLANT", 40, {}, attributes=(recycled,)),
    ]
    world.tell(*facts)
    assert [s.share for s in world.balances["lot/OUT/PLANT"].shares] == [0.4]
    assert Oracle(facts).carried()["lot/OUT"].shares == {("recycled", "yes"): 0.4}

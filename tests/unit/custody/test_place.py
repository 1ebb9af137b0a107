"""What a lot holds at one place: a function of the facts, and right at any time asked for."""

from custody.events import LotFact
from custody.lot_rows import PlaceRow
from tests.support.facts import Maker
from tests.support.world import World

MINE = "place/L-1\x1fMINE"


def place(world: World, key: str) -> PlaceRow:
    row = world.rows[key]
    assert isinstance(row, PlaceRow)
    return row


def test_a_figure_that_came_and_went_leaves_nothing_whatever_was_withdrawn_meanwhile() -> None:
    """Iron is seen by shots alone; the input takes some until a certificate names copper only."""
    maker = Maker()
    facts: list[LotFact] = [
        maker.shot("MINE", 0, {"Cu": 0.02, "Fe": 0.3}),
        maker.weighing("MINE", 10, "dispatch", 45_000, 15_000),
        maker.move("dispatch", "MINE", 11, ("MINE", "PORT")),
        maker.side("MINE", 20, "input", "P-1", mass_wet_g=1_000_000),
        maker.assay("MINE", 30, {"Cu": (0.025, None)}, None),
    ]
    single, chunked = World(), World()
    single.tell(*facts)
    chunked.tell(*facts, together=True)
    assert "Fe" not in place(single, MINE).amounts
    assert place(single, MINE) == place(chunked, MINE)


def test_shares_are_noted_of_a_lot_that_has_been_somewhere_however_its_facts_came() -> None:
    """Of two shots the second to come is first in canonical order: its lot is folded anew."""
    maker = Maker()
    facts: list[LotFact] = [maker.shot("MINE", at, {"Cu": 0.02}) for at in (0, 1)]
    worlds = World(), World()
    worlds[0].tell(*facts)
    worlds[1].tell(*reversed(facts))
    assert worlds[0].rows["material/L-1"] == worlds[1].rows["material/L-1"]

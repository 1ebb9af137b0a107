"""What a lot holds at one place: a function of the facts, and right at any time asked for."""

from custody import turns
from custody.events import LotFact
from custody.lot_rows import PlaceRow
from tests.support.asof import sums
from tests.support.facts import MINUTE, T0, Maker
from tests.support.world import World

MINE = "place/L-1\x1fMINE"
HEAP = "lot/L-1/MINE"


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


def held(world: World, account: str, minute: float) -> dict[str, int]:
    """What the books say now of what an account held at a time."""
    at = T0 + round(minute * MINUTE)
    found = sums(world.transfers, at, max(t.known_at for t in world.transfers))
    return {name: value for (owner, name), value in found.items() if owner == account}


def test_a_survey_after_a_certificate_leaves_what_the_certificate_said_for_the_time_between() -> (
    None
):
    """30 t of ore at 5 % are 28.5 t dry by default; at 8 % they are 27.6 t, with 2.5 % copper."""
    maker = Maker()
    facts: list[LotFact] = [
        maker.lot("MINE", 0, {"Cu": 0.024}),
        maker.weighing("MINE", 30, "dispatch", 45_000, 15_000),
        maker.assay("MINE", 600, {"Cu": (0.025, None)}, (0.08, None)),
        maker.weighing("MINE", 900, "stock", 44_000, 15_000, movement_id=None),
    ]
    worlds = [World() for _ in range(3)]
    worlds[0].tell(*facts)
    worlds[1].tell(*facts, together=True)
    worlds[2].tell(*reversed(facts))
    before = {"wet": 30_000_000, "dry": 28_500_000, "Cu": 684_000_000}
    between = {"wet": 30_000_000, "dry": 27_600_000, "Cu": 690_000_000}
    after = {"wet": 29_000_000, "dry": 26_680_000, "Cu": 667_000_000}
    for world in worlds:
        assert held(world, HEAP, 599) == before
        assert held(world, HEAP, 600) == held(world, HEAP, 899) == between
        assert held(world, HEAP, 900) == held(world, HEAP, 9_000) == after


def test_shares_are_noted_of_a_lot_that_has_been_somewhere_however_its_facts_came() -> None:
    """Of two shots the second to come is first in canonical order: its lot is folded anew."""
    maker = Maker()
    facts: list[LotFact] = [maker.shot("MINE", at, {"Cu": 0.02}) for at in (0, 1)]
    worlds = World(), World()
    worlds[0].tell(*facts)
    worlds[1].tell(*reversed(facts))
    assert worlds[0].rows["material/L-1"] == worlds[1].rows["material/L-1"]


def certificates(maker: Maker, count: int) -> list[LotFact]:
    """One an hour from the second hour on, each with one part in a thousand more of copper."""
    return [
        maker.assay("MINE", 60 * no, {"Cu": (0.020 + 0.001 * no, None)}, (0.1, None))
        for no in range(2, count + 2)
    ]


def test_each_certificate_says_what_was_there_from_its_own_time_on() -> None:
    """10 t of 40 t leave between the second and the third; 36 t dry, then 27 t."""
    maker = Maker()
    heap = maker.weighing("MINE", 30, "stock", 55_000, 15_000, movement_id=None)
    truck = maker.weighing("MINE", 200, "dispatch", 25_000, 15_000)
    gone = maker.move("dispatch", "MINE", 201, ("MINE", "PORT"))
    facts = [heap, truck, gone, *certificates(maker, 3)]
    worlds = World(), World()
    worlds[0].tell(*sorted(facts, key=lambda fact: fact.occurred_at))
    worlds[1].tell(*reversed(facts))
    for world in worlds:
        copper = [held(world, HEAP, minute)["Cu"] for minute in (120, 179, 180, 199, 201, 240)]
        assert copper == [
            792_000_000, 792_000_000, 828_000_000, 828_000_000, 621_000_000, 648_000_000,
        ]  # fmt: skip
        assert held(world, HEAP, 240)["dry"] == 27_000_000


def test_a_place_has_a_posting_for_each_of_the_newest_certificates_and_no_more() -> None:
    maker = Maker()
    count = turns.TURNS_MAX + 4
    heap = maker.weighing("MINE", 30, "stock", 55_000, 15_000, movement_id=None)
    facts = [heap, *certificates(maker, count)]
    worlds = World(), World()
    worlds[0].tell(*facts)
    worlds[1].tell(*reversed(facts))
    assert place(worlds[0], MINE) == place(worlds[1], MINE)
    for world in worlds:
        row = place(world, MINE)
        assert len(row.posted) == turns.TURNS_MAX
        assert len(row.marks) == turns.TURNS_MAX + 1
        last = 60 * (count + 1)
        assert held(world, HEAP, last)["Cu"] == round(36e6 * (0.020 + 0.001 * (count + 1)) * 1e3)
        assert held(world, HEAP, last - 60 * turns.TURNS_MAX) == held(world, HEAP, 31)


def test_a_survey_stands_for_its_own_time_when_a_truck_has_left_since() -> None:
    maker = Maker()
    facts: list[LotFact] = [
        maker.weighing("MINE", 30, "dispatch", 45_000, 15_000),
        maker.weighing("MINE", 60, "stock", 44_000, 15_000, movement_id=None),
        maker.weighing("MINE", 90, "dispatch", 25_000, 15_000, movement_id="M-2"),
        maker.move("dispatch", "MINE", 91, ("MINE", "PORT"), movement_id="M-2"),
    ]
    world = World()
    world.tell(*facts)
    assert [held(world, HEAP, minute)["wet"] for minute in (59, 60, 89, 91)] == [
        30_000_000, 29_000_000, 29_000_000, 19_000_000,
    ]  # fmt: skip


def test_a_place_that_a_load_did_not_leave_from_after_all_keeps_no_marks() -> None:
    """The dispatch is weighed again at another site, and the last weighing counts."""
    maker = Maker()
    facts: list[LotFact] = [
        maker.weighing("MINE", 30, "dispatch", 45_000, 15_000),
        maker.assay("MINE", 60, {"Cu": (0.025, None)}, (0.08, None)),
        maker.weighing("DEPOT", 90, "dispatch", 45_000, 15_000),
    ]
    world = World()
    world.tell(*facts)
    assert place(world, MINE) == PlaceRow()

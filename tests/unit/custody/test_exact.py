"""Exact rules of one lot: each is raised by its reason alone and taken back with it."""

from dataclasses import replace

import pytest

from custody.events import ActionTaken, Document, LotFact, Micros, ReferenceSet
from custody.exact import HOLDS_MAX, with_holds
from custody.geography import SPEED_KMH_MAX, distance_km
from tests.support.chain_references import record
from tests.support.facts import MINUTE, T0, Maker, corrected, event_id
from tests.support.world import World

LEG = ("MINE", "DEPOT")
LOT = "lot/L-1"
DAY = T0 // 86_400_000_000


def site(name: str, lat: float, lon: float, no: int) -> ReferenceSet:
    return record(("site", name), {"name": name, "lat": lat, "lon": lon}, no)


SITES = (site("MINE", -10.0, 25.0, 11), site("DEPOT", -12.0, 27.0, 12))
"""311 km apart."""


def trip(maker: Maker, minutes: float = 300, **papers: object) -> list[LotFact]:
    return [
        maker.weighing("MINE", 0, "dispatch", 45_000, 15_000),
        maker.move("dispatch", "MINE", 2, LEG, **papers),
        maker.weighing("DEPOT", minutes, "receipt", 45_000, 15_000),
    ]


def hold(
    minute: float,
    action: str = "hold",
    actor: str = "inspector",
    ends: ActionTaken | None = None,
    load: str | None = None,
) -> ActionTaken:
    return ActionTaken(
        event_id=event_id(f"{action}/{minute}/{actor}/{load}"),
        gateway_id="GW-1",
        gateway_epoch=1,
        gateway_seq=1,
        action=action,
        alert_id=None,
        version=None,
        subject=LOT,
        actor=actor,
        reason=None,
        recorded_at=Micros(T0 + round(minute * MINUTE)),
        hold_id=None if ends is None else ends.event_id,
        movement_id=load,
    )


def reason(world: World, rule: str) -> str:
    [alert] = [a for a in world.alerts.values() if a.rule == rule]
    assert alert.family == "custody_gap"
    return alert.reason


def test_a_load_that_two_sites_received_is_found_until_one_of_them_takes_it_back() -> None:
    world, maker = World(), Maker()
    again = maker.move("receipt", "PORT", 400, ("MINE", "PORT"))
    world.tell(*trip(maker), again)
    assert world.open_rules() == {("double_receipt", LOT)}
    assert reason(world, "double_receipt") == (
        "trip M-1 was received at DEPOT and PORT; one load comes to one site"
    )
    world.tell(corrected(again, "void", void=True))
    assert world.open_rules() == set()


def test_a_load_weighed_in_at_two_sites_is_one_finding() -> None:
    world, maker = World(), Maker()
    facts = [*trip(maker), maker.weighing("PORT", 400, "receipt", 45_000, 15_000)]
    world.tell(*facts)
    assert world.open_rules() == {("double_receipt", LOT)}
    third = maker.weighing("PORT", 410, "receipt", 45_000, 15_000)
    world.tell(third)
    assert world.open_rules() == {("double_receipt", LOT), ("weighed_twice", LOT)}


@pytest.mark.parametrize(("writer", "found"), [("PORT", True), ("DEPOT", False), ("MINE", False)])
def test_a_second_receipt_is_of_the_site_that_wrote_it_whatever_it_copied(
    writer: str, *, found: bool
) -> None:
    """Papers of a second receiver name where the load was to go; those of the sender may, too."""
    world, maker = World(), Maker()
    world.tell(*trip(maker), maker.move("receipt", writer, 400, LEG))
    assert world.open_rules() == ({("double_receipt", LOT)} if found else set())


@pytest.mark.parametrize(
    ("left", "came", "resealed", "found"),
    [
        (("S-1", "S-2"), ("S-2", "S-1"), (), False),
        (("S-1", "S-2"), ("S-1", "S-3"), (), True),
        (("S-1", "S-2"), ("S-1",), (), True),
        (("S-1",), (), (), False),
        ((), ("S-1",), (), False),
        (("S-1",), ("S-9",), ("S-9",), False),
        (("S-1",), ("S-8",), ("S-9",), True),
    ],
)
def test_seals_are_compared_where_both_ends_state_them(
    left: tuple[str, ...], came: tuple[str, ...], resealed: tuple[str, ...], *, found: bool
) -> None:
    world, maker = World(), Maker()
    world.tell(*trip(maker, seals=left))
    if resealed:
        world.tell(maker.move("border", "BORDER", 100, LEG, seals=resealed))
    world.tell(maker.move("receipt", "DEPOT", 310, LEG, seals=came))
    assert world.open_rules() == ({("seal_changed", LOT)} if found else set())


def test_the_distance_is_that_of_a_sphere() -> None:
    """A degree of latitude: 6371.0088 km x pi / 180; the equator half round."""
    assert distance_km((0.0, 0.0), (1.0, 0.0)) == pytest.approx(111.195, abs=0.001)
    assert distance_km((0.0, 0.0), (0.0, 180.0)) == pytest.approx(20_015.1, abs=0.1)
    assert distance_km((-10.0, 25.0), (-10.0, 25.0)) == 0.0


@pytest.mark.parametrize(("minutes", "found"), [(300, False), (140, False), (130, True)])
def test_a_load_faster_than_anything_is_found_where_sites_have_coordinates(
    minutes: float, *, found: bool
) -> None:
    """306 km at 130 km/h take 141 minutes; five are the clocks'."""
    maker = Maker()
    for references in (SITES, ()):
        world = World()
        world.tell(*references, *trip(maker, minutes))
        wanted = {("impossible_speed", LOT)} if found and references else set()
        assert world.open_rules() == wanted


def test_a_stated_position_counts_instead_of_the_sites() -> None:
    world, maker = World(), Maker()
    near = {"latitude_deg": -11.9, "longitude_deg": 26.9}
    world.tell(*SITES, *trip(maker, 60, **near))
    assert world.open_rules() == set()


def test_a_leg_that_is_flown_says_so() -> None:
    world, maker = World(), Maker()
    leg = {"from": "MINE", "to": "DEPOT", "speed_kmh_max": 900}
    world.tell(*SITES, record(("route", "MINE-DEPOT"), {"legs": [leg]}, 1), *trip(maker, 60))
    assert world.open_rules() == set()
    assert leg["speed_kmh_max"] > SPEED_KMH_MAX  # type: ignore[operator]  # a number


def test_a_load_that_came_before_it_left_is_impossible_without_coordinates() -> None:
    world, maker = World(), Maker()
    weighed, left, came = trip(maker, -60)
    world.tell(weighed, left, came)
    assert reason(world, "impossible_speed") == "trip M-1 came to DEPOT 1.0 h before it left MINE"
    world.tell(corrected(came, "later", occurred_at=Micros(T0 + 300 * MINUTE)))
    assert world.open_rules() == set()


@pytest.mark.parametrize(
    ("days", "zone_min", "found"),
    [(0, None, False), (-1, None, True), (-1, 0, True), (None, None, False)],
)
def test_a_document_is_out_of_date_when_its_last_day_is_over(
    days: int | None, zone_min: int | None, *, found: bool
) -> None:
    """T0 is half past twelve in the afternoon, UTC: everywhere west of it is still the same day."""
    world, maker = World(), Maker()
    day = None if days is None else DAY + days
    paper = Document(type="permit", number="Q-1", issued_day=None, expires_day=day)
    fact = maker.move("checkpoint", "BORDER", 2, LEG, documents=(paper,))
    world.tell(replace(fact, time_zone_offset_min=zone_min))
    assert world.open_rules() == ({("document_expired", LOT)} if found else set())
    if found:
        assert reason(world, "document_expired").startswith("permit Q-1 travelled")


def test_a_hold_is_breached_by_what_leaves_between_it_and_its_release() -> None:
    world, maker = World(), Maker()
    world.tell(*trip(maker), hold(10))
    assert world.open_rules() == set()
    world.tell(hold(1))
    assert reason(world, "hold_breached") == "trip M-1 left MINE while inspector held the lot"
    world.tell(hold(1.5, "release"))
    assert world.open_rules() == set()
    fed = maker.side("DEPOT", 400, "input", "P-1", mass_wet_g=1_000_000)
    world.tell(fed)
    assert world.open_rules() == {("hold_breached", LOT)}
    world.tell(hold(350, "release"))
    assert world.open_rules() == set()


@pytest.mark.parametrize(
    ("movement", "load"), [("M-1", None), ("M-1", "M-1"), (None, None)], ids=str
)
def test_a_held_load_that_is_weighed_out_is_a_breach_before_any_papers(
    movement: str | None, load: str | None
) -> None:
    """A plant that sends scale tickets alone heard of it when the truck had arrived."""
    world, maker = World(), Maker()
    out = maker.weighing("MINE", 2, "dispatch", 45_000, 15_000, movement_id=movement)
    world.tell(hold(1, load=load), out)
    name = movement or "/1"
    whose = "load" if load else "lot"
    said = f"trip {name} left MINE while inspector held the {whose}"
    assert reason(world, "hold_breached") == said
    world.tell(corrected(out, "void", void=True))
    assert world.open_rules() == set()


def test_papers_of_a_load_weighed_out_say_nothing_new_and_their_time_counts() -> None:
    world, maker = World(), Maker()
    world.tell(hold(1), maker.weighing("MINE", 2, "dispatch", 45_000, 15_000))
    [breach] = world.alerts.values()
    world.tell(maker.move("dispatch", "MINE", 3, LEG))
    assert list(world.alerts.values()) == [breach]
    world.tell(hold(2.5, "release"))
    assert world.open_rules() == set()


@pytest.mark.parametrize(("minute", "purpose"), [(0.5, "dispatch"), (2, "stock"), (2, "check")])
def test_a_weighing_before_the_hold_or_for_no_departure_breaches_nothing(
    minute: float, purpose: str
) -> None:
    world, maker = World(), Maker()
    world.tell(hold(1), maker.weighing("MINE", minute, purpose, 45_000, 15_000))
    assert world.open_rules() == set()


def test_a_load_held_by_its_name_does_not_hold_the_next_one() -> None:
    world, maker = World(), Maker()
    held = hold(1, load="M-1")
    for other in ("M-2", None):
        world.tell(held, maker.weighing("MINE", 2, "dispatch", 45_000, 15_000, movement_id=other))
    assert world.open_rules() == set()
    late = maker.weighing("MINE", 3, "dispatch", 45_000, 15_000)
    world.tell(late)
    assert world.open_rules() == {("hold_breached", LOT)}
    world.tell(corrected(late, "earlier", occurred_at=Micros(T0)))
    assert world.open_rules() == set()


def test_a_hold_of_a_lot_nobody_has_heard_of_waits_for_it() -> None:
    world, maker = World(), Maker()
    world.tell(hold(1), *trip(maker))
    assert world.open_rules() == {("hold_breached", LOT)}
    world.tell(hold(1))
    assert world.open_rules() == {("hold_breached", LOT)}


def test_each_hold_stands_until_it_is_released_itself() -> None:
    olga, otto = hold(0.5, actor="olga"), hold(1, actor="otto")
    told = [olga, otto, hold(1.5, "release", "otto", otto)]
    for order in (told, told[::-1]):
        world, maker = World(), Maker()
        world.tell(*trip(maker), *order)
        assert reason(world, "hold_breached") == "trip M-1 left MINE while olga held the lot"
        world.tell(hold(1.6, "release", "otto", olga))
        assert world.open_rules() == set()


def test_a_release_that_names_no_hold_ends_all_before_it() -> None:
    world, maker = World(), Maker()
    world.tell(*trip(maker), hold(0.5, actor="olga"), hold(1, actor="otto"))
    world.tell(hold(1.5, "release"))
    assert world.open_rules() == set()
    world.tell(hold(1.7, actor="olga"))
    assert world.open_rules() == {("hold_breached", LOT)}


def test_a_hold_is_ended_by_its_release_whatever_two_clocks_say() -> None:
    world, maker = World(), Maker()
    late = hold(1.5, actor="olga")
    world.tell(*trip(maker), late)
    assert world.open_rules() == {("hold_breached", LOT)}
    world.tell(hold(1, "release", "otto", late))
    assert world.open_rules() == set()


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(("held", "released"), [(None, "M-1"), (None, "M-9"), ("M-1", "M-9")])
def test_a_release_of_another_load_does_not_end_the_hold_it_names(
    held: str | None, released: str, *, first: bool
) -> None:
    world, maker = World(), Maker()
    of_hold = hold(0.5, actor="olga", load=held)
    release = hold(1, "release", "otto", of_hold, load=released)
    world.tell(*trip(maker), *((of_hold, release) if first else (release, of_hold)))
    assert reason(world, "hold_breached") == (
        f"trip M-1 left MINE while olga held the {'load' if held else 'lot'};"
        f" otto's release of load {released} names this hold and does not end it"
    )
    assert world.findings.count("release_of_other_load") == 1
    world.tell(hold(1.5, "release", "otto", of_hold, load=held))
    assert world.open_rules() == set()


def test_a_release_that_names_a_hold_of_a_load_need_not_name_the_load() -> None:
    of_load = hold(0.5, load="M-1")
    world, maker = World(), Maker()
    world.tell(*trip(maker), of_load, hold(1, "release", ends=of_load))
    assert world.open_rules() == set()
    assert "release_of_other_load" not in world.findings


def test_a_release_that_ends_nothing_is_said_where_it_takes_the_place_of_another() -> None:
    held = hold(0, actor="olga")
    wrong = [
        hold(1 + no / 100, "release", f"p{no}", held, load="M-9") for no in range(HOLDS_MAX + 1)
    ]
    kept, found = with_holds([], [held, *wrong[: HOLDS_MAX - 1]])
    assert (len(kept), found) == (HOLDS_MAX, ["release_of_other_load"])
    assert with_holds(kept, wrong[: HOLDS_MAX - 1]) == (kept, [])
    # Several at once are said once.
    after, found = with_holds(kept, wrong[HOLDS_MAX - 1 :])
    assert (len(after), found) == (HOLDS_MAX, ["release_of_other_load"])


def test_what_is_held_outlives_what_is_over_and_no_release_is_lost_before_its_hold() -> None:
    standing = hold(0, actor="olga")
    over = [hold(1 + one, actor=f"p{one}") for one in range(100)]
    ends = [hold(one / 200, "release", "otto", it) for one, it in enumerate(over)]
    kept, beyond = with_holds([], [standing, *over, *ends])
    assert (len(kept), beyond) == (HOLDS_MAX, [])
    held = {one.event_id for one in kept if one.held}
    assert standing.event_id in held
    assert held - {one.ends for one in kept} == {standing.event_id}


def test_of_more_holds_than_are_kept_the_oldest_stand_and_it_is_counted() -> None:
    """The oldest was dropped without a word: the lot was held, and left without an alert."""
    first = hold(0.5, actor="olga")
    more = [hold(1 + no / 100, actor=f"p{no}") for no in range(HOLDS_MAX + 1)]
    for order in ([first, *more], [*more[::-1], first]):
        kept, counted = with_holds([], order)
        assert [one.event_id for one in kept] == [
            one.event_id for one in [first, *more][:HOLDS_MAX]
        ]
        assert counted == ["beyond_holds", "beyond_holds"]
        world, maker = World(), Maker()
        world.tell(*trip(maker), *order)
        assert "olga held the lot" in reason(world, "hold_breached")
        assert world.findings.count("beyond_holds") == 2
        # What was released makes room, and who was not kept has to say it again.
        kept, counted = with_holds(kept, [hold(1.3, "release", "otto", more[0])])
        assert (more[-1].event_id in {one.event_id for one in kept}, counted) == (False, [])
        kept, counted = with_holds(kept, [more[-1]])
        assert (more[-1].event_id in {one.event_id for one in kept}, counted) == (True, [])
        world.tell(hold(1.3, "release", "otto", more[0]), hold(1.4, actor="late"))
        assert world.findings.count("beyond_holds") == 2


def surveyed(maker: Maker) -> list[LotFact]:
    """A heap of 30 t that is weighed as it lies, and leaves whole."""
    stock = maker.weighing("MINE", -10, "stock", 45_000, 15_000, movement_id=None)
    return [stock, *trip(maker)]


def seen(maker: Maker, minute: float, place: str = "ELSEWHERE") -> LotFact:
    return maker.weighing(place, minute, "stock", 45_000, 15_000, movement_id=None)


@pytest.mark.parametrize(
    ("minute", "place", "found"),
    [(100, "ELSEWHERE", True), (400, "ELSEWHERE", False), (100, "DEPOT", False)],
)
def test_a_lot_is_in_two_places_where_all_of_it_is_on_the_way(
    minute: float, place: str, *, found: bool
) -> None:
    world, maker = World(), Maker()
    facts = [*surveyed(maker), seen(maker, minute, place)]
    for order in (facts, facts[::-1]):
        world = World()
        world.tell(*order)
        assert (("two_places", LOT) in world.open_rules()) == found
    if found:
        assert reason(world, "two_places") == (
            "seen at ELSEWHERE while all of it was on the way from MINE to DEPOT"
        )


def test_a_scan_elsewhere_is_seen_too() -> None:
    world, maker = World(), Maker()
    world.tell(*surveyed(maker), maker.shot("ELSEWHERE", 100, {"Cu": 0.02}))
    assert ("two_places", LOT) in world.open_rules()


def test_what_may_still_lie_in_the_ground_is_no_proof() -> None:
    world, maker = World(), Maker()
    world.tell(*trip(maker), seen(maker, 100))
    assert ("two_places", LOT) not in world.open_rules()


def test_what_was_left_behind_is_no_proof() -> None:
    world, maker = World(), Maker()
    stock = maker.weighing("MINE", -10, "stock", 75_000, 15_000, movement_id=None)
    world.tell(stock, *trip(maker), seen(maker, 100))
    assert ("two_places", LOT) not in world.open_rules()

"""What one trip, one stock weighing or one process input posts, and what it puts into places.

Source: docs/ledger.md, "Postings of a lot". The lot L-1 has a tenth of water and a fiftieth of
copper; times are single digits, so that a figure says which fact it is from.
"""

import pytest

from custody import postings
from custody.estimate import Estimate, sigma
from custody.events import Micros
from custody.held import BEGINNING, Carried, Held, Posted
from custody.knowledge import Amount, Knowledge
from custody.lot_rows import Basis, Cause, Mass, Papers, Trip
from custody.postings import Context, Made, Supplied
from custody.reference import References
from custody.rows import Fed, Side, Weighed
from tests.support.instruments import reference
from tests.support.world import World

SURE = Estimate(0.9, 0.0, {})
BASIS = Basis(0.1, {"Cu": 0.02}, {})
OLDER = Basis(0.2, {"Cu": 0.01}, {})


def knowledge(dry_share: float = 0.9) -> Knowledge:
    return Knowledge(
        dryness=Estimate(dry_share, 0.0, {}),
        grades={"Cu": Estimate(0.02, 0.0, {})},
        rates={},
        cause=None,
        unmeasured=0.95,
        handed={},
        basis=BASIS,
        certified=frozenset({"Cu"}),
        moist=True,
        findings=[],
    )


def context(
    supplied: Supplied | None = None, route: str | None = None, dry_share: float = 0.9
) -> Context:
    return Context("L-1", knowledge(dry_share), References(World().rows), route, supplied or {})


def mass(name: str, at: int, site: str, net_kg: int, basis: Basis = BASIS) -> Mass:
    net, stored = net_kg * 1000, False
    ticket = Weighed(
        "M", None, "dispatch", "WB-" + site, net + 10**7, 10**7, net, stored, None, None
    )
    return Mass(name, Micros(at), Micros(at + 10), site, basis, ticket)


def papers(
    name: str, at: int, ends: tuple[str | None, str | None], party: str | None = None
) -> Papers:
    return Papers(name, Micros(at), Micros(at + 10), *ends, party)


OUT, BACK = mass("out", 1, "MINE", 30_000), mass("back", 4, "PORT", 29_900)
LEFT, ARRIVED = papers("left", 2, ("MINE", "PORT")), papers("arrived", 3, ("MINE", "PORT"))

Line = tuple[str, str, int, int, int, int]


def lines(made: Made) -> dict[str, Line]:
    """Debit, credit, kilograms wet and dry, grams of copper, effective time; by kind and event."""
    return {
        key: (p.debit, p.credit, p.wet // 1000, p.dry // 1000, p.amounts["Cu"] // 10**6, p.at)
        for key, p in made.posted.items()
    }


def flows(made: Made) -> list[tuple[str, str, int, int, int]]:
    """Place, key, time, sign and kilograms of weighings in and out."""
    return [(place, key, f.at, f.sign, f.grams // 1000) for place, key, f in made.flows]


HERE, WAY, THERE = "lot/L-1/MINE", "lot/L-1/transit", "lot/L-1/PORT"
FIRST = ("origin/MINE", HERE, 30_000, 27_000, 540, 1)
GONE = (HERE, WAY, 30_000, 27_000, 540)


def of(trip: Trip, where: Context | None = None) -> Made:
    made = postings.of_trip("=M", trip, where or context())
    assert {posted.movement for posted in made.posted.values()} <= {"=M"}
    return made


def test_a_load_that_has_not_left_lies_where_it_was_weighed() -> None:
    made = of(Trip(dispatch=OUT))
    assert lines(made) == {"first_weighing|out": FIRST}
    assert flows(made) == [("MINE", "=M<", 1, 1, 30_000)]
    [(_, _, flow)] = made.flows
    assert flow.cause == Cause(Micros(1), Micros(11), "out")
    assert flow.var > 0.0
    assert set(flow.parts) == {"WB-MINE"}


def test_a_load_of_a_supplied_site_that_has_not_left_moves_nothing() -> None:
    made = of(Trip(dispatch=OUT), context({"MINE": None}))
    assert (lines(made), flows(made)) == ({}, [])


def test_a_load_that_left_is_under_way() -> None:
    made = of(Trip(dispatch=OUT, left=LEFT))
    assert lines(made) == {"first_weighing|out": FIRST, "dispatch|out": (*GONE, 2)}
    assert flows(made) == [("transit", "=M=", 2, 1, 30_000)]


def test_a_load_of_a_supplied_site_leaves_it() -> None:
    made = of(Trip(dispatch=OUT, left=LEFT), context({"MINE": None}))
    assert lines(made) == {"dispatch|out": (*GONE, 2)}
    assert flows(made) == [("MINE", "=M<", 1, -1, 30_000), ("transit", "=M=", 2, 1, 30_000)]


@pytest.mark.parametrize(
    ("since", "supplied"),
    [(0, True), (1, True), (2, False)],
)
def test_a_heap_supplies_what_is_weighed_at_or_after_its_survey(
    since: int, *, supplied: bool
) -> None:
    made = of(Trip(dispatch=OUT, left=LEFT), context({"MINE": Micros(since)}))
    assert ("first_weighing|out" not in made.posted) is supplied
    assert (("MINE", "=M<", 1, -1, 30_000) in flows(made)) is supplied


def test_a_load_whose_papers_say_only_that_it_arrived_left_when_it_was_weighed() -> None:
    """It is taken to weigh what it weighed at the start."""
    made = of(Trip(dispatch=OUT, arrived=ARRIVED), context({"MINE": None}))
    assert lines(made) == {
        "dispatch|out": (*GONE, 1),
        "receipt|arrived": (WAY, THERE, 30_000, 27_000, 540, 3),
    }
    assert flows(made) == [("MINE", "=M<", 1, -1, 30_000), ("PORT", "=M>", 3, 1, 30_000)]


def test_a_load_weighed_at_both_ends_leaves_the_difference_unaccounted() -> None:
    """Both on the basis of the dispatch, whatever was known at the receipt."""
    made = of(Trip(dispatch=OUT, left=LEFT, receipt=BACK._replace(basis=OLDER), arrived=ARRIVED))
    assert lines(made) == {
        "first_weighing|out": FIRST,
        "dispatch|out": (*GONE, 2),
        "receipt|back": (WAY, THERE, 29_900, 26_910, 538, 4),
        "unaccounted|back": (WAY, "unaccounted/MINE-PORT", 100, 90, 1, 4),
    }
    assert flows(made) == [("PORT", "=M>", 4, 1, 29_900)]
    assert made.findings == []


def test_the_difference_is_that_of_the_declared_route() -> None:
    made = of(Trip(dispatch=OUT, receipt=BACK), context(route="R-7"))
    assert made.posted["unaccounted|back"].credit == "unaccounted/R-7"


def test_two_weighings_that_agree_leave_nothing_unaccounted() -> None:
    made = of(Trip(dispatch=OUT, receipt=mass("back", 4, "PORT", 30_000)))
    assert list(made.posted) == ["first_weighing|out", "dispatch|out", "receipt|back"]


@pytest.mark.parametrize(
    ("to_site", "party", "sold"),
    [(None, "BUYER", True), ("PORT", "BUYER", False), (None, None, False)],
)
def test_a_load_is_sold_that_leaves_for_a_party_and_no_site(
    to_site: str | None, party: str | None, *, sold: bool
) -> None:
    made = of(Trip(dispatch=OUT, left=papers("left", 2, ("MINE", to_site), party)))
    sale = (WAY, "outside/BUYER", 30_000, 27_000, 540, 2)
    assert lines(made).get("sale|left") == (sale if sold else None)
    assert flows(made) == ([] if sold else [("transit", "=M=", 2, 1, 30_000)])


@pytest.mark.parametrize("weighed_out", [True, False])
def test_what_a_buyer_weighs_of_a_sold_load_is_the_buyers(*, weighed_out: bool) -> None:
    out = OUT if weighed_out else None
    sold = papers("left", 2, ("MINE", None), "BUYER")
    made = of(Trip(dispatch=out, left=sold, receipt=BACK, arrived=ARRIVED))
    expected = ["first_weighing|out", "dispatch|out", "sale|left"] if weighed_out else []
    assert (list(made.posted), flows(made)) == (expected, [])


def test_a_trip_that_nobody_weighed_moves_nothing() -> None:
    made = of(Trip(left=LEFT, arrived=ARRIVED))
    assert (lines(made), flows(made)) == ({}, [])


def test_a_load_weighed_where_it_arrived_comes_from_where_the_papers_say() -> None:
    made = of(Trip(receipt=BACK, left=LEFT))
    assert lines(made) == {"first_weighing|back": ("origin/MINE", THERE, 29_900, 26_910, 538, 4)}
    assert flows(made) == [("PORT", "=M>", 4, 1, 29_900)]
    assert of(Trip(receipt=BACK)).posted["first_weighing|back"].debit == "origin/unknown"


def test_a_load_weighed_where_it_arrived_from_a_party_is_bought_of_it() -> None:
    made = of(Trip(receipt=BACK, arrived=papers("arrived", 3, (None, "PORT"), "SELLER")))
    assert made.posted["first_weighing|back"].debit == "outside/SELLER"


def test_a_load_weighed_where_it_arrived_from_a_supplied_site_leaves_that_site() -> None:
    made = of(Trip(receipt=BACK, left=LEFT), context({"MINE": None}))
    assert lines(made) == {
        "dispatch|back": (HERE, WAY, 29_900, 26_910, 538, 2),
        "receipt|back": (WAY, THERE, 29_900, 26_910, 538, 4),
    }
    assert flows(made) == [("MINE", "=M<", 2, -1, 29_900), ("PORT", "=M>", 4, 1, 29_900)]


def test_a_load_weighed_where_it_came_from_does_not_leave_for_where_it_is() -> None:
    round_trip = Trip(receipt=BACK, left=papers("left", 2, ("PORT", "PORT")))
    made = of(round_trip, context({"PORT": None}))
    assert list(made.posted) == ["first_weighing|back"]


def test_a_trip_paired_by_its_vehicle_says_so() -> None:
    found = of(Trip(dispatch=OUT, inferred=True)).findings
    assert [(one.rule, one.about, one.detail) for one in found] == [
        ("pair_inferred", "=M", "trip M is paired by vehicle and order, without a movement_id")
    ]


def test_each_bridge_out_of_calibration_is_named() -> None:
    world = World()
    world.tell(reference("device", "WB-PORT", {"class": "III", "calibrated_until": "1969-01-01"}))
    where = Context("L-1", knowledge(), References(world.rows), None, {})
    for trip in (Trip(dispatch=OUT, receipt=BACK), Trip(receipt=BACK)):
        found = postings.of_trip("=M", trip, where).findings
        assert [(one.rule, one.about) for one in found] == [
            ("device_out_of_calibration", "WB-PORT")
        ]


# Stock and process inputs


def test_a_first_stock_weighing_brings_in_what_lies_there() -> None:
    made = postings.of_stock("MINE", OUT, context())
    assert lines(made) == {"first_weighing|out": FIRST}
    assert flows(made) == [("MINE", "first", 1, 1, 30_000)]
    assert made.posted["first_weighing|out"].movement is None


def test_a_weighing_of_all_that_was_there_is_a_flow_in() -> None:
    flow = postings.weighed_flow(OUT, context())
    assert (flow.at, flow.sign, flow.grams) == (1, 1, 30_000_000)
    assert flow.cause == Cause(Micros(1), Micros(11), "out")


def fed(**more: object) -> Fed:
    side = Side("P-1", "blend", "input", 1, None, None, None, None, None, None)
    return Fed("fed", Micros(5), Micros(15), "MINE", side._replace(**more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stated", "wet", "dry"),
    [
        ({}, 50_000, 45_000),
        ({"wet": 20_000}, 20_000, 18_000),
        ({"wet": 20_000, "moisture": 0.25}, 20_000, 15_000),
        ({"dry": 18_000}, 20_000, 18_000),
        ({"dry": 15_000, "moisture": 0.25}, 20_000, 15_000),
        ({"wet": 20_000, "dry": 19_000}, 20_000, 19_000),
        ({"dry": 15_000, "moisture": 1.0}, 15_000, 15_000),
    ],
)
def test_an_input_takes_what_it_states_else_all_that_is_there(
    stated: dict[str, object], wet: int, dry: int
) -> None:
    made, amount, _ = postings.of_feed(fed(**stated), 50_000, None, context())
    assert amount == Amount(wet, dry, {"Cu": dry * 20})
    posted = Posted(HERE, "process/P-1", wet, dry, {"Cu": dry * 20}, Micros(5), None, "P-1")
    assert made.posted == {"process_input|fed": posted}
    [(place, key, flow)] = made.flows
    assert (place, key, flow.at, flow.sign, flow.grams) == ("MINE", "fed", 5, -1, wet)


def test_an_input_is_known_as_it_states_else_to_a_500th() -> None:
    for stated, u in (({}, 100.0), ({"u_mass": 30}, 30.0)):
        made, _, estimate = postings.of_feed(fed(**stated), 50_000, None, context())
        assert estimate.value == 50_000.0
        assert sigma(estimate) == pytest.approx(u)
        assert made.flows[0][2].var == pytest.approx(u * u)


def test_an_input_too_deep_in_a_ring_moves_what_it_moved_last() -> None:
    last = Posted("a", "b", 7, 6, {"Cu": 5}, Micros(0), None, None)
    made, amount, estimate = postings.of_feed(fed(), 50_000, last, context())
    assert amount == Amount(7, 6, {"Cu": 5})
    assert estimate.value == 7.0
    assert made.posted["process_input|fed"].wet == 7


def test_what_a_process_gives_is_a_weighing_in_that_it_has_posted() -> None:
    nothing = Carried({}, {}, {}, {})
    held = Held(
        "cause", "process/P", "MINE", 1, Micros(5), 900, 3.0, {"WB": 4.0}, 800, 1.0, {},
        {}, nothing,
    )  # fmt: skip
    made = postings.of_given(held, context())
    assert made.posted == {}
    [(place, key, flow)] = made.flows
    assert (place, key, flow.at, flow.sign, flow.grams) == ("MINE", "cause", 5, 1, 900)
    assert (flow.var, flow.parts) == (9.0, {"WB": 4.0})
    assert flow.cause == Cause(Micros(5), BEGINNING, "cause")


def test_a_difference_of_amounts_leaves_out_what_does_not_differ() -> None:
    first = Amount(5, 4, {"Cu": 3, "Au": 1, "Ag": 2})
    assert postings.minus(first, Amount(7, 1, {"Cu": 1, "Au": 1, "Zn": 4})) == Amount(
        -2, 3, {"Cu": 2, "Ag": 2, "Zn": -4}
    )


def test_one_event_with_many_postings_names_their_accounts() -> None:
    made, cause = Made(), Cause(Micros(1), Micros(2), "e")
    made.post("kind", cause, "a", "b", Amount(1, 1, {}), account="b", process="P")
    made.post("kind", cause, "a", "c", Amount(1, 1, {}))
    assert list(made.posted) == ["kind|e|b", "kind|e"]
    assert made.posted["kind|e|b"].process == "P"

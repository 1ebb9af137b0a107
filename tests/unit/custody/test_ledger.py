"""From what stands and what should stand to transfers, and when each became known.

Source: docs/ledger.md, "Postings of a lot".
"""

import pytest

from custody.carried import NOTHING_CARRIED, said
from custody.events import Micros
from custody.held import Carried, Posted
from custody.ledger import Clock, difference
from custody.records import Amount, AttributeAmount, OriginShare, Transfer

CO2E = "@CO2e\x1fkg\x1fmeasured"
OWNER = ("L-1", None)


def clock(*at: int) -> Clock:
    return Clock([(Micros(one), f"R-{one}") for one in at])


def posted(wet: int) -> Posted:
    amounts = {"Cu": wet // 10, CO2E: wet * 2}
    return Posted("origin/A", "lot/L-1/A", wet, wet - 1, amounts, Micros(3), "M", None)


def moved(
    stood: dict[str, Posted], wanted: dict[str, Posted], now: Clock
) -> tuple[list[Transfer], set[str]]:
    return difference(stood, wanted, OWNER, said(NOTHING_CARRIED), now)


def test_what_should_stand_and_does_not_is_posted() -> None:
    carried = Carried({"site\x1fA": 1.0}, {}, {}, {})
    [one], accounts = difference(
        {}, {"dispatch|E-1": posted(100)}, ("L-1", "P-1"), said(carried), clock(5)
    )
    assert (one.kind, one.cause_event_id, one.debit, one.credit) == (
        "dispatch",
        "E-1",
        "origin/A",
        "lot/L-1/A",
    )
    assert (one.mass_wet_g, one.mass_dry_g) == (100, 99)
    assert one.metals == (Amount(analyte="Cu", value_mg=10),)
    assert [a.value_micro for a in one.attributes] == [200]
    assert one.origins == (OriginShare(level="site", id="A", share=1.0),)
    assert (one.effective_at, one.known_at) == (3, 5)
    assert (one.replaces_event_id, one.replaces_kind) == (None, None)
    assert (one.lot_id, one.process_id, one.movement_id) == ("L-1", "P-1", "M")
    assert (one.sender, one.n) == ("", 0)
    assert accounts == {"origin/A", "lot/L-1/A"}


def test_what_no_longer_should_stand_is_negated_and_named() -> None:
    [one], accounts = moved({"dispatch|E-1": posted(100)}, {}, clock(7, 9))
    assert (one.debit, one.credit) == ("origin/A", "lot/L-1/A")
    assert (one.mass_wet_g, one.mass_dry_g) == (-100, -99)
    assert one.metals == (Amount(analyte="Cu", value_mg=-10),)
    assert one.attributes == (
        AttributeAmount(name="CO2e", unit="kg", quality="measured", value_micro=-200),
    )
    assert (one.kind, one.cause_event_id) == ("dispatch", "R-9")
    assert (one.replaces_kind, one.replaces_event_id) == ("dispatch", "E-1")
    assert (one.effective_at, one.known_at) == (3, 9)
    assert accounts == {"origin/A", "lot/L-1/A"}


def test_equal_postings_are_left_alone_whatever_they_rest_on() -> None:
    """By another movement or process: the amounts, accounts and time are the same."""
    old = {"dispatch|E-1": posted(100)}
    new = {"dispatch|E-1": posted(100)._replace(movement="N", process="P")}
    assert moved(old, new, clock(8)) == ([], set())


def test_any_other_amount_account_or_time_is_compensated_first_and_posted_anew() -> None:
    one = posted(100)
    others = [
        one._replace(debit="outside/X"),
        one._replace(credit="lot/L-1/B"),
        one._replace(wet=101),
        one._replace(dry=98),
        one._replace(amounts={"Cu": 11}),
        one._replace(at=Micros(4)),
    ]
    for other in others:
        transfers, _ = moved({"dispatch|E-1": one}, {"dispatch|E-1": other}, clock(9))
        assert [t.replaces_event_id for t in transfers] == ["E-1", None]


def test_all_compensations_come_before_all_new_transfers() -> None:
    old = {"a|E-1": posted(1), "b|E-2": posted(2), "c|E-3": posted(3)}
    new = {"d|E-4": posted(4), "c|E-3": posted(3), "a|E-1": posted(5)}
    transfers, _ = moved(old, new, clock(9))
    assert [(t.kind, t.mass_wet_g) for t in transfers] == [("a", -1), ("b", -2), ("d", 4), ("a", 5)]


def test_an_events_further_postings_have_their_kind_and_event_alone() -> None:
    [one], _ = moved({}, {"loss|E-1|loss/P/slag": posted(1)}, clock(5))
    assert (one.kind, one.cause_event_id) == ("loss", "E-1")


def test_a_posting_of_a_process_names_it_where_the_owner_does_not() -> None:
    [one], _ = moved({}, {"process_input|E-1": posted(1)._replace(process="P-7")}, clock(5))
    assert (one.lot_id, one.process_id) == ("L-1", "P-7")


# When it became known


@pytest.mark.parametrize("stood", [{}, {"a|E-1": posted(1)}])
def test_what_is_said_is_known_with_the_newest_record_whichever_it_is_of(
    stood: dict[str, Posted],
) -> None:
    transfers, _ = moved(stood, {"a|E-1": posted(2)}, clock(5, 9))
    assert {one.known_at for one in transfers} == {9}
    assert len(transfers) == 1 + len(stood)


def test_a_clock_names_the_newest_record_and_of_equal_times_the_greatest_id() -> None:
    found = Clock([(Micros(3), "z"), (Micros(7), "a"), (Micros(7), "b")])
    assert (found.newest, found.cause) == (7, "b")

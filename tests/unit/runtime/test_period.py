"""Sums over lots, a site's lines, and what is unaccounted for beside its uncertainty."""

import json
import math
from dataclasses import replace

import pytest

from custody.estimate import Estimate
from custody.events import Micros
from custody.records import Part
from custody.reference import References
from custody.reference_versions import with_version
from runtime import legs
from runtime.asof import Holding, Quantity, Uncertainty
from runtime.period import FLOWS, NONE, accounts_of, sigma, summed, z_of
from runtime.rests import DRY, WET, Rest, divided, mix_of, rests_of
from runtime.unaccounted import Sources, Unaccounted
from runtime.unaccounted import summed as lost_of
from tests.support.plant import reference

CU = Quantity("metal", "Cu", "mg")
GHG = Quantity("attribute", "ghg", "micro kgCO2e", "measured")


def holding(lot: str, value: int, u: Uncertainty | None) -> Holding:
    return Holding(lot, "MINE", WET, value, u, "then" if u else "none", None)


def scale(random: float, **parts: float) -> Uncertainty:
    return Uncertainty(random, tuple(Part(source=s, u=u) for s, u in parts.items()))


def test_a_shared_scale_does_not_average_out_over_lots() -> None:
    lots = [holding(f"L-{i}", 10, scale(3.0, WB=4.0)) for i in range(100)]
    [one] = summed(lots).values()
    assert (one.value, one.lots, one.without_u) == (1000, 100, 0)
    assert sigma(one.u) == pytest.approx(math.hypot(30.0, 400.0))


def test_a_lot_without_an_uncertainty_is_counted_and_claims_none() -> None:
    [one] = summed([holding("L-1", 10, scale(3.0)), holding("L-2", 5, None)]).values()
    assert (one.value, sigma(one.u), one.without_u) == (15, 3.0, 1)
    [none] = summed([holding("L-2", 5, None)]).values()
    assert none.u is None


def test_quantities_come_wet_dry_metals_attributes() -> None:
    found = [Holding("L", "M", q, 1, None, "none", None) for q in (GHG, CU, DRY, WET)]
    assert list(summed(found)) == [WET, DRY, CU, GHG]


def line(quantity: Quantity, **values: int) -> dict[str, object]:
    named = {"class": quantity.cls, "quantity": quantity.name, "unit": quantity.unit}
    named_too = ("process_rest", "opening_in_processes")
    zeros = dict.fromkeys(("opening", *FLOWS, "closing", *named_too), 0)
    return {**named, "quality": quantity.quality, **zeros, **values}


def test_a_quantity_that_was_always_zero_is_left_out() -> None:
    rows = [line(CU), line(WET, receipts=5, closing=5), line(GHG, opening=1, shipments=-1)]
    found = accounts_of(rows, {}, {}, {})
    assert [account.quantity for account in found] == [WET, GHG]
    assert found[0].closing == NONE.__class__(5, NONE.u, 0, 0)


def test_what_is_missing_is_taken_out_of_what_was_restated() -> None:
    rows = [line(DRY, opening=2000, restated=-1820, closing=180)]
    for missing, parts in (({DRY: 920}, (-900, -920)), ({}, (-1820, 0)), (None, (0, -1820))):
        [account] = accounts_of(rows, {}, {}, missing)
        assert (account.flows["restated"], account.flows["unaccounted"]) == parts
        assert account.opening.value + sum(account.flows.values()) == account.closing.value


def leg(name: str, lost: int) -> Rest:
    return Rest("leg", "lot/L/transit", f"e-{name}", name, (1, 1), {WET: lost, DRY: lost})


def sources(**legs: Estimate) -> Sources:
    return Sources({("lot/L/transit", name): one for name, one in legs.items()}, {}, {}, {})


def test_two_legs_over_the_same_two_scales_share_their_errors() -> None:
    error = Estimate(0.0, 9.0, {"WB-1": 4.0, "WB-2": -4.0})
    [wet, dry] = lost_of([leg("A", 100), leg("B", 50)], sources(A=error, B=error))
    assert (wet.quantity, wet.lost, wet.without_u) == (WET, 150, 0)
    assert sigma(wet.u) == pytest.approx(math.sqrt(18.0 + 64.0 + 64.0))
    assert z_of(wet) == pytest.approx(150 / math.sqrt(146.0))
    assert dry.lost == 150


def test_one_scale_at_both_ends_of_a_leg_cancels() -> None:
    [wet, _] = lost_of([leg("A", 100)], sources(A=Estimate(0.0, 4.0, {})))
    assert sigma(wet.u) == 2.0


def test_a_leg_nobody_weighed_has_no_z() -> None:
    [wet, _] = lost_of([leg("A", 100), leg("B", 1)], sources(A=Estimate(0.0, 4.0, {})))
    assert (wet.lost, wet.without_u) == (101, 1)
    assert z_of(wet) is None


def test_an_attribute_has_no_uncertainty() -> None:
    rest = Rest("process", "process/P", "e", "", (1, 1), {GHG: 5})
    [one] = lost_of([rest], Sources({}, {}, {}, {"process/P": {GHG: Estimate(0.0, 1.0, {})}}))
    assert one == Unaccounted("process", GHG, 5, None, 1)


def test_rows_of_one_posting_become_one() -> None:
    row = {
        "found_in": "leg", "account": "lot/L/transit", "event_id": "e", "movement_id": "M",
        "class": "mass", "quantity": "wet", "unit": "g", "quality": "", "lost": 7,
        "first_n": 3, "last_n": 4,
    }  # fmt: skip
    found = rests_of([row, {**row, "quantity": "dry", "lost": 6}])
    assert found == [Rest("leg", "lot/L/transit", "e", "M", (3, 4), {WET: 7, DRY: 6})]


def stock(**lost: int) -> Rest:
    named = {"wet": WET, "dry": DRY, "Cu": CU}
    return Rest("stock", "lot/L/M", "e", "", (1, 1), {named[n]: v for n, v in lost.items()})


def test_a_posting_is_divided_by_what_a_gram_of_the_place_holds() -> None:
    whole = stock(wet=1000, dry=1820, Cu=-97_000)
    mass, known = divided(whole, {DRY: 0.92, CU: 23.0})
    assert mass == stock(wet=1000, dry=920, Cu=23_000)
    assert (known.found_in, known.lost) == ("restated", {DRY: 900, CU: -120_000})
    mass, known = divided(stock(wet=1000), {DRY: 0.92})
    assert (mass.lost, known.lost) == ({WET: 1000, DRY: 920}, {DRY: -920})
    assert divided(stock(wet=1000, dry=920), {DRY: 0.92}) == [stock(wet=1000, dry=920)]


def test_a_posting_that_moves_no_mass_is_restated_and_one_of_which_nothing_is_known_is_not() -> (
    None
):
    [known] = divided(stock(dry=900), {DRY: 0.92})
    assert (known.found_in, known.lost) == ("restated", {DRY: 900})
    assert divided(stock(wet=10, dry=900), None) == [stock(wet=10, dry=900)]
    assert divided(leg("A", 5), {DRY: 0.5}) == [leg("A", 5)]


def row(event: str, at: int, out: int, quantity: Quantity, amount: int) -> dict[str, object]:
    return line(quantity) | {"event_id": event, "at": at, "out": out, "amount": amount}


def test_what_a_gram_holds_is_of_what_lies_there_else_of_what_left_last() -> None:
    there = [row("in", 1, 0, WET, 100), row("in", 1, 0, DRY, 95), row("cert", 2, 0, DRY, -3)]
    assert mix_of(there) == {DRY: 0.92}
    gone = [*there, row("o1", 3, 1, WET, -60), row("o1", 3, 1, DRY, -57)]
    gone += [row("o2", 4, 1, WET, -40), row("o2", 4, 1, DRY, -36)]
    gone.append(row("o3", 5, 1, DRY, -2))
    gone.append(row("cert", 6, 0, DRY, 3))
    assert mix_of(gone) == {DRY: 0.9}
    assert mix_of([row("in", 1, 0, WET, 0)]) is None


def test_a_leg_is_expected_to_lose_its_share_of_what_left_by_its_own_route_or_the_default() -> None:
    """10 of 1000 dry: 0.6 % lost, 0.4 % dried. Of a process, and of what nobody saw leave, none."""
    said = {"expected_loss": 0.006, "expected_loss_u": 0.003, "drying": 0.004, "drying_u": 0.004}
    route = json.dumps({"legs": [{"from": "MINE", "to": "PORT", **said}]})
    row = with_version(None, replace(reference("route", "R", route), valid_from=Micros(0)))
    references = References({"ref/route/R": row})
    rests = [leg("A", 30), leg("B", 0), leg("C", 0), replace(leg("D", 5), found_in="process")]
    account = "lot/L/transit"
    came = [line(DRY, amount=970) | {"account": account, "event_id": "e-A"}]
    left = {(account, name): legs.Departure("MINE", Micros(1)) for name in "ABD"}
    took = legs.Ways(left, {account: "R"})
    found = legs.usual_loss(rests, came, took, "PORT", references)
    assert set(found) == {(account, "e-A"), (account, "e-B")}
    one = found[account, "e-A"][DRY]
    assert one.value == pytest.approx(1000 * (1 - 0.994 * math.exp(-0.004)))
    assert one.parts == pytest.approx({"route/R/MINE-PORT": 5.0})
    assert one.var == 0.0
    [_, dry] = lost_of(rests[:2], replace(sources(), usual=found))
    assert dry.usual.value == one.value
    elsewhere = legs.usual_loss(rests, came, took, "MILL", references)[account, "e-A"][DRY]
    assert elsewhere.value == pytest.approx(1000 * (1 - 0.999 * math.exp(-0.002)))
    assert elsewhere.parts["route/R/MINE-MILL"] == pytest.approx(1000 * math.hypot(0.003, 0.005))

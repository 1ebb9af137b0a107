"""Totals of sites and countries from the lines of their balances."""

import json
from dataclasses import replace

import pytest

from custody.detect import totals
from custody.estimate import Estimate
from custody.records import Part
from runtime.asof import Quantity, Uncertainty
from runtime.cli.totals import line, row
from runtime.period import FLOWS, NONE, Account, Sum
from runtime.rests import DRY, WET
from runtime.totals import NoSite, Site, chosen, of_group, of_site, site_of
from runtime.unaccounted import Unaccounted

CU = Quantity("metal", "Cu", "mg")


def account(quantity: Quantity, opening: int = 0, **flows: int) -> Account:
    lines = dict.fromkeys(FLOWS, 0) | flows
    closing = opening + sum(lines.values())
    return Account(quantity, Sum(opening, NONE.u, 1, 0), lines, Sum(closing, NONE.u, 1, 0))


def lost(way: str, quantity: Quantity, value: int, random: float, **parts: float) -> Unaccounted:
    u = Uncertainty(random, tuple(Part(source=s, u=u) for s, u in parts.items()))
    return Unaccounted(way, quantity, value, u, 0)


def test_a_record_says_country_role_and_capacity_or_nothing() -> None:
    body = {"role": "mine", "country": "CD", "capacity_t_per_year": 2,
            "metal_capacity_t_per_year": {"Cu": 0.5, "Co": "much", "Fe": -1}}  # fmt: skip
    site = site_of("KOV", json.dumps(body))
    assert site == Site("KOV", "CD", mines=True, capacity={DRY: 2e6, CU: 0.5e9})
    for odd in (None, "[]", '{"country": 1, "capacity_t_per_year": true}'):
        assert site_of("KOV", odd) == Site("KOV", None, mines=True, capacity={})
    assert not site_of("S", '{"role": "smelter"}').mines


def test_sites_are_added_up_by_country() -> None:
    sites = {name: Site(name, where, mines=True, capacity={}) for name, where in
             (("A", "CD"), ("B", "CD"), ("C", "ZM"), ("D", None))}  # fmt: skip
    assert {k: [s.site_id for s in v] for k, v in chosen(sites, None, None).items()} == {
        "CD": ["A", "B"], "D": ["D"], "ZM": ["C"]
    }  # fmt: skip
    assert list(chosen(sites, "ZM", None)) == ["ZM"]
    assert chosen(sites, None, "X")["X"] == [Site("X", None, mines=True, capacity={})]
    with pytest.raises(NoSite, match="FR: no site"):
        chosen(sites, "FR", None)


def test_a_smelter_that_gives_more_copper_than_it_got() -> None:
    balance = [account(CU, 0, process_in=-1000, process_out=1100)]
    rests = [lost("process", CU, -100, 10.0), lost("process", DRY, -5, 1.0)]
    [found] = of_site(Site("S", "CD", mines=False, capacity={}), (balance, rests), 30.0)
    assert found[:5] == ("undeclared_feed", "S", "Cu", 1000, 1100)
    assert found.z == pytest.approx(10.0)
    assert totals.speaking([found]) == [found]


def test_a_mine_is_measured_by_what_it_mined_and_a_smelter_by_what_it_made() -> None:
    balance = [account(DRY, 0, from_origin=900, process_out=100)]
    days = totals.DAYS_PER_YEAR
    [mine] = of_site(Site("M", "CD", mines=True, capacity={DRY: 800.0}), (balance, []), days)
    [mill] = of_site(Site("P", "CD", mines=False, capacity={DRY: 800.0}), (balance, []), days)
    assert (mine.expected, mine.found, mill.found) == (800.0, 900.0, 100.0)
    assert mine.z == pytest.approx(100.0 / 4.5)
    assert totals.speaking([mine, mill]) == [mine]


def test_what_loads_and_stocks_miss_is_missing_from_the_country() -> None:
    """Both legs were weighed on one bridge: its part adds straight, 8, and the random to 5."""
    accounts = [account(DRY, 100, from_origin=1000), account(DRY, 0, receipts=300), account(WET, 9)]
    rests = [lost("leg", DRY, 30, 3.0, WB=4.0), lost("stock", DRY, 20, 4.0, WB=4.0),
             lost("process", DRY, 999, 1.0)]  # fmt: skip
    [found] = of_group("CD", accounts, rests, {})
    assert found[:5] == ("missing_feed", "CD", "dry", 1400.0, 1350.0)
    assert found.u == pytest.approx((64.0 + 25.0) ** 0.5)
    [unsure] = of_group("CD", accounts, [Unaccounted("leg", DRY, 30, None, 1)], {})
    assert unsure.z is None


def test_what_legs_usually_lose_is_no_finding_and_its_u_adds_straight() -> None:
    """12 are gone where 10 were to be: u is the route's 3 and the scale's 4, each straight."""
    usual = Estimate(5.0, 0.0, {"route/R": 1.5})
    groups = [replace(lost("leg", DRY, 6, 0.0, WB=2.0), usual=usual) for _ in range(2)]
    [found] = of_group("CD", [account(DRY, 0, from_origin=1000)], groups, {})
    assert (found.found, found.usual, found.excess, found.u) == pytest.approx((988, 10, 2, 5))
    assert row(found, found_out=False)["usual_loss"] == "0.000"
    assert line(found, found_out=False)["usual_loss"] == 10.0


def test_a_total_is_shown_in_tonnes_and_kilograms_and_said_in_grams_and_milligrams() -> None:
    [found] = of_group("CD", [account(CU, 0, from_origin=10**9)], [lost("leg", CU, 10**8, 1e7)], {})
    assert row(found, found_out=True) == {
        "test": "missing_feed", "of": "CD", "quantity": "Cu", "unit": "kg", "expected": "1,000.00",
        "found": "900.00", "usual_loss": "0.00", "off_by": "100.00", "u": "10.00", "z": "10.0*",
    }  # fmt: skip
    assert line(found, found_out=False)["off_by"] == 1e8
    assert line(found, found_out=False)["unit"] == "mg"


def test_a_load_that_never_came_is_missing_as_well() -> None:
    [found] = of_group("CD", [account(DRY, 0, from_origin=1000)], [], {DRY: 400.0, WET: 500.0})
    assert (found.found, found.excess, found.u) == pytest.approx((600.0, 400.0, 2.0))
    both = of_group(
        "CD", [account(DRY, 0, from_origin=1000)], [lost("leg", DRY, 30, 1.5)], {DRY: 400.0}
    )
    assert (both[0].excess, both[0].u) == pytest.approx((430.0, 2.5))
    [nothing] = of_group("CD", [account(DRY, 0, from_origin=1000)], [], {})
    assert (nothing.excess, nothing.z) == (0.0, None)

"""Severity: the table, what the lot's facts make of it, and that no price can stop a lot."""

import itertools
import re
from dataclasses import replace
from pathlib import Path

import pytest

from custody import severity
from custody.alerts import CHARTS
from custody.events import LotFact, Micros, ReferenceSet
from custody.findings import QUIET
from custody.records import Alert
from custody.reference import References
from custody.reference_versions import with_version
from custody.rows import RefRow
from tests.support import tree
from tests.support.facts import Maker, corrected
from tests.support.instruments import reference
from tests.support.world import World
from tests.unit.custody.test_findings_page import emitted

PAGE = Path("docs/detection/severity.md")
EXAMPLE = re.compile(
    r"size ([\d.]+), probability ([\d.]+), (?:no price|value ([\d.]+)), can (still|no longer) be "
    r"stopped: +(?:share )?([\d.]+), (\w+)"
)
COUNTED = {
    "pair_inferred", "duplicate_event", "action_without_alert", "release_of_other_load",
    "beyond_chart", "beyond_holds",
}  # fmt: skip
PRICE = {"analyte": "Cu", "amount": 9_650, "currency": "USD", "per": "t", "source": "monthly mean"}


def test_the_examples_of_the_page_come_out() -> None:
    found = EXAMPLE.findall(tree.text(PAGE))
    assert len(found) == 5
    for size, probability, value, reach, stake, word in found:
        worth = float(value) if value else None
        at_stake = float(size) * float(probability) * (worth or 1.0)
        assert at_stake == pytest.approx(float(stake), rel=1e-5, abs=5e-5)
        said = severity.of_lot(float(size), float(probability), worth, stoppable=reach == "still")
        assert said == word


def test_the_table_of_the_page_is_that_of_the_code() -> None:
    text = tree.text(PAGE)
    for money, share, before, after in severity.TABLE:
        assert f"| from {money:,.0f} | from {share * 100:.0f} % | `{before}` | `{after}` |" in text


@pytest.mark.parametrize("value", [None, 0.0, 6_500.0, 1e30])
def test_more_size_probability_and_reach_are_never_less_bad(value: float | None) -> None:
    steps = (0.0, 0.01, 0.03, 0.1, 0.5, 1.0)
    for size, p, still in itertools.product(steps, steps, (True, False)):
        here = severity.of_lot(size, p, value, stoppable=still)
        assert here == severity.of_lot(-size, p, value, stoppable=still)
        for worse in (
            severity.of_lot(min(size * 2, 1.0), p, value, stoppable=still),
            severity.of_lot(size, min(p * 2, 1.0), value, stoppable=still),
            severity.of_lot(size, p, value, stoppable=True),
        ):
            assert not severity.is_worse(here, worse)


def test_every_exact_rule_that_is_said_has_a_severity_and_stands_on_the_page() -> None:
    assert set(severity.BY_RULE) == (emitted() - COUNTED - QUIET) | {"received_late"} | CHARTS
    rows = re.findall(r"^\| `(\w+)` \| (`.*`) \|", tree.text(PAGE), re.MULTILINE)
    listed = {rule: name for name, rules in rows for rule in re.findall(r"`(\w+)`", rules)}
    assert listed == severity.BY_RULE
    assert severity.of_rule("a_rule_of_tomorrow") == severity.MEDIUM


# -- of a lot's facts ---------------------------------------------------------------------------


def stolen(maker: Maker, lost_kg: int = 3_600) -> list[LotFact]:
    """30 t of which 12 % is missing on arrival, with 2.5 % Cu in the dry mass."""
    return [
        maker.lot("MINE", -60, {"Cu": 0.025}),
        maker.weighing("MINE", 0, "dispatch", 45_000, 15_000),
        maker.assay("MINE", 10, {"Cu": (0.025, 0.0002)}, moisture=(0.08, 0.002)),
        maker.weighing("DEPOT", 60, "receipt", 45_000 - lost_kg, 15_000),
    ]


def price(**changes: object) -> ReferenceSet:
    return reference("price", "Cu", PRICE | changes)


def only(world: World) -> Alert:
    [alert] = [one for one in world.alerts.values() if one.rule == "lot_eprocess"]
    return alert


def test_without_a_price_a_share_of_the_metal_counts() -> None:
    world = World()
    world.tell(*stolen(Maker()))
    assert only(world).severity == severity.CRITICAL
    assert only(world).reason.endswith("the metal, which has no price; it can still be stopped")
    assert (only(world).stake_amount, only(world).stake_analytes) == (None, ())
    assert only(world).stake_share == pytest.approx(only(world).size * -0.99, abs=0.02)


def test_with_a_price_the_value_counts_and_the_price_is_named() -> None:
    world = World()
    world.tell(price(), *stolen(Maker()))
    # 26.4 t arrived: 607 kg Cu, 5,860 dollars, of which an eighth is at stake.
    assert only(world).severity == severity.MEDIUM
    named = r"at stake 1[12]\.\d% of ([\d,]+) USD \(Cu, price of 1970-01-01, monthly mean\)"
    said = re.search(named, only(world).reason)
    assert said is not None
    assert 5_500 < (worth := float(said[1].replace(",", ""))) < 7_000
    one = only(world)
    assert one.stake_share is not None
    assert one.stake_amount == pytest.approx(one.stake_share * worth, rel=1e-3)
    assert (one.stake_currency, one.stake_analytes, one.stoppable) == ("USD", ("Cu",), True)
    assert (one.stake_priced_on, one.stake_price_source) == ("1970-01-01", "monthly mean")


def test_a_price_that_makes_it_worse_is_a_new_version_and_a_lower_one_is_not() -> None:
    world = World()
    world.tell(price(), *stolen(Maker()))
    assert (only(world).version, only(world).severity) == (1, severity.MEDIUM)
    world.tell(replace(price(amount=100.0, per="kg"), recorded_at=Micros(2)))
    assert (only(world).version, only(world).severity) == (2, severity.CRITICAL)
    world.tell(replace(price(amount=1.0, per="kg"), recorded_at=Micros(3)))
    assert (only(world).version, only(world).severity) == (2, severity.CRITICAL)


def test_what_has_gone_into_a_process_can_no_longer_be_stopped() -> None:
    """Found before it was processed, and after: the certificate came late."""
    maker = Maker()
    fed = maker.side("DEPOT", 120, "input", "P-1")
    before, after = World(), World()
    facts = stolen(maker)
    before.tell(*facts, fed)
    after.tell(*facts[:-1], fed, facts[-1])
    assert (only(before).severity, only(before).version) == (severity.CRITICAL, 1)
    assert only(after).severity == severity.HIGH
    assert only(after).reason.endswith("it can no longer be stopped")
    # What was never fed is there to be stopped, and worse than was said.
    after.tell(corrected(fed, "void", 200, void=True))
    assert only(after).severity == severity.CRITICAL


def test_any_order_of_facts_and_prices_ends_alike() -> None:
    ends = set()
    for order in itertools.permutations([price(), *stolen(Maker())]):
        world = World()
        world.tell(*order)
        ends.add((only(world).severity, only(world).reason.partition("at stake")[2]))
    assert len({one for one, _ in ends}) <= 2
    # A price that came after the alert and makes it less bad is not said for that alone.
    assert {one for one, _ in ends} <= {severity.MEDIUM, severity.CRITICAL}


@pytest.mark.parametrize(
    "body",
    [
        "", "[]", "null", '{"amount":"dear","per":"t"}', '{"amount":1e400,"per":"g"}',
        '{"amount":5,"per":["t"]}', '{"amount":-1,"per":"t"}', '{"amount":5,"per":"barrel"}',
        '{"amount":1e12,"per":"g","currency":7,"source":{}}',
        '{"amount":5,"per":"g","currency":"\\ud800","source":"\\udfff"}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("valid_from", [0, -(2**62)])
def test_no_price_record_stops_a_lot(body: str, valid_from: int) -> None:
    record = replace(price(), body=body, valid_from=Micros(valid_from))
    world = World()
    world.tell(record, *stolen(Maker()))
    assert only(world).severity in severity.RANKS
    only(world).reason.encode()


def test_a_price_of_a_day_no_calendar_has_is_of_an_unknown_day() -> None:
    row = with_version(None, replace(price(), valid_from=Micros(-(2**62))))
    quote = References({"ref/price/Cu": row}).quote("Cu", Micros(0))
    assert isinstance(row, RefRow)
    assert quote is not None
    assert quote.day == "an unknown day"

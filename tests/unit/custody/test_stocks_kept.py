"""Which stock weighings a place keeps: those that some input may ask for, and no more than fit.

Source: docs/ledger.md, "Measurement" and "Limits".
"""

import msgspec
import pytest

from custody.events import LotFact
from custody.lot import STOCKS_MAX
from custody.lot_rows import PlaceRow
from tests.support.facts import Maker
from tests.support.instruments import reference
from tests.support.oracle.books import Oracle
from tests.support.world import World


def open_rules(world: World) -> set[str]:
    return {alert.rule for alert in world.alerts.values() if alert.state == "open"}


def place(world: World) -> PlaceRow:
    row = world.rows["place/L-1\x1fMINE"]
    assert isinstance(row, PlaceRow)
    return row


def stock(maker: Maker, minute: float, kg: int) -> LotFact:
    return maker.weighing("MINE", minute, "stock", kg, 0, movement_id=None)


def asking(times: int) -> list[LotFact]:
    """Stock weighings, each of a kilogram less, and after each an input that states no mass."""
    maker = Maker()
    facts: list[LotFact] = []
    for no in range(times):
        facts.append(stock(maker, 10 * no, 90_000 - no))
        facts.append(maker.side("MINE", 10 * no + 5, "input", f"P-{no}"))
    return facts


def told(facts: list[LotFact]) -> World:
    world = World()
    world.tell(*facts)
    return world


def test_hourly_weighings_that_no_input_asks_for_do_not_pile_up() -> None:
    maker = Maker()
    facts = [stock(maker, 60 * no, 90_000 - no) for no in range(400)]
    world = told(facts)
    assert [mass.event_id for mass in place(world).stocks] == [
        facts[0].event_id, facts[-1].event_id,
    ]  # fmt: skip
    assert len(msgspec.msgpack.encode(place(world))) < 2_000
    assert open_rules(world) == set()
    assert world.sums() == Oracle(facts).accounts()


def test_one_that_an_input_without_a_mass_follows_is_kept_for_it() -> None:
    maker = Maker()
    facts = [
        stock(maker, 0, 90_000),
        stock(maker, 10, 80_000),
        maker.side("MINE", 15, "input", "P-1"),
        *(stock(maker, 20 + no, 70_000) for no in range(5)),
    ]
    world = told(facts)
    assert len(place(world).stocks) == 3
    assert world.sums()["process/P-1"]["wet"] == 80_000_000
    assert world.sums() == Oracle(facts).accounts()


def test_a_stock_weighing_out_of_calibration_is_found_until_its_scale_is_calibrated() -> None:
    world = World()
    scale = {"class": "III", "calibrated_until": "1969-01-01"}
    world.tell(reference("device", "WB-MINE", scale), stock(Maker(), 0, 90_000))
    assert open_rules(world) == {"device_out_of_calibration"}
    world.tell(reference("device", "WB-MINE", scale | {"calibrated_until": "2999-01-01"}))
    assert open_rules(world) == set()


@pytest.mark.parametrize("backwards", [False, True])
def test_beyond_64_that_are_asked_for_the_oldest_but_the_first_goes_and_it_is_found(
    *, backwards: bool
) -> None:
    facts = asking(STOCKS_MAX)
    assert "too_many_stocks" not in open_rules(told(facts))
    facts = asking(STOCKS_MAX + 1)
    world = told(facts[::-1] if backwards else facts)
    assert len(place(world).stocks) == STOCKS_MAX
    assert "too_many_stocks" in open_rules(world)
    oracle = Oracle(facts)
    assert world.sums() == oracle.accounts()
    assert ("too_many_stocks", "lot/L-1") in oracle.findings()
    # The second input took the second weighing; what the first left of its own is nothing.
    assert world.sums()["process/P-2"]["wet"] == 89_998_000
    assert world.sums().get("process/P-1", {}).get("wet", 0) == 0

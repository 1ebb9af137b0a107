"""An attribute that is declared for the whole lot stays what was declared, whatever is learnt."""

import pytest

from custody.events import Attribute, LotFact
from custody.lot_rows import LotRow
from tests.support.facts import Maker
from tests.support.oracle.books import Oracle
from tests.support.world import World

M3 = 1_000_000
TONNE = 1_000_000


def lot(maker: Maker, dry: int | None = None, per: str = "total") -> LotFact:
    """A lot that took 100 m3 of water."""
    water = Attribute(
        name="water", amount=100.0, unit="m3", per=per, quality="declared", source=None
    )
    return maker.lot("MINE", 0, {"Cu": 0.02}, attributes=(water,), declared_mass_dry_g=dry)


def load(maker: Maker, minute: float, way: str = "M-1", tonnes: int = 100) -> list[LotFact]:
    gross = 1000 * (tonnes + 15)
    return [
        maker.weighing("MINE", minute, "dispatch", gross, 15_000, movement_id=way),
        maker.move("dispatch", "MINE", minute + 1, ("MINE", "PLANT"), movement_id=way),
        maker.weighing("PLANT", minute + 5, "receipt", gross, 15_000, movement_id=way),
    ]


def wetter(maker: Maker, minute: float = 50) -> LotFact:
    """A certificate: 10 % of moisture where 5 % was assumed."""
    return maker.assay("PLANT", minute, {}, (0.1, 0.001))


def water_of(facts: list[LotFact]) -> dict[str, int]:
    """By account, as the core has it fact by fact; the rules have it alike."""
    world = World()
    world.tell(*facts)
    found: dict[str, int] = {}
    for transfer in world.transfers:
        for account, sign in ((transfer.debit, -1), (transfer.credit, 1)):
            for one in transfer.attributes:
                found[account] = found.get(account, 0) + sign * one.value_micro
    found = {account: value for account, value in sorted(found.items()) if value}
    expected = {a: v for a, some in Oracle(facts).attributes().items() for v in some.values() if v}
    assert found == dict(sorted(expected.items()))
    return found


@pytest.mark.parametrize("dry", [None, 95 * TONNE, 90 * TONNE])
def test_a_later_moisture_does_not_change_what_was_declared_for_the_whole_lot(
    dry: int | None,
) -> None:
    """It was 94.737 m3 of the 100, which were spread over 95 t of dry mass where 90 are."""
    maker = Maker()
    facts = [lot(maker, dry), *load(maker, 10), wetter(maker)]
    assert water_of(facts) == {"lot/L-1/PLANT": 100 * M3, "origin/MINE": -100 * M3}


@pytest.mark.parametrize("certified", [5.0, 12.0, 50.0])
def test_what_was_weighed_before_and_after_a_certificate_takes_its_share_by_weight(
    certified: float,
) -> None:
    maker = Maker()
    facts = [lot(maker), *load(maker, 10, "A", 60), *load(maker, 30, "B", 40)]
    facts.append(wetter(maker, certified))
    assert water_of(facts) == {"lot/L-1/PLANT": 100 * M3, "origin/MINE": -100 * M3}


def test_what_goes_into_a_process_takes_its_share_and_the_rest_stays() -> None:
    maker = Maker()
    some = {"mass_wet_g": 30 * TONNE, "moisture_fraction": 0.2}
    facts = [
        lot(maker),
        *load(maker, 10),
        maker.side("PLANT", 20, "input", "P", **some),
        wetter(maker),
    ]
    found = water_of(facts)
    assert (found["lot/L-1/PLANT"], found["process/P"]) == (70 * M3, 30 * M3)
    assert found["origin/MINE"] == -100 * M3
    assert "unaccounted/L-1" not in found


def test_of_a_declared_mass_that_has_come_by_half_half_of_the_total_is_there() -> None:
    maker = Maker()
    facts = [lot(maker, 95 * TONNE), *load(maker, 10, "A", 50)]
    assert water_of(facts)["lot/L-1/PLANT"] == 50 * M3
    facts.append(wetter(maker))
    assert water_of(facts)["lot/L-1/PLANT"] == 50 * M3
    facts += load(maker, 60, "B", 50)
    assert water_of(facts)["lot/L-1/PLANT"] == 100 * M3
    facts += load(maker, 80, "C", 10)
    assert water_of(facts)["lot/L-1/PLANT"] == 100 * M3


def test_what_is_lost_on_the_way_takes_its_share() -> None:
    maker = Maker()
    out, moved, back = load(maker, 10)
    back = maker.weighing("PLANT", 15, "receipt", 105_000, 15_000)
    facts = [lot(maker), out, moved, back, wetter(maker)]
    found = water_of(facts)
    assert (found["lot/L-1/PLANT"], found["unaccounted/MINE-PLANT"]) == (90 * M3, 10 * M3)


def test_an_amount_per_dry_tonne_follows_the_moisture() -> None:
    maker = Maker()
    facts = [lot(maker, per="t_dry"), *load(maker, 10), wetter(maker)]
    assert water_of(facts)["lot/L-1/PLANT"] == 9_000 * M3


def test_first_weighings_that_were_never_counted_are_counted_with_the_next() -> None:
    """The head of a lot of before held their dry mass, and no wet one."""
    maker, world = Maker(), World()
    world.tell(lot(maker), *load(maker, 10, "A", 60))
    head = world.rows["lot/L-1"]
    assert isinstance(head, LotRow)
    head.entered_wet = None
    world.tell(*load(maker, 30, "B", 40))
    [water] = world.balances["lot/L-1/PLANT"].attributes
    assert water.value_micro == 100 * M3
    head = world.rows["lot/L-1"]
    assert isinstance(head, LotRow)
    assert head.entered_wet == 100 * TONNE

"""How attributes are divided among the outputs of a process.

Source: docs/ledger.md, "Attributes".
"""

from collections.abc import Mapping

import pytest

from custody.allocation import allocated, key_of
from custody.kinds import ECONOMIC, KEY_METAL, MASS, Kind
from custody.knowledge import Amount

PRICES = {"Cu": 10.0, "Au": 50_000.0, "Pb": 0.0}


def price(metal: str) -> float:
    return PRICES.get(metal, 0.0)


def measured(kind: Kind, inputs: Mapping[str, int]) -> float:
    """What an output of 7 g with 3 mg Cu and 2 mg Au counts as."""
    return key_of(kind, inputs, price)(7, {"Cu": 3, "Au": 2})


@pytest.mark.parametrize(
    ("allocation", "inputs", "key"),
    [
        (MASS, {"Cu": 5}, 7.0),
        (KEY_METAL, {"Cu": 5}, 3.0),
        (KEY_METAL, {"Cu": 1}, 3.0),
        # No key metal went in: mass.
        (KEY_METAL, {"Cu": 0}, 7.0),
        (KEY_METAL, {"Cu": -5}, 7.0),
        (KEY_METAL, {"Au": 5}, 7.0),
        # Gold that did not go in has no price here.
        (ECONOMIC, {"Cu": 5}, 30.0),
        (ECONOMIC, {"Cu": 5, "Au": 1}, 100_030.0),
        (ECONOMIC, {"Cu": 1}, 30.0),
        # Nothing of worth went in: mass.
        (ECONOMIC, {"Pb": 5}, 7.0),
        (ECONOMIC, {"Cu": 0}, 7.0),
        (ECONOMIC, {"Cu": -5}, 7.0),
        (ECONOMIC, {"Pb": 5, "Cu": 0}, 7.0),
        (ECONOMIC, {}, 7.0),
    ],
)
def test_what_measures_an_output(allocation: str, inputs: dict[str, int], key: float) -> None:
    kind = Kind("concentrate", key_analyte="Cu", allocation=allocation)
    assert measured(kind, inputs) == key


def test_a_small_price_is_a_price() -> None:
    kind = Kind("smelt", allocation=ECONOMIC)
    assert key_of(kind, {"Fe": 1}, lambda _: 0.5)(7, {"Fe": 4}) == 2.0


def test_without_a_key_analyte_the_key_metal_is_mass() -> None:
    assert measured(Kind("concentrate", allocation=KEY_METAL), {"Cu": 5}) == 7.0


def test_an_output_without_the_key_metal_counts_as_nothing() -> None:
    kind = Kind("concentrate", key_analyte="Cu", allocation=KEY_METAL)
    assert key_of(kind, {"Cu": 5}, price)(7, {"Au": 2}) == 0.0


def by_dry(dry: int, _: Mapping[str, int]) -> float:
    return float(dry)


def divided(pool: int, drys: list[int], open_key: float | None) -> list[int]:
    outputs = [Amount(dry, dry, {"Cu": 1, "@old": 5}) for dry in drys]
    found = allocated({"@a": pool}, outputs, by_dry, open_key)
    return [one.get("@a", 0) for one in found]


def test_at_close_the_outputs_get_all_and_the_last_what_rounding_left() -> None:
    assert divided(100, [1, 1, 1], None) == [33, 33, 34]
    assert divided(-100, [1, 1, 1], None) == [-33, -33, -34]
    assert divided(10, [3, 1, 0], None) == [8, 2, 0]


def test_while_it_is_open_an_output_gets_its_part_of_what_went_in() -> None:
    assert divided(100, [1, 1], 4.0) == [25, 25]


def test_outputs_of_more_than_went_in_share_it_all() -> None:
    assert divided(100, [3, 1], 2.0) == [75, 25]


def test_where_the_key_of_all_outputs_is_nothing_attributes_stay() -> None:
    for open_key in (None, 5.0):
        assert divided(100, [0, 0], open_key) == [0, 0]
        assert allocated({"@a": 1}, [Amount(0, 0, {})], by_dry, open_key) == [{}]
    assert divided(100, [], None) == []


def test_a_key_below_one_divides_too() -> None:
    """A gram of metal at a price of a thousandth."""
    outputs = [Amount(1, 1, {}), Amount(3, 3, {})]
    found = allocated({"@a": 100}, outputs, lambda dry, _: dry / 1000.0, None)
    assert found == [{"@a": 25}, {"@a": 75}]


def test_an_output_of_less_than_nothing_counts_as_nothing() -> None:
    assert divided(100, [-5, 1, 1], None) == [0, 50, 50]


def test_a_key_sees_metals_only() -> None:
    seen: list[Mapping[str, int]] = []

    def key(dry: int, metals: Mapping[str, int]) -> float:
        seen.append(metals)
        return float(dry)

    allocated({"@a": 1}, [Amount(1, 1, {"Cu": 1, "@old": 5})], key, None)
    assert seen == [{"Cu": 1}]

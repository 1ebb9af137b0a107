"""Accounts of lots: what names the place, whatever is in the names of lots and sites."""

import pytest

from custody import accounts
from custody.events import LotFact
from tests.support.agreement import sums_of
from tests.support.differences import difference
from tests.support.facts import Maker
from tests.support.oracle.books import Oracle
from tests.support.world import World

PIT, PLANT = "KOV/PIT-2", "https://id.example/414/1%2F7"


@pytest.mark.parametrize("place", ["MINE", PIT, PLANT, "%", "%25", "a/", "/", "100 %"])
def test_an_account_names_the_place_it_was_made_of(place: str) -> None:
    account = accounts.lot("L/1", place)
    assert accounts.place(account) == place
    assert account.rpartition("/")[0] == "lot/L/1"


def test_two_lots_share_no_account_where_slashes_fall_together() -> None:
    assert accounts.lot("L/A", "C") != accounts.lot("L", "A/C")
    assert accounts.lot("L", "A/C") != accounts.lot("L", "A%2FC")


def through(pit: str, plant: str) -> list[LotFact]:
    """A lot that is weighed out, weighed in, split, and found to weigh less than thought."""
    maker = Maker("L-1")
    return [
        maker.lot(pit, 0, {"Cu": 0.02}),
        maker.weighing(pit, 10, "dispatch", 45_000, 15_000),
        maker.move("dispatch", pit, 11, (pit, plant)),
        maker.weighing(plant, 60, "receipt", 44_900, 15_000),
        maker.move("receipt", plant, 61, (pit, plant)),
        maker.assay(plant, 70, {"Cu": (0.021, 0.0001)}, (0.08, 0.001)),
        maker.side(plant, 80, "input", "P-1", mass_wet_g=20_000_000),
        maker.side(plant, 90, "output", "P-1", output_lot_id="L-2", mass_wet_g=20_000_000),
        maker.weighing(plant, 95, "stock", 24_000, 15_000, movement_id=None),
        maker.side(plant, 99, "close", "P-1"),
    ]


def test_books_of_sites_with_slashes_are_those_of_sites_without() -> None:
    plain, slashed = World(), World()
    plain.tell(*through("PIT", "PLANT"))
    facts = through(PIT, PLANT)
    slashed.tell(*facts)
    named = {"PIT": "KOV%2FPIT-2", "PLANT": "https:%2F%2Fid.example%2F414%2F1%252F7"}
    wanted = plain.sums()
    for lot in ("L-1", "L-2"):
        for site, name in named.items():
            if (amounts := wanted.pop(f"lot/{lot}/{site}", None)) is not None:
                wanted[f"lot/{lot}/{name}"] = amounts
    found = slashed.sums()
    assert {a: v for a, v in found.items() if a.startswith(("lot/", "process/"))} == {
        a: v for a, v in wanted.items() if a.startswith(("lot/", "process/"))
    }
    assert not difference(sums_of(slashed.transfers), Oracle(facts).accounts(), facts)
    held = {(b.account, b.place) for b in slashed.balances.values() if b.lot_id}
    assert {accounts.place(account) for account, _ in held} == {place for _, place in held}

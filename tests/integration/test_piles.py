"""What lies on a stockpile lies at the site: in what lies there, and in its periods."""

import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from console.answers import Asked
from custody.events import LotFact, Micros
from runtime.asof import Times, at_site
from runtime.moment import Period, time_of
from runtime.period import FLOWS, sigma, site_balance, z_of
from runtime.told import sites
from tests.support.asof import sums
from tests.support.facts import Maker, event_id
from tests.support.plant import reference
from tests.support.seeded import numbered
from tests.support.store import Store, opened
from tests.support.world import World

pytestmark = [pytest.mark.integration, pytest.mark.slow]

FAR = time_of("2100-01-01", "")
EVERY = Period(Micros(0), FAR)
HEAP = {"kind": "stockpile"}
TONNE = 1_000_000


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as store:
        yield store


def a_pile() -> list[LotFact]:
    """100 t of each of two lots; 60 t of each on a pile, 20 t off it, a survey that finds 99 t."""
    one, two = Maker("L-1"), Maker("L-2")
    facts: list[LotFact] = []
    for maker in (one, two):
        facts += [
            maker.lot("MINE", 0, {"Cu": 0.02}),
            maker.weighing("MINE", 1, "stock", 115_000, 15_000),
            maker.assay("MINE", 2, {"Cu": (0.02, 0.0002)}, (0.1, 0.002)),
            maker.side("MINE", 10, "input", "HEAP", mass_wet_g=60 * TONNE, **HEAP),
        ]
    out = {"output_lot_id": "L-3", "mass_wet_g": 20 * TONNE}
    return [
        *facts,
        one.side("MINE", 20, "output", "HEAP", **out, **HEAP),
        one.side("MINE", 30, "stock", "HEAP", mass_wet_g=99 * TONNE, **HEAP),
    ]


@pytest.fixture
def pile(empty: Store) -> tuple[Store, list[LotFact]]:
    facts, world = numbered(a_pile()), World()
    world.tell(reference("process", "HEAP", '{"mixing": "perfect"}'), *facts)
    empty.put_all([*facts, *world.outputs])
    return empty, facts


def test_what_lies_at_a_site_is_its_lots_and_its_piles_with_their_kind(
    pile: tuple[Store, list[LotFact]],
) -> None:
    store, _ = pile
    wet = [h for h in at_site(store.rows, "MINE", Times(FAR, FAR)) if h.quantity.name == "wet"]
    assert [(h.lot_id, h.process_id, h.held_in, h.value) for h in wet] == [
        ("L-1", "", "lot", 40 * TONNE),
        ("L-2", "", "lot", 40 * TONNE),
        ("L-3", "", "lot", 20 * TONNE),
        ("", "HEAP", "stockpile", 99 * TONNE),
    ]
    assert sigma(wet[3].u) == pytest.approx(0.05 * 99 * TONNE)
    now = store.ask(
        "SELECT lots, processes, amount_kg, in_processes_kg, u_kg FROM v_stock"
        " WHERE site_id = 'MINE' AND quantity = 'wet'"
    )
    asked = "SELECT lots, processes, value, value_in_processes, u FROM v_stock_at(at ="
    asked += " {at:DateTime64(6, 'UTC')}, known_at = {known:DateTime64(6, 'UTC')})"
    [then] = store.rows(f"{asked} WHERE quantity = 'wet'", Times(FAR, FAR).params())
    [row] = now
    assert (row["lots"], row["processes"]) == (then["lots"], then["processes"]) == (3, 1)
    assert (row["amount_kg"], row["in_processes_kg"]) == (199_000, 99_000)
    assert (then["value"], then["value_in_processes"]) == (199 * TONNE, 99 * TONNE)
    assert float(str(row["u_kg"])) == pytest.approx(float(str(then["u"])) / 1e3)
    assert float(str(row["u_kg"])) >= 0.05 * 99_000


def test_a_period_opens_and_closes_with_what_lies_on_the_pile(
    pile: tuple[Store, list[LotFact]],
) -> None:
    store, facts = pile
    ends = [Micros(0), *(Micros(f.occurred_at + 1) for f in facts if f.occurred_at), FAR]
    ends = sorted(set(ends))
    closing: dict[object, int] = {}
    for start, end in pairwise(ends):
        accounts, _ = site_balance(store.rows, "MINE", Period(start, end), FAR)
        for one in accounts:
            flows = sum(one.flows[name] for name in FLOWS)
            assert one.opening.value + flows == one.closing.value
            assert one.flows["other"] == 0
        opening = {one.quantity: one.opening.value for one in accounts if one.opening.value}
        assert opening == closing
        closing = {one.quantity: one.closing.value for one in accounts if one.closing.value}
    accounts, _ = site_balance(store.rows, "MINE", EVERY, FAR)
    [wet] = [one for one in accounts if one.quantity.name == "wet"]
    said = {name: value // TONNE for name, value in wet.flows.items() if value}
    assert said == {
        "from_origin": 200, "process_out": 20, "process_in": -120, "fed": 120, "drawn": -20,
        "unaccounted": -1,
    }  # fmt: skip
    assert (wet.closing.value, wet.closing_in) == (199 * TONNE, {"stockpile": 99 * TONNE})
    assert (wet.closing.lots, wet.closing.processes) == (3, 1)


def test_what_a_process_took_in_lies_at_its_site(empty: Store) -> None:
    """No side but the input is told; its site's rows are what lot and process hold by transfers."""
    maker, world = Maker("L-1"), World()
    facts = numbered(
        [
            maker.lot("MINE", 0, {"Cu": 0.02}),
            maker.weighing("MINE", 1, "stock", 115_000, 15_000),
            maker.side("MINE", 10, "input", "P/1", mass_wet_g=60 * TONNE, kind="leach"),
        ]
    )
    world.tell(*facts)
    empty.put_all([*facts, *world.outputs])
    held = at_site(empty.rows, "MINE", Times(FAR, FAR))
    wet = {(h.lot_id, h.process_id, h.held_in): h.value for h in held if h.quantity.name == "wet"}
    assert wet == {("L-1", "", "lot"): 40 * TONNE, ("", "P/1", "leach"): 60 * TONNE}
    before = at_site(empty.rows, "MINE", Times(Micros(facts[1].occurred_at), FAR))
    assert {h.process_id for h in before} == {""}
    early = at_site(empty.rows, "MINE", Times(FAR, Micros(facts[1].recorded_at)))
    assert {h.process_id for h in early} == {""}
    accounts, _ = site_balance(empty.rows, "MINE", EVERY, FAR)
    for one in accounts:
        assert one.closing.value == sum(world_sum(world, one.quantity.name))


def world_sum(world: World, quantity: str) -> list[int]:
    """What each account of lots and processes holds of a quantity, by the transfers."""
    every = sums(world.transfers, FAR, FAR)
    return [
        value for (account, name), value in every.items()
        if name == quantity and account.startswith(("lot/", "process/"))
    ]  # fmt: skip


def test_the_page_of_a_site_tells_its_pile(pile: tuple[Store, list[LotFact]]) -> None:
    store, _ = pile
    for asked in (
        Asked(subject="MINE"),
        Asked(subject="MINE", at="2100-01-01", known="2100-01-01"),
    ):
        told = sites.parts(store.rows)["lots"](asked).rows
        masses = [row for row in told if row["quantity"] == "wet"]
        wet = {row["lot_id"] or row["process_id"]: row["value"] for row in masses}
        assert wet == {"HEAP": 99 * TONNE, "L-1": 40 * TONNE, "L-2": 40 * TONNE, "L-3": 20 * TONNE}
        assert told[0]["process_id"] == "HEAP"
        [row] = [r for r in sites.summary(store.rows, asked).rows if r["quantity"] == "wet"]
        assert (row["value"], row["lots"], row["processes"]) == (199 * TONNE, 3, 1)


def test_z_of_a_survey_is_over_the_u_of_the_survey(pile: tuple[Store, list[LotFact]]) -> None:
    """It states no u, which is 5 %: a tonne of 100 is nothing."""
    store, facts = pile
    last = facts[-1].occurred_at
    _, lost = site_balance(store.rows, "MINE", Period(last, FAR), FAR)
    [wet] = [one for one in lost if one.found_in == "process" and one.quantity.name == "wet"]
    z = z_of(wet)
    assert wet.lost == TONNE
    assert z is not None
    assert z == pytest.approx(0.2, abs=0.01)


def test_of_two_surveys_in_a_row_the_first_does_not_make_their_sum_less_known(
    empty: Store,
) -> None:
    """1 t and 2 t are not found. The first is of 5 %, the second of 100 kg."""
    maker, world = Maker("L-1"), World()
    last = {"mass_wet_g": 97 * TONNE, "u_mass_g": 100_000}
    facts = numbered(
        [
            *a_pile(),
            maker.side("MINE", 60, "stock", "HEAP", event_id=event_id("last"), **last, **HEAP),
        ]
    )
    world.tell(reference("process", "HEAP", '{"mixing": "perfect"}'), *facts)
    empty.put_all([*facts, *world.outputs])
    scales = math.hypot(*[0.002 * 60 * TONNE] * 2, 0.005 * 20 * TONNE)
    spans = (
        (facts[-1].occurred_at, 2, math.hypot(0.05 * 99 * TONNE, 100_000)),
        (Micros(0), 3, math.hypot(scales, 100_000)),
    )
    for start, tonnes, u in spans:
        _, lost = site_balance(empty.rows, "MINE", Period(start, FAR), FAR)
        found = {one.quantity.name: one for one in lost if one.found_in == "process"}
        assert found["wet"].lost == tonnes * TONNE
        assert sigma(found["wet"].u) == pytest.approx(u, rel=1e-3)
        # On the dry share of the pile and its grade: as well known as the wet mass.
        zs = [z_of(one) for one in found.values() if one.quantity.cls != "attribute"]
        assert zs == pytest.approx([zs[0]] * 3, rel=1e-3)

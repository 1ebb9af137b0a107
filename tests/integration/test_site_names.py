"""Whatever asks the books by site answers alike, whether the site's name has slashes or not."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from console.answers import SITE, Asked, Told
from console.flow_rows import FLOWS
from custody.events import LotFact, Micros
from runtime.asof import Times, at_site, of_lot
from runtime.examined import examine
from runtime.legs import received, ways
from runtime.lineage import Moment
from runtime.moment import Period, sql_time, time_of
from runtime.period import site_balance
from runtime.told import lot_history
from runtime.told.known import where_known
from runtime.totals import overdue
from runtime.traced import trace
from tests.support.facts import Maker
from tests.support.store import Store, opened
from tests.support.world import World

pytestmark = [pytest.mark.integration, pytest.mark.slow]

FAR = time_of("2100-01-01", "")
PIT, PLANT = "PIT", "PLANT"
_WIDE = {"start": sql_time(Micros(0)), "end": sql_time(FAR), "known": sql_time(FAR)}
_PERIOD = (
    "period_start = {start:DateTime64(6)}, period_end = {end:DateTime64(6)},"
    " known_at = {known:DateTime64(6)}"
)
_VIEWS = (
    "v_lot_balance_at(at = {end:DateTime64(6)}, known_at = {known:DateTime64(6)})",
    "v_stock_at(at = {end:DateTime64(6)}, known_at = {known:DateTime64(6)})",
    f"v_metal_balance({_PERIOD})",
    f"v_unaccounted({_PERIOD})",
    "v_daily_production",
    "v_coverage",
    "v_edges",
)


def told(pit: str, plant: str) -> list[LotFact]:
    """A lot that is weighed out and in, split, found to weigh less; one that has not left."""
    maker, other = Maker("L-1"), Maker("L-9")
    return [
        maker.lot(pit, 0, {"Cu": 0.02}, custodian="KOV"),
        maker.weighing(pit, 10, "dispatch", 45_000, 15_000),
        maker.move("dispatch", pit, 11, (pit, plant)),
        maker.weighing(plant, 60, "receipt", 44_900, 15_000),
        maker.move("receipt", plant, 61, (pit, plant)),
        maker.assay(plant, 70, {"Cu": (0.021, 0.0001)}, (0.08, 0.001)),
        maker.side(plant, 80, "input", "P-1", mass_wet_g=20_000_000),
        maker.side(plant, 90, "output", "P-1", output_lot_id="L-2", mass_wet_g=20_000_000),
        maker.weighing(plant, 95, "stock", 24_000, 15_000, movement_id=None),
        maker.side(plant, 99, "close", "P-1"),
        other.lot(pit, 0, {"Cu": 0.02}),
        other.weighing(pit, 10, "dispatch", 45_000, 15_000, movement_id="T-9"),
    ]


def answers(store: Store, pit: str, plant: str) -> dict[str, object]:
    """What each question answers, by its name."""
    now, ask = Times(FAR, FAR), store.rows
    found: dict[str, object] = {
        "examined": examine(ask, "L-2", Moment())[1],
        "traced": sorted(trace(ask, "L-1", Moment(), 9, back=False).way.order),
        "flows": ask(FLOWS, {"since": sql_time(Micros(0)), "until": sql_time(FAR)}),
        "history": lot_history.told(ask, Asked(subject="L-1")).rows,
        "overdue": repr(overdue(ask, Period(Micros(0), FAR), FAR)),
        "wrong": store.wrong(),
    }
    for view in _VIEWS:
        found[view] = ask(f"SELECT * FROM {view} ORDER BY ALL", _WIDE)  # noqa: S608  ours
    for lot in ("L-1", "L-2"):
        found["of " + lot] = [asdict(one) for one in of_lot(ask, lot, now)]
    for name, site in ((PIT, pit), (PLANT, plant)):
        at = {**_WIDE, "site": site}
        found["at " + name] = [asdict(one) for one in at_site(ask, site, now)]
        found["period " + name] = repr(site_balance(ask, site, Period(Micros(0), FAR), FAR))
        found["received " + name] = [*received(ask, at)]
        found["ways " + name] = repr(ways(ask, at))
    return found


def test_what_the_books_say_of_a_site_does_not_hang_on_slashes_in_its_name(tmp_path: Path) -> None:
    said: list[str] = []
    for at, mark in enumerate(("", "/a%2Fb")):
        world = World()
        ends = PIT + mark, PLANT + mark
        facts = told(*ends)
        world.tell(*facts)
        with opened(tmp_path / str(at)) as store:
            store.put_all(world.outputs)
            for site in ends:
                # Without the facts it is known by its transfers alone.
                part = where_known(store.rows, SITE, lambda _: Told([]))
                assert part(Asked(subject=site, at="2100-01-01", known="2100-01-01")).rows == []
            store.put_all(facts)
            found = answers(store, *ends)
        text = json.dumps(found, indent=1, default=str, sort_keys=True)
        for written in (mark, "%2Fa%252Fb"):
            text = text.replace(written, "") if mark else text
        said.append(text)
    silent = {name for name, rows in json.loads(said[0]).items() if not rows}
    assert silent == {"received PIT", "wrong"}
    assert said[1].splitlines() == said[0].splitlines()

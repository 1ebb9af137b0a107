"""A year of a stockpile: ten thousand trucks in, ten thousand out, against lists and loops.

The second model below shares nothing with the core: it keeps all events in one list and starts
from the first one. A truck of a closed period comes last and moves everything after it.
"""

from random import Random
from typing import Any

import pytest

from custody.events import MaterialProcessed
from custody.records import Content
from tests.support.facts import Maker, event_id
from tests.support.plant import ROW_MAX, Plant, amounts_of, handed, shares_of

pytestmark = pytest.mark.slow

TRUCKS = 10_000
SITES = [f"PIT-{n}" for n in range(12)]
DRY_T = 25_000_000
EVERY = 45.0
"""Minutes between trucks; a year has 525,600."""
LATE = 4_321

Event = tuple[float, str, dict[str, Any]]


def drawn(rng: Random) -> list[Event]:
    """Trucks in, from the tenth hour on as many out, and a survey of the pile each 1,000 trucks."""
    events: list[Event] = []
    for n in range(TRUCKS):
        at = n * EVERY
        truck = {
            "dry": rng.randint(DRY_T, 2 * DRY_T),
            "Cu": rng.randint(10**8, 10**9),
            "Co": rng.randint(0, 10**8),
            "ghg": rng.randint(10**8, 10**9),
            "site": rng.choice(SITES[n // 2000 : n // 2000 + 4]),
        }
        events.append((at, f"in-{n}", truck))
        out = {"dry": rng.randint(DRY_T, 2 * DRY_T)}
        events.append((at + 20.0 + 600.0, f"out-{n}", out))
        if n % 1000 == 999:
            events.append((at + 650.0, f"stock-{n}", {"dry": rng.randint(10, 20) * DRY_T}))
    return events


class Pile:
    """The second model: a perfectly mixed pile."""

    def __init__(self) -> None:
        self.dry = 0
        self.amounts = {"Cu": 0, "Co": 0, "ghg": 0}
        self.sites: dict[str, float] = {}
        self.debt = 0
        self.outs: dict[str, tuple[dict[str, int], dict[str, float]]] = {}
        self.unaccounted: dict[str, int] = dict.fromkeys(["dry", *self.amounts], 0)

    def take(self, name: str, facts: dict[str, Any]) -> None:
        if name.startswith("in-"):
            whole = self.dry + facts["dry"]
            for site in [*SITES, "PIT-LATE"]:
                mine = facts["dry"] if site == facts["site"] else 0
                before = self.sites.get(site, 0.0) * self.dry
                self.sites[site] = (before + mine) / whole
            self.dry = whole
            self.amounts = {key: value + facts[key] for key, value in self.amounts.items()}
        elif name.startswith("out-"):
            asked = facts["dry"]
            part = min(asked, self.dry)
            whole = self.dry or 1
            taken = {key: round(value * part / whole) for key, value in self.amounts.items()}
            shares = {s: share for s, share in self.sites.items() if share} if self.dry else {}
            if 1.0 - sum(shares.values()) > 1e-9:
                shares["unknown"] = 1.0 - sum(shares.values())
            self.outs[name] = ({"dry": asked, **taken}, shares)
            self.dry -= part
            self.debt += asked - part
            self.amounts = {key: value - taken[key] for key, value in self.amounts.items()}
        else:
            there, now = self.dry, facts["dry"]
            self.unaccounted["dry"] += there - self.debt - now
            self.debt, self.dry = 0, now
            if not there:
                self.sites = {}
            for key in ("Cu", "Co"):
                value = self.amounts[key]
                kept = round(value * now / there) if there else value
                self.unaccounted[key] += value - kept
                self.amounts[key] = kept


def told_of(event: Event, maker: Maker) -> Content | MaterialProcessed:
    at, name, facts = event
    if name.startswith("in-"):
        metals = {"Cu": facts["Cu"], "Co": facts["Co"]}
        more = {"site": facts["site"], "attributes": {"ghg": facts["ghg"]}}
        return handed(name, at, facts["dry"], metals, **more)
    part = name.partition("-")[0]
    more = {"mass_dry_g": facts["dry"], "mass_wet_g": facts["dry"], "kind": "stockpile"}
    if part == "out":
        return maker.side("PLANT", at, "output", "P-1", output_lot_id=name, **more)
    return maker.side("PLANT", at, "stock", "P-1", **more)


def test_a_year_of_trucks_and_a_late_one_end_in_what_lists_and_loops_say() -> None:
    events = sorted(drawn(Random(2026)), key=lambda event: (event[0], event[1]))
    late: Event = (LATE * EVERY + 1.0, "in-late", {**events[0][2], "site": "PIT-LATE"})
    maker, plant = Maker("sides"), Plant(checked=False)
    names: dict[str, str] = {}
    for event in [*events, late]:
        record = told_of(event, maker)
        names[event[1]] = event_id(event[1]) if isinstance(record, Content) else record.event_id
        plant.tell(record)
    pile = Pile()
    for _, name, facts in sorted([*events, late], key=lambda event: (event[0], event[1])):
        pile.take(name, facts)

    told = plant.told
    assert len(told) == TRUCKS
    for name, (expected, shares) in pile.outs.items():
        content = told[names[name]]
        found = amounts_of(content)
        found.pop("wet")
        assert found == {k: v for k, v in expected.items() if v}, name
        assert shares_of(content) == pytest.approx(shares, abs=1e-9), name
    found = plant.posted()["unaccounted/P-1"]
    found.pop("wet", None)
    assert found == {k: v for k, v in pile.unaccounted.items() if v}
    held = plant.held
    held.pop("wet", None)
    rest = {"dry": pile.dry - pile.debt, **pile.amounts}
    assert held == {k: v for k, v in rest.items() if v}
    assert max(plant.sizes.values()) < ROW_MAX, dict(plant.sizes)
    assert plant.sizes["process"] < ROW_MAX // 4

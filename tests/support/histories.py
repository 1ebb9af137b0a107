"""Histories of a lot for property tests: any mix of facts, corrections and voids, some odd."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from custody.events import ActionTaken, Document, LotFact, LotWeighed, Micros, ReferenceSet
from tests.support.chain_references import record
from tests.support.facts import MINUTE, T0, Maker, corrected, event_id

SITES = ("MINE", "DEPOT", "SMELTER")
MOVEMENTS = ("M-1", "M-2", None)
LEGS = (("MINE", "DEPOT"), ("DEPOT", "SMELTER"))

minutes = st.integers(0, 40).map(float)
sites = st.sampled_from(SITES)
movements = st.sampled_from(MOVEMENTS)
grades = st.floats(0.001, 0.3, allow_nan=False)
vehicles = st.sampled_from((None, "CGO 1", "CGO 2"))
tags = st.sampled_from(((), ("ZN-1",), ("ZN-1", "ZN-2")))
seals = st.sampled_from(((), ("S-1",), ("S-1", "S-2"), ("S-3",)))
PAPER = Document(type="permit", number="Q-1", issued_day=None, expires_day=20_000)
"""Out of date: its last day was in 2024."""
documents = st.sampled_from(((), (), (), (PAPER,)))

ROUTES = {"MINE-DEPOT": 0.2, "DEPOT-SMELTER": 0.4, "MINE-SMELTER": 0.3}
"""Hours each leg is allowed; a history takes forty minutes."""
PLACES = {"MINE": (-10.0, 25.0), "DEPOT": (-10.2, 25.2), "SMELTER": (-11.0, 26.0)}


def references() -> list[ReferenceSet]:
    """Reference data that exact rules need: deadlines, and where sites lie."""
    found: list[ReferenceSet] = []
    for name, hours in ROUTES.items():
        source, _, target = name.partition("-")
        leg = {"from": source, "to": target, "deadline_h": hours}
        found.append(record(("route", name), {"legs": [leg]}, 900 + len(found)))
    for name, (lat, lon) in PLACES.items():
        place = {"name": name, "lat": lat, "lon": lon}
        found.append(record(("site", name), place, 900 + len(found)))
    return found


@st.composite
def holds(draw: st.DrawFn) -> list[ActionTaken]:
    """What people held and released, some of it by name."""
    named = st.none() | st.integers(0, 2)
    drawn = draw(st.lists(st.tuples(minutes, st.booleans(), named), max_size=3))
    return [
        ActionTaken(
            event_id=event_id(f"hold/{number}"),
            gateway_id="GW-1",
            gateway_epoch=1,
            gateway_seq=number,
            action="hold" if held else "release",
            alert_id=None,
            version=None,
            subject="lot/L-1",
            actor="inspector",
            reason=None,
            recorded_at=Micros(T0 + round(minute * MINUTE)),
            hold_id=None if held or ended is None else event_id(f"hold/{ended}"),
        )
        for number, (minute, held, ended) in enumerate(drawn)
    ]


@st.composite
def fact(draw: st.DrawFn, maker: Maker) -> LotFact:
    """One fact; times are few, so that many facts happen at the same minute."""
    minute, site = draw(minutes), draw(sites)
    kind = draw(st.sampled_from(["lot", "weighing", "weighing", "assay", "xrf", "move", "input"]))
    if kind == "lot":
        return maker.lot(site, minute, {"Cu": draw(grades)}, tags=draw(tags))
    if kind == "weighing":
        purpose = draw(st.sampled_from(["dispatch", "receipt", "stock", "check"]))
        gross = draw(st.integers(20_000, 60_000))
        more = {
            "movement_id": draw(movements),
            "device_id": draw(st.sampled_from(["WB-1", "WB-2"])),
            "vehicle_id": draw(vehicles),
        }
        return maker.weighing(site, minute, purpose, gross, 15_000, **more)
    if kind == "assay":
        moisture = draw(st.none() | st.tuples(st.floats(0.0, 0.3), st.none() | st.just(0.002)))
        named = draw(st.lists(st.sampled_from(["Cu", "Co"]), unique=True))
        stage = draw(st.sampled_from(["provisional", "final", "umpire"]))
        values: dict[str, tuple[float, float | None]] = {a: (draw(grades), None) for a in named}
        more = {"certificate_no": draw(st.sampled_from(["A-1", "A-2"])), "lab_id": "LAB-1"}
        more["sample_id"] = draw(st.sampled_from([None, "S-1", "S-2"]))
        return maker.assay(site, minute, values, moisture, stage=stage, **more)
    if kind == "xrf":
        basis = draw(st.sampled_from(["as_is", "dried"]))
        return maker.shot(site, minute, {"Cu": draw(grades), "Fe": draw(grades)}, basis=basis)
    if kind == "move":
        ends = draw(st.sampled_from(LEGS))
        stage = draw(st.sampled_from(["dispatch", "receipt", "checkpoint"]))
        papers = {"seals": draw(seals), "documents": draw(documents)}
        who = {"movement_id": draw(movements), "vehicle_id": draw(vehicles)}
        return maker.move(stage, site, minute, ends, **who, **papers)
    wet = draw(st.none() | st.integers(0, 40_000_000))
    return maker.side(site, minute, "input", "P-1", mass_wet_g=wet)


@st.composite
def history(draw: st.DrawFn, most: int = 14) -> list[LotFact]:
    """Facts, then corrections and voids of some of them, and of those; then copies that differ."""
    maker = Maker()
    facts = [draw(fact(maker)) for _ in range(draw(st.integers(1, most)))]
    for number in range(draw(st.integers(0, 4))):
        target = draw(st.sampled_from(facts))
        delay = float(draw(st.integers(1, 3)))
        facts.append(corrected(target, f"c{number}", delay, **_changes(draw, target)))
    copied = draw(st.lists(st.sampled_from(facts), max_size=2))
    return facts + [draw(another(target, no)) for no, target in enumerate(copied)]


@st.composite
def another(draw: st.DrawFn, target: LotFact, no: int) -> LotFact:
    """Another event under the id of a fact, or the same one, as another gateway took it.

    Never at the same microsecond: which of two counts then is a matter of how rows are written.
    """
    changes: dict[str, Any] = {
        "gateway_id": draw(st.sampled_from(["GW-2", "GW-3"])),
        "recorded_at": Micros(target.recorded_at + draw(st.sampled_from([-1, 1])) * MINUTE + no),
    }
    if draw(st.booleans()):
        changes["occurred_at"] = Micros(target.occurred_at + draw(st.integers(-2, 2)) * MINUTE)
    if isinstance(target, LotWeighed) and draw(st.booleans()):
        changes["net_g"] = draw(st.integers(1, 50_000_000))
    return replace(target, **changes)


def _changes(draw: st.DrawFn, target: LotFact) -> dict[str, object]:
    if draw(st.booleans()):
        return {"void": True}
    changes: dict[str, object] = {"void": False}
    if hasattr(target, "net_g"):
        changes["net_g"] = draw(st.integers(1, 50_000_000))
    return changes


@st.composite
def arrivals(draw: st.DrawFn, facts: Sequence[LotFact]) -> list[list[LotFact]]:
    """The same facts in any order, some of them twice, cut into chunks anywhere."""
    order = list(draw(st.permutations(facts)))
    order += draw(st.lists(st.sampled_from(facts), max_size=4))
    chunks: list[list[LotFact]] = []
    while order:
        size = draw(st.integers(1, len(order)))
        chunks.append(order[:size])
        order = order[size:]
    return chunks

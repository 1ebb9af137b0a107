"""Histories of a lot for property tests: any mix of facts, corrections and voids, some odd."""

from collections.abc import Sequence

from hypothesis import strategies as st

from custody.events import LotFact
from tests.support.facts import Maker, corrected

SITES = ("MINE", "DEPOT", "SMELTER")
MOVEMENTS = ("M-1", "M-2", None)
LEGS = (("MINE", "DEPOT"), ("DEPOT", "SMELTER"))

minutes = st.integers(0, 40).map(float)
sites = st.sampled_from(SITES)
movements = st.sampled_from(MOVEMENTS)
grades = st.floats(0.001, 0.3, allow_nan=False)


@st.composite
def fact(draw: st.DrawFn, maker: Maker) -> LotFact:
    """One fact; times are few, so that many facts happen at the same minute."""
    minute, site = draw(minutes), draw(sites)
    kind = draw(st.sampled_from(["lot", "weighing", "weighing", "assay", "xrf", "move", "input"]))
    if kind == "lot":
        return maker.lot(site, minute, {"Cu": draw(grades)})
    if kind == "weighing":
        purpose = draw(st.sampled_from(["dispatch", "receipt", "stock", "check"]))
        gross = draw(st.integers(20_000, 60_000))
        more = {
            "movement_id": draw(movements),
            "device_id": draw(st.sampled_from(["WB-1", "WB-2"])),
        }
        return maker.weighing(site, minute, purpose, gross, 15_000, **more)
    if kind == "assay":
        moisture = draw(st.none() | st.tuples(st.floats(0.0, 0.3), st.none() | st.just(0.002)))
        named = draw(st.lists(st.sampled_from(["Cu", "Co"]), unique=True))
        stage = draw(st.sampled_from(["provisional", "final", "umpire"]))
        values: dict[str, tuple[float, float | None]] = {a: (draw(grades), None) for a in named}
        return maker.assay(site, minute, values, moisture, stage=stage)
    if kind == "xrf":
        basis = draw(st.sampled_from(["as_is", "dried"]))
        return maker.shot(site, minute, {"Cu": draw(grades), "Fe": draw(grades)}, basis=basis)
    if kind == "move":
        ends = draw(st.sampled_from(LEGS))
        stage = draw(st.sampled_from(["dispatch", "receipt", "checkpoint"]))
        return maker.move(stage, site, minute, ends, movement_id=draw(movements))
    wet = draw(st.none() | st.integers(0, 40_000_000))
    return maker.side(site, minute, "input", "P-1", mass_wet_g=wet)


@st.composite
def history(draw: st.DrawFn, most: int = 14) -> list[LotFact]:
    """Facts, then corrections and voids of some of them, and of those."""
    maker = Maker()
    facts = [draw(fact(maker)) for _ in range(draw(st.integers(1, most)))]
    for number in range(draw(st.integers(0, 4))):
        target = draw(st.sampled_from(facts))
        delay = float(draw(st.integers(1, 3)))
        facts.append(corrected(target, f"c{number}", delay, **_changes(draw, target)))
    return facts


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

"""Histories of many lots through a chain of processes, drawn by seed, for runs of the ledger.

Ore lots travel on several trucks or are bought, go into one process after another, perhaps over a
stockpile, and what comes out travels on or is sold. Certificates come late, are exchanged and
disputed; every kind of fact is corrected and withdrawn, and corrections are; facts come twice, and
everything arrives in an order that is more or less mixed up. What of this is drawn depends on the
rules the core is held to (``tests/support/oracle/rules.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from custody.events import (
    Attribute,
    DeclaredOrigin,
    LotAssayed,
    LotDeclared,
    LotFact,
    LotWeighed,
    ReferenceSet,
)
from tests.support import circuits
from tests.support.chain_references import drawn_references
from tests.support.facts import MINUTE, T0, Maker, corrected
from tests.support.oracle.rules import RULES

ROUTE = ("MINE", "PLANT", "MILL", "SMELTER", "PORT")
LEVELS = (("P-1", "blend"), ("P-2", "concentrate"), ("P-3", "smelt"))
KINDS = (
    ("blend", "split", "crush", "repack", "concentrate"),
    ("concentrate", "leach", "blend", "crush"),
    ("smelt", "refine", "leach", "other", "repack"),
)
"""Kinds of each level of the chain, where they differ from history to history."""

CONTRACT = "C-1"
STOCKPILE = "PILE"

VEHICLES = ("CGO 1", "CGO 2", None)
SEALS = ("SL-1", "SL-2", "SL-3")
TAGS = ("ZN-1", "ZN-2")

Grades = dict[str, float]


@dataclass
class Chain:
    """One history.

    Args:
        rng: Where it comes from.
        rules: What it may hold.
        levels: Processes one after another; drawn by default.
    """

    rng: Random
    rules: Mapping[str, bool] = field(default_factory=lambda: RULES)
    levels: int | None = None
    facts: list[LotFact] = field(default_factory=list)
    references: list[ReferenceSet] = field(default_factory=list)
    makers: dict[str, Maker] = field(default_factory=dict)
    minute: float = 0.0

    def draw(self) -> "Chain":
        """Draw the facts in the order they happened, corrections behind, and reference data."""
        lots = [f"L-{n}" for n in range(self.rng.randint(2, 4))]
        for lot in lots:
            self._mined(lot)
        worked = [lot for lot in lots if self._chance(0.3)]
        for lot in worked:
            # Of two that are put into each other and withdrawn a ring may be left: no order.
            self._worked_in_place(lot, [other for other in lots if other not in worked])
        if self.rules["stockpiles"] and self.rng.random() < 0.4:
            lots = self._piled(lots)
        for level, (process, kind) in enumerate(LEVELS[: self.levels or self.rng.randint(1, 3)]):
            chosen = self.rng.choice(KINDS[level]) if self.rules["kinds_differ"] else kind
            lots = self._processed(process, chosen, ROUTE[level + 1], lots)
        self._late_assays()
        self._weighed_again()
        self._corrections()
        self.references = drawn_references(self.rng, ROUTE, self.rules)
        if self.rules["continuous"] and self._chance(0.4):
            self._mined(circuits.ORE)
            circuits.leach(self)
        return self

    def _maker(self, name: str) -> Maker:
        return self.makers.setdefault(name, Maker(name))

    def _later(self) -> float:
        self.minute += self.rng.randint(1, 9)
        return self.minute

    def _chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def _mined(self, lot: str) -> None:
        maker = self._maker(lot)
        grades = {a: self.rng.uniform(0.005, 0.05) for a in ("Cu", "Co")}
        declared = maker.lot(
            ROUTE[0],
            self._later(),
            grades,
            declared_origins=self._origins(lot),
            contract_id=self.rng.choice((None, CONTRACT)),
            tags=tuple(self.rng.sample(TAGS, self.rng.choice((0, 0, 1)))),
            attributes=self._attributes(),
        )
        self.facts.append(declared)
        for shot in range(self.rng.randint(0, 3)):
            fractions = {a: 0.9 * f * self.rng.uniform(0.9, 1.1) for a, f in grades.items()}
            self.facts.append(maker.shot(ROUTE[0], self._later() + shot, fractions))
        if self.rules["trade"] and self._chance(0.3):
            self._bought(lot, ROUTE[1])
        else:
            self._travel(lot, (ROUTE[0], ROUTE[1]), self.rng.randint(1, 3))
        if self._chance(0.8):
            self._assayed(lot, ROUTE[1], grades)
        if self.rules["contracts"] and self._chance(0.5):
            self._exchanged(lot, grades)

    def _origins(self, lot: str) -> tuple[DeclaredOrigin, ...]:
        share = self.rng.choice((1.0, 0.5, 0.75))
        own = DeclaredOrigin(level="site", id="PIT-" + lot[-1], share=share)
        other = DeclaredOrigin(level="country", id="ZM", share=0.25)
        return (own, other) if share < 1 and self._chance(0.5) else (own,)

    def _attributes(self) -> tuple[Attribute, ...]:
        def attribute(name: str, amount: float, unit: str, per: str) -> Attribute:
            return Attribute(
                name=name, amount=amount, unit=unit, per=per, quality="declared", source=None
            )

        every = (
            attribute("ghg", self.rng.uniform(10, 90), "kgCO2e", self.rng.choice(PER)),
            attribute("water", self.rng.uniform(0.1, 2), "m3", "t_dry"),
            attribute("recycled", 0.25, "fraction", "total"),
        )
        return tuple(one for one in every if self._chance(0.5))

    def _assayed(self, lot: str, site: str, grades: Grades, **more: object) -> None:
        values: dict[str, tuple[float, float | None]] = {
            a: (f * self.rng.uniform(0.97, 1.03), None) for a, f in grades.items()
        }
        moisture = (self.rng.uniform(0.02, 0.12), 0.002) if self._chance(0.8) else None
        stages = ["provisional", "exchanged", "final"]
        if self.rules["contracts"]:
            stages.remove("exchanged")  # what is exchanged is drawn by side
        said: dict[str, Any] = {"stage": self.rng.choice(stages)} | more
        self.facts.append(self._maker(lot).assay(site, self._later(), values, moisture, **said))
        if self.rules["several_laboratories"] and self._chance(0.4):
            said |= {"lab_id": "LAB-2"}
            apart = self.rng.choice((1.01, 1.4))
            again: dict[str, tuple[float, float | None]] = {
                a: (f * apart, None) for a, (f, _) in values.items()
            }
            fact = self._maker(lot).assay(site, self._later(), again, moisture, **said)
            self.facts.append(fact)

    def _exchanged(self, lot: str, grades: Grades) -> None:
        """Seller and buyer exchange their results; where far apart an umpire may speak."""
        apart = self.rng.choice((1.001, 1.2))
        sides = [("seller", "exchanged", 1.0), ("buyer", "exchanged", apart)]
        if self._chance(0.5):
            sides.append(("umpire", "umpire", self.rng.choice((0.9, 1.02, apart, 1.3))))
        self.rng.shuffle(sides)
        for party, stage, factor in sides[: self.rng.randint(1, 3)]:
            values: dict[str, tuple[float, float | None]] = {
                a: (f * factor, None) for a, f in grades.items()
            }
            said = {"stage": stage, "party": party, "lab_id": "LAB-" + party}
            fact = self._maker(lot).assay(ROUTE[1], self._later(), values, None, **said)
            self.facts.append(fact)

    def _travel(
        self,
        lot: str,
        ends: tuple[str, str],
        trucks: int,
        load_kg: tuple[int, int] = (15_000, 30_000),
    ) -> None:
        maker = self._maker(lot)
        for truck in range(trucks):
            movement = f"{lot}-{ends[0]}-{truck}"
            tare = 15_000
            gross = tare + self.rng.randint(*load_kg)
            more = {"movement_id": movement, "vehicle_id": self.rng.choice(VEHICLES)}
            seals = tuple(self.rng.sample(SEALS, self.rng.choice((0, 0, 1, 2))))
            surveyed = self.rng.choice(("before", "between")) if self._surveys(ends[0]) else ""
            if surveyed == "before":
                self._survey(maker, ends[0])
            self.facts.append(
                maker.weighing(ends[0], self._later(), "dispatch", gross, tare, **more)
            )
            if surveyed == "between":  # its weighing and its papers
                self._survey(maker, ends[0])
            left = maker.move("dispatch", ends[0], self._later(), ends, seals=seals, **more)
            self.facts.append(left)
            if self._chance(0.1):
                continue  # still on its way
            seals = seals if self._chance(0.8) else ("SL-9",)
            came = maker.move("receipt", ends[1], self._later(), ends, seals=seals, **more)
            self.facts.append(came)
            stolen = self.rng.choice((0, 0, 0, 700))
            got = gross + self.rng.randint(-20, 20) - stolen
            self.facts.append(maker.weighing(ends[1], self._later(), "receipt", got, tare, **more))

    def _surveys(self, site: str) -> bool:
        return site == ROUTE[0] and self.rules["stockpiles"] and self._chance(0.15)

    def _survey(self, maker: Maker, site: str) -> None:
        """Weigh the heap at the mine."""
        heap_kg = self.rng.randint(80_000, 120_000)
        fact = maker.weighing(site, self._later(), "stock", heap_kg, 0, movement_id=None)
        self.facts.append(fact)

    def _bought(self, lot: str, site: str) -> None:
        """A lot from outside: its first weighing is the buyer's."""
        maker = self._maker(lot)
        more = {"movement_id": f"{lot}-bought"}
        ends = ("ELSEWHERE", site)
        self.facts.append(
            maker.move("receipt", site, self._later(), ends, counterparty="TRADER", **more)
        )
        gross = self.rng.randint(30_000, 45_000)
        self.facts.append(maker.weighing(site, self._later(), "receipt", gross, 15_000, **more))

    def _sold(self, lot: str, site: str) -> None:
        maker = self._maker(lot)
        more = {"movement_id": f"{lot}-sold"}
        gross = self.rng.randint(18_000, 22_000)
        self.facts.append(maker.weighing(site, self._later(), "dispatch", gross, 15_000, **more))
        paper = maker.move("dispatch", site, self._later(), (site, ""), **more)
        self.facts.append(replace(paper, to_site=None, counterparty="BUYER"))
        if self._chance(0.3):
            minute, got = self._later(), gross - 40
            self.facts.append(maker.weighing("OUTTURN", minute, "receipt", got, 15_000, **more))

    def _piled(self, lots: list[str]) -> list[str]:
        """Put lots on a stockpile and take one lot from it, with a stock-taking between."""
        maker = self._maker(STOCKPILE)
        more = {"kind": "stockpile"}
        for number, lot in enumerate(lots):
            wet = self.rng.randint(5_000_000, 12_000_000)
            self._input(lot, ROUTE[1], STOCKPILE, part_no=number, mass_wet_g=wet, **more)
            if self._chance(0.5):
                continue
            out = {"part_no": number, "output_lot_id": "PILED"} | more
            out |= {"mass_wet_g": 2_000_000, "mass_dry_g": self.rng.randint(1_700_000, 1_950_000)}
            self.facts.append(maker.side(ROUTE[1], self._later(), "output", STOCKPILE, **out))
        if self._chance(0.5):
            stock = {"mass_wet_g": 6_000_000, "mass_dry_g": 5_500_000} | more
            self.facts.append(maker.side(ROUTE[1], self._later(), "stock", STOCKPILE, **stock))
        last = {"part_no": 90, "output_lot_id": "PILED", **more}
        last |= {"mass_wet_g": 4_000_000, "mass_dry_g": self.rng.randint(3_300_000, 3_900_000)}
        self.facts.append(maker.side(ROUTE[1], self._later(), "output", STOCKPILE, **last))
        return [*lots, "PILED"]

    def _worked_in_place(self, lot: str, others: list[str]) -> None:
        """Crush or dry a lot under its own id, once or twice, perhaps with some of another."""
        maker = self._maker(lot)
        for step in range(self.rng.randint(1, 2)):
            process, kind = f"{lot}-STEP-{step}", self.rng.choice(("crush", "repack", "blend"))
            if self._chance(0.4):
                gross = self.rng.randint(20_000, 60_000)
                stock = maker.weighing(
                    ROUTE[1], self._later(), "stock", gross, 15_000, movement_id=None
                )
                self.facts.append(stock)
            wet = self.rng.choice((None, self.rng.randint(5_000_000, 40_000_000)))
            self._input(lot, ROUTE[1], process, kind=kind, mass_wet_g=wet)
            if kind == "blend" and others:
                other = self.rng.choice(others)
                self._input(other, ROUTE[1], process, kind=kind, mass_wet_g=1_000_000)
            more: dict[str, object] = {"kind": kind, "output_lot_id": lot}
            more["mass_dry_g"] = self.rng.randint(4_000_000, 30_000_000)
            self.facts.append(
                self._maker(process).side(ROUTE[1], self._later(), "output", process, **more)
            )
            if self._chance(0.7):
                self.facts.append(
                    self._maker(process).side(ROUTE[1], self._later(), "close", process, kind=kind)
                )

    def _input(self, lot: str, site: str, process: str, **more: object) -> None:
        self.facts.append(self._maker(lot).side(site, self._later(), "input", process, **more))

    def _processed(self, process: str, kind: str, site: str, lots: list[str]) -> list[str]:
        """Feed lots into a process; return the lots that come out."""
        for number, lot in enumerate(lots):
            wet = self.rng.choice((None, self.rng.randint(5_000_000, 20_000_000)))
            self._input(lot, site, process, kind=kind, part_no=number, mass_wet_g=wet)
        maker = self._maker(process)
        out: list[str] = []
        for number in range(self.rng.randint(1, 2)):
            lot = f"{process}-OUT-{number}"
            out.append(lot)
            dry = self.rng.randint(2_000_000, 9_000_000)
            more = {"kind": kind, "part_no": number, "output_lot_id": lot, "mass_dry_g": dry}
            self.facts.append(maker.side(site, self._later(), "output", process, **more))
        if self._chance(0.5):
            more = {"kind": kind, "loss_kind": "tailings", "mass_dry_g": 500_000}
            self.facts.append(maker.side(site, self._later(), "loss", process, **more))
        if self.rules["added"] and self._chance(0.5):
            more = {"kind": kind, "attributes": self._attributes()[:1]}
            self.facts.append(maker.side(site, self._later(), "added", process, **more))
        if self._chance(0.7):
            self.facts.append(maker.side(site, self._later(), "close", process, kind=kind))
        for lot in out:
            self._came_out(lot, site)
        return out

    def _came_out(self, lot: str, site: str) -> None:
        supposed = {"Cu": 0.18} if self._chance(0.3) else {}
        self.facts.append(self._maker(lot).lot(site, self._later(), supposed))
        if self._chance(0.3):
            seen = {"Cu": 0.19, "Co": 0.02, "Fe": 0.3}
            self.facts.append(self._maker(lot).shot(site, self._later(), seen))
        if self._chance(0.5):
            self._assayed(lot, site, {"Cu": 0.2, "Co": 0.03})
        if self.rules["trade"] and self._chance(0.3):
            self._sold(lot, site)
        # More than came out of the process, or a part of it.
        load_kg = self.rng.choice(((15_000, 30_000), (2_000, 6_000)))
        self._travel(lot, (site, ROUTE[ROUTE.index(site) + 1]), 1, load_kg)

    def _late_assays(self) -> None:
        """Certificates of long ago that come when everything has been processed."""
        for lot in list(self.makers):
            if lot.startswith("L-") and self._chance(0.3):
                self._assayed(lot, ROUTE[1], {"Cu": 0.03, "Co": 0.02}, stage="final")
                self.facts[-1] = _delayed(self.facts[-1], self.rng)

    def _weighed_again(self) -> None:
        """Weigh loads a second time at one end of their way, as when a truck had to go back."""
        loads = [f for f in self.facts if isinstance(f, LotWeighed) and f.movement_id is not None]
        for first in loads:
            if self._chance(0.05):
                minute = (first.occurred_at - T0) / MINUTE + self.rng.choice((-2, 0, 2))
                gross = first.net_g // 1000 + 15_000 + self.rng.randint(-500, 500)
                more = {"movement_id": first.movement_id, "device_id": first.device_id}
                again = self._maker(str(first.lot_id)).weighing(
                    first.site_id, minute, first.purpose, gross, 15_000, **more
                )
                self.facts.append(again)

    def _corrections(self) -> None:
        """Correct or withdraw any facts, corrections among them; some targets never come."""
        made: list[LotFact] = []
        for number in range(self.rng.randint(0, 6)):
            target = self.rng.choice(made if made and self._chance(0.3) else self.facts)
            changes = _changed(target, self.rng) | {"void": self._chance(0.3)}
            delay = float(self.rng.randint(1, 500))
            made.append(corrected(target, f"{number}", delay, **changes))
            self.facts.append(made[-1])
            if self._chance(0.05):
                self.facts = [fact for fact in self.facts if fact is not target]


PER = ("t_dry", "t_wet", "t_Cu", "total")


def _delayed(fact: LotFact, rng: Random) -> LotFact:
    early = round(rng.uniform(0, 200) * 60_000_000)
    return replace(fact, occurred_at=fact.occurred_at - early)  # type: ignore[arg-type]


def _changed(fact: LotFact, rng: Random) -> dict[str, object]:
    """Other figures for a fact of any kind."""
    changes: dict[str, object] = {}
    for name in ("net_g", "mass_wet_g", "mass_dry_g"):
        value = getattr(fact, name, None)
        if value:
            changes[name] = round(value * rng.uniform(0.8, 1.1))
    if isinstance(fact, LotAssayed):
        factor = rng.uniform(0.9, 1.1)
        changes["results"] = tuple(
            replace(one, fraction=None if one.fraction is None else one.fraction * factor)
            for one in fact.results
        )
    if isinstance(fact, LotDeclared):
        changes["declared_origins"] = fact.declared_origins[:1]
        changes["form"] = rng.choice(("ore", "concentrate"))
    return changes


def arrival(facts: list[LotFact], rng: Random) -> list[LotFact]:
    """Return facts as they come in: more or less out of order, one in ten twice."""
    mixed_up = rng.choice((0.0, 5.0, 50.0, 1e6))
    again = [fact for fact in facts if rng.random() < 0.1]
    numbered = list(enumerate(facts)) + [(facts.index(fact), fact) for fact in again]
    return [f for _, f in sorted(numbered, key=lambda p: p[0] + rng.uniform(0.0, mixed_up))]

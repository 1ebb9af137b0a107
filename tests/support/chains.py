"""Histories of many lots through a chain of processes, drawn by seed, for runs of the ledger.

Ore lots travel on several trucks, go into a blend, the blend's lot travels into a concentrator, the
concentrate travels into a smelter; any of them may be a stockpile instead. Certificates come late,
masses are corrected, sides are withdrawn, facts come twice, and everything arrives in an order that
is more or less mixed up.
"""

from dataclasses import dataclass, field
from random import Random

from custody.events import LotFact
from tests.support.facts import Maker, corrected

ROUTE = ("MINE", "PLANT", "MILL", "SMELTER", "PORT")
LEVELS = (("P-1", "blend"), ("P-2", "concentrate"), ("P-3", "smelt"))


@dataclass
class Chain:
    """One history.

    Args:
        rng: Where it comes from.
    """

    rng: Random
    facts: list[LotFact] = field(default_factory=list)
    makers: dict[str, Maker] = field(default_factory=dict)
    minute: float = 0.0

    def draw(self) -> list[LotFact]:
        """Return the facts in the order they happened, corrections behind."""
        lots = [f"L-{n}" for n in range(self.rng.randint(2, 4))]
        for lot in lots:
            self._mined(lot)
        for level, (process, usual) in enumerate(LEVELS[: self.rng.randint(1, 3)]):
            kind = self.rng.choice((usual, usual, "stockpile"))
            lots = self._processed(process, kind, ROUTE[level + 1], lots)
        self._corrections()
        return self.facts

    def _maker(self, name: str) -> Maker:
        return self.makers.setdefault(name, Maker(name))

    def _later(self) -> float:
        self.minute += self.rng.randint(1, 9)
        return self.minute

    def _mined(self, lot: str) -> None:
        maker = self._maker(lot)
        grades = {a: self.rng.uniform(0.005, 0.05) for a in ("Cu", "Co")}
        self.facts.append(maker.lot(ROUTE[0], self._later(), grades))
        for shot in range(self.rng.randint(0, 3)):
            fractions = {a: 0.9 * f * self.rng.uniform(0.9, 1.1) for a, f in grades.items()}
            self.facts.append(maker.shot(ROUTE[0], self._later() + shot, fractions))
        self._travel(lot, (ROUTE[0], ROUTE[1]), self.rng.randint(1, 3))
        if self.rng.random() < 0.8:
            self._assayed(lot, ROUTE[1], grades)

    def _assayed(self, lot: str, site: str, grades: dict[str, float]) -> None:
        values: dict[str, tuple[float, float | None]] = {
            a: (f * self.rng.uniform(0.97, 1.03), None) for a, f in grades.items()
        }
        stage = self.rng.choice(["provisional", "exchanged", "final"])
        moisture = (self.rng.uniform(0.02, 0.12), 0.002) if self.rng.random() < 0.8 else None
        fact = self._maker(lot).assay(site, self._later(), values, moisture, stage=stage)
        self.facts.append(fact)

    def _travel(self, lot: str, ends: tuple[str, str], trucks: int) -> None:
        maker = self._maker(lot)
        for truck in range(trucks):
            movement = f"{lot}-{ends[0]}-{truck}"
            gross, tare = self.rng.randint(30_000, 45_000), 15_000
            more = {"movement_id": movement}
            self.facts.append(
                maker.weighing(ends[0], self._later(), "dispatch", gross, tare, **more)
            )
            self.facts.append(maker.move("dispatch", ends[0], self._later(), ends, **more))
            if self.rng.random() < 0.1:
                continue  # still on its way
            self.facts.append(maker.move("receipt", ends[1], self._later(), ends, **more))
            stolen = self.rng.choice((0, 0, 0, 700))
            got = gross + self.rng.randint(-20, 20) - stolen
            self.facts.append(maker.weighing(ends[1], self._later(), "receipt", got, tare, **more))

    def _processed(self, process: str, kind: str, site: str, lots: list[str]) -> list[str]:
        """Feed lots into a process; return the lots that come out."""
        for number, lot in enumerate(lots):
            wet = self.rng.choice((None, self.rng.randint(5_000_000, 20_000_000)))
            self.facts.append(
                self._maker(lot).side(
                    site, self._later(), "input", process, kind=kind, part_no=number, mass_wet_g=wet
                )
            )
        maker = self._maker(process)
        out: list[str] = []
        for number in range(self.rng.randint(1, 2)):
            lot = f"{process}-OUT-{number}"
            out.append(lot)
            dry = self.rng.randint(2_000_000, 9_000_000)
            more = {"kind": kind, "part_no": number, "output_lot_id": lot, "mass_dry_g": dry}
            self.facts.append(maker.side(site, self._later(), "output", process, **more))
        if self.rng.random() < 0.5:
            more = {"kind": kind, "loss_kind": "tailings", "mass_dry_g": 500_000}
            self.facts.append(maker.side(site, self._later(), "loss", process, **more))
        if self.rng.random() < 0.7:
            self.facts.append(maker.side(site, self._later(), "close", process, kind=kind))
        for lot in out:
            self.facts.append(self._maker(lot).lot(site, self._later(), {}))
            if self.rng.random() < 0.5:
                self._assayed(lot, site, {"Cu": 0.2, "Co": 0.03})
            self._travel(lot, (site, ROUTE[ROUTE.index(site) + 1]), 1)
        return out

    def _corrections(self) -> None:
        for number in range(self.rng.randint(0, 5)):
            target = self.rng.choice(self.facts)
            changes: dict[str, object] = {"void": self.rng.random() < 0.3}
            for name in ("net_g", "mass_wet_g", "mass_dry_g"):
                value = getattr(target, name, None)
                if value:
                    changes[name] = round(value * self.rng.uniform(0.8, 1.1))
            delay = float(self.rng.randint(1, 500))
            self.facts.append(corrected(target, f"{number}", delay, **changes))


def arrival(facts: list[LotFact], rng: Random) -> list[LotFact]:
    """Return facts as they come in: more or less out of order, one in ten twice."""
    mixed_up = rng.choice((0.0, 5.0, 50.0, 1e6))
    again = [fact for fact in facts if rng.random() < 0.1]
    numbered = list(enumerate(facts)) + [(facts.index(fact), fact) for fact in again]
    return [f for _, f in sorted(numbered, key=lambda p: p[0] + rng.uniform(0.0, mixed_up))]

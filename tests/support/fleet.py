"""Lots of some mines that come to one depot and go on to a port, measured by the same instruments.

Errors are drawn as instruments make them: one span error per scale and one bias per element and
instrument, then rounding, repeatability, the ore under the window, counting. What is to drift does
so from one lot on. Nothing here knows how charts are drawn.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from custody.events import LotFact, ReferenceSet
from custody.fold import Input
from tests.support.facts import Maker
from tests.support.instruments import reference

ELEMENTS = {"Cu": 0.03, "Co": 0.004, "Fe": 0.12, "Zn": 0.006, "Ni": 0.002, "Mn": 0.02}
DEPOT, PORT = "DEPOT", "PORT"
INTERVAL_KG = 20
REPEATABILITY_KG = 8.0
SPAN_REL = 2e-4
"""Deviation of the span errors of scales that are in order."""
HETEROGENEITY_REL = 0.05
XRF_BIAS_REL = 0.02
MATRIX_REL = 0.03
LAB_U_REL = 0.01
LOSS_U_REL = 0.0003
GAP_MIN = 240.0


@dataclass
class Fleet:
    """A fleet's lots in the order of time.

    Attributes:
        seed: Of all that is drawn.
        lots: How many.
        mines: Where they come from, one after the other.
        since: From which lot on something is wrong.
        scale: Scale that is off from when that lot begins, whatever it weighs, and by how much.
        xrf: Instrument and element likewise.
        stolen: Way of whose lots a share is taken from then on, and which.
        theft: By lot the way on which a share of it alone is taken, and which.
        composition: Lots are shot and certified, too.
        guns: Where they are, they are shot at all.
        moisture: What lots hold of water, from and to.
        at_port: Lots are certified at the port, too, not only at the mine.
        stay_min: How long lots lie at the depot, between the scale's two words of them.
        road: What a leg loses without anyone's doing, and how that differs from lot to lot.
        described: Reference data says what a leg loses.
    """

    seed: int
    lots: int = 60
    mines: tuple[str, ...] = ("MINE-A", "MINE-B", "MINE-C")
    since: int = 20
    scale: tuple[str, float] | None = None
    xrf: tuple[str, str, float] | None = None
    stolen: tuple[str, float] | None = None
    theft: Mapping[int, tuple[str, float]] = field(default_factory=dict)
    composition: bool = False
    guns: bool = True
    moisture: tuple[float, float] = (0.06, 0.10)
    at_port: bool = True
    stay_min: float = 40.0
    road: tuple[float, float] = (0.0004, LOSS_U_REL)
    described: bool = True
    span: dict[str, float] = field(default_factory=dict)
    bias: dict[tuple[str, str], float] = field(default_factory=dict)

    def records(self) -> list[Input]:
        """Return reference records and facts, as they were recorded."""
        rng = Random(f"fleet {self.seed}")
        facts = [fact for number in range(self.lots) for fact in self._lot(number, rng)]
        return [*self._references(), *sorted(facts, key=lambda one: one.recorded_at)]

    def sites(self) -> tuple[str, ...]:
        return (*self.mines, DEPOT, PORT)

    def _lot(self, number: int, rng: Random) -> Iterator[LotFact]:
        mine = self.mines[number % len(self.mines)]
        maker, start = Maker(f"L-{number:03d}"), number * GAP_MIN
        wrong = number >= self.since
        dry, moisture = rng.uniform(24_000, 28_000), rng.uniform(*self.moisture)
        ore = {a: c * math.exp(rng.gauss(0, 0.15)) for a, c in ELEMENTS.items()}
        yield maker.lot(mine, start, {})
        way = (mine, DEPOT), (DEPOT, PORT)
        for leg, (source, target) in enumerate(way):
            at = start + 10 + leg * (60 + self.stay_min)
            movement = f"{maker.lot_id}-{leg}"
            if self.composition and self.guns:
                yield from self._shots(maker, source, at, (ore, moisture), rng, wrong=wrong)
            if self.composition and leg == 0:
                yield self._assay(maker, source, at + 4, (ore, moisture), rng)
            ends = (source, target)
            wet = dry / (1 - moisture)
            yield self._weighing(maker, source, at + 5, ("dispatch", movement, wet), rng)
            yield maker.move("dispatch", source, at + 6, ends, movement_id=movement)
            dry *= 1 + rng.gauss(-self.road[0], self.road[1])
            for taken in (self.stolen if wrong else None, self.theft.get(number)):
                if taken is not None and taken[0] == f"{source}>{target}":
                    dry *= 1 - taken[1]
            yield maker.move("receipt", target, at + 60, ends, movement_id=movement)
            wet = dry / (1 - moisture)
            yield self._weighing(maker, target, at + 61, ("receipt", movement, wet), rng)
        end = start + 10 + (60 + self.stay_min)
        if self.composition and self.guns:
            yield from self._shots(maker, PORT, end + 65, (ore, moisture), rng, wrong=wrong)
        if self.composition and self.at_port:
            yield self._assay(maker, PORT, end + 70, (ore, moisture), rng)

    def _weighing(
        self,
        maker: Maker,
        site: str,
        at: float,
        what: tuple[str, str, float],
        rng: Random,
    ) -> LotFact:
        purpose, movement, wet = what
        device = f"WB-{site}"
        off = self.span.setdefault(device, Random(f"{self.seed} {device}").gauss(0, SPAN_REL))
        wrong = at >= self.since * GAP_MIN
        if wrong and self.scale is not None and self.scale[0] == device:
            off += self.scale[1]
        tare = 15_000 + rng.gauss(0, 100)
        read = [
            _rounded(true * (1 + off) + rng.gauss(0, REPEATABILITY_KG))
            for true in (tare + wet, tare)
        ]
        return maker.weighing(site, at, purpose, read[0], read[1], movement_id=movement)

    def _shots(
        self,
        maker: Maker,
        site: str,
        at: float,
        what: tuple[dict[str, float], float],
        rng: Random,
        *,
        wrong: bool,
    ) -> Iterator[LotFact]:
        ore, moisture = what
        device = f"XRF-{site}"
        matrix = rng.gauss(0, MATRIX_REL)
        for shot in range(3):
            seen = {}
            for a, c in ore.items():
                bias = self.bias.setdefault(
                    (device, a), Random(f"{self.seed} {device} {a}").gauss(0, XRF_BIAS_REL)
                )
                if wrong and self.xrf is not None and self.xrf[:2] == (device, a):
                    bias += self.xrf[2]
                spread = rng.gauss(0, HETEROGENEITY_REL) + rng.gauss(0, 0.01)
                seen[a] = round(c * (1 - moisture) * math.exp(matrix + bias + spread), 9)
            yield maker.shot(site, at + shot * 0.5, seen)

    def _assay(
        self, maker: Maker, site: str, at: float, what: tuple[dict[str, float], float], rng: Random
    ) -> LotFact:
        ore, moisture = what
        lab = f"LAB-{site}"
        grades: dict[str, tuple[float, float | None]] = {}
        for a, c in ore.items():
            bias = self.bias.setdefault(
                (lab, a), Random(f"{self.seed} {lab} {a}").gauss(0, LAB_U_REL * 0.6)
            )
            read = c * math.exp(bias + rng.gauss(0, LAB_U_REL * 0.8))
            grades[a] = (read, read * LAB_U_REL)
        wet = moisture + self.bias.get((lab, "moisture"), 0.0)
        moist = (wet + rng.gauss(0, 0.002), 0.002)
        number = f"{maker.lot_id}-{site}"
        return maker.assay(site, at, grades, moist, certificate_no=number)

    def _references(self) -> Iterator[ReferenceSet]:
        for site in self.sites():
            scale = {
                "class": "III",
                "interval_kg": INTERVAL_KG,
                "repeatability_kg": REPEATABILITY_KG,
                "u_systematic_rel": SPAN_REL,
            }
            yield reference("device", f"WB-{site}", scale)
            xrf = {
                "class": "xrf",
                "bias_rel": XRF_BIAS_REL,
                "heterogeneity_rel": HETEROGENEITY_REL,
                "matrix_rel": MATRIX_REL,
            }
            yield reference("device", f"XRF-{site}", xrf)
            yield reference("laboratory", f"LAB-{site}", {"u_rel": LAB_U_REL, "moisture_u": 0.002})
        if not self.described:
            return
        for source, target in (*((mine, DEPOT) for mine in self.mines), (DEPOT, PORT)):
            leg = {
                "from": source,
                "to": target,
                "expected_loss": self.road[0],
                "expected_loss_u": self.road[1],
            }
            yield reference("route", f"{source}-{target}", {"legs": [leg]})


def _rounded(kg: float) -> int:
    return round(kg / INTERVAL_KG) * INTERVAL_KG

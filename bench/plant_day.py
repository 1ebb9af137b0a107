"""Facts for benchmarks of the core: lots that travel, weighed, shot and assayed at both ends.

Twenty facts per lot and leg: a declaration or nothing, weighings and shipments per truck, three
shots of eight elements and a certificate per side. In order of time over all lots, as a plant
day comes in. Not the demo's plant: numbers are plain, only sizes and shapes matter.
"""

from collections.abc import Iterator
from random import Random

from custody.events import (
    AssayResult,
    DeclaredAnalyte,
    DeclaredOrigin,
    LotAssayed,
    LotDeclared,
    LotFact,
    LotMoved,
    LotScanned,
    LotWeighed,
    Micros,
    ScanResult,
)

MINUTE = 60_000_000
T0 = 1_790_000_000_000_000
ELEMENTS = ("Cu", "Co", "Ni", "Fe", "S", "Zn", "Mn", "As")
SITES = ("MINE", "DEPOT", "CONC", "PORT", "SMELTER", "PLANT")


def draw_day(lots: int, legs: int, seed: int) -> list[LotFact]:
    """Return all facts of ``lots`` lots over ``legs`` legs, in order of time."""
    rng = Random(seed)
    facts: list[LotFact] = []
    for number in range(lots):
        facts.extend(LotDay(f"L-{number:06d}", rng, number).facts(legs))
    facts.sort(key=lambda fact: (fact.occurred_at, fact.event_id))
    return facts


class LotDay:
    """One lot's facts.

    Args:
        lot_id: The lot.
        rng: Where its numbers come from.
        number: Makes its ids and spreads its start over the day.
    """

    def __init__(self, lot_id: str, rng: Random, number: int) -> None:
        self._lot_id = lot_id
        self._rng = rng
        self._number = number
        self._count = 0
        self._minute = rng.uniform(0.0, 600.0)
        self._grades = {element: rng.uniform(0.001, 0.05) for element in ELEMENTS}

    def facts(self, legs: int) -> Iterator[LotFact]:
        """Yield the lot's facts: 13 at the first site, then 20 per leg less what the first had."""
        yield self._declared()
        for leg in range(legs):
            ends = SITES[leg % len(SITES)], SITES[(leg + 1) % len(SITES)]
            movement = f"M-{self._number}-{leg}"
            if leg == 0:
                yield from self._station(ends[0])
            net = round(self._rng.gauss(30_000, 500)) * 1000
            yield self._weighed(ends[0], "dispatch", net, movement)
            yield self._moved("dispatch", ends, movement)
            for _ in range(4):
                yield self._moved("checkpoint", ends, movement)
            yield self._moved("receipt", ends, movement)
            got = net + round(self._rng.gauss(0, 40_000))
            yield self._weighed(ends[1], "receipt", got, movement)
            yield from self._station(ends[1])

    def _station(self, site: str) -> Iterator[LotFact]:
        for shot in range(6):
            yield self._scanned(site, shot)
        yield self._assayed(site)

    def _head(self, site: str) -> tuple[str, str, int, int, str, str, Micros, int, Micros]:
        self._count += 1
        self._minute += self._rng.uniform(1.0, 20.0)
        at = T0 + round(self._minute * MINUTE)
        no = self._count
        event_id = f"{self._number:08x}-0000-8000-8000-{no:012x}"
        return event_id, "GW", 1, no, site, self._lot_id, Micros(at), 0, Micros(at + 500_000)

    def _declared(self) -> LotDeclared:
        return LotDeclared(
            **self._envelope(SITES[0]),  # type: ignore[arg-type]
            commodity="copper_cobalt",
            form="ore",
            custodian=None,
            owner=None,
            custody_model="mass_balance",
            declared_origins=(DeclaredOrigin(level="site", id=SITES[0], share=1.0),),
            declared_composition=tuple(
                DeclaredAnalyte(analyte=e, fraction=self._grades[e], unit="pct", basis="dry")
                for e in ELEMENTS[:2]
            ),
            declared_mass_dry_g=None,
            tags=(),
            route_id=None,
            attributes=(),
        )

    def _envelope(self, site: str) -> dict[str, object]:
        names = (
            "event_id",
            "gateway_id",
            "gateway_epoch",
            "gateway_seq",
            "site_id",
            "lot_id",
            "occurred_at",
            "time_zone_offset_min",
            "recorded_at",
        )
        rest = {"corrects": None, "void": False, "source_ref": None, "clock_skew_ms": None}
        return dict(zip(names, self._head(site), strict=True)) | rest

    def _weighed(self, site: str, purpose: str, net_g: int, movement: str) -> LotWeighed:
        return LotWeighed(
            **self._envelope(site),  # type: ignore[arg-type]
            ticket_no=str(self._count),
            movement_id=movement,
            device_id=f"WB-{site}-1",
            purpose=purpose,
            direction="out",
            gross_g=net_g + 15_000_000,
            tare_g=15_000_000,
            net_g=net_g,
            tare_kind="weighed",
            gross_at=None,
            tare_at=None,
            vehicle_id="MN 1234 TK",
            u_random_g=None,
            u_systematic_g=None,
            volume_m3=None,
            density_kg_m3=None,
        )

    def _moved(self, kind: str, ends: tuple[str, str], movement: str) -> LotMoved:
        return LotMoved(
            **self._envelope(ends[0] if kind == "dispatch" else ends[1]),  # type: ignore[arg-type]
            kind=kind,
            movement_id=movement,
            from_site=ends[0],
            to_site=ends[1],
            carrier="TRK-7",
            vehicle_id="MN 1234 TK",
            seals=("SL-1", "SL-2"),
            latitude_deg=None,
            longitude_deg=None,
            documents=(),
            counterparty=None,
            counterpart_digest=None,
        )

    def _assayed(self, site: str) -> LotAssayed:
        return LotAssayed(
            **self._envelope(site),  # type: ignore[arg-type]
            certificate_no=str(self._count),
            lab_id=f"LAB-{site}",
            method="ICP-OES",
            sample_id=None,
            stage="provisional",
            party="seller",
            sampled_at=None,
            moisture_fraction=0.05 + self._rng.gauss(0.0, 0.001),
            moisture_unit="pct",
            moisture_u_fraction=0.002,
            results=tuple(
                AssayResult(
                    analyte=e,
                    fraction=self._grades[e] * (1.0 + self._rng.gauss(0.0, 0.01)),
                    unit="pct",
                    basis="dry",
                    qualifier="eq",
                    u_fraction=self._grades[e] * 0.01,
                    detection_limit_fraction=None,
                )
                for e in ELEMENTS[:3]
            ),
        )

    def _scanned(self, site: str, shot_no: int) -> LotScanned:
        return LotScanned(
            **self._envelope(site),  # type: ignore[arg-type]
            device_id=f"XRF-{site}-1",
            shot_no=shot_no,
            mode="mining_plus",
            live_time_s=60.0,
            basis="as_is",
            results=tuple(
                ScanResult(
                    analyte=e,
                    fraction=0.95 * self._grades[e] * (1.0 + self._rng.gauss(0.0, 0.05)),
                    unit="ppm",
                    qualifier="eq",
                    error_2sigma_fraction=0.02 * self._grades[e],
                    detection_limit_fraction=None,
                )
                for e in ELEMENTS
            ),
        )

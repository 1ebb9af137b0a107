# ruff: noqa: ANN401  fields of a fact given by name: the fact class checks them
"""Facts made by hand for tests of the core: short calls, sensible defaults, ids from a counter."""

import uuid
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from typing_extensions import override

from custody.events import (
    ActionTaken,
    AssayResult,
    DeclaredAnalyte,
    DeclaredOrigin,
    LotAssayed,
    LotDeclared,
    LotFact,
    LotMoved,
    LotScanned,
    LotWeighed,
    MaterialProcessed,
    Micros,
    ReferenceSet,
    ScanResult,
)
from custody.fold import Input, Row
from custody.ids import BETWEEN
from custody.records import Content, Drift, Residual, Sighting, Tick

MINUTE = 60_000_000
T0 = 1_762_000_000_000_000
STEMS = {
    LotDeclared: "lot",
    LotWeighed: "weighing",
    LotAssayed: "assay",
    LotScanned: "xrf",
    LotMoved: "shipment",
    MaterialProcessed: "processing",
    ReferenceSet: "reference",
    ActionTaken: "action",
    Content: "content",
    Sighting: "sighting",
    Residual: "residual",
    Drift: "drift",
    Tick: "tick",
}


F = TypeVar("F", bound=LotFact)


def tick(minute: float, *silent: str, partition: int = 0, end: int = 0) -> Tick:
    """A partition's clock; ``silent`` are gateways, ``end`` is the facts it waits for."""
    now = Micros(T0 + round(minute * MINUTE))
    return Tick(partition=partition, now=now, fact_end_offset=end, silent_sites=silent)


YEARS_MIN = 10 * 365 * 24 * 60.0
"""Ten years in minutes: whatever is due is over by then."""


def last_ticks(partition: int = 0) -> list[Tick]:
    """Ticks after which nothing waits any more; what is due next needs two."""
    return [tick(YEARS_MIN + more, partition=partition) for more in (0.0, 1.0)]


def event_id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


@dataclass(frozen=True, slots=True)
class Read:
    """A record as the worker hands it to the fold."""

    event: Input
    offset: int = 0

    @property
    def stem(self) -> str:
        return STEMS[type(self.event)]


class Rows(dict[str, Row]):
    """Rows in memory; ``get`` and ``scan`` are the reader of the fold."""

    def __init__(self) -> None:
        super().__init__()
        self._about: dict[str, list[str]] = defaultdict(list)

    @override
    def __setitem__(self, key: str, row: Row) -> None:
        if key not in self:
            self._about[key.partition(BETWEEN)[0]].append(key)
        super().__setitem__(key, row)

    @override
    def pop(self, key: str, *default: Row) -> Row | None:
        """Take a row out, where it is there."""
        if key in self:
            self._about[key.partition(BETWEEN)[0]].remove(key)
        return super().pop(key, None)

    def scan(self, prefix: str, before: str | None = None) -> list[str]:
        """Return the keys that begin with a prefix, in order, those before another where given."""
        stem, between, _ = prefix.partition(BETWEEN)
        among = self._about[stem] if between else list(self)
        return sorted(
            key for key in among if key.startswith(prefix) and (before is None or key < before)
        )


@dataclass(slots=True)
class Maker:
    """Makes facts of one lot; each takes ``minute`` (occurred) and may be recorded later."""

    lot_id: str = "L-1"
    count: int = 0

    def _head(self, site: str, minute: float, delay: float = 1.0) -> dict[str, Any]:
        self.count += 1
        return {
            "event_id": event_id(f"{self.lot_id}/{self.count}"),
            "gateway_id": "GW-1",
            "gateway_epoch": 1,
            "gateway_seq": self.count,
            "site_id": site,
            "lot_id": self.lot_id,
            "occurred_at": Micros(T0 + round(minute * MINUTE)),
            "time_zone_offset_min": None,
            "recorded_at": Micros(T0 + round((minute + delay) * MINUTE)),
            "corrects": None,
            "void": False,
            "source_ref": None,
            "clock_skew_ms": None,
        }

    def lot(
        self, site: str, minute: float, composition: dict[str, float], **more: Any
    ) -> LotDeclared:
        fields: dict[str, Any] = {
            "commodity": "copper",
            "form": "ore",
            "custodian": None,
            "owner": None,
            "custody_model": "mass_balance",
            "declared_origins": (DeclaredOrigin(level="site", id=site, share=1.0),),
            "declared_composition": tuple(
                DeclaredAnalyte(analyte=a, fraction=f, unit="pct", basis="dry")
                for a, f in composition.items()
            ),
            "declared_mass_dry_g": None,
            "tags": (),
            "route_id": None,
            "attributes": (),
        }
        return LotDeclared(**(self._head(site, minute) | fields | more))

    def weighing(
        self, site: str, minute: float, purpose: str, gross_kg: int, tare_kg: int, **more: Any
    ) -> LotWeighed:
        fields: dict[str, Any] = {
            "ticket_no": str(self.count),
            "movement_id": "M-1",
            "device_id": f"WB-{site}",
            "purpose": purpose,
            "direction": "out",
            "gross_g": gross_kg * 1000,
            "tare_g": tare_kg * 1000,
            "net_g": (gross_kg - tare_kg) * 1000,
            "tare_kind": "weighed",
            "gross_at": None,
            "tare_at": None,
            "vehicle_id": None,
            "u_random_g": None,
            "u_systematic_g": None,
            "volume_m3": None,
            "density_kg_m3": None,
        }
        return LotWeighed(**(self._head(site, minute) | fields | more))

    def move(
        self, kind: str, site: str, minute: float, ends: tuple[str, str], **more: Any
    ) -> LotMoved:
        fields: dict[str, Any] = {
            "kind": kind,
            "movement_id": "M-1",
            "from_site": ends[0],
            "to_site": ends[1],
            "carrier": None,
            "vehicle_id": None,
            "seals": (),
            "latitude_deg": None,
            "longitude_deg": None,
            "documents": (),
            "counterparty": None,
            "counterpart_digest": None,
        }
        return LotMoved(**(self._head(site, minute) | fields | more))

    def assay(
        self,
        site: str,
        minute: float,
        grades: dict[str, tuple[float, float | None]],
        moisture: tuple[float, float | None] | None = None,
        **more: Any,
    ) -> LotAssayed:
        fields: dict[str, Any] = {
            "certificate_no": str(self.count),
            "lab_id": f"LAB-{site}",
            "method": None,
            "sample_id": None,
            "stage": "provisional",
            "party": "seller",
            "sampled_at": None,
            "moisture_fraction": None if moisture is None else moisture[0],
            "moisture_unit": "pct",
            "moisture_u_fraction": None if moisture is None else moisture[1],
            "results": tuple(
                AssayResult(
                    analyte=a,
                    fraction=f,
                    unit="pct",
                    basis="dry",
                    qualifier="eq",
                    u_fraction=u,
                    detection_limit_fraction=None,
                )
                for a, (f, u) in grades.items()
            ),
        }
        return LotAssayed(**(self._head(site, minute) | fields | more))

    def shot(
        self, site: str, minute: float, fractions: dict[str, float], **more: Any
    ) -> LotScanned:
        fields: dict[str, Any] = {
            "device_id": f"XRF-{site}",
            "shot_no": self.count,
            "mode": None,
            "live_time_s": None,
            "basis": "as_is",
            "results": tuple(
                ScanResult(
                    analyte=a,
                    fraction=f,
                    unit="ppm",
                    qualifier="eq",
                    error_2sigma_fraction=0.02 * f,
                    detection_limit_fraction=None,
                )
                for a, f in fractions.items()
            ),
        }
        return LotScanned(**(self._head(site, minute) | fields | more))

    def side(
        self, site: str, minute: float, part: str, process: str, **more: Any
    ) -> MaterialProcessed:
        fields: dict[str, Any] = {
            "process_id": process,
            "kind": "blend",
            "part": part,
            "part_no": 1,
            "output_lot_id": None,
            "loss_kind": None,
            "mass_wet_g": None,
            "mass_dry_g": None,
            "moisture_fraction": None,
            "u_mass_g": None,
        }
        if part != "input":
            fields["lot_id"] = None
        return MaterialProcessed(**(self._head(site, minute) | fields | more))


def corrected(fact: F, name: str, minutes: float = 30.0, **changes: Any) -> F:
    """A correction of a fact: same time, recorded later, with changed fields."""
    return replace(
        fact,
        event_id=event_id(name),
        corrects=fact.event_id,
        recorded_at=Micros(fact.recorded_at + round(minutes * MINUTE)),
        **changes,
    )


def hauled(maker: Maker, trips: int) -> list[LotFact]:
    """Weigh out and in, one truck after another; the last facts are of the last trucks."""
    facts: list[LotFact] = []
    for no in range(trips):
        out, back = 10 * no, 10 * no + 5
        way = f"WAY-{no}"
        facts.append(maker.weighing("MINE", out, "dispatch", 45_000, 15_000, movement_id=way))
        facts.append(maker.weighing("PORT", back, "receipt", 45_010, 15_000, movement_id=way))
    return facts

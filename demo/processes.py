"""The day's two processes: a blend in the depot and a campaign of the concentrator."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random

from demo.journey import Journal
from demo.lots import Load, Lot, draw_load
from demo.plant import CONCENTRATOR, DEPOT, PORT, Composition
from demo.requests import Request

BLEND_INPUTS = 6
CAMPAIGN_INPUTS = 45
TRUCK_WET_KG = 29_800.0
RECOVERY = {"Cu": 0.91, "Ni": 0.68, "S": 0.62, "Fe": 0.08, "Co": 0.60, "Zn": 0.55}
"""Share of each analyte that goes into the bulk concentrate; reference data says the same."""
CONCENTRATE_CU = 0.15
CONCENTRATE_S_MAX = 0.33
CONCENTRATE_MOISTURE = 0.085
MASS_U_REL = 0.002
"""Stated standard uncertainty of a process's own masses; the errors are half as large."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process as it truly was: what went in, the lot that came out, and what was lost."""

    process_id: str
    kind: str
    inputs: tuple[Lot, ...]
    output: Lot
    tailings_dry_kg: float


def blend(journal: Journal, inputs: Sequence[Lot], lot_id: str, at: datetime) -> Process:
    """Blend lots in the depot and write it down; mass and every analyte are conserved."""
    rng = journal.rng(lot_id, "blend")
    dry = sum(lot.dry_kg for lot in inputs)
    composition = {
        a: sum(lot.dry_kg * lot.composition[a] for lot in inputs) / dry
        for a in inputs[0].composition
    }
    moisture = 1.0 - dry / sum(lot.wet_kg for lot in inputs)
    output = Lot(
        lot_id=lot_id,
        site=DEPOT,
        to_site=CONCENTRATOR,
        composition=composition,
        moisture=moisture,
        loads=load_trucks(dry, moisture, rng),
        ready_at=at,
        source=f"blend of {len(inputs)} lots",
    )
    process = Process(f"P-{journal.seed}-BLEND", "blend", tuple(inputs), output, 0.0)
    _write(journal, process, rng)
    return process


def concentrate(journal: Journal, inputs: Sequence[Lot], lot_id: str, at: datetime) -> Process:
    """Run a campaign of the concentrator and write it down; tailings take the rest."""
    rng = journal.rng(lot_id, "concentrate")
    feed = sum(lot.dry_kg for lot in inputs)
    metal = {
        a: sum(lot.dry_kg * lot.composition[a] for lot in inputs) for a in inputs[0].composition
    }
    dry = metal["Cu"] * RECOVERY["Cu"] / CONCENTRATE_CU
    composition: dict[str, float] = {a: metal[a] * RECOVERY[a] / dry for a in RECOVERY}
    composition["S"] = min(composition["S"], CONCENTRATE_S_MAX)
    output = Lot(
        lot_id=lot_id,
        site=CONCENTRATOR,
        to_site=PORT,
        composition=_in_order(composition, metal),
        moisture=CONCENTRATE_MOISTURE,
        loads=load_trucks(dry, CONCENTRATE_MOISTURE, rng),
        ready_at=at,
        form="concentrate",
        source=f"campaign on {len(inputs)} lots",
    )
    process = Process(f"P-{journal.seed}-CONC", "concentrate", tuple(inputs), output, feed - dry)
    _write(journal, process, rng)
    return process


def _in_order(composition: Composition, like: Composition) -> Composition:
    return {a: composition[a] for a in like}


def load_trucks(dry_kg: float, moisture: float, rng: Random) -> tuple[Load, ...]:
    """Return a dry mass spread evenly over as few full trucks as it takes."""
    trucks = max(1, round(dry_kg / (1 - moisture) / TRUCK_WET_KG + 0.45))
    return tuple(draw_load(n, dry_kg / trucks, rng) for n in range(trucks))


def _write(journal: Journal, process: Process, rng: Random) -> None:
    """Write the process down as two requests: its inputs first, then outputs, losses and close."""
    output = process.output
    head: Request = {
        "type": "processing",
        "site_id": output.site,
        "process_id": process.process_id,
        "occurred_at": output.ready_at.isoformat(),
        "kind": process.kind,
        "inputs": [_side(lot, rng) for lot in process.inputs],
        "outputs": [_side(output, rng)],
        "losses": [],
        "close": True,
    }
    if process.tailings_dry_kg:
        tailings = process.tailings_dry_kg * (1 + rng.gauss(0.0, MASS_U_REL / 2))
        u = round(tailings * MASS_U_REL)
        head["losses"] = [
            {"kind": "tailings", "mass_dry_kg": round(tailings), "u_mass_kg": u},
        ]
    journal.add(output.ready_at, head)


def _side(lot: Lot, rng: Random) -> Request:
    wet = lot.wet_kg * (1 + rng.gauss(0.0, MASS_U_REL / 2))
    moisture = round(lot.moisture + rng.gauss(0.0, 0.001), 4)
    return {
        "lot_id": lot.lot_id,
        "mass_wet_kg": round(wet / 20) * 20,
        "moisture_fraction": moisture,
        "u_mass_kg": round(wet * MASS_U_REL),
    }

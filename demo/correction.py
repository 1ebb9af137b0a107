"""Two mistakes in the papers of one blended lot, found when its metal is already in concentrate.

The mine's laboratory reported too little copper, and the depot typed too little mass into the
blend. Both are put right in the evening, as a plant does it: a new record that names the one it
replaces. The blend, the concentrate and the tailings rest on what went in, so all of them move.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import cast
from uuid import UUID

from custody.ids import derived_id
from demo.journey import Entry
from demo.plant import Composition
from demo.processes import Process
from demo.requests import Request

ANALYTE = "Cu"
TOO_LOW = (0.05, 0.065)
"""Range of the share the certificate was too low by: some 1.5 sigma of the receiver's four shots.

More would be an alert on a lot that nobody touched; less would hardly show in the concentrate.
"""
SHORT_KG = (340, 420)
"""Range of the wet mass left out of the blend: more than the scales' doubt about what is left."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """Two corrections and what they replace.

    Attributes:
        lot_id: The lot both are about.
        lab_id: Who issued the certificate.
        certificate_no: The certificate.
        grade_pct: Copper as first reported and as corrected, percent of dry mass.
        input_kg: Wet mass into the blend as first typed and as corrected.
        requests: The corrections, in the order they are sent.
    """

    lot_id: str
    lab_id: str
    certificate_no: str
    grade_pct: tuple[float, float]
    input_kg: tuple[int, int]
    requests: tuple[Request, Request]


def mistake(seed: int, entries: list[Entry], blend: Process) -> Corrected:
    """Put both mistakes into a journal and return what corrects them.

    Args:
        seed: The day's seed.
        entries: The journal; two of its entries are replaced, at their places.
        blend: The blend; its input with the most copper is the lot.
    """
    rng = Random(f"{seed}/correction")
    lot_id = max(blend.inputs, key=lambda lot: lot.dry_kg * _of(lot.composition)).lot_id
    paper = _find(entries, lambda r: r.get("method") == "ICP-OES" and r["lot_id"] == lot_id)
    grades, assay = _lower(seed, entries, paper, rng.uniform(*TOO_LOW))
    process = _find(entries, lambda r: r.get("process_id") == blend.process_id)
    no = [lot.lot_id for lot in blend.inputs].index(lot_id)
    masses, side = _shorten(entries, process, (no, rng.randrange(*SHORT_KG, 20)))
    return Corrected(
        lot_id=lot_id,
        lab_id=str(assay["lab_id"]),
        certificate_no=str(assay["certificate_no"]),
        grade_pct=grades,
        input_kg=masses,
        requests=(assay, side),
    )


def _of(composition: Composition) -> float:
    return composition[ANALYTE]


def _find(entries: Sequence[Entry], wanted: Callable[[Request], bool]) -> int:
    return next(n for n, entry in enumerate(entries) if wanted(entry.request))


def _lower(
    seed: int, entries: list[Entry], at: int, share: float
) -> tuple[tuple[float, float], Request]:
    """Report less copper on a certificate; return both grades and the corrected certificate."""
    right = entries[at].request
    results = cast("list[Request]", right["results"])
    pct = next(cast("float", one["value"]) for one in results if one["analyte"] == ANALYTE)
    low = float(f"{pct * (1 - share):.4g}")
    wrong: Request = {**right, "event_id": _event_id(seed, "wrong certificate")}
    wrong["results"] = [
        {**one, "value": low} if one["analyte"] == ANALYTE else one for one in results
    ]
    entries[at] = replace(entries[at], request=wrong)
    new_id = _event_id(seed, "right certificate")
    return (low, pct), {**right, "event_id": new_id, "corrects": wrong["event_id"]}


def _shorten(
    entries: list[Entry], at: int, slip: tuple[int, int]
) -> tuple[tuple[int, int], Request]:
    """Type less mass for one input of a process; return both masses and the corrected input.

    Args:
        entries: The journal.
        at: Which entry is the process.
        slip: Which input, from 0, and by how many kilograms.
    """
    no, short_kg = slip
    right = entries[at].request
    sides = cast("list[Request]", right["inputs"])
    mass_kg = cast("int", sides[no]["mass_wet_kg"])
    short = {**sides[no], "mass_wet_kg": mass_kg - short_kg}
    entries[at] = replace(
        entries[at], request={**right, "inputs": [*sides[:no], short, *sides[no + 1 :]]}
    )
    side: Request = {name: right[name] for name in _HEAD}
    return (mass_kg - short_kg, mass_kg), {
        **side,
        "inputs": [sides[no]],
        "corrects": _side_id(right, str(sides[no]["lot_id"])),
    }


_HEAD = ("type", "site_id", "process_id", "occurred_at", "kind")


def _side_id(process: Request, lot_id: str) -> str:
    """Return the id the gateway gives an input that nobody named: by its natural key.

    It answers a process with the id of each side, so a plant need not compute it.
    """
    at = datetime.fromisoformat(str(process["occurred_at"]))
    key: list[str | int | None] = [
        str(process["process_id"]),
        "input",
        lot_id,
        round(at.timestamp()) * 1_000_000,
        None,
    ]
    return derived_id("processing", key)


def _event_id(seed: int, name: str) -> str:
    return str(UUID(int=Random(f"{seed}/correction/{name}").getrandbits(128), version=4))

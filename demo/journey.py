"""What a lot goes through between two sites, and what the instruments write down about it.

The truth (``Lot``) and the record (``Journal``) are kept apart: a leg returns the lot as it truly
arrived and leaves behind only what scales, guns and laboratories saw.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from demo.lots import Load, Lot
from demo.plant import (
    DRYING_EXPECTED,
    LOSS_EXPECTED,
    Composition,
    Gun,
    Laboratory,
    Plant,
    Scale,
    place,
)
from demo.power import Station, mixed
from demo.requests import (
    Request,
    Ticket,
    Trip,
    assay_request,
    assay_result,
    lot_request,
    shipment_request,
    weighing_request,
    xrf_request,
)

SHOTS = 4
"""Shots of a station per lot."""
CONVOY_SHOTS = 8
LOADING = timedelta(minutes=35)
TRUCK_EVERY = timedelta(minutes=8)
POSITIONS = {
    "DUN": (47.71, -91.86),
    "BIR": (47.74, -91.82),
    "EMB": (47.65, -92.19),
    "HOY": (47.52, -92.13),
    "TWO": (47.02, -91.67),
    "SUP": (46.70, -92.05),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One request and when the plant would have sent it."""

    at: datetime
    request: Request


@dataclass(slots=True)
class Journal:
    """All that is written down in a day, and the counters of the devices that write."""

    seed: int
    plant: Plant
    entries: list[Entry] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, at: datetime, request: Request) -> None:
        """Write down one request."""
        self.entries.append(Entry(at, request))

    def number(self, name: str) -> int:
        """Return the next number of a device, laboratory or carrier, from 1."""
        self.counts[name] += 1
        return self.counts[name]

    def shot_no(self, gun: Gun) -> int:
        """Return the gun's next shot number; seeds stay apart, for the number is an identity."""
        return (self.seed % 100_000) * 10_000 + self.number(gun.device_id)

    def rng(self, *names: str) -> Random:
        """Return randomness of its own for one purpose, so that no other purpose shifts it."""
        return Random("/".join((str(self.seed), *names)))


@dataclass(frozen=True, slots=True)
class Tampering:
    """What happens to a lot: on the road, or before anybody measures it.

    Attributes:
        truck_no: Which truck, 0-based; None for all.
        stolen_wet_kg: Taken from that truck.
        share: Share of the dry mass replaced by ``material``.
        material: What is put in its place.
        at_origin: That is done before the lot is measured at its mine.
        watered: Share of the dry mass taken on the road and made up with water.
    """

    truck_no: int | None = None
    stolen_wet_kg: float = 0.0
    share: float = 0.0
    material: Composition | None = None
    at_origin: bool = False
    watered: float = 0.0


HONEST = Tampering()


def mix_in(lot: Lot, tampering: Tampering) -> Lot:
    """Return a lot after what is put into it before anybody measures it."""
    if tampering.material is None or not tampering.at_origin:
        return lot
    return replace(lot, composition=mixed(lot.composition, tampering.material, tampering.share))


def shots_of(lot: Lot) -> int:
    """Return how many shots a station takes of a lot."""
    return CONVOY_SHOTS if len(lot.loads) > 10 else SHOTS


def station_of(lot: Lot, *, receiving: bool) -> Station:
    """Return what a side of the first leg measures of a lot."""
    return Station(shots_of(lot), not receiving or lot.receipt_assay)


def declare(journal: Journal, lot: Lot) -> None:
    """Write down a lot's declaration."""
    request = lot_request(_head(lot, lot.site, lot.ready_at), lot.form, *_plan(journal, lot))
    journal.add(lot.ready_at, request)


def _plan(journal: Journal, lot: Lot) -> tuple[Composition, float, str]:
    rng = journal.rng(lot.lot_id, "plan")
    guess = {a: f * rng.lognormvariate(0.0, 0.05) for a, f in lot.composition.items()}
    return guess, lot.dry_kg * rng.lognormvariate(0.0, 0.01), lot.source or lot.lot_id


def examine(journal: Journal, lot: Lot, at: datetime, *, party: str, assay: bool) -> datetime:
    """Write down a station's shots and certificates of a lot where it lies.

    Args:
        journal: Where to.
        lot: The lot as it truly is, at its site.
        at: When the first shot is taken.
        party: Who has it assayed: ``seller`` or ``buyer``.
        assay: Whether a certificate of the analytes follows some hours later.

    Returns:
        When shots and moisture are done.
    """
    rng = journal.rng(lot.lot_id, lot.site, party)
    gun = rng.choice(journal.plant.guns[lot.site])
    for _ in range(shots_of(lot)):
        shots = gun.shoot(lot.composition, lot.moisture, rng)
        head = _head(lot, lot.site, at)
        journal.add(at, xrf_request(head, gun.device_id, journal.shot_no(gun), shots))
        at += timedelta(seconds=rng.randrange(75, 180))
    done = at + timedelta(minutes=rng.randrange(6, 12))
    lab = journal.plant.laboratories[lot.site]
    moisture = lab.moisture(lot.moisture, rng)
    paper = _certificate(journal, lot, lab, party, "M")
    journal.add(done, assay_request(_head(lot, lot.site, done), paper, moisture))
    if assay:
        _assay(journal, lot, lab, party, at + timedelta(minutes=rng.randrange(120, 220)))
    return done


def _assay(journal: Journal, lot: Lot, lab: Laboratory, party: str, at: datetime) -> None:
    rng = journal.rng(lot.lot_id, lot.site, party, "assay")
    request = assay_request(
        _head(lot, lot.site, at), _certificate(journal, lot, lab, party, "A"), None
    )
    request["method"] = "ICP-OES"
    request["results"] = [assay_result(a, lab.grade(a, f, rng)) for a, f in lot.composition.items()]
    journal.add(at, request)


def _certificate(journal: Journal, lot: Lot, lab: Laboratory, party: str, kind: str) -> Request:
    number = journal.number(lab.lab_id)
    return {
        "certificate_no": f"{kind}-{journal.seed}-{number:05d}",
        "lab_id": lab.lab_id,
        "sample_id": f"{lot.lot_id}-{place(lot.site)}",
        "stage": "provisional",
        "party": party,
    }


def travel(journal: Journal, lot: Lot, at: datetime, tampering: Tampering = HONEST) -> Lot:
    """Send a lot along its leg and write down tickets and shipments.

    Args:
        journal: Where to.
        lot: The lot as it truly leaves ``lot.site`` for ``lot.to_site``.
        at: When the first truck is on the scale.
        tampering: What happens on the road.

    Returns:
        The lot as it truly arrived: at ``to_site``, ``ready_at`` the last truck's arrival.
    """
    arrived: list[Load] = []
    last = at
    rng = journal.rng(lot.lot_id, lot.site, "road")
    drying = rng.uniform(0.0, 2 * DRYING_EXPECTED)
    dry_share = (1 - lot.moisture + drying) * (1 - tampering.watered)
    for load in lot.loads:
        mine = tampering.truck_no in {None, load.truck_no}
        stolen = tampering.stolen_wet_kg if mine else 0.0
        dust = load.dry_kg * rng.uniform(0.2, 0.8) * LOSS_EXPECTED
        taken = stolen * (1 - lot.moisture) + load.dry_kg * tampering.watered
        left = replace(load, dry_kg=load.dry_kg - dust - taken)
        after = replace(lot, moisture=1 - dry_share)
        last = max(last, _drive(journal, (lot, load), (after, left), at))
        arrived.append(left)
        at += TRUCK_EVERY
    composition = lot.composition
    if tampering.material is not None and not tampering.at_origin:
        composition = mixed(composition, tampering.material, tampering.share)
    return replace(
        lot,
        site=lot.to_site,
        composition=composition,
        moisture=1 - dry_share,
        loads=tuple(arrived),
        ready_at=last,
    )


def _drive(
    journal: Journal, sent: tuple[Lot, Load], received: tuple[Lot, Load], at: datetime
) -> datetime:
    """Write down one truck's trip; return when its receipt was complete."""
    lot, load = sent
    rng = journal.rng(lot.lot_id, lot.site, "truck", str(load.truck_no))
    route = journal.plant.routes[lot.site, lot.to_site]
    trip = _trip(journal, lot, load)
    scale = rng.choice(journal.plant.scales[lot.site])
    tare_at = None if load.stored_tare_kg is not None else at - timedelta(minutes=31)
    wet_kg = load.dry_kg / (1 - lot.moisture)
    ticket = _ticket(journal, _Passage(scale, "dispatch", at, tare_at), load, wet_kg, rng)
    journal.add(at, weighing_request(_head(lot, lot.site, at), ticket, trip))
    here, there = POSITIONS[place(lot.site)], POSITIONS[place(lot.to_site)]
    left = at + timedelta(minutes=4)
    journal.add(left, shipment_request(_head(lot, lot.site, left), "dispatch", trip, here))
    hours = timedelta(hours=route.hours * rng.uniform(0.95, 1.4))
    half = left + hours / 2
    half = half.replace(microsecond=0)
    middle = (round((here[0] + there[0]) / 2, 4), round((here[1] + there[1]) / 2, 4))
    journal.add(half, shipment_request(_head(lot, lot.site, half), "checkpoint", trip, middle))
    full_at = (left + hours).replace(microsecond=0)
    return _arrive(journal, received, trip, full_at)


def _arrive(
    journal: Journal, received: tuple[Lot, Load], trip: Trip, full_at: datetime
) -> datetime:
    lot, load = received
    rng = journal.rng(lot.lot_id, lot.to_site, "truck", str(load.truck_no))
    scale = rng.choice(journal.plant.scales[lot.to_site])
    empty_at = full_at + timedelta(minutes=9)
    passage = _Passage(scale, "receipt", full_at, empty_at)
    ticket = _ticket(journal, passage, load, load.dry_kg / (1 - lot.moisture), rng)
    journal.add(empty_at, weighing_request(_head(lot, lot.to_site, empty_at), ticket, trip))
    done = empty_at + timedelta(minutes=2)
    there = POSITIONS[place(lot.to_site)]
    journal.add(done, shipment_request(_head(lot, lot.to_site, done), "receipt", trip, there))
    return done


@dataclass(frozen=True, slots=True)
class _Passage:
    """One truck over one scale, full and (unless its tare is stored) empty."""

    scale: Scale
    purpose: str
    gross_at: datetime
    tare_at: datetime | None


def _ticket(journal: Journal, passage: _Passage, load: Load, wet_kg: float, rng: Random) -> Ticket:
    scale = passage.scale
    gross = scale.reading_kg(load.tare_kg + wet_kg, passage.gross_at, rng)
    tare = scale.reading_kg(load.tare_kg, passage.tare_at or passage.gross_at, rng)
    if passage.tare_at is None and load.stored_tare_kg is not None:
        tare = load.stored_tare_kg
    return Ticket(
        ticket_no=f"{scale.device_id}-{journal.seed}-{journal.number(scale.device_id):05d}",
        device_id=scale.device_id,
        purpose=passage.purpose,
        gross_kg=gross,
        tare_kg=tare,
        gross_at=passage.gross_at,
        tare_at=passage.tare_at,
    )


def _trip(journal: Journal, lot: Lot, load: Load) -> Trip:
    number = journal.number("seal")
    return Trip(
        movement_id=movement_id(lot, load.truck_no),
        vehicle_id=load.vehicle_id,
        from_site=lot.site,
        to_site=lot.to_site,
        seals=tuple(f"SL-{journal.seed}-{number:05d}{side}" for side in "AB"),
    )


def movement_id(lot: Lot, truck_no: int) -> str:
    """Return the waybill number of a truck on a lot's present leg."""
    return f"W-{lot.lot_id}-{place(lot.to_site)}-{truck_no + 1:02d}"


def _head(lot: Lot, site: str, at: datetime) -> Request:
    return {"site_id": site, "lot_id": lot.lot_id, "occurred_at": at.isoformat()}

"""From a lot's rows to what the mixture detector is told: its way, what was measured, by what.

The way is the line of trips from where the lot began to where it is; measurements at other sites
(a branch of a lot that was divided) do not enter. Lengths of lists are those of the rows: bounded.

Source:
    docs/detection/mixture.md, "What it is told"
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from custody import metrology
from custody.detect import lot_facts
from custody.detect.lot_facts import Assay, Moisture, Readings, Shot, Weighing, Xrf
from custody.detect.lot_model import U_REL_MAX, Thought, analytes_of
from custody.detect.lot_moisture import is_measured
from custody.detect.lot_visits import First, Visit, number_of, visits
from custody.detect.residuals import INSTRUMENT, TO, WAY, Shift, Subject
from custody.events import Micros
from custody.ids import BETWEEN, series_site
from custody.lot import ends_of
from custody.lot_book import LotBook
from custody.lot_rows import Certificate, Mass
from custody.reduce import PPB
from custody.reference import MOISTURE_DEFAULT, References

WHOLE = 0.999
"""An origin that declares at least this share is the lot's."""

DRY_SHARE_U = 5.0
"""Deviation of ln(1 - moisture) of material of which nobody said what it is."""

AS_IS = BETWEEN + "as_is"
"""Behind the event of a certificate's grades on the other basis: a reading of their own."""


class Asked(NamedTuple):
    """What is asked of the detector.

    Attributes:
        thought: What is thought of the lot.
        readings: What was measured.
        trips: Names of the trips, by the names of their parts: lots that are measured alike share
            a pattern, so parts are numbered.
        measured: What measured it, and by what way it came: kind and name of the instrument or
            way, and the first weighing, certificate or shot of it.
        suspected: What charts say of them.
    """

    thought: Thought
    readings: Readings
    trips: Mapping[str, str]
    measured: "Measured"
    suspected: Mapping[Subject, Shift]


@dataclass(slots=True)
class Measured:
    """What measured a lot.

    Attributes:
        first: By kind and name the first word of it.
        ways: By scale the ways it stands at the ends of; by any other where the lot began.
        visits: Of the lot to each scale.
    """

    first: dict[tuple[str, str], First] = field(default_factory=dict)
    ways: dict[str, set[str]] = field(default_factory=dict)
    visits: dict[str, tuple[Visit, ...]] = field(default_factory=dict)

    def note(self, kind: str, name: str, at: Micros, event_id: str) -> None:
        """Note a word of something."""
        found = First(at, event_id)
        before = self.first.get((kind, name))
        self.first[kind, name] = found if before is None else min(before, found)

    def times(self, kind: str, name: str) -> tuple[Micros, ...]:
        """Return when each visit to a scale began; of any other when its first word was."""
        visits = self.visits.get(name, ()) if kind == INSTRUMENT else ()
        return tuple([one.at for one in visits]) or (self.first[kind, name].at,)


def asked_of(book: LotBook, references: References) -> Asked | None:
    """Return what a lot's rows say; None where it has no way and nothing was measured.

    Args:
        book: The lot's rows.
        references: Instruments, routes and fingerprints, about the lot as of its declaration or,
            without one, its first fact.
    """
    row = book.material()
    first = row.declared_by or row.first
    if first is None:
        return None
    at = first.at
    stations = way(book)
    if not stations:
        return None
    certificates = book.material().certificates
    usual = -math.expm1(_dry_share(book, references)[0])
    # Moisture and grades come on papers of their own: neither takes the other's place.
    moist = _speaking([one for one in certificates if is_measured(one.assayed.moisture, usual)])
    graded = _speaking([one for one in certificates if one.assayed.results or one.assayed.below])
    measured = Measured()
    shots, devices = _shots(book, stations, references, measured)
    weighings, trips = _weighings(book, stations, references, measured)
    for one in (*moist, *graded):
        measured.note(INSTRUMENT, one.assayed.lab, one.at, one.event_id)
        measured.ways.setdefault(one.assayed.lab, set()).add(stations[0])
    for device in devices:
        measured.ways.setdefault(device, set()).add(stations[0])
    readings = Readings(
        weighings=tuple(weighings),
        moistures=tuple(_moistures(moist, references)),
        shots=tuple(shots),
        assays=tuple(_assays(graded, references)),
    )
    thought = _thought(book, stations, readings, devices, references, at)
    return Asked(thought, readings, trips, measured, _suspected(measured, references))


def _suspected(measured: Measured, references: References) -> dict[Subject, Shift]:
    """Return what charts say of what measured the lot, as of when it did."""
    return {
        Subject(kind, name, quantity, visit): Shift(level.mean, level.u, level.ways)
        for kind, name in measured.first
        for visit, at in enumerate(measured.times(kind, name))
        for quantity, level in references.drifts(f"{kind}/{name}", at)
    }


def way(book: LotBook) -> tuple[str, ...]:
    """Return the sites along the line of trips that ends last; a single site where none moved."""
    before = {target: (no, source) for target, (no, source) in book.row.ways.items()}
    if not before:
        seen = [c.site for c in book.material().certificates]
        seen += [series_site(series) for series in book.row.series]
        return (seen[0],) if seen else ()
    lines = [_line(target, before) for target in before]
    return max(lines, key=lambda line: (len(line), before[line[-1]][0], line))


def _line(target: str, before: dict[str, tuple[int, str]]) -> tuple[str, ...]:
    """Return the way to a site, from where it begins or would meet itself."""
    line = [target]
    while line[0] in before and before[line[0]][1] not in line:
        line.insert(0, before[line[0]][1])
    return tuple(line)


def _thought(
    book: LotBook,
    stations: tuple[str, ...],
    readings: Readings,
    devices: dict[str, Xrf],
    references: References,
    at: Micros,
) -> Thought:
    declared = book.material().declared
    route = None if declared is None else declared.route
    library = references.library(at)
    origin = origin_of(book)
    if origin is not None and references.fingerprint(origin, at) is None:
        origin = None
    seen = {a for shot in readings.shots for a in shot.fractions}
    seen.update(a for assay in readings.assays for a in assay.fractions)
    seen.update(analytes_of(library, origin))
    legs = []
    for ends in pairwise(stations):
        leg = references.leg(route, ends, at)
        kept = math.log1p(-min(leg.loss, 0.5))
        drying = min(leg.drying, 0.5)
        legs.append(lot_facts.Leg(kept, leg.loss_u, drying, leg.drying_u, leg.described, leg.lots))
    return Thought(
        tuple(sorted(seen)),
        stations,
        tuple(legs),
        origin,
        library,
        _dry_share(book, references),
        tuple(sorted(devices.items())),
        references.detection(at),
        references.errors_from(stations[0], at),
    )


def origin_of(book: LotBook) -> str | None:
    """Return the one site the lot is declared to be from."""
    declared = book.material().declared
    for level, name, share in [] if declared is None else declared.origins:
        if level == "site" and share >= WHOLE:
            return name
    return None


def _dry_share(book: LotBook, references: References) -> tuple[float, float]:
    row = book.material()
    usual = MOISTURE_DEFAULT
    if row.declared is not None and row.declared_by is not None:
        declared = row.declared
        material = references.material(declared.commodity, declared.form, row.declared_by.at)
        usual = material.moisture, material.moisture_u
    moisture, u = usual
    # What nobody said of a material, its first moisture says: until then it may be ore or brine.
    share_u = DRY_SHARE_U if usual == MOISTURE_DEFAULT else u / (1.0 - moisture)
    return math.log1p(-moisture), share_u


def _weighings(
    book: LotBook, stations: Sequence[str], references: References, measured: Measured
) -> tuple[list[Weighing], dict[str, str]]:
    """Return both ends of every trip along the way; each trip is a part of its own."""
    loads: list[tuple[str, Mass, str]] = []
    read: dict[str, list[tuple[First, str]]] = {}
    trips: dict[str, str] = {}
    legs = set(pairwise(stations))
    for name, row in book.trips():
        trip = row.trip
        if trip.dispatch is None or trip.receipt is None or ends_of(trip) not in legs:
            continue
        part = f"{len(trips):03d}"
        trips[part] = name
        ends = [site or "" for site in ends_of(trip)]
        way_name = TO.join(ends)
        measured.note(WAY, way_name, trip.receipt.at, trip.receipt.event_id)
        for mass, site in zip((trip.dispatch, trip.receipt), ends, strict=True):
            scale = mass.weighed.device
            measured.note(INSTRUMENT, scale, mass.at, mass.event_id)
            measured.ways.setdefault(scale, set()).add(way_name)
            read.setdefault(scale, []).append((First(mass.at, mass.event_id), way_name))
            loads.append((part, mass, site))
    measured.visits = {scale: visits(readings) for scale, readings in read.items()}
    return [_weighing(*load, references, measured) for load in loads], trips


def _weighing(
    part: str, mass: Mass, site: str, references: References, measured: Measured
) -> Weighing:
    device = mass.weighed.device
    net = metrology.net_mass(mass.weighed, references.device(device, mass.at))
    scale = abs(net.value) or 1.0
    own = net.parts.get(device, 0.0)
    # A stored tare's error is the truck's, and no other weighing of the lot's shares it.
    rest = sum(u * u for source, u in net.parts.items() if source != device)
    return Weighing(
        event_id=mass.event_id,
        station=site,
        part=part,
        net=net.value,
        u_rel=math.sqrt(net.var + rest) / scale,
        scale=device,
        scale_u_rel=abs(own) / scale,
        visit=number_of(measured.visits[device], mass.at),
    )


def _speaking(certificates: Sequence[Certificate]) -> list[Certificate]:
    """Return of each laboratory and site the newest certificate of the highest stage.

    A later stage is the same sample again, not another measurement.
    """
    best: dict[tuple[str, str], Certificate] = {}
    for one in certificates:
        name = (one.site, one.assayed.lab)
        old = best.get(name)
        if old is None or one.assayed.stage >= old.assayed.stage:
            best[name] = one
    return list(best.values())


def _moistures(certificates: Iterable[Certificate], references: References) -> Iterable[Moisture]:
    for one in certificates:
        if one.assayed.moisture is None:
            continue
        laboratory = references.laboratory(one.assayed.lab, one.at)
        stated = one.assayed.moisture_u or laboratory.moisture_u
        u, share = max(stated, metrology.MOISTURE_U_MIN), laboratory.systematic_share
        yield Moisture(
            event_id=one.event_id,
            station=one.site,
            fraction=one.assayed.moisture,
            u=u * math.sqrt(1.0 - share),
            laboratory=one.assayed.lab,
            laboratory_u=u * math.sqrt(share),
        )


def _assays(certificates: Iterable[Certificate], references: References) -> Iterable[Assay]:
    for one in certificates:
        laboratory = references.laboratory(one.assayed.lab, one.at)
        share = laboratory.systematic_share
        for dry in (True, False):
            results = {
                a: v for a, v in one.assayed.results.items() if v.dry is dry and v.fraction > 0
            }
            below = {a: limit for a, limit, of_dry in one.assayed.below if of_dry is dry}
            if not results and not below:
                continue
            u_rel = {a: metrology.grade_u_rel(v, laboratory) for a, v in results.items()}
            # What its certificates share is one figure: the least that any analyte has.
            shared = math.sqrt(share) * min(u_rel.values(), default=laboratory.u_rel)
            yield Assay(
                event_id=one.event_id if dry else one.event_id + AS_IS,
                station=one.site,
                laboratory=one.assayed.lab,
                fractions={a: v.fraction for a, v in results.items()},
                u_rel={a: math.sqrt(max(u * u - shared * shared, 0.0)) for a, u in u_rel.items()},
                u_rel_default=laboratory.u_rel,
                laboratory_u_rel=shared,
                dry=dry,
                below=below,
            )


def _shots(
    book: LotBook, stations: Sequence[str], references: References, measured: Measured
) -> tuple[list[Shot], dict[str, Xrf]]:
    """Return the shots along the way, and what is known of their instruments."""
    shots: list[Shot] = []
    devices: dict[str, Xrf] = {}
    for site in stations:
        row = book.station(site)
        for series in row.series.values():
            measured.note(INSTRUMENT, series.device, series.at, series.event_id)
        for event_id, taken in row.shots.items():
            series = row.series[taken.series]
            if series.device not in devices:
                devices[series.device] = _xrf(series.device, series.at, references)
            fractions: dict[str, float] = {}
            counting: dict[str, float] = {}
            for analyte, (ppb, u) in taken.results.items():
                if ppb > 0:
                    fractions[analyte] = ppb / PPB
                    counting[analyte] = u / ppb
            shots.append(
                Shot(
                    event_id=event_id,
                    station=site,
                    device=series.device,
                    fractions=fractions,
                    counting_rel=counting,
                    dry=series.dry,
                    below={a: ppb / PPB for a, ppb in taken.below if ppb > 0},
                )
            )
    return shots, devices


def _xrf(device_id: str, at: Micros, references: References) -> Xrf:
    device = references.device(device_id, at)
    return Xrf(
        bias_rel=min(device.bias_rel, U_REL_MAX),
        matrix_rel=min(device.matrix_rel, U_REL_MAX),
        heterogeneity_rel=min(device.heterogeneity_rel, U_REL_MAX),
        counting_rel=metrology.XRF_COUNTING_REL,
    )

"""What a calibration is told of a lot, and its readings as figures that can be compared.

A lot is taken as it stands at the end of the history; the order in which its facts were recorded
is kept, so that it can be judged again after every one of them.

Source:
    docs/detection/calibrate.md
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from custody.detect import lot_asked, shot_gate
from custody.detect.lot_facts import UNKNOWN_XRF, Floats, Readings, Shot, Weighing, Xrf
from custody.detect.lot_model import Thought
from custody.detect.lot_series import logarithms
from custody.events import Micros
from custody.lot_book import LotBook
from custody.metrology import MOISTURE_MAX
from custody.reference import References


class Lot(NamedTuple):
    """A lot of a history.

    Attributes:
        lot_id: The lot.
        origin: The one site it is declared to be from; None where there is none.
        route: Declared route.
        thought: What was thought of it before; calibration replaces what it estimates.
        readings: All that was measured.
        order: Facts behind the readings, in the order they were recorded.
        at: When the newest of its facts happened.
    """

    lot_id: str
    origin: str | None
    route: str | None
    thought: Thought
    readings: Readings
    order: tuple[str, ...]
    at: Micros

    @property
    def begins(self) -> str:
        """Site where its way begins."""
        return self.thought.stations[0]


class Weighed(NamedTuple):
    """A part weighed at both ends of one leg.

    Attributes:
        leg: Number of the leg.
        scales: At its beginning and end.
        ln: ln(net there / net here).
        var: Random variance of both.
        scale_u: What the scales are thought to be off by, each.
        net: At its beginning and end, in one unit.
    """

    leg: int
    scales: tuple[str, str]
    ln: float
    var: float
    scale_u: tuple[float, float]
    net: tuple[float, float]


class Dried(NamedTuple):
    """A moisture: fraction of the wet mass, its random u and the laboratory's, absolute."""

    station: int
    laboratory: str
    fraction: float
    u: float
    laboratory_u: float


class Composition(NamedTuple):
    """What an instrument says of a lot at one station, on dry basis.

    Attributes:
        station: Number along the way.
        instrument: Laboratory or XRF instrument.
        is_xrf: Which of the two.
        ln: ln fraction by analyte of the history, NaN where not seen.
        var: Random variance of each.
        own_u: What the instrument is thought to be off by.
    """

    station: int
    instrument: str
    is_xrf: bool
    ln: Floats
    var: Floats
    own_u: float


def lot_of(lot_id: str, book: LotBook, references: References, order: Sequence[str]) -> Lot | None:
    """Return a lot of a history; None where nothing was measured.

    Args:
        lot_id: The lot.
        book: Its rows at the end of the history.
        references: Reference data.
        order: Its facts in the order they were recorded.
    """
    asked = lot_asked.asked_of(book, references)
    if asked is None or book.row.last is None:
        return None
    declared = book.material().declared
    route = None if declared is None else declared.route
    origin = lot_asked.origin_of(book)
    at = Micros(book.row.last[0])
    return Lot(lot_id, origin, route, asked.thought, asked.readings, tuple(order), at)


def weighed(lot: Lot) -> list[Weighed]:
    """Return every part's ways between two neighbouring stations."""
    place = {name: at for at, name in enumerate(lot.thought.stations)}
    parts: dict[str, list[Weighing]] = {}
    for one in lot.readings.weighings:
        if one.station in place and 0.0 < one.net < math.inf:
            parts.setdefault(one.part, []).append(one)
    found: list[Weighed] = []
    for _, members in sorted(parts.items()):
        members.sort(key=lambda one: (place[one.station], one.event_id))
        for here, there in pairwise(members):
            leg = place[here.station]
            if place[there.station] == leg + 1:
                ln = math.log(there.net) - math.log(here.net)
                var = here.u_rel**2 + there.u_rel**2
                scale_u = here.scale_u_rel, there.scale_u_rel
                scales, net = (here.scale, there.scale), (here.net, there.net)
                found.append(Weighed(leg, scales, ln, var, scale_u, net))
    return found


def dried(lot: Lot) -> list[Dried]:
    """Return moistures in order of the way."""
    place = {name: at for at, name in enumerate(lot.thought.stations)}
    found = [
        Dried(place[one.station], one.laboratory, one.fraction, one.u, one.laboratory_u)
        for one in lot.readings.moistures
        if one.station in place and 0.0 <= one.fraction <= MOISTURE_MAX
    ]
    return sorted(found)


def compositions(lot: Lot, analytes: Sequence[str], xrf: Mapping[str, Xrf]) -> list[Composition]:
    """Return what laboratories and XRF instruments say, in order of the way, laboratories first.

    Args:
        lot: The lot.
        analytes: Those of the history.
        xrf: What is known of instruments; the gate takes bad shots out by it.
    """
    place = {name: at for at, name in enumerate(lot.thought.stations)}
    moist = dried(lot)
    found: list[Composition] = []
    for one in lot.readings.assays:
        share = _dry_share(moist, place.get(one.station, 0))
        # What is below detection is no figure to compare.
        if one.station not in place or (share is None and not one.dry) or not one.fractions:
            continue
        ln = _row(one.fractions, analytes) - (0.0 if one.dry else share or 0.0)
        u = np.array([one.u_rel.get(a, one.u_rel_default) for a in analytes])
        found.append(
            Composition(
                place[one.station],
                one.laboratory,
                is_xrf=False,
                ln=ln,
                var=u * u,
                own_u=one.laboratory_u_rel,
            )
        )
    for (station, device, dry), shots in series(lot).items():
        share = 0.0 if dry else _dry_share(moist, station)
        known = xrf.get(device, UNKNOWN_XRF)
        ln, var = shot_rows(shots, analytes, known)
        kept = list(shot_gate.gate(ln, var).kept)
        if share is not None and kept:
            mean, spread = ln[kept].mean(axis=0) - share, var[kept].mean(axis=0) / len(kept)
            found.append(
                Composition(station, device, is_xrf=True, ln=mean, var=spread, own_u=known.bias_rel)
            )
    return sorted(found, key=lambda one: (one.station, one.is_xrf, one.instrument))


def series(lot: Lot) -> dict[tuple[int, str, bool], list[Shot]]:
    """Return shots by station, device and basis."""
    place = {name: at for at, name in enumerate(lot.thought.stations)}
    found: dict[tuple[int, str, bool], list[Shot]] = {}
    for shot in lot.readings.shots:
        if shot.station in place:
            found.setdefault((place[shot.station], shot.device, shot.dry), []).append(shot)
    return {name: sorted(shots, key=lambda s: s.event_id) for name, shots in sorted(found.items())}


def shot_rows(shots: Sequence[Shot], analytes: Sequence[str], xrf: Xrf) -> tuple[Floats, Floats]:
    """Return ln fractions and variances of shots, (shots, analytes)."""
    ln = np.array([_row(shot.fractions, analytes) for shot in shots])
    counting = [[shot.counting_rel.get(a, xrf.counting_rel) for a in analytes] for shot in shots]
    return ln, np.square(counting) + xrf.heterogeneity_rel**2


def _row(fractions: Mapping[str, float], analytes: Sequence[str]) -> Floats:
    return logarithms(np.array([fractions.get(a, 0.0) for a in analytes]))


def _dry_share(moist: Sequence[Dried], station: int) -> float | None:
    """Return ln(1 - moisture) at a station, else at the one nearest to it."""
    if not moist:
        return None
    nearest = min(moist, key=lambda one: (abs(one.station - station), one.station))
    return math.log1p(-nearest.fraction)

"""What a lot's e-value follows from: score and information of every onset, and the other sites.

E, the probabilities, every size and what the lot would have shown are functions of these and of
the fixed weights, so whoever has an alert can do its sums again. They are as many as
analytes^2 / 2 an onset and a site, so there is a bound; a lot that passes it says its causes alone.

Source:
    docs/detection/mixture.md, "The sums again"
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from custody.detect.lot_facts import MASS, MOISTURE, Floats, Site
from custody.detect.lot_families import RATIO_LN_MAX, foreign_sites, ratios
from custody.detect.lot_foreign import spread_of
from custody.detect.lot_pattern import Onset as Begin
from custody.detect.lot_pattern import Prepared
from custody.detect.lot_suspicion import SUSPECTS_MAX, Ground, Suspect, name_of
from custody.detect.mixture import Detector
from custody.information import Cause, Information, Onset, OtherSite, TripOnset

SHIFTS = (f"dry_{MASS}", "dry_share", f"{MOISTURE}_said")
"""Names of the shifts before those of analytes."""

BYTES_MAX = 24 * 1024
"""Bytes an alert may spend on these, of a message of 64 KiB: a number has eight, a text its length.

What has no room is left out: spreads of the least probable sites first, then all but the causes.
"""

NUMBER_BYTES = 8
SHIFTS_MAX, LIST_MAX, SITES_MAX = 62, 64, 256
"""Most shifts (a triangle has 1,953 numbers then), stations or trips, and other sites."""

IN_QUESTION = 1e-3
"""Least probability of a site whose spread is said.

Of forty sites and twelve analytes all that are above 1e-9 would fill the room for every alert.
"""


def information(detector: Detector, ground: Ground, trips: Mapping[str, str]) -> Information:
    """Return what a lot's e-value follows from.

    Args:
        detector: The one that has judged it.
        ground: What its suspicion rests on.
        trips: Names of trips by the names of their parts.
    """
    model, prepared = detector.model, ground.prepared
    first = model.stations[0]
    causes = tuple([_cause(one, first, trips) for one, _ in ground.suspects[:SUSPECTS_MAX]])
    others = foreign_sites(model)
    room = _room(prepared, others, (*model.stations, *model.analytes), trips.values())
    if room < 0:
        return Information(causes)
    by_onset, by_site = _probabilities(ground.suspects)
    named = ground.suspects[0][0].site if ground.nearest is None else ground.nearest.site
    return Information(
        causes,
        model.stations,
        (*SHIFTS, *model.analytes),
        _onsets(model.stations, ground, by_onset),
        _trips(model.stations, ground, by_onset, trips),
        _others(detector, others, by_site, named, room),
        _triangle(detector.prior.covariance) if others else (),
    )


def _room(
    prepared: Prepared, others: Sequence[Site], names: Sequence[str], trips: Collection[str]
) -> int:
    """Return how many bytes are left for spreads, below zero where nothing has room."""
    shifts = int(prepared.h.shape[2])
    analytes = shifts - len(SHIFTS)
    stations = len(names) - analytes
    if max(stations, len(prepared.parts)) > LIST_MAX or shifts > SHIFTS_MAX:
        return -1
    if len(others) > SITES_MAX:
        return -1
    # The lot's own spread, and that of the site named, are always said; stations stand twice.
    spreads = 2 * _triangular(analytes) if others else 0
    numbers = len(prepared.onsets) * (1 + shifts + _triangular(shifts))
    numbers += 4 * len(prepared.parts) + len(others) * (1 + analytes) + spreads
    told = [*names, *names, *trips, *[other.site_id for other in others]]
    return BYTES_MAX - NUMBER_BYTES * numbers - sum(len(name.encode()) for name in told)


def _triangular(size: int) -> int:
    return size * (size + 1) // 2


def _cause(one: Suspect, first: str, trips: Mapping[str, str]) -> Cause:
    return Cause(
        family=name_of(one, first),
        stations=one.stations[:LIST_MAX],
        movement_id=None if one.part is None else trips[one.part],
        site_id=one.site,
        probability=min(one.probability, 1.0),
    )


def _probabilities(
    suspects: Sequence[tuple[Suspect, Begin]],
) -> tuple[Mapping[Begin, float], Mapping[str, float]]:
    """Return probabilities by onset, and of foreign material by site."""
    by_onset: dict[Begin, float] = defaultdict(float)
    by_site: dict[str, float] = defaultdict(float)
    for one, onset in suspects:
        by_onset[onset] += one.probability
        if one.site is not None:
            by_site[one.site] += one.probability
    return by_onset, by_site


def _onsets(
    stations: Sequence[str], ground: Ground, probability: Mapping[Begin, float]
) -> tuple[Onset, ...]:
    prepared = ground.prepared
    scores = (np.swapaxes(prepared.u, 1, 2) @ ground.z).tolist()
    return tuple(
        [
            Onset(
                stations=tuple([stations[at] for at in onset.stations]),
                probability=min(probability.get(onset, 0.0), 1.0),
                score=tuple(score),
                information=_triangle(j),
            )
            for onset, score, j in zip(prepared.onsets, scores, prepared.j, strict=True)
        ]
    )


def _trips(
    stations: Sequence[str],
    ground: Ground,
    probability: Mapping[Begin, float],
    trips: Mapping[str, str],
) -> tuple[TripOnset, ...]:
    prepared = ground.prepared
    scores = (prepared.part_u @ ground.z).tolist()
    informations = (prepared.part_u * prepared.part_u).sum(axis=1).tolist()
    return tuple(
        [
            TripOnset(
                movement_id=trips[onset.part or ""],
                station=stations[onset.stations[0]],
                number=onset.number,
                probability=min(probability.get(onset, 0.0), 1.0),
                score=score,
                information=j,
            )
            for onset, score, j in zip(prepared.parts, scores, informations, strict=True)
        ]
    )


def _others(
    detector: Detector,
    others: Sequence[Site],
    probability: Mapping[str, float],
    named: str | None,
    room: int,
) -> tuple[OtherSite, ...]:
    """Return the other sites; the spreads of those in question while there is room.

    That of the one the alert's sentence names comes first.
    """
    each = NUMBER_BYTES * max(_triangular(len(detector.model.analytes)), 1)
    likely = [site for site, p in probability.items() if p >= IN_QUESTION and site != named]
    ranked = sorted(likely, key=lambda site: (-probability[site], site))
    asked = ranked if named is None else [named, *ranked]
    said = frozenset(asked[: 1 + room // each])
    found = []
    for other in others:
        ratio = np.clip(ratios(detector.model, detector.prior, other), -RATIO_LN_MAX, RATIO_LN_MAX)
        spread = spread_of(detector.model, other) if other.site_id in said else None
        found.append(
            OtherSite(
                site_id=other.site_id,
                probability=min(probability.get(other.site_id, 0.0), 1.0),
                ln_ratios=tuple(ratio.tolist()),
                spread=() if spread is None else _triangle(spread),
            )
        )
    return tuple(found)


def _triangle(matrix: Floats) -> tuple[float, ...]:
    """Return the lower triangle of a symmetric matrix, row by row."""
    rows, columns = np.tril_indices(len(matrix))
    return tuple(matrix[rows, columns].tolist())

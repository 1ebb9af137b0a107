"""What the mixture detector says of a lot, as an alert says it.

Source:
    docs/detection/mixture.md, "What is said of it"
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from custody import severity
from custody.alerts import LOT
from custody.detect.lot_asked import AS_IS, Asked
from custody.detect.lot_drift import Corrected
from custody.detect.lot_facts import MASS, MOISTURE
from custody.detect.lot_families import Family
from custody.detect.lot_information import information
from custody.detect.lot_model import Limit, detector, limit
from custody.detect.lot_power import smallest_detectable
from custody.detect.lot_sent import sent_of
from custody.detect.lot_series import GatedShot as Gated
from custody.detect.lot_suspicion import Contribution, Suspect, Suspicion, explain, name_of
from custody.detect.lot_undecided import WATER_OR_WASTE, Undecided, undecided
from custody.events import Micros
from custody.information import Information
from custody.lot import INFERRED, ends_of
from custody.lot_book import LotBook
from custody.records import CalibratedUntil, Detectable, Evidence, GatedShot
from custody.reference import References
from custody.verdict import Details, Verdict
from custody.worth import Worth, in_words, stake_of, worth_of

EVIDENCE_MAX = 64
"""Rows an alert may have; the last then holds what all others add."""

IDS_BYTES_MAX = 26 * 1024
"""Bytes of the ids of facts in all rows: each analyte of a series names all its shots.

With ``lot_information.BYTES_MAX`` the rest of an alert has 14 KiB, of which it uses some 12.
"""

SITE_SAID, SITES_SAID = 0.01, 3
"""Least probability of another site that the sentence of an alert names, and how many it names."""

GATED_MAX = 64
INSTRUMENTS_MAX = 64

BELOW = "_below"
"""Behind the name of a quantity that is below detection: at most what was observed."""

_LN10 = math.log(10.0)


class Outcome(NamedTuple):
    """What a lot's readings say: shots not used, and the verdict where E has reached its limit.

    ``below`` is the verdict where it has not and was asked for.
    """

    gated: tuple[GatedShot, ...]
    verdict: Verdict | None
    below: Verdict | None = None


def outcome(
    laid: Corrected, book: LotBook, references: References, at: Micros, *, below: bool = False
) -> Outcome:
    """Judge a lot.

    Args:
        laid: What is asked of the detector.
        book: The lot's rows, for the times of its trips.
        references: Calibration of its instruments.
        at: Time of which that is said.
        below: Say also what does not reach the limit: an alert that stands goes by it.
    """
    asked = laid.asked
    judge, allowed = detector(asked.thought), limit(asked.thought.settings)
    judged = judge.judged(laid.layout)
    gated = tuple(_gated(one) for one in judged.layout.gated[:GATED_MAX])
    short = judged.ln_e < allowed.ln_e
    if short and not below:
        return Outcome(gated, None)
    found = explain(judge, judged)
    if found is None:
        return Outcome(gated, None)
    sizes = smallest_detectable(judge, judged.layout.pattern, allowed.ln_e)
    trips = {part: name.removeprefix(INFERRED) for part, name in asked.trips.items()}
    known = information(judge, found.ground, trips)
    worth = worth_of(book, references, at, sent_of(judge, found, asked))
    verdict = _said(found, sizes, known, asked, (book, references, at), (allowed, worth))
    return Outcome(gated, None, verdict) if short else Outcome(gated, verdict)


def _said(
    found: Suspicion,
    sizes: Mapping[Family, float],
    known: Information,
    asked: Asked,
    where: tuple[LotBook, References, Micros],
    by: tuple[Limit, Worth],
) -> Verdict:
    (book, references, at), (allowed, worth) = where, by
    named = found.named
    posterior = _posterior(found, asked.thought.stations[0])
    two = undecided(found, asked.thought.stations)
    family, p = posterior[0] if two is None else (WATER_OR_WASTE, two.both)
    scales = {one.event_id: one.scale for one in asked.readings.weighings}
    evidence = _with_room(_evidence(found.contributions, scales))
    share = severity.at_stake(found.size, p)
    details = Details(
        {one: found.ln_e + math.log(max(of_one, 1e-300)) for one, of_one in posterior},
        tuple(_gated(one) for one in found.gated[:GATED_MAX]),
        _unobserved(asked, found),
        tuple(Detectable(family=f.value, size=size) for f, size in sorted(sizes.items())),
        _calibrations(evidence, references, at),
        _movement(named, asked, book),
        known,
        stake_of(share, worth),
        "" if two is None else two.would_tell,
    )
    return Verdict(
        LOT,
        None,
        family,
        -found.size if named.family is Family.LOSS else found.size,
        found.size_u,
        found.ln_e / _LN10,
        allowed.ln_e / _LN10,
        allowed.basis,
        posterior,
        _onset(named, asked.thought.stations, book),
        evidence,
        f"{_sentence(found, (family, p), two, asked, allowed)}; {in_words(share, worth)}",
        severity.of_lot(found.size, p, worth.value, stoppable=worth.stoppable),
        details=details,
    )


def _posterior(found: Suspicion, first: str) -> tuple[tuple[str, float], ...]:
    """Return probabilities by name; foreign material from the origin on has a name of its own."""
    named = found.named
    names = {family: family.value for family, _ in found.families}
    names[named.family] = name_of(named, first)
    ranked = sorted(
        found.families, key=lambda one: (one[0] is not named.family, -one[1], one[0].value)
    )
    # Shares of a sum of floats: one of them may be above one by a last bit.
    return tuple((names[family], min(p, 1.0)) for family, p in ranked if p > 0.0)


def _movement(named: Suspect, asked: Asked, book: LotBook) -> str | None:
    """Return the movement of a part, or the only one on the leg where it began."""
    if named.part:
        return asked.trips[named.part].removeprefix(INFERRED)
    ends = _leg(named, asked.thought.stations)
    names = [name for name, row in book.trips() if ends_of(row.trip) == ends]
    return names[0].removeprefix(INFERRED) if ends is not None and len(names) == 1 else None


def _leg(named: Suspect, stations: Sequence[str]) -> tuple[str, str] | None:
    """Return the leg on which a cause began; None where it was before the first."""
    first = stations.index(named.stations[0])
    return None if first == 0 else (stations[first - 1], stations[first])


def _onset(
    named: Suspect, stations: Sequence[str], book: LotBook
) -> tuple[str, Micros, Micros] | None:
    """Return the last departure from before the onset, and the first arrival after it."""
    ends = _leg(named, stations)
    if ends is None:
        return None
    trips = [row.trip for _, row in book.trips() if ends_of(row.trip) == ends]
    left = [one for one in (t.left or t.dispatch for t in trips) if one is not None]
    came = [one for one in (t.arrived or t.receipt for t in trips) if one is not None]
    if not left or not came:
        return None
    begin = max(left, key=lambda leg: leg.at)
    end = min((leg for leg in came if leg.at >= begin.at), key=lambda leg: leg.at, default=None)
    return begin.event_id, begin.at, begin.at if end is None else end.at


def _evidence(
    contributions: Sequence[Contribution], scales: Mapping[str, str]
) -> tuple[Evidence, ...]:
    """Return one row per quantity; of more than fit, those that say most and a sum of the rest."""
    if len(contributions) <= EVIDENCE_MAX:
        return tuple(_row(one, scales) for one in contributions)
    ranked = sorted(range(len(contributions)), key=lambda i: -abs(contributions[i].ln_lr))
    kept = set(ranked[: EVIDENCE_MAX - 1])
    rows = [_row(one, scales) for i, one in enumerate(contributions) if i in kept]
    rest = [one for i, one in enumerate(contributions) if i not in kept]
    # As if they were one: sums of shift z and of shift^2 are those of all, and so is the size.
    square = sum(one.shift**2 for one in rest)
    shift = math.sqrt(square)
    z = sum(one.shift * one.z for one in rest) / shift if shift else 0.0
    rows.append(
        Evidence(
            quantity="others", analyte=None, expected=0.0, observed=z, u=1.0, z=z, unit="1",
            event_ids=(), instruments=(), shift=shift, ln_ratio=sum(one.ln_lr for one in rest),
        )
    )  # fmt: skip
    return tuple(rows)


def _with_room(rows: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Return rows of evidence with the first of their facts' ids, as many as there is room for.

    Args:
        rows: All that is said of the evidence.
    """
    most = max((len(row.event_ids) for row in rows), default=0)
    while most > 1 and _ids_bytes(rows, most) > IDS_BYTES_MAX:
        most -= 1
    # Nearly every alert is said whole, and a copy of each row would cost as much as making it.
    if all(len(row.event_ids) <= most for row in rows):
        return rows
    return tuple(replace(row, event_ids=row.event_ids[:most]) for row in rows)


def _ids_bytes(rows: Iterable[Evidence], most: int) -> int:
    return sum(len(event_id) for row in rows for event_id in row.event_ids[:most])


def _row(one: Contribution, scales: Mapping[str, str]) -> Evidence:
    """Return a quantity as evidence; a difference of two weighings rests on both scales."""
    by = dict.fromkeys([*(scales[e] for e in one.event_ids if e in scales), one.instrument])
    measured = one.quantity in (MASS, MOISTURE)
    quantity = f"ln_{'net' if one.quantity == MASS else 'dry_share'}" if measured else "ln_fraction"
    quantity += BELOW if one.below else ""
    return Evidence(
        quantity=quantity,
        analyte=None if measured else one.quantity,
        expected=one.expected,
        observed=one.observed,
        u=one.u,
        z=one.z,
        unit="1",
        event_ids=tuple(dict.fromkeys(e.removesuffix(AS_IS) for e in one.event_ids)),
        instruments=tuple(by),
        shift=one.shift,
        ln_ratio=one.ln_lr,
    )


def _gated(one: Gated) -> GatedShot:
    dropped = one.dropped
    return GatedShot(
        event_id=one.event_id,
        device_id=one.device,
        site_id=one.station,
        why=dropped.why.value,
        value=dropped.statistic if math.isfinite(dropped.statistic) else 0.0,
        threshold=dropped.limit,
    )


def _unobserved(asked: Asked, found: Suspicion) -> tuple[str, ...]:
    """Return analytes that the origin is known for and that no measurement of the lot saw."""
    seen = {one.quantity for one in found.contributions}
    return tuple(a for a in asked.thought.analytes if a not in seen)[:EVIDENCE_MAX]


def _calibrations(
    evidence: Iterable[Evidence], references: References, at: Micros
) -> tuple[CalibratedUntil, ...]:
    names = dict.fromkeys(name for row in evidence for name in row.instruments)
    return tuple(
        CalibratedUntil(device_id=name, until=references.calibrated_until(name, at))
        for name in list(names)[:INSTRUMENTS_MAX]
    )


def _sentence(
    found: Suspicion,
    called: tuple[str, float],
    two: Undecided | None,
    asked: Asked,
    allowed: Limit,
) -> str:
    named, stations = found.named, asked.thought.stations
    family, probability = called
    ends = _leg(named, stations)
    where = f"between {ends[0]} and {ends[1]}" if ends else f"before {stations[0]} measured it"
    site = f", of material like {_sites(named.site, found.sites())}" if named.site else ""
    site += _unlike(found)
    trip = asked.trips[named.part].removeprefix(INFERRED) if named.part else ""
    part = f", trip {trip}" if trip else ""
    part += two.sentence() if two else ""
    below = {one.quantity for one in found.contributions if one.below}
    most = ", ".join(
        f"{name} (below detection)" if name in below else name
        for name, ln_lr in found.by_quantity[:3]
        if ln_lr > 0.0
    )
    e = found.ln_e / _LN10
    return (
        f"{family} {found.size:.1%} (sigma {_sigma(found.size_u)}) {where}{part}{site}; "
        f"probability {probability:.2f} among families, E = 10^{e:.1f} (limit 10^"
        f"{allowed.ln_e / _LN10:.1f}); most by {most or 'no single quantity'}"
    )


def _sigma(u: float) -> str:
    """Return an uncertainty in words; none is nothing, however well a size is known."""
    return f"{u:.1%}" if u >= 0.001 else f"{100.0 * u:.1g}%"


def _unlike(found: Suspicion) -> str:
    """Return of a change that no known site explains how far the nearest one is from it."""
    if found.ground.nearest is None:
        return ""
    site, analyte, fit = found.ground.nearest
    return (
        f", of no known site's material: nearest is {site}'s, of which {analyte} is off by "
        f"z = {fit.z:.1f} (chi-square {fit.value:.0f} of {fit.analytes} analytes)"
    )


def _sites(named: str, likely: Mapping[str, float]) -> str:
    """Return whose the material is, and where it may be another's how likely each is."""
    others = [site for site, p in likely.items() if site != named and p >= SITE_SAID]
    if not others:
        return f"{named}'s"
    rest = ", ".join(f"{site}'s {likely[site]:.2f}" for site in others[:SITES_SAID])
    return f"{named}'s (probability {likely[named]:.2f} among sites; {rest})"

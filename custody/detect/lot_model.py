"""From what reference data says to the detector of lots that have it in common.

What a lot is thought to be before it is measured is a small value (``Thought``): lots of one mine
on one way, measured by the same instruments, share it, and so what is dear to prepare. Records are
typed by people or written by ``custody calibrate``; what is missing, not of the expected kind or
not finite is not said.

Source:
    docs/detection/mixture.md
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from custody.bodies import number, object_of
from custody.detect.lot_facts import MASS, MOISTURE, Floats, Known, Leg, Model, Site, Xrf
from custody.detect.mixture import ALPHA, NAMES, Detector

DETECTORS_MAX = 64
"""Detectors kept; what they know of patterns is kept elsewhere (``mixture.KEPT_BYTES``)."""

SITES_MAX = 200
"""Origins that foreign material is sought from, the first by name."""

LN_MAX = 30.0
"""Greatest logarithm of a fraction that is believed, either way: a part in ten trillion."""

FRACTION_MIN = 1e-12
"""Least mean fraction that is believed: no instrument sees a part per trillion."""

VARIANCE_MIN, VARIANCE_MAX = 1e-8, 25.0
"""Variances of ln c that are believed: a hundredth of a percent, and a factor of 150."""

THRESHOLD_MIN = 1.0
"""An e-value of one says nothing; no limit is below it."""

U_REL_MAX = 1.0
"""Greatest relative uncertainty that is believed: a figure known worse says nothing."""


class Thought(NamedTuple):
    """What is thought of a lot before it is measured; hashable.

    Attributes:
        analytes: What can be measured of it, sorted.
        stations: Sites along its way.
        legs: Ways between them.
        origin: Declared site, where there is one and its fingerprint is known.
        library: Site and record of all fingerprints.
        dry_share: Mean and deviation of ln(1 - moisture).
        xrf: Instruments.
        settings: Record about the test.
        of_way: Record about instruments on ways that begin where this one does.
        drifts: What charts have found of instruments.
    """

    analytes: tuple[str, ...]
    stations: tuple[str, ...]
    legs: tuple[Leg, ...]
    origin: str | None
    library: tuple[tuple[str, str], ...]
    dry_share: tuple[float, float]
    xrf: tuple[tuple[str, Xrf], ...]
    settings: str | None
    of_way: str | None = None
    drifts: tuple["Drifted", ...] = ()


class Drifted(NamedTuple):
    """What an instrument has drifted by, and its standard uncertainty, logarithms.

    Of a scale at one visit of the lot, from 0: it may have begun between two.
    """

    instrument: str
    quantity: str
    mean: float
    u: float
    visit: int = 0


class Limit(NamedTuple):
    """E that alarms, and where it comes from, in words."""

    ln_e: float
    basis: str


@lru_cache(maxsize=DETECTORS_MAX)
def detector(thought: Thought) -> Detector:
    """Return the detector of lots that are thought alike."""
    sites = [
        site for name, body in thought.library[:SITES_MAX] if (site := fingerprint(name, body))
    ]
    named = {site.site_id: site for site in sites}
    known = {
        **errors(thought.settings, thought.stations),
        **errors(thought.of_way, thought.stations),
    }
    return Detector(
        Model(
            analytes=thought.analytes,
            stations=thought.stations,
            legs=thought.legs,
            origin=named.get(thought.origin or ""),
            library=tuple(sites),
            dry_share=thought.dry_share,
            xrf=dict(thought.xrf),
            errors=known | _drifted(thought, known),
            visits=_visits(thought, known),
        ),
        _ground(thought._replace(xrf=(), settings=None, of_way=None, drifts=())),
    )


@lru_cache(maxsize=DETECTORS_MAX)
def _ground(_: Thought) -> int:
    """Return the number of what is thought of lots, instruments left out."""
    return next(NAMES)


def _drifted(
    thought: Thought, known: Mapping[tuple[str, str], Known]
) -> dict[tuple[str, str], Known]:
    """Return the errors of instruments that have drifted, beside what was known of them before.

    Those of scales are of a visit each (``_visits``).
    """
    found: dict[tuple[str, str], Known] = {}
    dry = math.exp(thought.dry_share[0])
    for instrument, quantity, mean, u, _ in thought.drifts:
        if quantity == MASS:
            continue
        before = known.get((instrument, quantity), Known(0.0, 0.0)).mean
        # Of a moisture errors are absolute; a drift is one of ln(1 - moisture).
        by, size = (-dry, dry) if quantity == MOISTURE else (1.0, 1.0)
        found[instrument, quantity] = Known(before + mean * by, u * size)
    return found


def _visits(
    thought: Thought, known: Mapping[tuple[str, str], Known]
) -> dict[tuple[str, int], Known]:
    """Return the errors of scales that have drifted, by visit."""
    found: dict[tuple[str, int], Known] = {}
    for scale, quantity, mean, u, visit in thought.drifts:
        if quantity == MASS:
            before = known.get((scale, MASS), Known(0.0, 0.0)).mean
            found[scale, visit] = Known(before + mean, u)
    return found


@lru_cache(maxsize=1024)
def fingerprint(site_id: str, text: str) -> Site | None:
    """Return an origin's fingerprint in logarithms; None where its record cannot be used.

    A record gives means and covariance of ln fractions (``ln_mean``, ``ln_covariance``), or of the
    fractions themselves, which are taken as those of a logarithmic normal distribution.
    """
    body = object_of(text)
    named = body.get("analytes")
    analytes = tuple(a for a in named if isinstance(a, str)) if isinstance(named, list) else ()
    n = len(analytes)
    if not n or len(set(analytes)) != n:
        return None
    mean, covariance = _figures(body, "ln_mean", (n,)), _figures(body, "ln_covariance", (n, n))
    if mean is None or covariance is None:
        mean, covariance = _of_fractions(body, n)
    if mean is None or covariance is None or np.abs(mean).max() > LN_MAX:
        return None
    if not _is_covariance(covariance):
        return None
    order = sorted(range(n), key=lambda i: analytes[i])
    lots = body.get("samples")
    return Site(
        site_id=site_id,
        analytes=tuple(analytes[i] for i in order),
        mean=mean[order],
        covariance=covariance[np.ix_(order, order)],
        lots=lots if isinstance(lots, int) and lots >= 2 else 2,
    )


def _of_fractions(body: Mapping[str, object], n: int) -> tuple[Floats | None, Floats | None]:
    mean, covariance = _figures(body, "mean", (n,)), _figures(body, "covariance", (n, n))
    if mean is None or covariance is None or mean.min() < FRACTION_MIN:
        return None, None
    with np.errstate(all="ignore"):
        spread = np.log1p(covariance / np.outer(mean, mean))
    return (
        (np.log(mean) - 0.5 * np.diag(spread), spread)
        if np.isfinite(spread).all()
        else (None, None)
    )


def _figures(body: Mapping[str, object], name: str, shape: tuple[int, ...]) -> Floats | None:
    """Return an array of finite numbers; None where it is not said so."""
    try:
        found = np.array(body.get(name), dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return found if found.shape == shape and np.isfinite(found).all() else None


def _is_covariance(matrix: Floats) -> bool:
    variances = np.diag(matrix)
    if variances.min() < VARIANCE_MIN or variances.max() > VARIANCE_MAX:
        return False
    if not np.allclose(matrix, matrix.T, rtol=1e-6, atol=1e-12):
        return False
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True


@lru_cache(maxsize=256)
def errors(text: str | None, stations: tuple[str, ...]) -> Mapping[tuple[str, str], Known]:
    """Return what is known of instruments' mean errors on a way.

    The record lists them as ``{"instrument", "quantity", "mean", "u", "site"}``: a quantity is
    ``mass``, ``moisture`` or an analyte, a site (optional) that where the instrument stands.
    """
    listed = object_of(text).get("errors")
    found: dict[tuple[str, str], Known] = {}
    for one in listed if isinstance(listed, list) else []:
        if not isinstance(one, dict) or one.get("site") not in (None, *stations):
            continue
        instrument, quantity = one.get("instrument"), one.get("quantity")
        mean, u = number(one.get("mean"), -1.0, 1.0), number(one.get("u"), 0.0, U_REL_MAX)
        if (
            isinstance(instrument, str)
            and isinstance(quantity, str)
            and mean is not None
            and u is not None
        ):
            found[instrument, quantity] = Known(mean, u)
    return found


@lru_cache(maxsize=64)
def limit(text: str | None) -> Limit:
    """Return what E is compared with: as the record says, else what is proved, 1 / alpha."""
    body = object_of(text)
    said = number(body.get("threshold"), THRESHOLD_MIN, 1e300)
    if said is None:
        return Limit(-math.log(ALPHA), f"proved: at most {ALPHA:g} of clean lots ever (Ville)")
    lots = body.get("lots")
    source = f"calibrated on {lots} clean lots" if isinstance(lots, int) else "set"
    return Limit(math.log(said), f"{source}: {body.get('basis', 'as the record says')}")


def analytes_of(library: Sequence[tuple[str, str]], origin: str | None) -> tuple[str, ...]:
    """Return the analytes of an origin's fingerprint; none where it is not known."""
    for name, body in library:
        if name == origin:
            site = fingerprint(name, body)
            return () if site is None else site.analytes
    return ()

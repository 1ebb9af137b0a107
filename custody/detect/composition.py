"""Composition: what the receiving side sees against what the sending side saw.

Per analyte d = ln(receiving) - ln(sending) on dry basis, with covariance

    S = diag(v) + a a'

v: what an analyte has for itself (counting, heterogeneity, certificate, biases of two different
instruments; an instrument used on both sides cancels). a: what all share, the moisture the
figures were converted with. Two directions are tested:

- *waste*: all analytes fall together, one-sided. z = 1'S^-1 d / sqrt(1'S^-1 1); the size is the
  share of barren material, 1 - exp(d), above zero;
- *foreign_material*: any change. Q = d'S^-1 d against chi-square; the size is the root mean
  square of the relative changes, noise taken off.

Source:
    docs/detection/composition.md
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

from custody.alerts import Verdict
from custody.detect import threshold
from custody.detect.station import Station, station
from custody.events import Micros
from custody.reference import References
from custody.rows import Book, Trip

RULE = "composition"
WASTE, FOREIGN = "waste", "foreign_material"
PRIOR = {WASTE: 0.15, FOREIGN: 0.25}
"""How often each happens among what this test can see (weights of the mixture detector)."""
PRIOR_SIZE = 0.3
"""Deviation of the logarithmic change either is thought to make."""
TESTS = 2
"""Directions per pair of sites; they share the level."""
ANALYTES_FOR_WASTE = 2
"""Fewer analytes cannot tell waste from anything else."""


class Compared(NamedTuple):
    """Two sites' figures of a lot and what the tests need of them.

    Attributes:
        source: Sending site.
        target: Receiving site.
        analytes: Seen by both, sorted.
        d: Logarithmic change by analyte.
        v: Variance of each on its own.
        a: What all share, by analyte.
    """

    source: str
    target: str
    analytes: tuple[str, ...]
    d: tuple[float, ...]
    v: tuple[float, ...]
    a: tuple[float, ...]


class Scores(NamedTuple):
    """Both tests: shift of all analytes, its deviation, and Q."""

    shift: float
    shift_u: float
    q: float


def pairs(trips: Mapping[str, Trip], stations: Mapping[str, Station]) -> list[tuple[str, str]]:
    """Return (sending, receiving) sites that both have figures.

    The sending site of a leg is the nearest upstream that measured anything.
    """
    before: dict[str, str] = {}
    for trip in trips.values():
        for source, target in _legs(trip):
            before.setdefault(target, source)
    found: list[tuple[str, str]] = []
    for target, first in before.items():
        source = first
        met = {target}
        while not stations.get(source) and source in before and source not in met:
            met.add(source)
            source = before[source]
        if stations.get(source) and stations.get(target) and source != target:
            found.append((source, target))
    return found


def _legs(trip: Trip) -> list[tuple[str, str]]:
    source = trip.dispatch.site if trip.dispatch is not None else None
    target = trip.receipt.site if trip.receipt is not None else None
    for leg in (trip.left, trip.arrived):
        if leg is not None:
            source, target = source or leg.from_site, target or leg.to_site
    return [(source, target)] if source is not None and target is not None else []


def compared(source: str, target: str, stations: Mapping[str, Station]) -> Compared | None:
    """Return the comparison of two sites; None where no analyte was seen by both."""
    sent, got = stations[source], stations[target]
    analytes = tuple(sorted(sent.keys() & got.keys()))
    if not analytes:
        return None
    d: list[float] = []
    v: list[float] = []
    a: list[float] = []
    for analyte in analytes:
        s, r = sent[analyte], got[analyte]
        parts = dict(r.parts)
        for name, u in s.parts.items():
            parts[name] = parts.get(name, 0.0) - u
        alone, shared = r.var + s.var, 0.0
        for name, u in parts.items():
            if name.endswith("/" + analyte):
                alone += u * u
            else:
                shared += u * u
        d.append(r.ln - s.ln)
        v.append(alone)
        a.append(math.sqrt(shared))
    return Compared(source, target, analytes, tuple(d), tuple(v), tuple(a))


def scores(test: Compared, extra_var: float = 0.0) -> Scores:
    """Return the statistics of a comparison, S inverted by Sherman and Morrison.

    Args:
        test: The comparison.
        extra_var: Added to every variance: what a free change would add.
    """
    j = g = q = a1 = ad = aa = 0.0
    for d, v, a in zip(test.d, test.v, test.a, strict=True):
        w = 1.0 / (v + extra_var)
        j += w
        g += w * d
        q += w * d * d
        a1 += w * a
        ad += w * a * d
        aa += w * a * a
    k = 1.0 / (1.0 + aa)
    j -= k * a1 * a1
    g -= k * a1 * ad
    q -= k * ad * ad
    return Scores(g / j, 1.0 / math.sqrt(j), q)


def verdicts(book: Book, references: References) -> tuple[Compared, Verdict] | None:
    """Return the strongest finding of a lot, where one passes its threshold."""
    if not book.shots and not book.certificates:
        return None
    sites = {shots.site for shots in book.shots.values()}
    sites.update(certificate.site for certificate in book.certificates)
    if len(sites) < 2 or not book.trips:
        return None
    stations = {site: station(book, site, references) for site in sorted(sites)}
    tests = [test for s, t in pairs(book.trips, stations) if (test := compared(s, t, stations))]
    if not tests:
        return None
    alpha = threshold.ALPHA_COMPOSITION / TESTS / len(tests)
    alarms = [test for test in tests if _passes(test, alpha)]
    found = [(test, _verdict(test, len(tests), book)) for test in alarms]
    return max(found, key=lambda pair: pair[1].value, default=None)


def _passes(test: Compared, alpha: float) -> bool:
    found = scores(test)
    degrees = len(test.analytes)
    if found.q >= threshold.chi2_quantile(alpha, degrees):
        return True
    limit = threshold.normal_quantile(alpha)
    return degrees >= ANALYTES_FOR_WASTE and found.shift <= -limit * found.shift_u


def smallest_detectable(test: Compared, tests: int) -> tuple[float, float]:
    """Return the sizes found with probability 0.9: share of waste, and free change (rms).

    Args:
        test: The comparison; only its uncertainties count.
        tests: Pairs of sites the lot has.
    """
    alpha = threshold.ALPHA_COMPOSITION / TESTS / tests
    found = scores(test)
    limit = threshold.normal_quantile(alpha) + threshold.normal_quantile(1.0 - threshold.POWER)
    weight = sum(1.0 / (v + a * a) for v, a in zip(test.v, test.a, strict=True))
    noncentrality = threshold.chi2_noncentrality(alpha, len(test.analytes))
    return 1.0 - math.exp(-limit * found.shift_u), math.sqrt(noncentrality / weight)


def _verdict(test: Compared, tests: int, book: Book) -> Verdict:
    found = scores(test)
    degrees = len(test.analytes)
    by_q = threshold.minus_log10_chi2(found.q, degrees)
    by_z = threshold.minus_log10_normal(-found.shift / found.shift_u)
    value = max(by_q, by_z if degrees >= ANALYTES_FOR_WASTE else 0.0) - math.log10(TESTS * tests)
    posterior = _posterior(test, found)
    family = posterior[0][0]
    if family == WASTE:
        size = 1.0 - math.exp(found.shift)
        size_u = math.exp(found.shift) * found.shift_u
    else:
        noise = sum(v + a * a for v, a in zip(test.v, test.a, strict=True)) / degrees
        mean = sum(d * d for d in test.d) / degrees
        size = math.sqrt(max(mean - noise, 0.0))
        size_u = math.sqrt(noise / degrees)
    waste, free = smallest_detectable(test, tests)
    return Verdict(
        RULE,
        None,
        family,
        size,
        size_u,
        value,
        -math.log10(threshold.ALPHA_COMPOSITION),
        f"normal and chi-square, {threshold.ALPHA_COMPOSITION:g} per lot over {TESTS} directions "
        f"and {tests} pairs of sites",
        posterior,
        _onset(test, book),
        (),
        f"{test.target} sees another composition than {test.source}: {family} {size:.1%} "
        f"(sigma {size_u:.1%}); this pair shows {waste:.1%} waste or a change of {free:.1%} with "
        f"probability {threshold.POWER:g}",
    )


def _onset(test: Compared, book: Book) -> tuple[str, Micros, Micros] | None:
    """Return the last departure from the sending and the first arrival at the receiving site."""
    left = [t.left or t.dispatch for t in book.trips.values() if _from(t) == test.source]
    came = [t.arrived or t.receipt for t in book.trips.values() if _to(t) == test.target]
    departures = [leg for leg in left if leg is not None]
    arrivals = [leg for leg in came if leg is not None]
    if not departures or not arrivals:
        return None
    first = min(departures, key=lambda leg: leg.at)
    last = max(arrivals, key=lambda leg: leg.at)
    return first.event_id, first.at, last.at


def _from(trip: Trip) -> str | None:
    return next((source for source, _ in _legs(trip)), None)


def _to(trip: Trip) -> str | None:
    return next((target for _, target in _legs(trip)), None)


def _posterior(test: Compared, found: Scores) -> tuple[tuple[str, float], ...]:
    """Return the probabilities of both families: likelihood integrated over their sizes."""
    size_var = PRIOR_SIZE**2
    u_var = found.shift_u**2
    # Waste only takes away: half a normal, and the share of it the data leave possible.
    ratio = size_var / (size_var + u_var)
    z = found.shift / found.shift_u
    possible = math.erfc(z * math.sqrt(ratio) / math.sqrt(2.0))
    ln_waste = 0.5 * math.log(1.0 - ratio) + 0.5 * z * z * ratio
    ln_waste += math.log(max(possible, 1e-300)) + math.log(PRIOR[WASTE])
    ln_foreign = 0.5 * (_log_det(test) - _log_det(test, size_var))
    ln_foreign += 0.5 * (found.q - scores(test, size_var).q) + math.log(PRIOR[FOREIGN])
    if len(test.analytes) < ANALYTES_FOR_WASTE:
        return ((FOREIGN, 1.0),)
    waste = 1.0 / (1.0 + math.exp(min(max(ln_foreign - ln_waste, -700.0), 700.0)))
    ranked = ((WASTE, waste), (FOREIGN, 1.0 - waste))
    return ranked if waste >= 0.5 else ranked[::-1]


def _log_det(test: Compared, extra_var: float = 0.0) -> float:
    """Return the logarithm of the determinant of S."""
    inner = sum(a * a / (v + extra_var) for v, a in zip(test.v, test.a, strict=True))
    return sum(math.log(v + extra_var) for v in test.v) + math.log1p(inner)

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
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from custody.alerts import Verdict
from custody.detect import threshold
from custody.detect.station import Station, station
from custody.events import Micros
from custody.lot import ends_of
from custody.lot_book import LotBook
from custody.lot_rows import series_site
from custody.reference import References

RULE = "composition"
WASTE, FOREIGN = "waste", "foreign_material"
PRIOR = {WASTE: 0.15, FOREIGN: 0.25}
"""How often each happens among what this test can see (weights of the mixture detector)."""
PRIOR_SIZE = 0.3
"""Deviation of the logarithmic change either is thought to make."""
TESTS = 2
"""Directions per pair of sites; they share the level."""
SITES_MIN = 2
"""A pair needs two."""
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
    d: Sequence[float]
    v: Sequence[float]
    a: Sequence[float]


class Scores(NamedTuple):
    """Both tests: shift of all analytes, its deviation, and Q."""

    shift: float
    shift_u: float
    q: float


def pairs(book: LotBook) -> list[tuple[str, str]]:
    """Return (sending, receiving) sites that both measured the lot's composition.

    The sending site of a leg is the nearest upstream that measured anything.
    """
    ways = book.row.ways
    if not ways:
        return []
    measured = {series_site(series) for series in book.row.series}
    for certificate in book.material().certificates:
        if certificate.assayed.results:
            measured.add(certificate.site)
    if len(measured) < SITES_MIN:
        return []
    before = {target: source for target, (_, source) in ways.items()}
    found: list[tuple[str, str]] = []
    for target in before:
        source_or_none = _upstream(target, before, measured) if target in measured else None
        if source_or_none is not None:
            found.append((source_or_none, target))
    return found


def _upstream(target: str, before: Mapping[str, str], measured: Collection[str]) -> str | None:
    """Return the nearest measured site upstream; None where there is none, or only a ring."""
    met = {target}
    source: str | None = before[target]
    while source is not None and source not in met:
        if source in measured:
            return source
        met.add(source)
        source = before.get(source)
    return None


def compared(source: str, target: str, stations: Mapping[str, Station]) -> Compared | None:
    """Return the comparison of two sites; None where no analyte was seen by both."""
    sent, got = stations[source], stations[target]
    analytes = sorted(sent.seen.keys() & got.seen.keys())
    if not analytes:
        return None
    # Moisture of the two sites: variances, and what they have in common.
    sent_var = sum([u * u for u in sent.moisture.values()])
    got_var = sum([u * u for u in got.moisture.values()])
    both = sum([u * got.moisture.get(name, 0.0) for name, u in sent.moisture.items()])
    d: list[float] = []
    v: list[float] = []
    a: list[float] = []
    for analyte in analytes:
        s, r = sent.seen[analyte], got.seen[analyte]
        r_ln, alone, r_bias, r_wet = r
        s_ln, s_var, s_bias, s_wet = s
        alone += s_var
        for name, u in r_bias.items():
            alone += (u - s_bias.get(name, 0.0)) ** 2
        for name, u in s_bias.items():
            if name not in r_bias:
                alone += u * u
        shared = r_wet * r_wet * got_var + s_wet * s_wet * sent_var - 2.0 * r_wet * s_wet * both
        d.append(r_ln - s_ln)
        v.append(alone)
        a.append(math.sqrt(shared) if shared > 0.0 else 0.0)
    return Compared(source, target, tuple(analytes), d, v, a)


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


def verdict(
    book: LotBook, references: References, sites: Collection[str] | None
) -> tuple[Compared, Verdict] | None:
    """Return the strongest finding of a lot, where one passes its threshold.

    Args:
        book: The lot's facts.
        references: Instruments and laboratories.
        sites: Where figures changed; None for anywhere. Pairs of other sites did not pass before,
            and more pairs only raise the threshold, so they are looked at once one of these does.
    """
    found = pairs(book)
    if not found:
        return None
    alpha = threshold.ALPHA_COMPOSITION / TESTS / len(found)
    stations: dict[str, Station] = {}
    if sites is not None:
        changed = [pair for pair in found if pair[0] in sites or pair[1] in sites]
        if not _alarms(book, references, changed, alpha, stations):
            return None
    alarms = _alarms(book, references, found, alpha, stations)
    verdicts = [(test, _verdict(test, len(found), book)) for test in alarms]
    return max(verdicts, key=lambda pair: pair[1].value, default=None)


def _alarms(
    book: LotBook,
    references: References,
    found: Sequence[tuple[str, str]],
    alpha: float,
    stations: dict[str, Station],
) -> list[Compared]:
    """Return the pairs that pass; ``stations`` remembers what was computed."""
    alarms: list[Compared] = []
    for source, target in found:
        for site in (source, target):
            if site not in stations:
                stations[site] = station(book, site, references)
        test = compared(source, target, stations)
        if test is not None and _passes(test, alpha):
            alarms.append(test)
    return alarms


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


def _verdict(test: Compared, tests: int, book: LotBook) -> Verdict:
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


def _onset(test: Compared, book: LotBook) -> tuple[str, Micros, Micros] | None:
    """Return the last departure from the sending and the first arrival at the receiving site."""
    trips = [row.trip for _, row in book.trips()]
    left = [t.left or t.dispatch for t in trips if ends_of(t)[0] == test.source]
    came = [t.arrived or t.receipt for t in trips if ends_of(t)[1] == test.target]
    departures = [leg for leg in left if leg is not None]
    arrivals = [leg for leg in came if leg is not None]
    if not departures or not arrivals:
        return None
    first = min(departures, key=lambda leg: leg.at)
    last = max(arrivals, key=lambda leg: leg.at)
    return first.event_id, first.at, last.at


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

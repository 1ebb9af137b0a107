"""Do again what lots of e-value alerts would show: recompute_detectable.py < alerts.ndjson."""

import math
import sys
from statistics import NormalDist, median

from likelihood import dot, square, times
from report import report
from weights import FOREIGN, directions, shift

Z = NormalDist().inv_cdf(0.9)


def least(family: str, site: dict, known: list, j: list, wanted: float) -> float:
    """Return the size whose ln E reaches what is wanted in nine lots of ten, infinity for none."""
    most, before = 1.0 if family == FOREIGN else 0.6, None
    for no in range(80):
        x = 0.001 * (most * 1000) ** (no / 79)
        moved = times(j, shift(family, x, site["ln_ratios"]))
        apart = math.sqrt(max(dot(shift(family, x, site["ln_ratios"]), moved), 0.0))
        share = max(1.0 - Z / max(apart, Z), 0.0)
        terms = [ln + share * dot(moved, d) for ln, d in known]
        ln_e = max(terms) + math.log(sum(math.exp(ln - max(terms)) for ln in terms))
        if ln_e >= wanted:
            part = 0.0 if before is None else (ln_e - wanted) / (ln_e - before)
            return x * (most * 1000) ** (-part / 79)
        before = ln_e
    return math.inf


def mine(alert: dict) -> bool:
    """Return whether these sums are of an alert."""
    return bool(alert["way"])


def sums(alert: dict) -> dict:
    """Return what an alert says beside what follows from its other figures."""
    found, wanted = {}, math.log(alert["threshold"])
    for onset in alert["onsets"]:
        if onset["stations"] == alert["way"][:1]:
            continue
        j, known = square(onset["information"]), {}
        for family, site, _, w, d in directions(alert, onset):
            ln = math.log(w) - dot(d, times(j, d)) / 2
            known.setdefault(family, []).append((ln, d, site))
        every = [(ln, d) for some in known.values() for ln, d, _ in some]
        none = {"ln_ratios": alert["shifts"][3:]}
        for family, mine in known.items():
            sizes = [
                least(family, site, [(ln, d) for ln, d, s in mine if s is site], j, wanted)
                for site in (alert["other_sites"] if family == FOREIGN else ())
            ] or [least(family, none, every, j, wanted)]
            if median(sizes) < math.inf:
                found[family] = max(found.get(family, 0.0), median(sizes))
    return {family: (size, found.get(family)) for family, size in alert["detectable"].items()}


if __name__ == "__main__":
    sys.exit(report(mine, sums))

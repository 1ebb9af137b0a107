"""Do sizes of foreign material and free changes again: recompute_exchange.py < alerts.ndjson."""

import math
import sys

from fits import words
from likelihood import dot, fixed, free, mixed, solve, square
from report import report
from sized import foreign, spread
from sizes import mean
from weights import FOREIGN, FREE, shift


def mine(alert: dict) -> bool:
    """Return whether these sums are of an alert."""
    exchanged = (FOREIGN, "origin_mismatch", "omnibus")
    return bool(alert["way"]) and alert["causes"][0]["family"] in exchanged


def sums(alert: dict) -> dict:
    """Return what an alert says beside what follows from its other figures."""
    named = alert["causes"][0]
    [onset] = [one for one in alert["onsets"] if one["stations"] == named["stations"]]
    g, j = onset["score"][3:], [row[3:] for row in square(onset["information"])[3:]]
    if named["family"] == "omnibus":
        d = free(FREE[-1], g, j)[1]
        rms = math.sqrt(dot(d, d) / len(d))
        plus = [
            [x + (i == k) / FREE[-1] ** 2 for k, x in enumerate(row)] for i, row in enumerate(j)
        ]
        u = math.sqrt(dot(d, solve(plus, d)[0])) / (len(d) * rms) * math.exp(-rms)
        size = -math.expm1(-rms)
    else:
        [site] = [one for one in alert["other_sites"] if one["site_id"] == named["site_id"]]
        sizes = foreign(alert, onset, site)
        size, u = mean(sizes, 1.0)
        best = max(sizes, key=lambda one: one[1])[0]
        moved = shift(FOREIGN, best, site["ln_ratios"])[3:]
        d = mixed(moved, spread(alert, onset, site, best), g, j)[1]
    rows = sum(row["ln_ratio"] for row in alert["evidence"])
    said = {"ln ratio of all rows": (rows, fixed(d, g, j)), **words(alert)}
    if alert["state"] != "retracted":  # else its size is that of what was taken back
        said |= {"size": (alert["size"], size), "u of size": (alert["size_u"], u)}
    return said


if __name__ == "__main__":
    sys.exit(report(mine, sums))

"""All that may have happened to a lot of an e-value alert, for the scripts beside this one."""

import math

from likelihood import fixed, free, mixed, square
from weights import FOREIGN, FREE, directions, free_weight, where

ONE_TRIP = ("loss", "gain")  # where trips have names, half of their weight is for single ones


def spread(alert: dict, onset: dict, site: dict, x: float) -> list:
    """Return the covariance that a share of a site's material puts on the analytes."""
    there = [math.exp(ratio) for ratio in site["ln_ratios"]]
    part = [x * one / (1 + x * (one - 1)) * (one != 1) for one in there]
    own = 0 if where(alert, onset)[1] else 1  # at the origin the lot's own is expected already
    both = zip(square(site["spread"]), square(alert["own_spread"]), strict=True)
    return [
        [part[i] * part[k] * (a + own * b) for k, (a, b) in enumerate(zip(*rows, strict=True))]
        for i, rows in enumerate(both)
    ]


def candidates(alert: dict) -> list:
    """Return (what, weight, ln LR as E seeks it, ln LR with the spread of sites).

    What is family, stations, trip and other site; the last is None where a spread is not said.
    """
    found = []
    for onset in alert["onsets"]:
        g, j, at = onset["score"], square(onset["information"]), tuple(onset["stations"])
        block = [row[3:] for row in j[3:]]
        for family, site, x, w, d in directions(alert, onset):
            half, ln = 2 if alert["trips"] and family in ONE_TRIP else 1, fixed(d, g, j)
            exact = ln
            if family == FOREIGN:
                known = spread(alert, onset, site, x) if site["spread"] else None
                exact = known and mixed(d[3:], known, g[3:], block)[0]
            found.append(((family, at, None, site.get("site_id")), w / half, ln, exact))
        for s in FREE if block else ():
            ln = free(s, g[3:], block)[0]
            w = free_weight(alert, onset) / len(FREE)
            found.append((("omnibus", at, None, None), w, ln, ln))
    for trip in alert["trips"]:
        what = (trip["station"],), trip["movement_id"], None
        for family, _, _, w, d in directions(alert, {"stations": [trip["station"]]}):
            if family in ONE_TRIP:
                ln = d[0] * trip["score"] - d[0] ** 2 * trip["information"] / 2
                rank = 2 * trip["number"] * (trip["number"] + 1)
                found.append(((family, *what), w / rank, ln, ln))
    return found

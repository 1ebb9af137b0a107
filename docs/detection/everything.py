"""All of what may have happened that has a size, for the scripts beside this one."""

import math

from candidates import ONE_TRIP
from likelihood import dot, square, times
from sized import along, foreign, ln_of
from weights import FAMILIES, FOREIGN, shift


def sized(alert: dict) -> list:
    """Return (what, ln(weight x mean LR)) of what has a size, but sites of no spread."""
    found = []
    for onset in alert["onsets"]:
        at, g, j = tuple(onset["stations"]), onset["score"], square(onset["information"])
        for family in FAMILIES:
            # What is not what was measured is no family of the alert, and has no probability.
            if family != FOREIGN and family in alert["posterior"]:
                half_ln = math.log1p(0.5 if family == "gain" else -0.5)
                d = [one / half_ln for one in shift(family, 0.5, [0.0] * len(g[3:]))]
                one = along(family, dot(d, g), dot(d, times(j, d)))
                half = 0.5 if alert["trips"] and family in ONE_TRIP else 1.0
                found.append(((family, at, None, None), ln_of(alert, onset, family, one, half)))
        for site in alert["other_sites"]:
            if site["probability"] and (site["spread"] or not g[3:]):
                share = 1 / len(alert["other_sites"])
                ln = ln_of(alert, onset, FOREIGN, foreign(alert, onset, site), share)
                found.append(((FOREIGN, at, None, site["site_id"]), ln))
    for trip in alert["trips"]:
        at = {"stations": [trip["station"]]}
        for family in ONE_TRIP:
            one = along(family, trip["score"], trip["information"])
            rank = 2 * trip["number"] * (trip["number"] + 1)
            what = family, (trip["station"],), trip["movement_id"], None
            found.append((what, ln_of(alert, at, family, one, 1 / rank)))
    return found

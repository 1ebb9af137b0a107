"""All that may have happened to a lot of an e-value alert, for the scripts beside this one."""

from likelihood import fixed, free, square
from weights import FREE, directions, free_weight

ONE_TRIP = ("loss", "gain")  # where trips have names, half of their weight is for single ones


def candidates(alert: dict) -> list:
    """Return (what, weight, ln LR) as E seeks it; what is family, stations, trip, other site."""
    found = []
    for onset in alert["onsets"]:
        g, j, at = onset["score"], square(onset["information"]), tuple(onset["stations"])
        for family, site, _, w, d in directions(alert, onset):
            half = 2 if alert["trips"] and family in ONE_TRIP else 1
            what = family, at, None, site.get("site_id")
            found.append((what, w / half, fixed(d, g, j)))
        for s in FREE if g[3:] else ():
            ln = free(s, g[3:], [row[3:] for row in j[3:]])[0]
            found.append((("omnibus", at, None, None), free_weight(alert, onset) / 3, ln))
    for trip in alert["trips"]:
        what = (trip["station"],), trip["movement_id"], None
        for family, _, _, w, d in directions(alert, {"stations": [trip["station"]]}):
            if family in ONE_TRIP:
                ln = d[0] * trip["score"] - d[0] ** 2 * trip["information"] / 2
                rank = 2 * trip["number"] * (trip["number"] + 1)
                found.append(((family, *what), w / rank, ln))
    return found

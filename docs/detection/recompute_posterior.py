"""Do probabilities of families, onsets and sites again: recompute_posterior.py < alerts.ndjson."""

import math
import sys
from collections import Counter

from candidates import candidates
from everything import sized
from report import report
from weights import FOREIGN


def mine(alert: dict) -> bool:
    """Return whether these sums are of an alert."""
    return bool(alert["way"])


def sums(alert: dict) -> dict:
    """Return what an alert says beside what follows from its other figures."""
    unsaid = sum(site["probability"] for site in alert["other_sites"] if not site["spread"])
    free = [one for one in candidates(alert) if one[0][0] == "omnibus"]
    terms = [*sized(alert), *((what, math.log(w) + ln) for what, w, ln in free if w > 0)]
    top, p = max(ln for _, ln in terms), Counter()
    total = sum(math.exp(ln - top) for _, ln in terms) / (1.0 - unsaid)
    for what, ln in terms:
        family, stations, trip, site = what
        for key in {what, family, (stations, trip), ("site", site)}:
            p[key] += math.exp(ln - top) / total
    p["origin_mismatch"] = p[FOREIGN] = p[FOREIGN] + unsaid
    said = {family: (one, p[family]) for family, one in alert["posterior"].items()}
    for one in alert["causes"]:
        family = FOREIGN if one["family"] == "origin_mismatch" else one["family"]
        key = family, tuple(one["stations"]), one["movement_id"], one["site_id"]
        said |= {key: (one["probability"], p[key])} if key in p else {}
    for one in alert["other_sites"]:
        key = "site", one["site_id"]
        said |= {key: (one["probability"], p[key])} if one["spread"] else {}
    for one in [*alert["onsets"], *alert["trips"]]:
        key = tuple(one.get("stations", [one.get("station")])), one.get("movement_id")
        # Material of a site whose spread is not said may have come at any onset.
        most = p[key] + unsaid * ("stations" in one)
        said[key] = one["probability"], min(max(one["probability"], p[key]), most)
    return said


if __name__ == "__main__":
    sys.exit(report(mine, sums))

"""Do E of e-value alerts again, from score and information: recompute_e.py < alerts.ndjson."""

import math
import sys

from candidates import candidates
from report import report


def mine(alert: dict) -> bool:
    """Return whether these sums are of an alert."""
    return bool(alert["way"])


def sums(alert: dict) -> dict:
    """Return what an alert says beside what follows from its other figures."""
    found = candidates(alert)
    terms = [math.log(weight) + ln for _, weight, ln in found]
    nowhere = 1.0 - sum(weight for _, weight, _ in found)  # its ln LR is 0
    terms.append(math.log(max(nowhere, 1e-300)))
    ln_e = max(terms) + math.log(sum(math.exp(ln - max(terms)) for ln in terms))
    return {"ln E": (math.log(alert["value"]), min(ln_e, 300 * math.log(10)))}


if __name__ == "__main__":
    sys.exit(report(mine, sums))

"""Do sizes and severities of e-value alerts again: recompute_size.py < alerts.ndjson."""

import math
import sys

from report import report
from sized import MOST, along
from sizes import mean

LIMITS_OF = ((0.1, 0.03, 0.01), (6500, 2000, 650))  # shares of the metal, money
NAMES = ("low", "medium", "high", "critical")
LINES = ("loss", "gain", "water", "water_falsified", "waste")  # all shift along one direction
EITHER = ("water", "water_falsified", "waste")  # what water_or_waste may be


def sized(family: str, score: float, information: float) -> tuple[float, float]:
    """Return size and u; of more than the grid has, but of waste, those of the best shift."""
    most, sign = MOST.get(family, 0.6), 1 if family == "gain" else -1
    kept = math.exp(min(max(score / information, -14.0), 14.0))
    if family != "waste" and sign * (kept - 1) > most:
        return sign * (kept - 1), kept / math.sqrt(information)
    return mean(along(family, score, information), most)


def mine(alert: dict) -> bool:
    """Return whether these sums are of an alert."""
    stands = alert["state"] != "retracted"  # else its size is that of what was taken back
    return stands and alert["statistic"] == "e_value" and bool(alert["evidence"])


def sums(alert: dict) -> dict:
    """Return what an alert says beside what follows from its other figures."""
    said, size, family = {}, abs(alert["size"]), alert["family"]
    p = alert["posterior"].get(family)
    if family == "water_or_waste":
        family, p = alert["causes"][0]["family"], sum(alert["posterior"].get(f, 0) for f in EITHER)
    if family in LINES:
        named = math.log1p(size if family == "gain" else -size)  # the rows' shifts
        tz = sum(row["shift"] * row["z"] for row in alert["evidence"]) / named
        tt = sum(row["shift"] ** 2 for row in alert["evidence"]) / named**2
        found, u = sized(family, tz, tt)
        said |= {"size": (size, found), "u of size": (alert["size_u"], u)}
    if alert["stake_share"] is not None:
        share, worth = min(size, 1.0) * p, alert["stake_amount"]
        said["stake_share"] = alert["stake_share"], share
        part = LIMITS_OF[worth is not None]
        rank = sum((share if worth is None else worth) >= least for least in part)
        said["severity"] = alert["severity"], NAMES[max(rank - (not alert["stoppable"]), 0)]
    return said


if __name__ == "__main__":
    sys.exit(report(mine, sums))

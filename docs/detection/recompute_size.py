"""Do sizes and severities of e-value alerts again: recompute_size.py < alerts.ndjson."""

import math
import re
import sys

from report import report
from sized import along
from sizes import mean

LIMITS, NAMES = ((0.1, 6500), (0.03, 2000), (0.01, 650)), ("low", "medium", "high", "critical")
STAKE = re.compile(r"at stake \S+ of (?:the metal|([\d,]+)).*; it can (still|no longer) be ")
LINES = ("loss", "gain", "water", "water_falsified", "waste")  # all shift along one direction


def mine(alert: dict) -> bool:
    """Return whether these sums are of an alert."""
    return alert["statistic"] == "e_value" and bool(alert["evidence"])


def sums(alert: dict) -> dict:
    """Return what an alert says beside what follows from its other figures."""
    said, size, family = {}, abs(alert["size"]), alert["family"]
    if family in LINES:
        named = math.log1p(size if family == "gain" else -size)  # the rows' shifts
        tz = sum(row["shift"] * row["z"] for row in alert["evidence"]) / named
        tt = sum(row["shift"] ** 2 for row in alert["evidence"]) / named**2
        found, u = mean(along(family, tz, tt), 0.6)
        said |= {"size": (size, found), "u of size": (alert["size_u"], u)}
    if stake := STAKE.search(alert["reason"]):
        share = size * alert["posterior"][family]
        worth = stake[1] and share * float(stake[1].replace(",", ""))
        rank = sum(worth >= money if stake[1] else share >= part for part, money in LIMITS)
        said["severity"] = alert["severity"], NAMES[max(rank - (stake[2] != "still"), 0)]
    return said


if __name__ == "__main__":
    sys.exit(report(mine, sums))

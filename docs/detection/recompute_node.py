"""Do the sums of node_balance alerts again, from the alerts alone: recompute_node.py < alerts."""

import math
import re
import sys
from statistics import NormalDist

from chances import nearest, of_all, tail
from report import report

LEVEL, POWER = 1e-3, NormalDist().inv_cdf(0.9)
CHANCE = re.compile(r"chance where nothing is wrong 10\^-([\d.]+) ")


def mine(alert: dict) -> bool:
    """Return whether these sums are of an alert."""
    return alert["rule"] == "node_balance" and bool(alert["evidence"])


def sums(alert: dict) -> dict:
    """Return what an alert says beside what follows from its other figures."""
    rows, said = alert["evidence"], {}
    for no, row in enumerate(rows):
        said[f"z of row {no}"] = row["z"], (row["observed"] - row["expected"]) / row["u"]
    balances = [row for row in rows if row["quantity"] in ("dry_mass", "contained_metal")]
    # With two balances and more there is a test of all of them, whose statistic is in no row.
    counts = range(len(balances), len(balances) + 1 + (len(balances) > 1))
    ends = [tail(row["z"]) for row in balances], [tail(abs(row["z"])) for row in balances]
    best = [max(0, *ends[0]), max(ends[1]) - math.log10(2)]
    alone = [of_all(one, tests) for one in best for tests in counts]
    value = alert["value"]
    said["value"] = (
        value,
        value if len(balances) > 1 and value > min(alone) else nearest(value, alone),
    )
    known = min(row["u"] / row["expected"] for row in balances)
    each = [-math.expm1(math.log1p(-LEVEL) / tests) for tests in counts]
    least = [(NormalDist().inv_cdf(1 - one / 2) + POWER) * known for one in each]
    for family, size in alert["detectable"].items():
        said[f"detectable {family}"] = size, nearest(size, least)
    said["probabilities"] = sum(alert["posterior"].values()), 1.0
    if alert["state"] != "retracted":
        said["value in words"] = CHANCE.search(alert["reason"])[1], f"{value:.1f}"
    return said


if __name__ == "__main__":
    sys.exit(report(mine, sums))

"""Do sums of instrument_bias and route_loss alerts again: recompute_charts.py < alerts.ndjson."""

import math
import re
import sys

from report import report

AMOUNT = re.compile(
    r" ([\d.]+%) \(sigma ([\d.]+%)\).* over (?:its last )?(\d+) lots, since (.*?) UTC"
)


def mine(alert: dict) -> bool:
    """Return whether these sums are of an alert."""
    return alert["statistic"] == "cusum" and bool(alert["evidence"])


def sums(alert: dict) -> dict:
    """Return what an alert says beside what follows from its other figures."""
    said, rows, size = {}, alert["evidence"], alert["size"]
    left = [row["observed"] - row["expected"] for row in rows]
    for no, (row, one) in enumerate(zip(rows, left, strict=True)):
        said[f"z of row {no}"] = row["z"], one / row["u"]
    weights = [1 / row["u"] ** 2 for row in rows]
    mean = sum(w * one for w, one in zip(weights, left, strict=True)) / sum(weights)
    said["size"] = size, mean
    if alert["state"] != "retracted":
        said["value, at least the limit"] = alert["value"], max(alert["value"], alert["threshold"])
        amount, sigma, lots, since = AMOUNT.search(alert["reason"]).groups()
        said["size in words"] = amount, f"{abs(math.expm1(mean)):.2%}"
        said["sigma in words"] = sigma, f"{alert['size_u'] * math.exp(mean):.2%}"
        said["onset in words"] = since, alert["onset_at"][:16].replace("T", " ")
        said["lots in words"] = int(lots), len(rows)
        shared = sum(row["u_shared"] for row in rows) / len(rows)
        said["u of size"] = alert["size_u"], math.hypot(1 / math.sqrt(sum(weights)), shared)
    return said


if __name__ == "__main__":
    sys.exit(report(mine, sums))

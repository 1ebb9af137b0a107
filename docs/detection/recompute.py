"""Do the sums of e-value alerts again, from the alerts alone: recompute.py < alerts.ndjson."""

import math
import sys

from report import report

HOLDS = ("open", "acknowledged", "shelved")


def mine(alert: dict) -> bool:
    """Return whether these sums are of an alert."""
    return alert["statistic"] == "e_value" and bool(alert["evidence"])


def sums(alert: dict) -> dict:
    """Return what an alert says beside what follows from its other figures."""
    said: dict = {}
    for no, row in enumerate(alert["evidence"]):
        z, shift = (row["observed"] - row["expected"]) / row["u"], row["shift"]
        said[f"z of row {no}"] = row["z"], z
        said[f"ln ratio of row {no}"] = row["ln_ratio"], shift * z - shift * shift / 2
    top = max(alert["ln_e"].values())
    ln_e = top + math.log(sum(math.exp(ln - top) for ln in alert["ln_e"].values()))
    said["ln E"] = math.log(alert["value"]), min(ln_e, 300 * math.log(10))
    for family, p in alert["posterior"].items():
        said[f"probability of {family}"] = p, math.exp(alert["ln_e"][family] - ln_e)
    if alert["state"] in (*HOLDS, "retracted"):  # what a person resolved may have any value
        said["open"] = alert["state"] in HOLDS, alert["value"] >= alert["threshold"]
    return said


if __name__ == "__main__":
    sys.exit(report(mine, sums))

"""Do the sums of e-value alerts again, from the alerts alone: recompute.py < alerts.ndjson."""

import json
import math
import sys

HOLDS = ("open", "acknowledged", "shelved")


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
    said["open"] = alert["value"] >= alert["threshold"], alert["state"] in HOLDS
    return said


if __name__ == "__main__":
    for line in map(json.loads, sys.stdin):
        mine = line["statistic"] == "e_value" and line["evidence"]
        for name, (one, other) in sums(line).items() if mine else ():
            if one != other and not math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-9):
                print(line["alert_id"], name, one, other)

"""Say what alerts say otherwise than their other figures do, for the scripts beside this one."""

import json
import math
import sys


def same(said: object, follows: object) -> bool:
    """Return whether two figures are one, to six digits; names of severities must be equal."""
    if isinstance(said, str) or isinstance(follows, str) or said is None or follows is None:
        return said == follows
    return said == follows or math.isclose(said, follows, rel_tol=1e-6, abs_tol=1e-9)


def report(mine, sums) -> int:  # noqa: ANN001  which alerts, and a function of one
    """Print each figure of standard input that does not follow; return 1 if there is one."""
    wrong = 0
    for alert in map(json.loads, sys.stdin):
        for name, (said, follows) in sums(alert).items() if mine(alert) else ():
            if not same(said, follows):
                what = name if isinstance(name, str) else "probability of " + json.dumps(name)
                print(f"{alert['alert_id']} {what}: stored {said}, recomputed {follows}")
                wrong += 1
    return int(wrong > 0)

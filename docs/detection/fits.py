"""How far a site's material is from what was measured, for the scripts beside this one."""

import math
import re

from chances import nearest
from likelihood import dot, solve, square, times
from sized import foreign, spread
from weights import FOREIGN, shift

NEAREST = re.compile(
    r"nearest is (.+)'s, of which (.+) is off by z = (\S+) \(chi-square (\d+) of (\d+)"
)


def off(alert: dict, onset: dict, site: dict) -> tuple[float, int, str, float]:
    """Return chi-square, analytes compared, the one furthest off and its z."""
    g, names = onset["score"][3:], alert["shifts"][3:]
    j = [row[3:] for row in square(onset["information"])[3:]]
    x = max(foreign(alert, onset, site), key=lambda one: one[1])[0]
    change, more = shift(FOREIGN, x, site["ln_ratios"])[3:], spread(alert, onset, site, x)
    below = {row["analyte"] for row in alert["evidence"] if row["quantity"].endswith("_below")}
    seen = [i for i in range(len(g)) if j[i][i] > 0]
    inner = [[j[i][k] for k in seen] for i in seen]
    inverse = [solve(inner, [float(i == k) for k in seen])[0] for i in seen]
    e, told = dict(zip(seen, times(inverse, [g[i] for i in seen]), strict=True)), []
    for i in seen:
        e[i] -= change[i]
        ratio = site["ln_ratios"][i]
        beyond = abs(ratio) >= 6 and e[i] * ratio > 0  # ratios are said up to 6
        if ratio and not beyond and not (names[i] in below and e[i] > 0):
            told.append(i)
    at = {i: no for no, i in enumerate(seen)}
    s = [[inverse[at[i]][at[k]] + more[i][k] for k in told] for i in told]
    z = {i: e[i] / math.sqrt(s[no][no]) for no, i in enumerate(told)}
    worst = max(told, key=lambda i: abs(z[i]))
    found = [e[i] for i in told]
    return dot(found, solve(s, found)[0]), len(told), names[worst], z[worst]


def words(alert: dict) -> dict:
    """Return what is said of the site that is nearest to a change that no site explains."""
    said = NEAREST.search(alert["reason"])
    if not said or any(row["quantity"] == "others" for row in alert["evidence"]):
        return {}
    [site] = [one for one in alert["other_sites"] if one["site_id"] == said[1]]
    onsets = [one for one in alert["onsets"] if any(one["score"][3:])]
    found = {one[0]: one for one in (off(alert, onset, site) for onset in onsets)}
    value, compared, analyte, z = found[nearest(float(said[4]), list(found))]
    return {
        "chi-square in words": (said[4], f"{value:.0f}"),
        "analytes compared": (said[5], str(compared)),
        "analyte furthest off": (said[2], analyte),
        "z in words": (said[3], f"{z:.1f}"),
    }

"""Whether what was said agrees with the second model: but for ties, and floats to 1e-7."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from custody.alerts import LOT, NODE
from custody.doubts import OF_BATCH
from custody.events import LotFact
from custody.lot_alerts import DISAGREE
from custody.records import Alert, Balance, Content, Transfer
from tests.support.differences import GRAMS_TIED, difference
from tests.support.oracle.amounts import Carried, Mix
from tests.support.oracle.books import Oracle
from tests.support.world import World

RELATIVE = 1e-7
LEDGER = "ledger"
"""Family of the alerts that are findings of the ledger."""

STATISTICS = ("shot_gated", "stock_unaccounted", NODE)
"""Rules that rest on uncertainties of the core."""

Sums = dict[str, dict[str, int]]


@dataclass
class Said:
    """What workers said: the last balance of each account, everything else in order."""

    transfers: list[Transfer]
    balances: dict[str, Balance]
    alerts: list[Alert]
    contents: list[Content]


def said_in(world: World) -> Said:
    """What a world's owners said."""
    return Said(
        world.transfers,
        world.balances,
        [output for output in world.outputs if isinstance(output, Alert)],
        [output for output in world.outputs if isinstance(output, Content)],
    )


def sums_of(transfers: Iterable[Transfer]) -> Sums:
    """Masses and metals of each account; zeros left out."""
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for t in transfers:
        for account, sign in ((t.debit, -1), (t.credit, 1)):
            sums[account]["wet"] += sign * t.mass_wet_g
            sums[account]["dry"] += sign * t.mass_dry_g
            for metal in t.metals:
                sums[account][metal.analyte] += sign * metal.value_mg
    return _nonzero(sums)


def attributes_of(transfers: Iterable[Transfer]) -> Sums:
    """Attributes of each account, by the names the second model gives them."""
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for t in transfers:
        for account, sign in ((t.debit, -1), (t.credit, 1)):
            for one in t.attributes:
                sums[account][f"@{one.name}/{one.unit}/{one.quality}"] += sign * one.value_micro
    return _nonzero(sums)


def _nonzero(sums: Mapping[str, Mapping[str, int]]) -> Sums:
    kept = {a: {k: v for k, v in held.items() if v} for a, held in sums.items()}
    return {account: held for account, held in kept.items() if held}


def unlike(oracle: Oracle, said: Said, facts: Sequence[LotFact], rules: Mapping[str, bool]) -> str:
    """The first disagreement, '' where there is none; ``rules`` says what is compared.

    Args:
        oracle: The second model of the same facts.
        said: What was said.
        facts: The facts, to show those behind a difference.
        rules: Switches.
    """
    found = difference(sums_of(said.transfers), oracle.accounts(), facts)
    if not found and rules["attributes"]:
        found = difference(attributes_of(said.transfers), oracle.attributes(), facts)
    if not found:
        found = _unlike_shares(oracle, said, rules)
    if not found and rules["findings"]:
        last = {a.alert_id: a for a in said.alerts}
        standing = [a for a in last.values() if a.state == "open"]
        # The second model has no statistics.
        open_now = {
            (a.rule, a.subject) for a in standing if a.family == LEDGER and a.rule not in STATISTICS
        }
        # A node that its test names is not said to give too much by the rule as well.
        named = {a.subject for a in standing if a.rule == NODE}
        open_now |= {one for one in oracle.findings() if one[0] in OF_BATCH and one[1] in named}
        # Nor are laboratories said to disagree where the test of the lot says why.
        explained = {(DISAGREE, a.subject) for a in standing if a.rule == LOT}
        odd = (open_now ^ oracle.findings()) - oracle.undecided() - explained
        found = f"findings {sorted(odd)}" if odd else ""
    return found


def _unlike_shares(oracle: Oracle, said: Said, rules: Mapping[str, bool]) -> str:
    for account, balance in sorted(said.balances.items()):
        holds = balance.mass_wet_g or balance.mass_dry_g
        if balance.lot_id is None or not holds:
            continue
        lot = oracle.lots[balance.lot_id]
        marked = {metal.analyte for metal in balance.metals if metal.expected}
        if rules["shares"] and marked != lot.expected:
            return f"{account} expects {sorted(marked)} but should {sorted(lot.expected)}"
        carried = lot.carried
        # Shares are of masses that may be so many grams apart.
        apart = RELATIVE + GRAMS_TIED / max(balance.mass_dry_g, 1)
        for what, found, expected in _mixes(balance, carried, rules):
            for name in sorted(found.keys() | expected.keys()):
                one, other = found.get(name, 0.0), expected.get(name, 0.0)
                if not math.isclose(one, other, rel_tol=RELATIVE, abs_tol=apart):
                    return f"{account} {what} {name}: {one} but should be {other}"
    return ""


def _mixes(
    balance: Balance, carried: Carried, rules: Mapping[str, bool]
) -> list[tuple[str, Mix, Mix]]:
    origins = {(o.level, o.id): o.share for o in balance.origins}
    mixes = [("origins", origins, carried.origins)]
    if rules["metal_origins"]:
        by_metal: dict[str, Mix] = {}
        for one in balance.metal_origins:
            by_metal.setdefault(one.analyte, {})[one.level, one.id] = one.share
        for analyte in sorted(by_metal.keys() | carried.by_metal.keys()):
            found = by_metal.get(analyte, origins)
            mixes.append((f"origins of {analyte}", found, carried.of_metal(analyte)))
    if rules["shares"]:
        shares = {(s.dimension, s.label): s.share for s in balance.shares}
        mixes.append(("shares", shares, carried.shares))
    return mixes

"""A second, simple, slow model of one lot: lists and loops over the facts, nothing shared.

It knows trips by movement_id, declarations, shots and certificates; no processes, no stock
weighings, no trips without movement_id. It keeps no state: every call starts from all facts.
Instruments are the default ones: class III, e = 20 kg, repeatability 5 kg.
"""

import math
from collections.abc import Sequence

from custody.events import LotAssayed, LotDeclared, LotFact, LotMoved, LotScanned, LotWeighed

Amounts = dict[str, int]
STAGE = ["other", "provisional", "exchanged", "umpire", "final"]
CHI2_999 = {1: 0.0, 2: 10.8276, 3: 13.8155, 4: 16.2662}
"""By number of laboratories that agree but once in a thousand do not seem to."""
DEFAULT_MOISTURE = {"ore": 0.05}


def speaking(facts: Sequence[LotFact]) -> list[LotFact]:
    """Facts that stand, in canonical order: each id once, corrections in the place of targets."""
    once: dict[str, LotFact] = {}
    for fact in sorted(facts, key=when):
        once.setdefault(fact.event_id, fact)
    stand = []
    for fact in once.values():
        if fact.corrects not in once:
            last = last_word(fact, list(once.values()))
            if not last.void:
                stand.append(last)
    return sorted(stand, key=when)


def last_word(fact: LotFact, facts: Sequence[LotFact]) -> LotFact:
    made = [f for f in facts if f.corrects == fact.event_id and not (f.void and fact.void)]
    if not made:
        return fact
    return last_word(max(made, key=lambda f: (f.recorded_at, f.event_id)), facts)


def when(fact: LotFact) -> tuple[int, int, str]:
    return fact.occurred_at, fact.recorded_at, fact.event_id


def moisture(facts: Sequence[LotFact]) -> float | None:
    best = None
    for fact in facts:
        if (
            isinstance(fact, LotAssayed)
            and fact.moisture_fraction is not None
            and (best is None or STAGE.index(fact.stage) >= STAGE.index(best.stage))
        ):
            best = fact
    return None if best is None else best.moisture_fraction


def declared(facts: Sequence[LotFact]) -> dict[str, tuple[float, str]]:
    found = {}
    for fact in facts:
        if isinstance(fact, LotDeclared):
            found = {d.analyte: (d.fraction, d.basis) for d in fact.declared_composition}
    return found


def assayed(facts: Sequence[LotFact]) -> dict[str, tuple[float, str]]:
    """Of the highest stage the newest of each laboratory: their mean where they agree."""
    found: dict[str, tuple[float, str]] = {}
    papers = [fact for fact in facts if isinstance(fact, LotAssayed)]
    for analyte in {r.analyte for paper in papers for r in paper.results}:
        said = [
            (STAGE.index(paper.stage), paper.lab_id, r.fraction, r.basis)
            for paper in papers
            for r in paper.results
            if r.analyte == analyte and r.fraction is not None
        ]
        highest = [one for one in said if one[0] == max(stage for stage, *_ in said)]
        newest = {lab: x for _, lab, x, _ in highest}
        weight = {lab: 1 / (0.02 * x) ** 2 for lab, x in newest.items()}
        mean = sum(weight[lab] * x for lab, x in newest.items()) / sum(weight.values())
        apart = sum(weight[lab] * (x - mean) ** 2 for lab, x in newest.items())
        agree = apart <= CHI2_999[len(newest)]
        found[analyte] = (mean if agree else highest[-1][2], highest[-1][3])
    return found


def shot(facts: Sequence[LotFact]) -> dict[str, tuple[float, str]]:
    """Mean of the series that began first, of those (site, device, basis) that saw the analyte."""
    found: dict[str, tuple[float, str]] = {}
    shots = [fact for fact in facts if isinstance(fact, LotScanned)]
    for first in shots:
        basis = "dry" if first.basis == "dried" else "as_is"
        series = [other for other in shots if where(other) == where(first)]
        scans = [scan for other in series for scan in other.results]
        for analyte in {scan.analyte for scan in scans}:
            # An instrument resolves a part per million; a part per billion is kept.
            seen = [
                round(s.fraction * 1e9) / 1e9
                for s in scans
                if s.analyte == analyte and s.fraction is not None
            ]
            found.setdefault(analyte, (sum(seen) / len(seen), basis))
    return found


def where(fact: LotScanned) -> tuple[str, str, str]:
    return fact.site_id, fact.device_id, fact.basis


def grades(facts: Sequence[LotFact]) -> dict[str, tuple[float, str]]:
    """Fraction and basis by analyte: certificate, else shots, else declared."""
    said, lab, gun = declared(facts), assayed(facts), shot(facts)
    kept = set(said) | set(lab) or set(gun)
    best = said | gun | lab
    return {analyte: best[analyte] for analyte in kept}


def amounts(wet: int, facts: Sequence[LotFact], default: float) -> Amounts:
    """What a wet mass holds by what the facts say."""
    known = moisture(facts)
    dry = wet * (1 - (default if known is None else known))
    found = {"wet": wet, "dry": round(dry)}
    for analyte, (fraction, basis) in grades(facts).items():
        found[analyte] = round((wet if basis == "as_is" else dry) * fraction * 1000)
    return found


def net_variance(fact: LotWeighed) -> tuple[float, float]:
    """Random variance and systematic standard uncertainty of net, grams."""
    assert fact.gross_g is not None
    assert fact.tare_g is not None
    e = 20_000
    limits = 0.0
    for load in (fact.gross_g, fact.tare_g):
        steps = 1 if load <= 500 * e else 2 if load <= 2000 * e else 3
        limits += (steps * e) ** 2 / 3
    return limits / 2 + 2 * (e**2 / 12 + 5_000**2), math.sqrt(limits / 2)


class Model:
    """All accounts of one lot, from nothing.

    Args:
        facts: Facts as they came, repetitions and corrections included.
        lot_id: The lot.
    """

    def __init__(self, facts: Sequence[LotFact], lot_id: str) -> None:
        self.stand = speaking(facts)
        self.lot_id = lot_id
        lots = [fact for fact in self.stand if isinstance(fact, LotDeclared)]
        self.default = DEFAULT_MOISTURE.get(lots[-1].form, 0.05) if lots else 0.05
        self.route = lots[-1].route_id if lots else None
        self.sums: dict[str, Amounts] = {}
        self.postings: dict[str, int] = {}
        self.flows: dict[str, list[tuple[int, LotWeighed]]] = {}
        self.trips: dict[str, dict[str, LotFact]] = {}
        for fact in self.stand:
            movement = str(getattr(fact, "movement_id", None))
            if isinstance(fact, LotWeighed) and fact.purpose in ("dispatch", "receipt"):
                self.trips.setdefault(movement, {})["weighed " + fact.purpose] = fact
            elif isinstance(fact, LotMoved) and fact.kind in ("dispatch", "receipt"):
                self.trips.setdefault(movement, {})[fact.kind] = fact
        arrived = [t for t in self.trips.values() if "receipt" in t or "weighed receipt" in t]
        self.arrivals = {ends(trip)[1] for trip in arrived}

    def accounts(self) -> dict[str, Amounts]:
        """What all transfers must add up to, by account; zeros left out."""
        for trip in self.trips.values():
            out, back = trip.get("weighed dispatch"), trip.get("weighed receipt")
            if isinstance(out, LotWeighed):
                self.weighed_out(trip, out)
            elif isinstance(back, LotWeighed):
                self.only_weighed_in(trip, back)
        for account in [a for a in self.sums if a.startswith("lot/")]:
            self.true_up(account)
        return {
            account: {name: value for name, value in held.items() if value}
            for account, held in self.sums.items()
            if any(held.values())
        }

    def move(self, source: str, target: str, moved: Amounts) -> None:
        for account, sign in ((source, -1), (target, 1)):
            held = self.sums.setdefault(account, {})
            self.postings[account] = self.postings.get(account, 0) + 1
            for name, value in moved.items():
                held[name] = held.get(name, 0) + sign * value

    def flow(self, place: str, sign: int, fact: LotWeighed) -> None:
        self.flows.setdefault(place, []).append((sign, fact))

    def here(self, place: str) -> str:
        return f"lot/{self.lot_id}/{place}"

    def then(self, fact: LotWeighed, wet: int) -> Amounts:
        """What a wet mass held by what was known when a fact was weighed."""
        return amounts(wet, [f for f in self.stand if when(f) < when(fact)], self.default)

    def weighed_out(self, trip: dict[str, LotFact], out: LotWeighed) -> None:
        source, target = ends(trip)
        came = trip.get("weighed receipt") or trip.get("receipt")
        gone = came or trip.get("dispatch")
        sent = self.then(out, out.net_g)
        if source not in self.arrivals:
            self.move(f"origin/{source}", self.here(source), sent)
            if not gone:
                self.flow(source, 1, out)
        elif gone:
            self.flow(source, -1, out)
        if not gone:
            return
        self.move(self.here(source), self.here("transit"), sent)
        if came is None:
            self.flow("transit", 1, out)
            return
        back = trip.get("weighed receipt")
        weighed = back if isinstance(back, LotWeighed) else out
        got = self.then(out, weighed.net_g)
        self.move(self.here("transit"), self.here(target), got)
        self.flow(target, 1, weighed)
        rest = {name: value - got[name] for name, value in sent.items()}
        self.move(self.here("transit"), f"unaccounted/{self.route or source + '-' + target}", rest)

    def only_weighed_in(self, trip: dict[str, LotFact], back: LotWeighed) -> None:
        source, target = ends(trip)
        got = self.then(back, back.net_g)
        if source in self.arrivals and source != target:
            self.move(self.here(source), self.here("transit"), got)
            self.flow(source, -1, back)
            self.move(self.here("transit"), self.here(target), got)
        else:
            self.move(f"origin/{source}", self.here(target), got)
        self.flow(target, 1, back)

    def true_up(self, account: str) -> None:
        """Bring a place to what is known now; what is only a difference of weighings is gone."""
        held = self.sums[account]
        flows = self.flows.get(account.split("/")[2], [])
        wet = held["wet"]
        left = any(sign < 0 for sign, _ in flows)
        if wet < 0 or (left and wet <= 4 * sigma_of(flows)):
            wet = 0
        target = amounts(wet, self.stand, self.default)
        rest = {n: target.get(n, 0) - held.get(n, 0) for n in target.keys() | held.keys()}
        most = self.postings[account] if wet else 0
        if rest["wet"] == 0 and all(abs(value) <= most for value in rest.values()):
            return
        where = self.sums.setdefault(f"unaccounted/{self.lot_id}", {})
        for name, value in rest.items():
            held[name] = held.get(name, 0) + value
            where[name] = where.get(name, 0) - value


def sigma_of(flows: Sequence[tuple[int, LotWeighed]]) -> float:
    variance = 0.0
    systematic: dict[str, float] = {}
    for sign, fact in flows:
        random, shared = net_variance(fact)
        variance += random
        systematic[fact.device_id] = systematic.get(fact.device_id, 0.0) + sign * shared
    return math.sqrt(variance + sum(u * u for u in systematic.values()))


def ends(trip: dict[str, LotFact]) -> tuple[str, str]:
    source = target = None
    if "weighed dispatch" in trip:
        source = trip["weighed dispatch"].site_id
    if "weighed receipt" in trip:
        target = trip["weighed receipt"].site_id
    for kind in ("dispatch", "receipt"):
        fact = trip.get(kind)
        if isinstance(fact, LotMoved):
            source = source or fact.from_site
            target = target or fact.to_site
    return source or "unknown", target or "unknown"

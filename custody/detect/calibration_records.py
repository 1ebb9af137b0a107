"""What a history tells as bodies of reference records, and a lot's thought by them.

A body that is there already is kept and what was estimated put into it; every figure says of how
many lots it is. Judging by bodies, not by the fit, makes what is written what is meant.

Source:
    docs/detection/calibrate.md
"""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from custody.detect.calibration_fit import Fit
from custody.detect.calibration_limit import LimitFound
from custody.detect.calibration_lots import Lot
from custody.detect.calibration_robust import Effect
from custody.detect.calibration_sites import SiteFound
from custody.detect.calibration_ways import Error, LegFound
from custody.detect.lot_facts import MASS, Leg, Xrf
from custody.detect.lot_model import Thought, analytes_of
from custody.events import Micros
from custody.geography import leg_of
from custody.reference import WAY

Bodies = Mapping[tuple[str, str], Mapping[str, object]]
"""Reference records by kind and id."""

ERRORS_MAX = 500
"""Mean errors of one record, those of most lots first: a record has at most 64 kB."""

DIGITS = 6


def bodies_of(fit: Fit, known: Bodies, date: str = "") -> dict[tuple[str, str], dict[str, object]]:
    """Return the bodies of the records that a fit writes, by kind and id.

    Args:
        fit: What lots tell.
        known: Records there are.
        date: Day of the newest fact.
    """
    made: dict[tuple[str, str], dict[str, object]] = {}
    for site, found in fit.sites.items():
        old = known.get(("fingerprint", site), {})
        made["fingerprint", site] = _fingerprint(site, found, old, date)
    for (route, *ends), leg in fit.legs.items():
        if leg.loss is not None or leg.drying is not None:
            body = made.get(("route", route)) or dict(known.get(("route", route), {}))
            made["route", route] = _with_leg(body, (ends[0], ends[1]), leg, date)
    _devices(fit, known, date, made)
    by_way: dict[str, list[Error]] = {}
    for one in fit.errors:
        by_way.setdefault(one.begins, []).append(one)
    for begins, errors in by_way.items():
        made["detection", WAY + begins] = {
            "errors": [_error(e.instrument, e.quantity, e.effect, e.site) for e in _most(errors)],
            "date": date,
        }
    made["detection", "lot"] = _of_checks(fit, known.get(("detection", "lot"), {}), date)
    return made


def with_limit(body: Mapping[str, object], limit: LimitFound) -> dict[str, object]:
    """Return the record about the test with the limit; without a threshold the proved one holds."""
    said = {
        name: value for name, value in body.items() if name not in ("threshold", "basis", "lots")
    }
    if limit.threshold is not None:
        said["threshold"] = rounded(limit.threshold)
    return {**said, "basis": limit.basis, "lots": limit.lots}


def requests(bodies: Bodies, valid_from: Micros) -> list[dict[str, object]]:
    """Return reference records as requests, in order of kind and id."""
    begin = text_of(valid_from)
    return [
        {
            "type": "reference",
            "kind": kind,
            "id": name,
            "valid_from": begin,
            "valid_to": None,
            "body": dict(body),
        }
        for (kind, name), body in sorted(bodies.items())
    ]


def text_of(at: Micros) -> str:
    """Return a time as RFC 3339 text, UTC."""
    moment = datetime.fromtimestamp(at // 1_000_000, UTC).replace(microsecond=at % 1_000_000)
    return moment.isoformat().replace("+00:00", "Z")


def rounded(value: float) -> float:
    """Return a figure to as many digits as anyone may believe."""
    return float(f"{value:.{DIGITS}g}")


def _fingerprint(
    site: str, found: SiteFound, old: Mapping[str, object], date: str
) -> dict[str, object]:
    body: dict[str, object] = {k: v for k, v in old.items() if k not in ("mean", "covariance")}
    body |= {
        "site": site,
        "analytes": list(found.analytes),
        "ln_mean": [rounded(x) for x in found.mean.tolist()],
        "ln_covariance": [[rounded(x) for x in row] for row in found.covariance.tolist()],
        "samples": max(found.n, 2),
        "date": date,
    }
    body["basis"] = "between sites" if found.between else "own lots"
    return body


def _with_leg(
    body: Mapping[str, object], ends: tuple[str, str], leg: LegFound, date: str
) -> dict[str, object]:
    """Return a route's body with what a leg does; a leg it does not have is put at its end."""
    said: dict[str, object] = {"from": ends[0], "to": ends[1], "date": date}
    if leg.loss is not None:
        said |= {
            "expected_loss": rounded(leg.loss.mean),
            "expected_loss_u": rounded(leg.loss.u),
            "loss_n": leg.loss_n,
        }
    if leg.drying is not None:
        said |= {
            "drying": rounded(leg.drying.mean),
            "drying_u": rounded(leg.drying.u),
            "drying_n": leg.drying_n,
        }
    listed = body.get("legs")
    legs: list[object] = list(listed) if isinstance(listed, list) else []
    for number, one in enumerate(legs):
        if isinstance(one, dict) and (one.get("from"), one.get("to")) == ends:
            legs[number] = {**one, **said}
            break
    else:
        legs.append(said)
    return {**body, "legs": legs}


def _devices(
    fit: Fit, known: Bodies, date: str, made: dict[tuple[str, str], dict[str, object]]
) -> None:
    for device in sorted({*fit.heterogeneity, *fit.matrix}):
        said: dict[str, object] = {}
        for name, found in (("heterogeneity", fit.heterogeneity), ("matrix", fit.matrix)):
            spread = found.get(device)
            if spread is not None and spread.value is not None:
                said |= {f"{name}_rel": rounded(spread.value), f"{name}_n": spread.n}
        if said:
            body = known.get(("device", device)) or {"class": "xrf"}
            made["device", device] = {**body, **said, "date": date}
    for (device, quantity), effect in fit.checks.items():
        if quantity == MASS:
            body = made.get(("device", device)) or dict(known[("device", device)])
            span = {"span_rel": rounded(effect.mean), "span_u_rel": rounded(effect.u)}
            made["device", device] = {**body, **span, "span_n": effect.n, "date": date}


def _of_checks(fit: Fit, old: Mapping[str, object], date: str) -> dict[str, object]:
    """Return the record about the test: what checks say of instruments holds anywhere."""
    body = {name: value for name, value in old.items() if name != "errors"}
    if fit.checks:
        body["errors"] = [_error(name, q, one, None) for (name, q), one in fit.checks.items()]
    return {**body, "date": date}


def _most(errors: Sequence[Error]) -> list[Error]:
    ranked = sorted(errors, key=lambda e: (-e.effect.n, e.instrument, e.quantity))[:ERRORS_MAX]
    return sorted(ranked, key=lambda e: (e.instrument, e.quantity))


def _error(instrument: str, quantity: str, effect: Effect, site: str | None) -> dict[str, object]:
    said: dict[str, object] = {
        "instrument": instrument,
        "quantity": quantity,
        "mean": rounded(effect.mean),
        "u": rounded(effect.u),
        "n": effect.n,
    }
    return said if site is None else {**said, "site": site}


class Thoughts:
    """What is thought of lots by records as they would stand.

    Args:
        known: Records there are.
        made: Records that replace them.
    """

    def __init__(self, known: Bodies, made: Bodies) -> None:
        self._bodies = {**known, **made}
        self._texts = {name: json.dumps(body) for name, body in self._bodies.items()}
        self._library = tuple(
            (name, text) for (kind, name), text in sorted(self._texts.items())
            if kind == "fingerprint"
        )  # fmt: skip

    def of(self, lot: Lot) -> Thought:
        """Return what is thought of a lot."""
        thought = lot.thought
        origin = lot.origin if any(name == lot.origin for name, _ in self._library) else None
        legs = []
        for number, ends in enumerate(pairwise(thought.stations)):
            body = self._bodies.get(("route", lot.route or "-".join(ends)))
            if body is None:
                legs.append(thought.legs[number])
                continue
            leg = leg_of(body, ends)
            kept = math.log1p(-min(leg.loss, 0.5))
            legs.append(Leg(kept, leg.loss_u, leg.drying, leg.drying_u, leg.described, leg.lots))
        return thought._replace(
            analytes=tuple(sorted({*thought.analytes, *analytes_of(self._library, origin)})),
            legs=tuple(legs),
            origin=origin,
            library=self._library,
            xrf=tuple((device, self._xrf(device, xrf)) for device, xrf in thought.xrf),
            settings=self._texts.get(("detection", "lot")),
            of_way=self._texts.get(("detection", WAY + lot.begins)),
        )

    def _xrf(self, device: str, xrf: Xrf) -> Xrf:
        body = self._bodies.get(("device", device), {})
        ore, matrix = body.get("heterogeneity_rel"), body.get("matrix_rel")
        return Xrf(
            bias_rel=xrf.bias_rel,
            matrix_rel=float(matrix) if isinstance(matrix, int | float) else xrf.matrix_rel,
            heterogeneity_rel=float(ore) if isinstance(ore, int | float) else xrf.heterogeneity_rel,
            counting_rel=xrf.counting_rel,
        )

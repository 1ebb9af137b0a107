"""What was estimated, from how many, and what was too thin, a line each.

Source:
    docs/detection/calibrate.md
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from custody.detect.calibration import Calibrated
from custody.detect.calibration_fit import Fit
from custody.detect.calibration_records import ERRORS_MAX, rounded
from custody.detect.calibration_robust import U_MIN, Effect
from custody.detect.calibration_ways import LEG_LOTS_MIN
from custody.detect.calibration_xrf import MATRIX_LOTS_MIN, PAIRS_MIN, Spread
from custody.detect.lot_facts import Known

ESTIMATED, THIN = "estimated", "too thin"

NOUGHT = 1e-9
"""Of its u: a mean below this is what sums of floats leave of zero."""


class Figure(NamedTuple):
    """One figure.

    Attributes:
        figure: What it is.
        about: Of which site, leg or instrument.
        status: Estimated, too thin, or how else it came about.
        n: Lots, trips or pairs of shots it rests on.
        value: The figure; None where it is a matrix or missing.
        u: Its spread over lots (legs) or standard uncertainty (errors).
        left_out: Lots that were too unlike the others, where that is known.
        note: What else there is to say.
    """

    figure: str
    about: str
    status: str
    n: int
    value: float | None = None
    u: float | None = None
    left_out: int | None = None
    note: str = ""


def figures(calibrated: Calibrated) -> list[Figure]:
    """Return everything that was estimated or could not be, in order."""
    fit, limit = calibrated
    found = [
        *_sites(fit),
        *_legs(fit),
        *_scatter(fit),
        *_instruments(fit),
        *_errors(fit),
        *_checks(fit.checks),
    ]
    status = "proved" if limit.threshold is None else ESTIMATED
    value = None if limit.threshold is None else rounded(limit.threshold)
    found.append(Figure("threshold", "lot", status, limit.lots, value, note=limit.basis))
    if limit.doubted:
        shown = ", ".join(limit.doubted[:20])
        more = f" and {len(limit.doubted) - 20} more" if len(limit.doubted) > 20 else ""
        note = f"beyond the proved limit: {shown}{more}"
        found.append(Figure("doubted lots", "history", "look", len(limit.doubted), note=note))
    return found


def _sites(fit: Fit) -> Iterator[Figure]:
    for site, one in fit.sites.items():
        status = "between sites" if one.between else ESTIMATED
        note = f"{len(one.analytes)} analytes"
        yield Figure("fingerprint", site, status, one.n, left_out=one.left_out, note=note)
    for site, n in fit.thin_sites.items():
        yield Figure("fingerprint", site, THIN, n, note="left out")


def _legs(fit: Fit) -> Iterator[Figure]:
    for (route, here, there), leg in fit.legs.items():
        about = f"{route}: {here} to {there}"
        yield _of_leg("expected loss", about, leg.loss, leg.loss_n)
        yield _of_leg("drying", about, leg.drying, leg.drying_n)


def _scatter(fit: Fit) -> Iterator[Figure]:
    """Yield which share of what laboratories call their own differs from lot to lot."""
    for begins, one in fit.scatter.items():
        about = f"moistures, from {begins}"
        yield Figure(
            "scatter of own", about, ESTIMATED, one.n, rounded(one.share), rounded(one.u),
        )  # fmt: skip


def _of_leg(name: str, about: str, known: Known | None, n: int) -> Figure:
    if known is None:
        return Figure(name, about, THIN, n, note=f"{LEG_LOTS_MIN} are needed")
    return Figure(name, about, ESTIMATED, n, _mean(known), rounded(known.u))


def _instruments(fit: Fit) -> Iterator[Figure]:
    of: tuple[tuple[str, Mapping[str, Spread], int], ...] = (
        ("heterogeneity", fit.heterogeneity, PAIRS_MIN),
        ("matrix factor", fit.matrix, MATRIX_LOTS_MIN),
    )
    for name, found, least in of:
        for device, spread in found.items():
            if spread.value is None:
                note = f"{least} are needed"
                yield Figure(name, device, THIN, spread.n, note=note)
            else:
                yield Figure(name, device, ESTIMATED, spread.n, rounded(spread.value))


def _errors(fit: Fit) -> Iterator[Figure]:
    """Yield one line per instrument, quantity and beginning of the way."""
    counts: dict[str, int] = {}
    for one in fit.errors:
        counts[one.begins] = counts.get(one.begins, 0) + 1
        about = f"{one.instrument} {one.quantity}, from {one.begins}"
        effect = one.effect
        # What others are measured by has no error of its own here.
        status = "standard" if effect.u <= U_MIN else ESTIMATED
        yield Figure("mean error", about, status, effect.n, _mean(effect), rounded(effect.u))
    for begins, count in counts.items():
        if count > ERRORS_MAX:
            note = f"{count - ERRORS_MAX} mean errors of fewest lots have no room"
            yield Figure("mean error", f"from {begins}", "left out", count - ERRORS_MAX, note=note)


def _checks(checks: Mapping[tuple[str, str], Effect]) -> Iterator[Figure]:
    for (instrument, quantity), effect in checks.items():
        yield Figure(
            "check", f"{instrument} {quantity}", ESTIMATED, effect.n,
            _mean(effect), rounded(effect.u),
        )  # fmt: skip


def _mean(found: Known | Effect) -> float:
    return rounded(found.mean) if abs(found.mean) > NOUGHT * found.u else 0.0

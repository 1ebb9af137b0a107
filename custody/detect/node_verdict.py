"""What the tests of a process node say, as an alert says it.

Source:
    docs/detection/process-nodes.md
"""

import math
from collections.abc import Callable, Iterator

import numpy as np

from custody import severity
from custody.alerts import NODE
from custody.detect import blend, gross_error, node_causes
from custody.detect.blend import Nearest
from custody.detect.node_causes import IMBALANCE, Cause, Explained
from custody.detect.node_facts import Node, joined, mean_grade, sources_of
from custody.detect.node_tests import Balance, Tested, examined
from custody.detect.reconciliation import Materials, Quantity
from custody.records import Detectable, Evidence
from custody.verdict import NO_DETAILS, Verdict

ALPHA = 1e-3
"""Chance of an alert about a closed process of which every figure is as good as its u says."""

LIMIT = 3.0
"""Minus the decimal logarithm of ``ALPHA``."""

BLEND = "blend_impossible"
"""No mixture of the inputs, and no single material put in, gives what came out."""

EVENTS_MAX = 16
INSTRUMENTS_MAX = 16
CAUSES_SAID = 3
ADJUSTMENTS_MAX = 12

ALIKE = 0.5
"""Causes within a factor of exp of this are said together: nothing measured prefers one."""


def judge(
    node: Node,
    materials: Callable[[], Materials],
    value: Callable[[], float | None] = lambda: None,
) -> Verdict | None:
    """Judge a closed process; None where its figures fit, or cannot be tested.

    Args:
        node: What went in and came out.
        materials: Grades of other sites' material; asked for only where something does not fit.
        value: What the metals that went in are worth, None where none has a price; likewise.
    """
    found = examined(node)
    if found is None or found.value < LIMIT:
        return None
    sought = {} if node.separating else materials()
    why = node_causes.explained(node, found, sought)
    mixture = None if node.separating else _nearest(node)
    family, size, u = _named(node, found, why, mixture)
    posterior: tuple[tuple[str, float], ...] = ((family, 1.0),)
    if why is not None and why.explains:
        posterior = why.families
    return Verdict(
        NODE,
        None,
        family,
        size,
        u,
        found.value,
        LIMIT,
        basis_of(found.tests),
        posterior,
        None,
        tuple(_evidence(node, found, why, mixture)),
        _sentence(found, why, mixture),
        severity.of_lot(size, posterior[0][1], value(), stoppable=False),
        details=NO_DETAILS._replace(detectable=tuple(_detectable(found))),
    )


def basis_of(tests: int) -> str:
    """Return what the limit rests on, of a node with so many tests."""
    return (
        f"{ALPHA:g} false alarms per closed process, over {tests} tests of it (Sidak); holds"
        " where errors are normal with the u that is stated"
    )


def _named(
    node: Node, found: Tested, why: Explained | None, mixture: Nearest | None
) -> tuple[str, float, float]:
    """Return family, size and its u; by the balance that is off most where no fault is named."""
    worst = max(found.balances, key=lambda one: (one.minus_log10_p, one.analyte or ""))
    if why is not None and why.explains:
        cause = why.causes[0]
        return cause.family, *node_causes.relative(cause, node, worst, why.reconciled)
    size, u = (worst.out_of - worst.into) / worst.into, worst.u / worst.into
    if mixture is not None and mixture.minus_log10_p >= LIMIT:
        return BLEND, *_apart(mixture)
    if why is not None:
        return IMBALANCE, size, u
    return node_causes.LOSS if size < 0.0 else node_causes.UNDECLARED, size, u


def _apart(mixture: Nearest) -> tuple[float, float]:
    """Return how far a composition is from any mixture: root mean square of relative changes."""
    expected = np.maximum(np.array(mixture.expected), 1e-12)
    away = (np.array(mixture.observed) - expected) / expected
    size = math.sqrt(float(np.mean(away**2)))
    u = np.array(mixture.u) / expected
    return size, math.sqrt(float(np.mean((away * u) ** 2)) / len(away)) / max(size, 1e-12)


def _nearest(node: Node) -> Nearest | None:
    """Return the nearest mixture of the inputs, laid out as the network is."""
    inputs = sorted(node.inputs, key=lambda one: (-one.dry.value, one.name, one.event_id))
    kept = inputs[: node_causes.STREAMS_MAX]
    if len(inputs) > len(kept):
        kept = [*kept[:-1], joined("", inputs[len(kept) - 1 :])]
    analytes = sorted({a for one in node.outputs for a in one.grades})
    measured = {
        a: mean_grade([(one, one.grades[a]) for one in node.outputs if a in one.grades])
        for a in analytes
    }
    try:
        with np.errstate(all="ignore"):
            return blend.nearest([one.grades for one in kept], measured)
    except (np.linalg.LinAlgError, RuntimeError, ValueError):
        # Figures apart by more powers of ten than a double has say nothing of shares.
        return None


def _evidence(
    node: Node, found: Tested, why: Explained | None, mixture: Nearest | None
) -> Iterator[Evidence]:
    """Yield the balances, what reconciliation moves most, and the nearest mixture."""
    for one in found.balances:
        yield _balance_row(node, one)
    if why is not None:
        moved = [q for q in why.reconciled.quantities if q.z is not None and q.z > 0.0]
        moved.sort(key=lambda q: (-round(q.z or 0.0, 6), q.flow, q.analyte or ""))
        for quantity in moved[:ADJUSTMENTS_MAX]:
            yield _adjusted_row(quantity)
    if mixture is not None and mixture.minus_log10_p >= LIMIT:
        for at, analyte in enumerate(mixture.analytes):
            expected, observed, u = (s[at] for s in (mixture.expected, mixture.observed, mixture.u))
            yield Evidence(
                quantity="grade_of_nearest_mixture", analyte=analyte, expected=expected,
                observed=observed, u=u, z=(observed - expected) / u, unit="kg/t", event_ids=(),
                instruments=(),
            )  # fmt: skip


def _balance_row(node: Node, one: Balance) -> Evidence:
    streams = [
        s for s in (*node.inputs, *node.leaving) if one.analyte is None or one.analyte in s.grades
    ]
    streams.sort(key=lambda s: (-s.dry.value, s.event_id))
    only = [s if one.analyte is None else s._replace(grades={one.analyte: s.grades[one.analyte]})
            for s in streams]  # fmt: skip
    factor = 1e-3 if one.analyte is None else 1e-6
    return Evidence(
        quantity="dry_mass" if one.analyte is None else "contained_metal",
        analyte=one.analyte,
        expected=one.into * factor,
        observed=one.out_of * factor,
        u=one.u * factor,
        z=one.z,
        unit="kg",
        event_ids=tuple(s.event_id for s in streams if s.event_id)[:EVENTS_MAX],
        instruments=tuple(sorted(sources_of(only))[:INSTRUMENTS_MAX]),
    )


def _adjusted_row(one: Quantity) -> Evidence:
    """Return a measured figure beside what the others make of it."""
    assert one.measured is not None, one
    assert one.reconciled is not None, one
    assert one.adjustment is not None, one
    assert one.z, one
    return Evidence(
        quantity=f"{'mass' if one.analyte is None else 'grade'} of {one.flow}",
        analyte=one.analyte,
        expected=one.reconciled[0],
        observed=one.measured[0],
        u=abs(one.adjustment) / one.z,
        z=-one.z if one.adjustment > 0.0 else one.z,
        unit="t" if one.analyte is None else "kg/t",
        event_ids=(),
        instruments=(),
    )


def _detectable(found: Tested) -> Iterator[Detectable]:
    """Yield the smallest loss and feed that the balance known best would show."""
    known = min(found.balances, key=lambda one: (one.u / one.into, one.analyte or ""))
    least = gross_error.smallest_detectable(known.u, ALPHA, found.tests) / known.into
    if known.whole:
        yield Detectable(family=node_causes.LOSS, size=least)
    yield Detectable(family=node_causes.UNDECLARED, size=least)


def _sentence(found: Tested, why: Explained | None, mixture: Nearest | None) -> str:
    """Return what a plant manager reads: what does not fit, what it may be, how sure."""
    off = [one for one in found.balances if one.minus_log10_p >= LIMIT] or list(found.balances)
    off.sort(key=lambda one: (-one.minus_log10_p, one.analyte or ""))
    said = "; ".join(_balance_said(one) for one in off[:CAUSES_SAID])
    more = f"; {len(off) - CAUSES_SAID} more" if len(off) > CAUSES_SAID else ""
    chance = f"chance where nothing is wrong 10^-{found.value:.1f} (limit 10^-{LIMIT:.0f})"
    text = f"{said}{more}. {_causes_said(why)}; {chance}"
    if mixture is not None and mixture.minus_log10_p >= LIMIT:
        text += (
            f"; what came out is no mixture of the inputs in any shares (chi-square"
            f" {mixture.statistic:.1f}, {len(mixture.analytes)} degrees of freedom)"
        )
    return text


def _balance_said(one: Balance) -> str:
    factor, unit = (1e-6, "t") if one.analyte is None else (1e-6, "kg")
    what = "dry mass" if one.analyte is None else one.analyte
    return (
        f"{what}: {one.into * factor:,.3f} {unit} went in, {one.out_of * factor:,.3f} {unit} came"
        f" out (u {one.u * factor:,.3f} {unit}, {one.z:+.1f} sigma)"
    )


def _causes_said(why: Explained | None) -> str:
    if why is None:
        return "No single cause could be fitted"
    best = why.causes[0]
    graded = any(one.analyte is not None for one in why.reconciled.quantities)
    barren = "barren material" if graded else "dry mass"
    if not why.explains:
        return f"No single cause explains it; nearest: {_cause_said(best, barren)}"
    text = f"Most likely {best.family}: {_cause_said(best, barren)}"
    near = [one for one in why.causes[1:] if best.ratio - one.ratio < ALIKE][:CAUSES_SAID]
    if near:
        text += "; the figures allow as well: "
        text += ", ".join(_cause_said(one, barren) for one in near)
    return f"{text}; probability {why.families[0][1]:.2f} among families"


def _cause_said(cause: Cause, barren: str) -> str:
    fault = cause.fault
    if fault.kind == "bias":
        what, unit = ("dry mass", "t") if fault.analyte is None else (fault.analyte, "kg/t")
        way = "high" if fault.size > 0.0 else "low"
        return (
            f"{what} of {fault.at} reads {abs(fault.size):,.3f} {unit} (u {fault.u:,.3f}) too {way}"
        )
    if fault.kind == "source":
        return f"all of {fault.at} is off by {fault.size:+.1f} of its u"
    like = barren if fault.like is None else f"material like {fault.like}"
    if fault.kind == "exchange":
        return f"{fault.size:.1%} (u {fault.u:.1%}) exchanged for {like}"
    way = "left without being declared" if fault.size > 0.0 else "was put in undeclared"
    return f"{abs(fault.size):,.3f} t (u {fault.u:,.3f} t) of {like} {way}"

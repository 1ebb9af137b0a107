"""What is thought of a lot, with what charts have found of the instruments that measured it.

Source:
    docs/detection/charts.md
"""

from collections.abc import Sequence
from typing import NamedTuple

from custody.alerts import INSTRUMENT_BIAS, alert_id
from custody.detect.lot_asked import Asked
from custody.detect.lot_layout import Layout
from custody.detect.lot_model import Drifted, detector
from custody.detect.residuals import INSTRUMENT, cleared


class Corrected(NamedTuple):
    """What is asked of the detector, the drifts of instruments known, and its readings laid out."""

    asked: Asked
    layout: Layout


def corrected(asked: Asked) -> Corrected:
    """Return what is asked of the detector, the drifts of instruments known.

    A loss on a way is not taken off: goods stolen from every lot are stolen nevertheless.
    """
    judge = detector(asked.thought)
    layout = judge.layout(asked.readings)
    if not any(subject.kind == INSTRUMENT for subject in asked.suspected):
        return Corrected(asked, layout)
    left = cleared(judge, layout, asked.suspected)
    drifts = [
        Drifted(subject.name, subject.quantity, shift.mean, shift.u, subject.visit)
        for subject, shift in sorted(left.items())
        if subject.kind == INSTRUMENT
    ]
    if not drifts:
        return Corrected(asked, layout)
    asked = asked._replace(thought=asked.thought._replace(drifts=tuple(drifts)))
    return Corrected(asked, detector(asked.thought).layout(asked.readings))


def sentence(drifts: Sequence[Drifted]) -> str | None:
    """Return what took the reason of an alert away, where instruments are known to have drifted."""
    # A scale that read a lot at several visits, off by the same, is named once.
    said = dict.fromkeys(
        f"{one.instrument} reads {one.quantity} {one.mean:+.2%} "
        f"(alert {alert_id(INSTRUMENT_BIAS, f'{INSTRUMENT}/{one.instrument}', None, one.quantity)})"
        for one in drifts
    )
    return "nothing is left of it without instruments' drifts: " + "; ".join(said) if said else None

"""What a test or a rule says of a subject, before it is an alert.

Source:
    docs/detection
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from custody.events import Micros
from custody.information import NO_INFORMATION, Information
from custody.records import CalibratedUntil, Detectable, Evidence, GatedShot
from custody.worth import NO_STAKE, Stake


class Verdict(NamedTuple):
    """What a test that passed its threshold says.

    Attributes:
        rule: Rule group.
        movement: Trip it is about, where it is about one.
        family: Leading family.
        size: Signed fraction; see docs/detection.
        size_u: Its standard uncertainty.
        value: Minus the decimal logarithm of p, adjusted for all tests of the lot.
        threshold: What ``value`` is compared with.
        basis: Where the threshold comes from.
        posterior: Probability of each competing family, largest first.
        onset: Last event before it can have happened, None where it is forgotten, its time and that
            of the first after it.
        evidence: What it rests on.
        reason: One sentence.
        severity: How bad it is, by the facts as they are.
        about: What an exact rule is about: a place, a device, an event; None for a test.
        details: What else a test of a lot says.
        lots: Lots a chart's shift is estimated from.
    """

    rule: str
    movement: str | None
    family: str
    size: float
    size_u: float
    value: float
    threshold: float
    basis: str
    posterior: Sequence[tuple[str, float]]
    onset: tuple[str | None, Micros, Micros] | None
    evidence: Sequence[Evidence]
    reason: str
    severity: str
    about: str | None = None
    details: "Details | None" = None
    lots: int = 0


class Details(NamedTuple):
    """What an e-value is made of, and what the lot's measurements could show.

    Attributes:
        ln_e: What each family adds to E, natural logarithm.
        gated: Shots that were not used.
        unobserved: Analytes that nothing measured of the lot can see.
        detectable: Smallest sizes that would be found.
        calibrations: Instruments and how long they are calibrated.
        movement: Trip that the most probable cause is confined to.
        information: What all of it follows from.
        stake: What is at stake.
        lacks: Measurement that would tell apart what nothing measured does, in words.
    """

    ln_e: Mapping[str, float]
    gated: tuple[GatedShot, ...]
    unobserved: tuple[str, ...]
    detectable: tuple[Detectable, ...]
    calibrations: tuple[CalibratedUntil, ...]
    movement: str | None = None
    information: Information = NO_INFORMATION
    stake: Stake = NO_STAKE
    lacks: str = ""


NO_DETAILS = Details({}, (), (), (), ())

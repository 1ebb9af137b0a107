"""What the mixture detector is told: a lot's readings, and what is known of sites and instruments.

Plain values, so that the stream, a backtest and a simulated world can all fill them in. A reading
that says nothing usable (no net mass, a moisture of one) is left out where it is laid out
(``lot_layout``): nothing here has to be checked by who fills it in.

Relative uncertainties are deviations in natural logarithms; all are standard uncertainties.

Source:
    docs/detection/mixture.md
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

MASS, MOISTURE = "mass", "moisture"
"""Quantities of an instrument beside its analytes."""


class Known(NamedTuple):
    """What is known of an instrument's error in one quantity: its mean, and what is left, u.

    For a moisture both are absolute fractions, else natural logarithms.
    """

    mean: float
    u: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """A net mass of a lot or of a part of it.

    Attributes:
        event_id: Fact it comes from.
        station: Where.
        part: What was weighed; weighings of one part are compared. Empty for all of the lot;
            a truck of several is a part of its own, with a name, between two stations.
        net: In any unit, the same for all weighings of the part.
        u_rel: Random, relative.
        scale: Device.
        scale_u_rel: Relative and shared by all weighings of the scale, unless ``Model.errors``
            knows better.
        visit: Of the lot to the scale, from 0: weighings of different visits are told apart.
    """

    event_id: str
    station: str
    part: str = ""
    net: float
    u_rel: float
    scale: str
    scale_u_rel: float = 0.0
    visit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Moisture:
    """A moisture, fraction of the wet mass; ``u`` and ``laboratory_u`` are absolute."""

    event_id: str
    station: str
    fraction: float
    u: float
    laboratory: str
    laboratory_u: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One XRF shot.

    Attributes:
        event_id: Fact it comes from.
        station: Where.
        device: Instrument.
        fractions: By analyte; what is below detection is left out or not above zero.
        counting_rel: Relative counting u by analyte; absent takes ``Xrf.counting_rel``.
        dry: On dry basis.
        below: Limit of detection, a fraction, of analytes below it.
    """

    event_id: str
    station: str
    device: str
    fractions: Mapping[str, float]
    counting_rel: Mapping[str, float] = field(default_factory=dict)
    dry: bool = False
    below: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assay:
    """Grades of a certificate.

    Attributes:
        event_id: Fact it comes from.
        station: Where the material was sampled.
        laboratory: Who measured.
        fractions: By analyte; what is below detection is left out or not above zero.
        u_rel: Random, relative, sampling included, by analyte; absent takes ``u_rel_default``.
        u_rel_default: For all others.
        laboratory_u_rel: Relative and shared by all certificates of the laboratory.
        dry: On dry basis.
        below: As in ``Shot``.
    """

    event_id: str
    station: str
    laboratory: str
    fractions: Mapping[str, float]
    u_rel: Mapping[str, float] = field(default_factory=dict)
    u_rel_default: float = 0.02
    laboratory_u_rel: float = 0.0
    dry: bool = True
    below: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """All that was measured of a lot; the order does not matter, the same event twice counts once.

    Attributes:
        weighings: Net masses.
        moistures: Moistures.
        shots: XRF shots, all of them: bad ones are found here.
        assays: Certificates.
    """

    weighings: tuple[Weighing, ...] = ()
    moistures: tuple[Moisture, ...] = ()
    shots: tuple[Shot, ...] = ()
    assays: tuple[Assay, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Xrf:
    """What is known of an XRF instrument; the defaults are those of an instrument nobody knows.

    Attributes:
        bias_rel: Calibration error per analyte, where ``Model.errors`` has none.
        matrix_rel: Error common to all analytes of a lot (its moisture, density, surface).
        heterogeneity_rel: One shot meets another piece of ore, per analyte.
        counting_rel: Where a shot states none.
    """

    bias_rel: float = 0.06
    matrix_rel: float = 0.08
    heterogeneity_rel: float = 0.08
    counting_rel: float = 0.03


UNKNOWN_XRF = Xrf()
"""An instrument of which nothing is known."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Site:
    """An origin's fingerprint, ln(fraction of dry mass) by analyte.

    Attributes:
        site_id: The site.
        analytes: Order of ``mean`` and ``covariance``.
        mean: Shape (analytes,).
        covariance: Of single lots, shape (analytes, analytes), positive definite.
        lots: How many lots both were estimated from.
    """

    site_id: str
    analytes: tuple[str, ...]
    mean: Floats
    covariance: Floats
    lots: int


class Leg(NamedTuple):
    """What a leg does without anyone's doing, as logarithms.

    ``loss`` is added to ln dry mass, ``drying`` to ln(1 - moisture). Where it is not ``described``
    both are a guess: how far it is from the road is the same in all lots. ``lots`` are those of the
    history both were estimated from.
    """

    loss: float = 0.0
    loss_u: float = 0.0005
    drying: float = 0.0
    drying_u: float = 0.005
    described: bool = True
    lots: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """All that is thought of a lot before it is measured.

    Attributes:
        analytes: What can be measured at all, in order.
        stations: Sites along the way, the origin first.
        legs: Ways between them, one less.
        origin: Where the lot is said to come from; None where nobody knows the site.
        library: All known sites; the origin's own entry is passed over.
        dry_share: Mean and deviation of ln(1 - moisture) at the first station.
        xrf: Instruments by device; others are ``UNKNOWN_XRF``.
        errors: What is known of instruments on this way, by (instrument, quantity).
        visits: What is known better of a scale at a visit of the lot, by (scale, visit).
    """

    analytes: tuple[str, ...]
    stations: tuple[str, ...]
    legs: tuple[Leg, ...]
    origin: Site | None = None
    library: tuple[Site, ...] = ()
    dry_share: tuple[float, float] = (-0.05, 0.05)
    xrf: Mapping[str, Xrf] = field(default_factory=dict)
    errors: Mapping[tuple[str, str], Known] = field(default_factory=dict)
    visits: Mapping[tuple[str, int], Known] = field(default_factory=dict)

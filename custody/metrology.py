"""How good a measurement is: weighbridges, laboratories, XRF, by norm or by named default.

Every uncertainty here is a standard uncertainty (one sigma). What reference data says of an
instrument wins over the defaults; a default widens and is marked (``Device.default``).

Source:
    OIML R 76-1:2006 table 6 (non-automatic), R 134-1:2006 (in motion), R 50-1:2014 (belt);
    JCGM 100 (GUM) 4.3.7 for the rectangular distribution.
"""

import math
from typing import NamedTuple

from custody.estimate import OWN, Estimate
from custody.lot_rows import Shots
from custody.rows import Value, Weighed

MPE_STEPS: dict[str, tuple[tuple[float, float], ...]] = {
    "II": ((5_000, 0.5), (20_000, 1.0), (100_000, 1.5)),
    "III": ((500, 0.5), (2_000, 1.0), (10_000, 1.5)),
    "IIII": ((50, 0.5), (200, 1.0), (1_000, 1.5)),
}
"""Maximum permissible error at verification in intervals e, up to a load in intervals."""

IN_SERVICE = 2.0
"""In service the permissible error is twice that of verification (R 76-1, 3.5.2)."""

CLASS_DEFAULT = "III"
INTERVAL_G_DEFAULT = 20_000
"""Verification interval of a 60 t weighbridge nobody described."""
REPEATABILITY_INTERVALS = 0.25
"""Standard deviation of one reading in intervals, where reference data has none."""
SYSTEMATIC_SHARE = 0.5
"""Share of the permissible-error variance that all weighings of a device have in common."""
STORED_TARE_U_G = 30_000.0
"""Spread of a truck's tare around its stored value: fuel, mud, spare wheel."""
TARE_G_DEFAULT = 15_000_000
"""Tare assumed for the uncertainty where only the net mass is known."""

ASSAY_U_REL = 0.02
"""Relative uncertainty of a grade without any statement, sampling included."""
MOISTURE_U = 0.005
"""Uncertainty of a moisture fraction without any statement."""
DECLARED_U_REL = 0.20
"""Relative uncertainty of a declared grade."""
LAB_SYSTEMATIC_SHARE = 0.5
"""Share of a certificate's variance that all certificates of a laboratory have in common."""

XRF_HETEROGENEITY_REL = 0.05
"""Relative deviation of one shot from the lot's mean, per analyte."""
XRF_BIAS_REL = 0.03
"""Relative calibration error per instrument and analyte."""
XRF_COUNTING_REL = 0.02
"""Relative counting error where the instrument states none."""

MOISTURE_MAX = 0.999
"""Beyond it there is no dry matter to speak of, and the figure is not taken."""

MOISTURE = OWN + "moisture"
"""Own source: the random error of the lot's moisture, which grades as is and dry mass share."""


class Device(NamedTuple):
    """What is known of a weighbridge or XRF instrument.

    Attributes:
        device_id: Its id; the source of its systematic part.
        principle: ``non_automatic``, ``in_motion`` or ``belt``.
        product_class: II, III, IIII; a percentage for the other principles.
        interval_g: Verification interval e.
        repeatability_g: Standard deviation of one reading.
        systematic_share: Share of variance common to all weighings.
        systematic_rel: Relative systematic uncertainty of net, where calibration knows it.
        heterogeneity_rel: Per XRF shot.
        bias_rel: Per analyte of an XRF instrument.
        default: Nothing is known of it.
        expired: It measured after its calibration had run out.
    """

    device_id: str
    principle: str
    product_class: str
    interval_g: float
    repeatability_g: float
    systematic_share: float
    systematic_rel: float | None
    heterogeneity_rel: float
    bias_rel: float
    default: bool
    expired: bool = False


class Laboratory(NamedTuple):
    """What is known of a laboratory: relative u of grades, u of moisture, systematic share."""

    lab_id: str
    u_rel: float
    moisture_u: float
    systematic_share: float


def mpe_in_service_g(load_g: float, device: Device) -> float:
    """Return the maximum permissible error of one reading in service.

    Args:
        load_g: What stands on the scale, grams; its sign is ignored.
        device: Non-automatic instrument.

    Returns:
        Grams. Beyond the class's last step its last value is used.
    """
    intervals = abs(load_g) / device.interval_g
    steps = MPE_STEPS.get(device.product_class, MPE_STEPS[CLASS_DEFAULT])
    for up_to, errors in steps:
        if intervals <= up_to:
            return errors * IN_SERVICE * device.interval_g
    return steps[-1][1] * IN_SERVICE * device.interval_g


def net_mass(weighed: Weighed, device: Device) -> Estimate:
    """Return a ticket's net mass with its uncertainty.

    Gross and tare of one bridge share its span error, so part of it cancels in net. We take no
    credit for that: the two permissible errors add in quadrature, as if independent, and
    ``systematic_share`` of the sum is the device's own. That overstates net by 1.2 to 1.7 on a
    perfect span error, and a device with a calibration (``systematic_rel``) does not need it.

    Args:
        weighed: The ticket.
        device: The bridge.

    Returns:
        Grams, systematic part under the device's id.

    Source:
        docs/detection/mass-in-transit.md has the worked example.
    """
    net = float(weighed.net)
    if weighed.u_random is not None or weighed.u_systematic is not None:
        u_random = float(weighed.u_random or 0)
        return Estimate(net, u_random**2, {device.device_id: float(weighed.u_systematic or 0)})
    if device.principle != "non_automatic":
        limit_var = (_percent_of_class(device) * net) ** 2 / 3.0
        reading_var = 0.0
    else:
        tare = weighed.tare if weighed.tare is not None else TARE_G_DEFAULT
        gross = weighed.gross if weighed.gross is not None else weighed.net + tare
        limits = (mpe_in_service_g(gross, device), mpe_in_service_g(tare, device))
        limit_var = (limits[0] ** 2 + limits[1] ** 2) / 3.0
        reading_var = 2.0 * (device.interval_g**2 / 12.0 + device.repeatability_g**2)
    if weighed.stored_tare:
        reading_var += STORED_TARE_U_G**2
    share = device.systematic_share
    if device.systematic_rel is not None:
        systematic = device.systematic_rel * net
    else:
        systematic = math.sqrt(share * limit_var)
    return Estimate(net, (1.0 - share) * limit_var + reading_var, {device.device_id: systematic})


def _percent_of_class(device: Device) -> float:
    """Return the relative permissible error in service, which names the class (R 134, R 50)."""
    try:
        return float(device.product_class) / 100.0
    except ValueError:
        # Class 1 of R 134 and R 50 is the commonest for ore.
        return 0.01


def dryness(moisture: float, u: float | None, laboratory: Laboratory) -> Estimate:
    """Return 1 - moisture in relative form.

    Args:
        moisture: Fraction of the wet mass.
        u: Stated standard uncertainty; None takes the laboratory's.
        laboratory: Who measured it.

    Returns:
        The dry share; its random part under the own source ``MOISTURE``, its systematic part
        under the laboratory's.
    """
    dry = 1.0 - moisture
    u_rel = (laboratory.moisture_u if u is None else u) / dry if dry > 0.0 else 0.0
    share = laboratory.systematic_share
    parts = {MOISTURE: u_rel * math.sqrt(1.0 - share)}
    if share:
        parts[laboratory.lab_id + "/moisture"] = u_rel * math.sqrt(share)
    return Estimate(dry, 0.0, parts)


def assay_grade(analyte: str, value: Value, laboratory: Laboratory) -> Estimate:
    """Return a certificate's grade in relative form, on the basis it was given."""
    fraction = value.fraction
    if fraction <= 0.0:
        return Estimate(0.0, 0.0, {})
    u_rel = laboratory.u_rel if value.u is None else value.u / fraction
    share = laboratory.systematic_share
    source = f"{laboratory.lab_id}/{analyte}"
    return Estimate(fraction, (1.0 - share) * u_rel**2, {source: u_rel * math.sqrt(share)})


def scan_grade(analyte: str, shots: Shots, device: Device) -> Estimate | None:
    """Return the mean of a device's shots in relative form, on the basis they were taken.

    Counting error and heterogeneity average out over shots, the instrument's bias does not.

    Returns:
        None where no shot saw the analyte above zero.
    """
    count, fractions, counting_var = shots.sums[analyte]
    if fractions <= 0.0:
        return None
    mean = fractions / count / 1e9
    var = counting_var / (fractions * fractions) + device.heterogeneity_rel**2 / count
    return Estimate(mean, var, {f"{device.device_id}/{analyte}": device.bias_rel})

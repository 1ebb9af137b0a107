"""How good a measurement is: scales, laboratories, XRF, by norm, by statement or by named default.

Every uncertainty here is a standard uncertainty (one sigma). What a sender states wins over what
reference data says of the instrument, and that over the defaults; a default widens and is marked
(``Device.default``, ``Device.class_unknown``). A stated u of zero is no statement, and none is
believed below what any instrument of its kind can do: see ``MASS_U_REL_MIN`` and the like.

Source:
    custody/oiml.py for limits of error; JCGM 100 (GUM) 4.3.7 for the rectangular distribution.
    docs/uncertainty.md has every input with its formula and a worked example.
"""

import math
from typing import NamedTuple

from custody import oiml
from custody.estimate import OWN, Estimate
from custody.lot_rows import Shots
from custody.rows import Value, Weighed

VOLUMETRIC = "volumetric"
"""Principle of a mass that is a volume times a density: a tank, a surveyed heap."""
XRF = "xrf"
"""Class and principle of an X-ray instrument, which weighs nothing."""

INTERVAL_G_DEFAULT = 20_000
"""Verification interval of a 60 t weighbridge nobody described."""
INTERVAL_G_DEFAULT_IIII = 100_000
"""The same in class IIII, which has at most 1,000 intervals."""
REPEATABILITY_INTERVALS = 0.25
"""Standard deviation of one reading in intervals, where reference data has none."""
SYSTEMATIC_SHARE = 0.5
"""Share of the permissible-error variance that all weighings of a device have in common.

Half covers a span error, of which more cancels between gross and tare than ``net_mass`` lets
cancel. A scale that errs differently at gross and at tare, and always the same, needs 1.
"""
STORED_TARE_U_G = 30_000.0
"""Spread of a truck's tare around its stored value: fuel, mud, spare wheel."""
STORED_TARE_SHARE = 0.5
"""Share of that variance which all trips of the truck have in common until it is tared again."""
TARE_G_DEFAULT = 15_000_000
"""Tare assumed for the uncertainty where only the net mass is known."""
VOLUME_U_REL = 0.03
"""Relative uncertainty of a volume (survey of a heap) without any statement."""
DENSITY_U_REL = 0.05
"""Relative uncertainty of a bulk density without any statement; common to all its users."""

EXPIRED_WIDENING = 2.0
"""Factor on what a calibration vouches for, once the calibration has expired.

OIML doubles the error permitted at verification for the period up to the next one, because
instruments drift. Beyond the period nobody has looked: the same allowance is made once more.
"""

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
XRF_MATRIX_REL = 0.03
"""Relative error that all analytes of a lot share at one instrument: surface, packing, moisture of
the skin. Assumed."""
XRF_MATRIX_REL_UNKNOWN = 0.08
"""The same of an instrument nobody knows. Assumed."""
XRF_COUNTING_REL = 0.02
"""Relative counting error where the instrument states none."""

MASS_U_REL_MIN = 1e-5
"""No mass is believed better, in either part: one of 100,000 intervals, the most of class II."""
ASSAY_U_REL_MIN = 1e-4
"""No grade is believed better, relative: below what umpire laboratories reach on refined metal."""
MOISTURE_U_MIN = 0.0003
"""No moisture is believed better: a figure printed to 0.1 % is rounded by 0.1 % / sqrt 12."""
XRF_BIAS_REL_MIN = 0.005
"""No handheld instrument is believed to be calibrated better, relative."""

MOISTURE_MAX = 0.999
"""Beyond it there is no dry matter to speak of, and the figure is not taken."""
DRY_SHARE_MIN = 1.0 - MOISTURE_MAX
"""Least dry share that a wet mass is computed with."""

MOISTURE = OWN + "moisture"
"""Own source: the random error of the lot's moisture, which grades as is and dry mass share."""


class Device(NamedTuple):
    """What is known of a scale or XRF instrument at the time of a measurement.

    Attributes:
        device_id: Its id; the source of its systematic part.
        principle: ``non_automatic``, ``in_motion``, ``belt``, ``volumetric`` or ``xrf``.
        product_class: I to IIII; a percentage for scales in motion and belts.
        interval_g: Verification interval e, scale interval d of an automatic scale.
        repeatability_g: Standard deviation of one reading.
        systematic_share: Share of variance common to all weighings.
        systematic_rel: Relative systematic uncertainty of net, where calibration knows it.
        heterogeneity_rel: Per XRF shot.
        bias_rel: Per analyte of an XRF instrument.
        matrix_rel: Common to all its analytes of a lot.
        default: Nothing is known of it.
        expired: It was out of calibration then; what depends on that is widened already.
        class_unknown: Its norm has no class of that name; the default of the principle stands in.
        interval_known: ``interval_g`` is its own and no default.
        volume_u_rel: Relative uncertainty of a volume.
        density_u_rel: Relative uncertainty of the density, common to all its measurements.
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
    class_unknown: bool = False
    interval_known: bool = False
    volume_u_rel: float = VOLUME_U_REL
    density_u_rel: float = DENSITY_U_REL
    matrix_rel: float = XRF_MATRIX_REL


class Laboratory(NamedTuple):
    """What is known of a laboratory: relative u of grades, u of moisture, systematic share."""

    lab_id: str
    u_rel: float
    moisture_u: float
    systematic_share: float


def out_of_calibration(device: Device) -> Device:
    """Return an instrument whose calibration has expired: marked, and believed less.

    Limits of error are widened where they are used, because they depend on the load.
    """
    known = device.systematic_rel
    return device._replace(
        expired=True,
        systematic_rel=None if known is None else known * EXPIRED_WIDENING,
        bias_rel=device.bias_rel * EXPIRED_WIDENING,
        volume_u_rel=device.volume_u_rel * EXPIRED_WIDENING,
        density_u_rel=device.density_u_rel * EXPIRED_WIDENING,
    )


def mpe_in_service_g(load_g: float, device: Device) -> float:
    """Return the maximum permissible error of one reading in service, by the scale's norm.

    Args:
        load_g: What stands on the scale or went over it, grams; its sign is ignored.
        device: Any scale; one whose principle has no norm counts as non-automatic.

    Returns:
        Grams. Calibrated or not: the norm knows no expiry.
    """
    interval = device.interval_g
    load = abs(load_g) / interval
    if device.principle in oiml.PERCENT:
        limit = oiml.percent_in_service(load, device.principle, device.product_class)
    else:
        limit = oiml.r76_in_service(load, device.product_class)
    return limit * interval


def net_mass(weighed: Weighed, device: Device) -> Estimate:
    """Return a ticket's net mass with its uncertainty.

    Gross and tare of one bridge share its span error, so part of it cancels in net. We take no
    credit for that: the two permissible errors add in quadrature, as if independent, and
    ``systematic_share`` of the sum is the device's own. That overstates net by 1.2 to 1.7 on a
    perfect span error, and a device with a calibration (``systematic_rel``) does not need it.

    A stored tare is off by what the truck carries beside its load. Half of that variance is the
    truck's own at this scale: its trips are all wrong in the same sense until it is tared again.

    Args:
        weighed: The ticket. What it states of its u, random or systematic, replaces that part.
        device: The scale.

    Returns:
        Grams, systematic part under the device's id; never better than ``MASS_U_REL_MIN``.
    """
    net = float(weighed.net)
    if device.principle == VOLUMETRIC:
        random_var, systematic = _by_volume(net, device)
    else:
        random_var, systematic = _by_norm(weighed, device)
    parts: dict[str, float] = {}
    if weighed.u_random:
        random_var = max(float(weighed.u_random) ** 2, _resolution_var(device))
    elif weighed.stored_tare:
        spread_var = STORED_TARE_U_G**2
        random_var += (1.0 - STORED_TARE_SHARE) * spread_var
        source = f"{device.device_id}/tare/{weighed.vehicle or ''}"
        parts[shared(source)] = math.sqrt(STORED_TARE_SHARE * spread_var)
    if weighed.u_systematic:
        systematic = weighed.u_systematic * (EXPIRED_WIDENING if device.expired else 1.0)
    least = MASS_U_REL_MIN * abs(net)
    parts[shared(device.device_id)] = max(systematic, least)
    return Estimate(net, max(random_var, least * least), parts)


def _by_norm(weighed: Weighed, device: Device) -> tuple[float, float]:
    """Return random variance and systematic part of a net mass by the scale's limits of error."""
    if device.principle == oiml.BELT:
        limit_var = mpe_in_service_g(weighed.net, device) ** 2 / 3.0
    else:
        tare = weighed.tare if weighed.tare is not None else TARE_G_DEFAULT
        gross = weighed.gross if weighed.gross is not None else weighed.net + tare
        limits = (mpe_in_service_g(gross, device), mpe_in_service_g(tare, device))
        limit_var = (limits[0] ** 2 + limits[1] ** 2) / 3.0
    if device.expired:
        limit_var *= EXPIRED_WIDENING**2
    share = device.systematic_share
    reading_var = 2.0 * (device.interval_g**2 / 12.0 + device.repeatability_g**2)
    systematic = _calibrated(math.sqrt(share * limit_var), float(weighed.net), device)
    return (1.0 - share) * limit_var + reading_var, systematic


def _by_volume(net: float, device: Device) -> tuple[float, float]:
    """Return the same of a volume times a density; whoever uses a density shares its error."""
    volume_var = (device.volume_u_rel * net) ** 2
    share = device.systematic_share
    systematic = math.sqrt(share * volume_var + (device.density_u_rel * net) ** 2)
    return (1.0 - share) * volume_var, _calibrated(systematic, net, device)


def _calibrated(systematic: float, net: float, device: Device) -> float:
    """Return the systematic part by calibration; an expired one may only make it worse."""
    if device.systematic_rel is None:
        return systematic
    calibrated = device.systematic_rel * abs(net)
    return max(systematic, calibrated) if device.expired else calibrated


def _resolution_var(device: Device) -> float:
    """Return the rounding of two readings, where the interval is known: no u is below it."""
    if not device.interval_known or device.principle == VOLUMETRIC:
        return 0.0
    return 2.0 * device.interval_g**2 / 12.0


def shared(source: str) -> str:
    """Return the name of a source that lots share; an id must not look like a lot's own."""
    return "id:" + source if source.startswith(OWN) else source


def wet_of(dry: int, dry_share: float) -> int:
    """Return the wet mass of a material that only its dry mass is stated of, grams.

    With hardly any dry matter the wet mass would be any number: it is taken as the dry one.
    """
    return round(dry / dry_share) if dry_share >= DRY_SHARE_MIN else dry


def dryness(moisture: float, u: float | None, laboratory: Laboratory) -> Estimate:
    """Return 1 - moisture in relative form.

    Args:
        moisture: Fraction of the wet mass.
        u: Stated standard uncertainty; None or zero takes the laboratory's.
        laboratory: Who measured it.

    Returns:
        The dry share; its random part under the own source ``MOISTURE``, its systematic part
        under the laboratory's.
    """
    dry = 1.0 - moisture
    u_rel = max(u or laboratory.moisture_u, MOISTURE_U_MIN) / dry if dry > 0.0 else 0.0
    share = laboratory.systematic_share
    parts = {MOISTURE: u_rel * math.sqrt(1.0 - share)}
    if share:
        parts[shared(laboratory.lab_id + "/moisture")] = u_rel * math.sqrt(share)
    return Estimate(dry, 0.0, parts)


def grade_u_rel(value: Value, laboratory: Laboratory) -> float:
    """Return the relative u of a certificate's grade above zero: as stated, else the laboratory's.

    A stated zero is no statement. Nothing is believed below ``ASSAY_U_REL_MIN``.
    """
    return max(value.u / value.fraction if value.u else laboratory.u_rel, ASSAY_U_REL_MIN)


def assay_grade(analyte: str, value: Value, laboratory: Laboratory) -> Estimate:
    """Return a certificate's grade in relative form, on the basis it was given."""
    fraction = value.fraction
    if fraction <= 0.0:
        return Estimate(0.0, 0.0, {})
    u_rel = grade_u_rel(value, laboratory)
    share = laboratory.systematic_share
    source = shared(f"{laboratory.lab_id}/{analyte}")
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
    return Estimate(mean, var, {shared(f"{device.device_id}/{analyte}"): device.bias_rel})

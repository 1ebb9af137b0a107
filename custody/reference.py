"""Reference data as the core reads it: versions by validity, and what they say of instruments.

A lot takes a reference as it stands when the lot is next derived; the version is picked by the
time of the measurement. What is missing, not of the expected kind or beyond its range takes the
default: reference data is typed by people, and one slip must not stop every lot that rests on it.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from custody import geography, metrology, oiml
from custody.bodies import object_of, within
from custody.drifts import Level, levels_at
from custody.events import Micros
from custody.exchange import Contract, UmpireRule
from custody.fold import Getter
from custody.geography import NO_LEG, Leg, Position
from custody.kinds import ALLOCATIONS, MIXINGS, Kind, kind_of
from custody.metrology import Device, Laboratory
from custody.prices import Quote, per_gram, quote_of
from custody.reference_versions import FINGERPRINT, LIBRARY, body_at, version_at
from custody.rows import LibraryRow, RefRow, RefVersion

MOISTURE_BY_FORM = {
    "ore": (0.05, 0.03),
    "concentrate": (0.09, 0.03),
    "hydroxide": (0.55, 0.10),
    "carbonate": (0.01, 0.01),
    "brine": (0.70, 0.10),
    "cathode": (0.0, 0.001),
    "metal": (0.0, 0.001),
    "matte": (0.005, 0.005),
    "powder": (0.005, 0.005),
    "precursor": (0.01, 0.01),
}
"""Moisture and its standard uncertainty where nothing says more."""
MOISTURE_DEFAULT = (0.05, 0.05)

INTERVAL_G_MIN = 0.001
"""Least interval of a scale that is believed, grams: the least of R 76-1."""

MASS_KG_MAX = 1e6
"""Greatest interval or repeatability of a scale that is believed, kilograms."""

U_REL_MAX = 10.0
"""Greatest relative uncertainty that is believed."""

DETECTION = "ref/detection/lot"
"""Record about the test of a lot."""
WAY = "way/"
"""Before a site's id that of a record about instruments on ways that begin there."""


class Material(NamedTuple):
    """Defaults of a commodity in a form."""

    moisture: float
    moisture_u: float
    grade_u_rel: float


def gateway_site(row: RefRow, at: Micros) -> str | None:
    """Return the site a gateway stands at, by the record of the gateway; None where unsaid."""
    return _text(object_of(body_at(row, at)), "site", "") or None


class References:
    """What one step asks of reference data, each row read once.

    Args:
        reader: Rows of the partition.
    """

    __slots__ = ("_reader", "_rows")

    def __init__(self, reader: Getter) -> None:
        self._reader = reader
        self._rows: dict[str, RefRow | None] = {}

    @property
    def used(self) -> list[str]:
        """Keys of the records asked for, whether they are there or not."""
        return list(self._rows)

    def _body(self, key: str, at: Micros) -> str | None:
        version = self._version(key, at)
        return None if version is None else version.body

    def _version(self, key: str, at: Micros) -> RefVersion | None:
        if key in self._rows:
            row = self._rows[key]
        else:
            found = self._reader.get(key)
            row = self._rows[key] = found if isinstance(found, RefRow) else None
        return None if row is None else version_at(row, at)

    def device(self, device_id: str, at: Micros) -> Device:
        """Return an instrument as it was at a time, or the default one under its id.

        One whose ``calibrated_until`` was over then is widened and says so (``Device.expired``).
        """
        known = _device(device_id, self._body("ref/device/" + device_id, at))
        expired = known.calibrated_until is not None and at >= known.calibrated_until
        return known.expired if expired else known.calibrated

    def calibrated_until(self, device_id: str, at: Micros) -> Micros | None:
        """Return the first moment an instrument is out of calibration, or None."""
        return _device(device_id, self._body("ref/device/" + device_id, at)).calibrated_until

    def laboratory(self, lab_id: str, at: Micros) -> Laboratory:
        """Return a laboratory as it was at a time, or the default one under its id."""
        return _laboratory(lab_id, self._body("ref/laboratory/" + lab_id, at))

    def material(self, commodity: str, form: str, at: Micros) -> Material:
        """Return the defaults of a commodity in a form."""
        return _material(form, self._body("ref/commodity/" + commodity, at))

    def contract(self, contract_id: str, at: Micros) -> Contract:
        """Return what a contract says of the exchange of assays."""
        return _contract(self._body("ref/contract/" + contract_id, at))

    def leg(self, route: str | None, ends: tuple[str, str], at: Micros) -> Leg:
        """Return what the way between two sites loses and how long it may take.

        Args:
            route: Declared route; None takes the one named ``<from>-<to>``.
            ends: From and to.
            at: When.
        """
        body = self._body("ref/route/" + (route or "-".join(ends)), at)
        return NO_LEG if body is None else _leg(body, ends)

    def fingerprint(self, site_id: str, at: Micros) -> str | None:
        """Return what the lots of an origin are like, as its record says it, or None."""
        return self._body(f"ref/{FINGERPRINT}/{site_id}", at)

    def library(self, at: Micros) -> tuple[tuple[str, str], ...]:
        """Return all known origins: site and record. Who asks is not told when one changes.

        A new mine would have every lot of all mines judged again, for a little more power.
        """
        row = self._reader.get(LIBRARY)
        found: list[tuple[str, str]] = []
        for site_id in row.ids if isinstance(row, LibraryRow) else ():
            one = self._reader.get(f"ref/{FINGERPRINT}/{site_id}")
            body = body_at(one, at) if isinstance(one, RefRow) else None
            if body is not None:
                found.append((site_id, body))
        return tuple(found)

    def detection(self, at: Micros) -> str | None:
        """Return what is said of the tests themselves: threshold and errors on the way."""
        return self._body(DETECTION, at)

    def errors_from(self, site_id: str, at: Micros) -> str | None:
        """Return what is known of instruments on ways that begin at a site, or None."""
        return self._body(f"ref/detection/{WAY}{site_id}", at)

    def drifts(self, thing: str, at: Micros) -> list[tuple[str, Level]]:
        """Return what charts say of an instrument or a way, by quantity; who asks is told news."""
        if thing.startswith("way/"):
            # An instrument has a record of its own that its lots ask for.
            self._rows["ref/" + thing] = None
        return levels_at(self._reader.get("drift/" + thing), at)

    def process_kind(self, process_id: str, name: str, at: Micros) -> Kind:
        """Return what a process does to material.

        A record under the process's own id is taken instead of one under its kind, not beside it.

        Args:
            process_id: The process.
            name: Kind that its sides name.
            at: When.
        """
        body = self._body("ref/process/" + process_id, at)
        if body is None:
            body = self._body("ref/process/" + name, at)
        return kind_of(name) if body is None else _kind(body, name)

    def country(self, site_id: str, at: Micros) -> str | None:
        """Return the country of a site, ISO 3166-1 alpha-2, or None."""
        body = self._body("ref/site/" + site_id, at)
        return _text(object_of(body), "country", "") or None

    def mined_in(self, site_id: str, at: Micros) -> str | None:
        """Return the country of a site that is a mine, or may be one; None where it is not said."""
        body = self._body("ref/site/" + site_id, at)
        if _text(object_of(body), "role", "mine") != "mine":
            return None
        return self.country(site_id, at)

    def position(self, site_id: str, at: Micros) -> Position | None:
        """Return where a site lies; None where it is not said."""
        body = self._body("ref/site/" + site_id, at)
        return None if body is None else _position(body)

    def price(self, analyte: str, at: Micros) -> float:
        """Return the price of a contained metal per gram, in whatever currency; zero if unknown.

        Prices are only compared with each other, so the currency of a ledger must be one.
        """
        return per_gram(self._body("ref/price/" + analyte, at))

    def quote(self, analyte: str, at: Micros) -> Quote | None:
        """Return the price of a contained metal with its day and source; None if unknown."""
        version = self._version("ref/price/" + analyte, at)
        return None if version is None else quote_of(version)


def _number(body: Mapping[str, object], name: str, default: float, most: float) -> float:
    """Return a number from 0 to ``most``."""
    return within(body.get(name), default, most)


def _text(body: Mapping[str, object], name: str, default: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else default


class _Instrument(NamedTuple):
    """An instrument within its calibration and beyond it, and when the one becomes the other."""

    calibrated: Device
    expired: Device
    calibrated_until: Micros | None


@lru_cache(maxsize=4096)
def _device(device_id: str, text: str | None) -> _Instrument:
    body = object_of(text)
    principle, product_class = _class(body)
    interval_g = _number(body, "interval_kg", 0.0, MASS_KG_MAX) * 1000
    interval_known = interval_g >= INTERVAL_G_MIN
    if not interval_known:
        coarse = product_class == "IIII"
        interval_g = float(
            metrology.INTERVAL_G_DEFAULT_IIII if coarse else metrology.INTERVAL_G_DEFAULT
        )
    spread_kg = metrology.REPEATABILITY_INTERVALS * interval_g / 1000
    systematic = _number(body, "u_systematic_rel", -1.0, 1.0)
    bias_rel = _number(body, "bias_rel", metrology.XRF_BIAS_REL, U_REL_MAX)
    matrix_rel = metrology.XRF_MATRIX_REL_UNKNOWN if text is None else metrology.XRF_MATRIX_REL
    device = Device(
        device_id,
        principle,
        product_class or oiml.CLASS_DEFAULT.get(principle, metrology.XRF),
        interval_g,
        _number(body, "repeatability_kg", spread_kg, MASS_KG_MAX) * 1000,
        _number(body, "systematic_share", metrology.SYSTEMATIC_SHARE, 1.0),
        systematic if systematic >= 0.0 else None,
        _number(body, "heterogeneity_rel", metrology.XRF_HETEROGENEITY_REL, U_REL_MAX),
        max(bias_rel, metrology.XRF_BIAS_REL_MIN),
        text is None,
        class_unknown=bool(body) and product_class is None and principle in oiml.CLASS_DEFAULT,
        interval_known=interval_known,
        volume_u_rel=_number(body, "volume_u_rel", metrology.VOLUME_U_REL, U_REL_MAX),
        density_u_rel=_number(body, "density_u_rel", metrology.DENSITY_U_REL, U_REL_MAX),
        matrix_rel=_number(body, "matrix_rel", matrix_rel, U_REL_MAX),
    )
    return _Instrument(device, metrology.out_of_calibration(device), _calibrated_until(body))


def _class(body: Mapping[str, object]) -> tuple[str, str | None]:
    """Return principle and class of a device; the class is None where its norm has no such one."""
    said = body.get("class")
    # Written by hand, class 1 is as often a number as a text; no other number needs many digits.
    name = said if isinstance(said, str) else str(said)[:8]
    fallback = metrology.XRF if name == metrology.XRF else oiml.NON_AUTOMATIC
    principle = _text(body, "principle", fallback)
    if principle not in {*oiml.CLASS_DEFAULT, metrology.VOLUMETRIC, metrology.XRF}:
        principle = fallback
    return principle, oiml.class_of(principle, name)


def _calibrated_until(body: Mapping[str, object]) -> Micros | None:
    """Return the first instant out of calibration: the end, in UTC, of the last day given.

    A date with a time counts as its day. None where nothing that is a date is said.
    """
    try:
        day = date.fromisoformat(_text(body, "calibrated_until", "")[:10])
        end = datetime.combine(day, time(), UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        return None
    return Micros((end - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1))


@lru_cache(maxsize=4096)
def _laboratory(lab_id: str, text: str | None) -> Laboratory:
    body = object_of(text)
    return Laboratory(
        lab_id,
        _number(body, "u_rel", metrology.ASSAY_U_REL, U_REL_MAX),
        _number(body, "moisture_u", metrology.MOISTURE_U, 1.0),
        _number(body, "systematic_share", metrology.LAB_SYSTEMATIC_SHARE, 1.0),
    )


@lru_cache(maxsize=1024)
def _material(form: str, text: str | None) -> Material:
    body = object_of(text)
    moisture, u = MOISTURE_BY_FORM.get(form, MOISTURE_DEFAULT)
    return Material(
        _number(body, "moisture_fraction", moisture, metrology.MOISTURE_MAX),
        _number(body, "moisture_u", u, 1.0),
        _number(body, "grade_u_rel", metrology.DECLARED_U_REL, U_REL_MAX),
    )


@lru_cache(maxsize=1024)
def _contract(text: str | None) -> Contract:
    body = object_of(text)
    stated = body.get("splitting_limit")
    limits: dict[str, float] = {}
    if isinstance(stated, dict):
        limits = {str(a): within(limit, -1.0, 1.0) for a, limit in stated.items()}
    rule = _text(body, "umpire_rule", UmpireRule.UMPIRE)
    known = rule in tuple(UmpireRule)
    return Contract(
        {a: limit for a, limit in limits.items() if limit >= 0.0},
        UmpireRule(rule) if known else UmpireRule.UMPIRE,
    )


@lru_cache(maxsize=1024)
def _leg(text: str, ends: tuple[str, str]) -> Leg:
    return geography.leg_of(object_of(text), ends)


@lru_cache(maxsize=4096)
def _position(text: str) -> Position | None:
    return geography.position_of(object_of(text))


@lru_cache(maxsize=1024)
def _kind(text: str, name: str) -> Kind:
    """Return a kind as reference data changes it."""
    body, kind = object_of(text), kind_of(name)
    table, key = body.get("recovery"), body.get("key_analyte")
    share = _number(body, "recovery", kind.recovery, 1.0)
    by_analyte: dict[str, float] = {}
    if isinstance(table, dict):
        by_analyte = {str(a): within(r, share, 1.0) for a, r in table.items()}
    physical = body.get("physical")
    continuous = body.get("continuous")
    return kind._replace(
        chemical=kind.chemical if not isinstance(physical, bool) else not physical,
        continuous=continuous if isinstance(continuous, bool) else kind.continuous,
        key_analyte=key if isinstance(key, str) and key else None,
        recovery=share,
        by_analyte=by_analyte,
        stage=_text(body, "stage", kind.stage or "") or None,
        allocation=_one_of(body, "allocation", ALLOCATIONS, kind.allocation),
        mixing=_one_of(body, "mixing", MIXINGS, kind.mixing),
    )


def _one_of(body: Mapping[str, object], name: str, allowed: Collection[str], default: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) and value in allowed else default

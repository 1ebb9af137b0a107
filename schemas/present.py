"""Alerts and balances as the JSON that outsiders read: one record, one line.

The names are frozen: ``schemas/json/alert.json`` and ``balance.json`` say them, and a test holds
these functions to it. Times are RFC 3339 in UTC.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from custody.events import Micros
from custody.records import Alert, Balance, Evidence, Metal, Part

JsonObject = dict[str, object]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def alert_line(alert: Alert) -> JsonObject:
    """Return one version of an alert under its published names."""
    return {
        "alert_id": alert.alert_id,
        "version": alert.version,
        "state": alert.state,
        "rule": alert.rule,
        "family": alert.family,
        "subject": alert.subject,
        "lot_id": alert.lot_id,
        "movement_id": alert.movement_id,
        "onset_event_id": alert.onset_event_id,
        "raised_by_event_id": alert.raised_by_event_id,
        "raised_at": rfc3339(alert.raised_at),
        "occurred_at": rfc3339(alert.occurred_at),
        "size": alert.size,
        "size_u": alert.size_u,
        "unit": alert.unit,
        "statistic": alert.statistic,
        "value": alert.value,
        "threshold": alert.threshold,
        "threshold_basis": alert.threshold_basis,
        "severity": alert.severity,
        "posterior": {part.family: part.probability for part in alert.posterior},
        "onset_at": None if alert.onset_at is None else rfc3339(alert.onset_at),
        "onset_u_s": alert.onset_u_s,
        "evidence": [_evidence(one) for one in alert.evidence],
        "reason": alert.reason,
        "cause": alert.cause,
        "actor": alert.actor,
        "action_id": alert.action_id,
        "ln_e": {part.family: part.ln_e for part in alert.posterior},
        "gated": [
            {
                "event_id": one.event_id,
                "device_id": one.device_id,
                "site_id": one.site_id,
                "why": one.why,
                "value": one.value,
                "threshold": one.threshold,
            }
            for one in alert.gated
        ],
        "unobserved": list(alert.unobserved),
        "detectable": {one.family: one.size for one in alert.detectable},
        "calibrated_until": {
            one.device_id: None if one.until is None else rfc3339(one.until)
            for one in alert.calibrations
        },
        "assignee": alert.assignee,
        "until": None if alert.until is None else rfc3339(alert.until),
        "resolution": alert.resolution,
        **_information(alert),
        **_stake(alert),
    }


def balance_line(balance: Balance, complete_to: Micros | None = None) -> JsonObject:
    """Return a balance under its published names.

    Args:
        balance: The record.
        complete_to: Time up to which all facts are applied, where the caller knows it.
    """
    return {
        "owner": balance.owner,
        "lot_id": balance.lot_id,
        "process_id": balance.process_id,
        "place": balance.place,
        "at": rfc3339(balance.at),
        "known_at": rfc3339(balance.known_at),
        "mass_wet_g": _quantity(
            balance.mass_wet_g, balance.mass_wet_u_random_g, balance.mass_wet_u_systematic_g
        ),
        "moisture": None
        if balance.moisture_fraction is None
        else {"value": balance.moisture_fraction, "u": balance.moisture_u_fraction},
        "mass_dry_g": _quantity(
            balance.mass_dry_g, balance.mass_dry_u_random_g, balance.mass_dry_u_systematic_g
        ),
        "metal_mg": {metal.analyte: _metal(metal) for metal in balance.metals},
        "origins": [
            {"level": origin.level, "id": origin.id, "share": origin.share}
            for origin in balance.origins
        ],
        "metal_origins": [
            {"analyte": one.analyte, "level": one.level, "id": one.id, "share": one.share}
            for one in balance.metal_origins
        ],
        "shares": [
            {"dimension": one.dimension, "label": one.label, "share": one.share}
            for one in balance.shares
        ],
        "attributes": [
            {
                "name": one.name,
                "unit": one.unit,
                "quality": one.quality,
                "amount": one.value_micro / 1e6,
            }
            for one in balance.attributes
        ],
        "complete_to": None if complete_to is None else rfc3339(complete_to),
    }


def rfc3339(at: Micros) -> str:
    """Return a time as RFC 3339 text in UTC, with a fraction only where there is one."""
    return (_EPOCH + timedelta(microseconds=at)).isoformat().removesuffix("+00:00") + "Z"


def _quantity(value: int, u_random: float, parts: Sequence[Part]) -> JsonObject:
    return {
        "value": value,
        "u_random": u_random,
        "u_systematic": {part.source: part.u for part in parts},
    }


def _metal(metal: Metal) -> JsonObject:
    known = _quantity(metal.value_mg, metal.u_random_mg, metal.u_systematic_mg)
    return {**known, "expected": metal.expected}


def _information(alert: Alert) -> JsonObject:
    """Return what an alert's e-value follows from."""
    return {
        "causes": [
            {
                "family": one.family,
                "stations": list(one.stations),
                "movement_id": one.movement_id,
                "site_id": one.site_id,
                "probability": one.probability,
            }
            for one in alert.causes
        ],
        "way": list(alert.way),
        "shifts": list(alert.shifts),
        "onsets": [
            {
                "stations": list(one.stations),
                "probability": one.probability,
                "score": list(one.score),
                "information": list(one.information),
            }
            for one in alert.onsets
        ],
        "trips": [
            {
                "movement_id": one.movement_id,
                "station": one.station,
                "number": one.number,
                "probability": one.probability,
                "score": one.score,
                "information": one.information,
            }
            for one in alert.trips
        ],
        "other_sites": [
            {
                "site_id": one.site_id,
                "probability": one.probability,
                "ln_ratios": list(one.ln_ratios),
                "spread": list(one.spread),
            }
            for one in alert.other_sites
        ],
        "own_spread": list(alert.own_spread),
    }


def _stake(alert: Alert) -> JsonObject:
    """Return what is at stake."""
    return {
        "stake_share": alert.stake_share,
        "stake_amount": alert.stake_amount,
        "stake_currency": alert.stake_currency,
        "stake_analytes": list(alert.stake_analytes),
        "stake_priced_on": alert.stake_priced_on,
        "stake_price_source": alert.stake_price_source,
        "stoppable": alert.stoppable,
    }


def _evidence(one: Evidence) -> JsonObject:
    return {
        "quantity": one.quantity,
        "analyte": one.analyte,
        "expected": one.expected,
        "observed": one.observed,
        "u": one.u,
        "z": one.z,
        "unit": one.unit,
        "event_ids": list(one.event_ids),
        "instruments": list(one.instruments),
        "shift": one.shift,
        "ln_ratio": one.ln_ratio,
        "u_shared": one.u_shared,
    }

"""Facts to reduced facts: what a re-fold needs of an event, and nothing else."""

from datetime import date, timedelta

from custody.carried import ATTRIBUTE_MAX, analyte_key, attribute_key
from custody.events import (
    AssayResult,
    ClaimMade,
    LotAssayed,
    LotDeclared,
    LotFact,
    LotMoved,
    LotScanned,
    LotWeighed,
    MaterialProcessed,
    ScanResult,
)
from custody.metrology import MOISTURE_MAX, XRF_COUNTING_REL
from custody.rows import (
    Assayed,
    Declared,
    FactHead,
    FactRow,
    Moved,
    Scanned,
    Side,
    Value,
    Weighed,
)

STAGES = {"provisional": 1, "exchanged": 2, "umpire": 3, "final": 4}
"""Rank of a certificate; an unknown stage is below all."""

PPB = 1e9
"""Parts per billion in one."""

AMOUNT_MAX = 1e9
"""Greatest amount of an attribute per tonne, or in all, that is believed."""

DAY_US = 86_400_000_000
DAY_ENDS_LAST_MIN = -720
"""Offset of the time zone in which a day ends last, minutes: UTC-12."""

FRACTION_MIN = 1e-12
"""A part per trillion; an instrument that says less has seen nothing."""


def reduced(fact: LotFact) -> FactRow:  # noqa: PLR0911  one return per kind of fact
    """Return what is kept of a fact."""
    head = FactHead(
        fact.event_id,
        fact.occurred_at,
        fact.recorded_at,
        fact.site_id,
        fact.corrects,
        fact.void,
        fact.gateway_id,
    )
    match fact:
        case LotScanned():
            return FactRow(head, scanned=_scanned(fact))
        case LotWeighed():
            return FactRow(head, weighed=_weighed(fact))
        case LotAssayed():
            return FactRow(head, assayed=_assayed(fact))
        case LotMoved():
            return FactRow(
                head,
                moved=_moved(fact),
            )
        case MaterialProcessed():
            return FactRow(head, side=_side(fact))
        case LotDeclared():
            return FactRow(head, declared=_declared(fact))
        case ClaimMade():
            return FactRow(head)


def _weighed(fact: LotWeighed) -> Weighed:
    return Weighed(
        fact.movement_id,
        fact.vehicle_id,
        fact.purpose,
        fact.device_id,
        fact.gross_g,
        fact.tare_g,
        fact.net_g,
        fact.tare_kind == "stored",
        fact.u_random_g,
        fact.u_systematic_g,
    )


def _moved(fact: LotMoved) -> Moved:
    lat, lon = fact.latitude_deg, fact.longitude_deg
    return Moved(
        fact.kind,
        fact.movement_id,
        fact.vehicle_id,
        fact.from_site,
        fact.to_site,
        fact.counterparty,
        tuple(sorted(set(fact.seals))),
        None if lat is None or lon is None else (lat, lon),
        _expired(fact),
    )


def _expired(fact: LotMoved) -> tuple[tuple[str, str], ...]:
    """Return the documents whose last day was over when the shipment moved.

    A day ends where the sender's clock says so; without a time zone where it ends last on Earth.
    """
    zone_min = DAY_ENDS_LAST_MIN if fact.time_zone_offset_min is None else fact.time_zone_offset_min
    today = (fact.occurred_at + zone_min * 60_000_000) // DAY_US
    return tuple(
        sorted(
            {
                (f"{one.type} {one.number}", day_of(one.expires_day))
                for one in fact.documents
                if one.expires_day is not None and one.expires_day < today
            }
        )
    )


def day_of(day: int) -> str:
    """Return days since 1970-01-01 as a date; one beyond the calendar as its number."""
    try:
        return (date(1970, 1, 1) + timedelta(days=day)).isoformat()
    except OverflowError:
        return f"day {day}"


def _assayed(fact: LotAssayed) -> Assayed:
    results = {
        analyte_key(result.analyte): Value(
            _seen(result.fraction), result.u_fraction, result.basis != "as_is"
        )
        for result in fact.results
        if result.fraction is not None and result.qualifier == "eq"
    }
    below = {
        analyte: (analyte, limit, result.basis != "as_is")
        for result in fact.results
        if (limit := _limit(result)) and (analyte := analyte_key(result.analyte)) not in results
    }
    moisture = fact.moisture_fraction
    return Assayed(
        fact.lab_id,
        STAGES.get(fact.stage, 0),
        fact.party,
        None if moisture is None or moisture > MOISTURE_MAX else moisture,
        fact.moisture_u_fraction,
        results,
        fact.certificate_no,
        fact.sample_id or "",
        tuple(below.values()),
    )


def _scanned(fact: LotScanned) -> Scanned:
    """Below detection is censored data: its limit is kept beside the results, it is never zero."""
    results: dict[str, tuple[int, int]] = {}
    for result in fact.results:
        fraction = result.fraction
        if fraction is None or result.qualifier != "eq":
            continue
        error = result.error_2sigma_fraction
        counting_u = XRF_COUNTING_REL * fraction if error is None else error / 2.0
        results[analyte_key(result.analyte)] = (round(fraction * PPB), round(counting_u * PPB))
    below = {
        analyte: round(limit * PPB)
        for result in fact.results
        if (limit := _limit(result)) and (analyte := analyte_key(result.analyte)) not in results
    }
    return Scanned(fact.device_id, fact.basis == "dried", results, tuple(below.items()))


def _limit(result: AssayResult | ScanResult) -> float | None:
    """Return the limit of detection of what was found below it; None where it states none."""
    return result.detection_limit_fraction if result.qualifier == "lt" else None


def _side(fact: MaterialProcessed) -> Side:
    return Side(
        fact.process_id,
        fact.kind,
        fact.part,
        fact.part_no,
        fact.output_lot_id,
        fact.loss_kind,
        fact.mass_wet_g,
        fact.mass_dry_g,
        fact.moisture_fraction,
        fact.u_mass_g,
        tuple(
            (attribute_key(a.name, a.unit, a.quality), a.amount, a.per)
            for a in fact.attributes
            if abs(a.amount) <= ATTRIBUTE_MAX
        ),
    )


def _declared(fact: LotDeclared) -> Declared:
    return Declared(
        fact.commodity,
        fact.form,
        fact.route_id,
        fact.contract_id,
        fact.declared_mass_dry_g,
        [(origin.level, origin.id, origin.share) for origin in fact.declared_origins],
        {
            analyte_key(declared.analyte): Value(
                _seen(declared.fraction), None, declared.basis != "as_is"
            )
            for declared in fact.declared_composition
        },
        [
            (one.name, one.amount, one.unit, one.per, one.quality)
            for one in fact.attributes
            if abs(one.amount) <= AMOUNT_MAX
        ],
        tuple(sorted(set(fact.tags))),
        (fact.owner, fact.custodian, fact.custody_model),
    )


def _seen(fraction: float) -> float:
    """Return a fraction, zero where it is no amount anybody could have seen.

    What follows divides by it and squares it, and the smallest floats would not bear that.
    """
    return fraction if fraction >= FRACTION_MIN else 0.0

"""Requests of instruments: weighbridge ticket, laboratory certificate, XRF shot."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from custody import units
from custody.metrology import MOISTURE_MAX
from producers.composition import check_censored, check_elements, check_once, check_range
from producers.fields import (
    ConcentrationUnit,
    Exact,
    MassG,
    Read,
    Text,
    Time,
    bounded,
    converted,
    count,
    fault,
    names,
)
from producers.outcome import Code
from producers.request_base import (
    ITEMS_MAX,
    Basis,
    FactRequest,
    Model,
    Qualifier,
)


class WeighingRequest(FactRequest):
    """A weighbridge ticket.

    ``lot_id`` is null for the quality control of a scale. ``net_kg`` may be left out where gross
    and tare, or volume and density, give it.
    """

    type: Literal["weighing"]
    lot_id: Text | None
    ticket_no: Text | None = None
    movement_id: Text | None = None
    device_id: Text
    purpose: Annotated[str, names("dispatch", "receipt", "stock", "check")]
    direction: Annotated[str, names("in", "out")] | None = None
    gross_g: Annotated[MassG | None, Field(alias="gross_kg")] = None
    tare_g: Annotated[MassG | None, Field(alias="tare_kg")] = None
    net_g: Annotated[MassG | None, Field(alias="net_kg")] = None
    tare_kind: Annotated[str, names("weighed", "stored")] | None = None
    gross_at: Time | None = None
    tare_at: Time | None = None
    vehicle_id: Text | None = None
    u_random_g: Annotated[MassG | None, Field(alias="u_random_kg")] = None
    u_systematic_g: Annotated[MassG | None, Field(alias="u_systematic_kg")] = None
    volume_m3: Annotated[float, bounded(0, 1e9)] | None = None
    density_kg_m3: Annotated[float, bounded(0, 1e5)] | None = None

    @model_validator(mode="after")
    def _net_is_known(self) -> Self:
        pairs = ((self.gross_g, self.tare_g), (self.volume_m3, self.density_kg_m3))
        if self.net_g is None and all(None in pair for pair in pairs):
            raise fault(Code.MISSING_FIELD, None, ["net_kg"], "net_kg")
        return self


class Moisture(Model):
    """Moisture of a certificate; ``u`` is a standard uncertainty in the same unit."""

    value: Exact
    unit: ConcentrationUnit
    u: Exact | None = None

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        check_range(self.unit, self.value, self.u)
        if converted(self.value, self.unit) > MOISTURE_MAX:
            allowed = f"at most {MOISTURE_MAX} once converted from {self.unit}"
            raise fault(Code.FRACTION_OUT_OF_RANGE, str(self.value), allowed)
        return self


class AssayItem(Model):
    """One analyte of a certificate; ``u`` and ``detection_limit`` are in the value's unit."""

    analyte: Text
    value: Exact | None
    unit: ConcentrationUnit
    basis: Basis
    qualifier: Qualifier = "="
    u: Exact | None = None
    detection_limit: Exact | None = None

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        check_range(self.unit, self.value, self.u, self.detection_limit)
        check_censored(self.value, self.detection_limit, self.qualifier)
        return self


class AssayRequest(FactRequest):
    """A laboratory certificate; ``lot_id`` is null for the quality control of a laboratory."""

    type: Literal["assay"]
    lot_id: Text | None
    certificate_no: Text | None = None
    lab_id: Text
    method: Text | None = None
    sample_id: Text | None = None
    stage: Annotated[str, names("provisional", "exchanged", "umpire", "final")]
    party: Annotated[str, names("seller", "buyer", "umpire", "plant")]
    sampled_at: Time | None = None
    moisture: Moisture | None = None
    results: Annotated[tuple[AssayItem, ...], Field(max_length=ITEMS_MAX)] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.moisture is None and not self.results:
            raise fault(Code.MISSING_FIELD, None, ["moisture", "results"], "results")
        check_once("results", ((item.analyte, item.basis) for item in self.results))
        elements = (
            (item.analyte, item.basis, units.fraction(item.value, item.unit))
            for item in self.results
            if item.value is not None and item.qualifier == "="
        )
        moisture = self.moisture
        wet = 0.0 if moisture is None else units.fraction(moisture.value, moisture.unit)
        check_elements("results", elements, wet)
        return self


class XrfItem(Model):
    """One element of a shot; errors and limits are in the value's unit."""

    analyte: Text
    value: Exact | None
    unit: ConcentrationUnit
    qualifier: Qualifier = "="
    error_2sigma: Exact | None = None
    detection_limit: Exact | None = None

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        check_range(self.unit, self.value, self.error_2sigma, self.detection_limit)
        check_censored(self.value, self.detection_limit, self.qualifier)
        return self


class XrfRequest(FactRequest):
    """One shot of a handheld XRF; ``lot_id`` is null for a shot on a check sample."""

    type: Literal["xrf"]
    lot_id: Text | None
    device_id: Text
    shot_no: Annotated[int, Read(count, {"type": "integer", "minimum": 0})] | None = None
    mode: Text | None = None
    live_time_s: Annotated[float, bounded(0, 1e6)] | None = None
    basis: Annotated[str, names("as_is", "dried")]
    results: Annotated[tuple[XrfItem, ...], Field(min_length=1, max_length=ITEMS_MAX)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        check_once("results", ((item.analyte, self.basis) for item in self.results))
        return self

"""Travelling attributes: amounts such as kg CO2e that a lot brings or a process adds."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from custody import units
from custody.shares import is_content, share_of
from producers.fields import Real, Text, fault, names
from producers.outcome import Code
from producers.request_base import ITEMS_MAX, Model

TOTAL = "total"
"""``per`` of an amount that is the whole and no intensity."""

TOTAL_MAX = 9e12
"""Greatest amount as a whole: the books hold millionths of its unit in 64 bits."""

PER_TONNE_MAX = 9e5
"""Greatest amount per tonne: of ten million tonnes, the greatest mass there is, it fits as well."""

PER = (
    "total: the amount itself. t_wet, t_dry, t_<analyte>: per tonne wet, dry or of a contained "
    "metal; of the lot that brings it, or of all that goes into the process that adds it."
)


class TravellingAttribute(Model):
    """An amount that travels with the mass."""

    name: Text
    amount: Real
    unit: Text
    per: Annotated[str, Field(pattern=r"^(total|t_.+)$", max_length=64, description=PER)]
    quality: Annotated[str, names("measured", "declared", "default")]
    source: Text | None = None

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if is_content(self.name, self.unit):
            self._check_share()
        else:
            self._check_books()
        return self

    def _check_books(self) -> None:
        """Refuse more of an amount than the books can hold."""
        most = TOTAL_MAX if self.per == TOTAL else PER_TONNE_MAX
        if abs(self.amount) > most:
            allowed = f"-{most:.0f} to {most:.0f} where per is {self.per}; or a larger unit"
            raise fault(Code.OUT_OF_RANGE, self.amount, allowed, "amount")

    def _check_share(self) -> None:
        """Refuse a content that is no share: its unit alone tells 40 % from 40 of one."""
        if self.unit not in units.PER_FRACTION:
            raise fault(Code.WRONG_UNIT, self.unit, list(units.PER_FRACTION), "unit")
        if share_of(self.amount, self.unit) is None:
            allowed = f"0 to 1 once converted from {self.unit}: {self.name} is a share"
            raise fault(Code.FRACTION_OUT_OF_RANGE, self.amount, allowed, "amount")


Attributes = Annotated[tuple[TravellingAttribute, ...], Field(max_length=ITEMS_MAX)]
"""The attributes of one record."""

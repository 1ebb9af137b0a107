"""What all requests share: strictness, envelope, lists used by several stems."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, StrictBool, model_validator

from producers.fields import EventId, Text, Time, Whole, fault, names
from producers.outcome import Code

ITEMS_MAX = 64
"""Items of a list, where nothing else is said."""

Basis = Annotated[str, names("dry", "as_is")]
CustodyModel = Annotated[
    str,
    names(
        "identity_preserved",
        "segregated",
        "controlled_blending",
        "mass_balance",
        "book_and_claim",
        "bulk_commodity",
    ),
]
Qualifier = Annotated[str, names("=", "<", ">")]


class Model(BaseModel):
    """A JSON object that takes no name it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Request(Model):
    """What every request may carry."""

    event_id: EventId | None = None
    corrects: EventId | None = None
    void: StrictBool = False
    source_ref: Text | None = None

    @model_validator(mode="after")
    def _names_its_target(self) -> Self:
        if self.void and self.corrects is None:
            raise fault(Code.MISSING_FIELD, "void without corrects", ["corrects"], "corrects")
        if self.corrects is not None and self.corrects == self.event_id:
            # It would take itself out of the books.
            allowed = "the event_id of another event"
            raise fault(Code.CORRECTION_MISMATCH, self.corrects, allowed, "corrects")
        return self


class FactRequest(Request):
    """What every request for a fact carries."""

    site_id: Text
    occurred_at: Time
    clock_skew_ms: Whole | None = None

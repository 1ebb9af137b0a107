"""The mapping file: what may stand in it. Its meaning is checked in ``load``.

Published as ``schemas/json/mapping.json`` and explained in docs/mapping.md. No key names a file.
"""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from producers import json_schemas
from producers.mapping.heading_words import LIMIT_WORDS
from producers.mapping.unit_words import ours

Scalar = str | int | Decimal | bool
Name = Annotated[str, Field(min_length=1, max_length=1_024)]
Unit = Annotated[str, AfterValidator(ours)]
"""A unit by our name, or as headings write it: wt%, mg/kg."""
RowNo = Annotated[int, Field(ge=1, le=1_048_576)]


PLAIN_PCT: bool = Field(
    False,  # noqa: FBT003  # pydantic's default of a field is positional
    description="0.25 is 0.25 %, also in XLS and XLSB, which do not say whether they show 25 %.",
)


class Form(BaseModel):
    """A TOML table that takes no key it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Where(Form):
    """A condition on a row: one of the patterns fits a cell, whatever the case."""

    column: Name = Field(description="Heading of the column.")
    matches: tuple[str, ...] = Field(
        min_length=1, description="Patterns: * is any text, ? any character; '' an empty cell."
    )


class FileRule(Form):
    """How to read the file."""

    encoding: str = Field("utf-8", description="Of text files; a byte order mark is understood.")
    delimiter: str = Field(",", min_length=1, max_length=3, description="Or the word tab.")
    quote: str = Field('"', max_length=1, description="Empty where quotes are part of the text.")
    sheet: Name | None = Field(None, description="Of a spreadsheet with more than one.")
    heading_rows: tuple[RowNo, ...] = Field(
        (1,), max_length=5, description="Joined by a blank; none: columns are [A], [B], ..."
    )
    limits_row: RowNo | None = Field(
        None, description="Row with the detection limit of each element's column."
    )
    skip_rows: tuple[RowNo, ...] = Field((), description="Rows that are no data.")
    skip_where: tuple[Where, ...] = Field((), description="Such as rows of totals.")
    decimal: Literal[".", ","] = Field(".", description="Decimal mark of text.")
    thousands: Literal["", " ", ".", ",", "'"] = Field(
        "", description="What stands between thousands; a blank also means one that does not break."
    )
    mass_unit: Literal["kg", "t", "g"] | None = Field(
        None, description="Unit of every mass that names none."
    )
    time_format: Name | None = Field(None, description="Such as dd/MM/yyyy HH:mm.")
    time_zone: Name | None = Field(None, description="IANA name, or an offset such as +02:00.")
    empty: tuple[str, ...] = Field((), description="Words that mean that nothing is said.")
    below_limit: tuple[str, ...] = Field(
        LIMIT_WORDS, description="Words for less than the detection limit."
    )
    negative_below_limit: bool = Field(
        False,  # noqa: FBT003  # pydantic's default of a field is positional
        description="An element of -0.01 means less than 0.01.",
    )


class FieldRule(Form):
    """Where a field of the request comes from: one of column, columns, cell, constant."""

    column: Name | None = Field(None, description="Heading; [C] names a column by its letter.")
    columns: tuple[Name, ...] = Field((), max_length=10, description="Joined, such as date, time.")
    join: str = Field(" ", max_length=8, description="Between the texts of columns.")
    cell: str | None = Field(
        None, pattern=r"^[A-Z]{1,3}[1-9][0-9]{0,2}$", description="One cell above the data: B2."
    )
    constant: Scalar | None = Field(None, description="The same for every row.")
    default: Scalar | None = Field(None, description="Where the cell is empty.")
    unit: Unit | None = Field(
        None, description="kg, t, g; pct, ppm, g_per_t, kg_per_t, fraction; or as headings say it."
    )
    values: dict[str, str | bool] = Field(
        default_factory=dict, description="What a cell says, and what the request says."
    )
    format: Name | None = Field(None, description="Of a time or date, such as dd/MM/yyyy.")
    zone: Name | None = Field(None, description="Of a time, where it is not that of the file.")
    time_of_day: str | None = Field(
        None, pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="For dates without a time: 12:00."
    )
    prefix: str = Field("", max_length=64, description="In front of a text, such as 2026-.")
    until: str = Field("", max_length=8, description="Only the text up to this, such as ' - '.")
    plain_pct: bool = PLAIN_PCT
    u: Decimal | None = Field(None, description="Standard uncertainty of moisture, in its unit.")
    null_when_empty: bool = Field(
        False,  # noqa: FBT003  # pydantic's default of a field is positional
        description="An empty lot is a check of the scale or laboratory, and no mistake.",
    )


class ElementRule(Form):
    """A column that holds one element or compound."""

    column: Name
    analyte: Name = Field(description="As certificates name it: Cu, Li2O.")
    unit: Unit = Field(
        description="pct, ppm, g_per_t, kg_per_t, fraction; or as headings say it: wt%, mg/kg."
    )
    plain_pct: bool = PLAIN_PCT
    basis: Literal["dry", "as_is"] | None = Field(None, description="Not of xrf.")
    limit: Decimal | None = Field(None, description="Detection limit, in the unit.")
    limit_column: Name | None = None
    u: Decimal | None = Field(None, description="Standard uncertainty, in the unit.")
    u_column: Name | None = None
    error_1sigma_column: Name | None = Field(None, description="Of xrf; counts twice.")
    error_2sigma_column: Name | None = Field(None, description="Of xrf.")


class RecordRule(Form):
    """One request per row."""

    type: Literal["lot", "weighing", "assay", "xrf", "shipment", "processing", "claim"]
    when: tuple[Where, ...] = Field((), description="Only of rows that fit all of these.")
    fields: dict[Name, FieldRule] = Field(
        default_factory=dict, description="By field of the request; inputs.0.lot_id is one."
    )
    elements: tuple[ElementRule, ...] = Field((), max_length=64)


class MappingFile(Form):
    """A mapping file."""

    version: Literal[1]
    file: FileRule = FileRule()
    constants: dict[Name, Scalar] = Field(
        default_factory=dict, description="Fields of every record that has them: site_id, lab_id."
    )
    record: tuple[RecordRule, ...] = Field(min_length=1, max_length=20)


def schema_text() -> str:
    """Return the JSON Schema of mapping files as it is published."""
    made = MappingFile.model_json_schema()
    return json_schemas.text(
        {"$schema": json_schemas.DIALECT, "$id": "/schemas/mapping.json", **made}
    )

"""``NETWORK.json``: the nodes and streams that ``custody reconcile`` reads, and their schema.

The model says what each field may be, the published schema (``schemas/json/network.json``) is made
from it, and ``custody.detect.flowsheet`` says whether nodes and streams fit together.
"""

import json
import math
from collections.abc import Mapping
from typing import Annotated, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError, model_validator

from custody.detect.flowsheet import Flow, Flowsheet
from custody.errors import Refused
from custody.estimate import Estimate
from custody.units import PER_FRACTION
from producers import json_schemas, strict_json

NAME_CHARS_MAX = 200
NUMBER_MAX = 1e15
"""Above it a figure is a mistake, and squares of its parts would leave the range of a double."""
FILE_BYTES_MAX = 10_000_000
MASS = "mass"
"""Name of a stream's mass where it stands beside analytes; no analyte may have it."""

Number = Annotated[float, Strict(), Field(ge=0.0, le=NUMBER_MAX, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]
Unit = Literal["fraction", "pct", "ppm", "g_per_t", "kg_per_t"]
"""The names of ``custody.units.PER_FRACTION``."""
Parts = Annotated[
    dict[Name, Number],
    Field(
        description="Systematic standard uncertainty by source, such as a scale or a laboratory,"
        " in the unit of the value. Figures with the same source are wrong together."
    ),
]


class _Object(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Mass(_Object):
    """A measured mass."""

    value: Annotated[Number, Field(description="Mass, dry, in the unit of all masses here.")]
    u_random: Annotated[
        Number, Field(description="Random standard uncertainty (one sigma); 0 means exact.")
    ]
    u_systematic: Parts = Field(default_factory=dict)

    def estimate(self) -> Estimate:
        """Return the figure as the core knows it."""
        return Estimate(self.value, self.u_random**2, self.u_systematic)


class Grade(_Object):
    """A measured grade."""

    value: Annotated[Number, Field(description="Grade, dry, in the unit of all of its analyte.")]
    u: Annotated[
        Number, Field(description="Random standard uncertainty (one sigma); 0 means exact.")
    ]
    u_systematic: Parts = Field(default_factory=dict)

    def estimate(self) -> Estimate:
        """Return the figure as the core knows it."""
        return Estimate(self.value, self.u**2, self.u_systematic)


class Stream(_Object):
    """Material that moves from one node to another."""

    id: Name
    start: Annotated[
        Name | None, Field(alias="from", description="Node it leaves; null is the outside.")
    ]
    end: Annotated[
        Name | None, Field(alias="to", description="Node it enters; null is the outside.")
    ]
    mass: Annotated[Mass | None, Field(description="Absent where it was not measured.")] = None
    grades: Annotated[
        dict[Name, Grade], Field(description="Grades by analyte; those not measured are absent.")
    ] = Field(default_factory=dict)


class Network(_Object):
    """Nodes, at which mass and every analyte are conserved, and the streams between them."""

    nodes: Annotated[tuple[Name, ...], Field(min_length=1)]
    streams: Annotated[tuple[Stream, ...], Field(min_length=1)]
    mass_unit: Annotated[Name, Field(description="Unit of all masses, for headings.")] = ""
    grade_units: Annotated[
        dict[Name, Unit],
        Field(description="Unit of an analyte's grades; its contained metal is then in mass_unit."),
    ] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_and_units_fit(self) -> Self:
        for number, stream in enumerate(self.streams):
            for analyte, grade in stream.grades.items():
                if analyte == MASS:
                    message = f"another name for the analyte in streams.{number}.grades.{MASS}"
                    raise ValueError(message)
                most = self.grade_max(analyte)
                if grade.value > most:
                    unit = self.grade_units[analyte]
                    message = f"at most {most:g} {unit} in streams.{number}.grades.{analyte}.value"
                    raise ValueError(message)
        unknown = self.grade_units.keys() - {a for s in self.streams for a in s.grades}
        if unknown:
            message = f"a grade of {min(unknown)} in some stream, or no unit for it in grade_units"
            raise ValueError(message)
        return self

    def grade_max(self, analyte: str) -> float:
        """Return the grade of what is nothing but the analyte; without a unit nobody knows it."""
        unit = self.grade_units.get(analyte)
        return math.inf if unit is None else float(PER_FRACTION[unit])

    def metal_per_product(self, analyte: str) -> float:
        """Return what makes contained metal of mass times grade: 0.01 for ``pct``.

        Without a unit it is 1: the metal is then in the product of both units.
        """
        unit = self.grade_units.get(analyte)
        return 1.0 if unit is None else 1.0 / float(PER_FRACTION[unit])

    def flowsheet(self) -> Flowsheet:
        """Return the network as the core knows it, unchecked."""
        flows = (
            Flow(
                stream.id,
                stream.start,
                stream.end,
                None if stream.mass is None else stream.mass.estimate(),
                {analyte: grade.estimate() for analyte, grade in stream.grades.items()},
            )
            for stream in self.streams
        )
        return Flowsheet(self.nodes, tuple(flows))


class BadNetwork(Refused):
    """A file that is no network: where, what stands there, what may."""

    def __init__(self, where: str, found: str, expected: str) -> None:
        super().__init__(
            f"{where}: {found}",
            expected=expected,
            next_step="custody schema network; docs/detection/network.md has an example",
        )


def read(text: str, name: str) -> Network:
    """Return the network that a file describes.

    Args:
        text: What is in it.
        name: The file's name, for errors.

    Raises:
        BadNetwork: It is not JSON, or not of the published form; the first fault.
    """
    try:
        return Network.model_validate(_parsed(text, name))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise _bad(cast("Mapping[str, object]", first), name, text) from None


def schema_text() -> str:
    """Return the JSON Schema as it is published."""
    made = Network.model_json_schema(by_alias=True)
    return json_schemas.text(
        {"$schema": json_schemas.DIALECT, "$id": "/schemas/network.json", **made}
    )


def _parsed(text: str, name: str) -> object:
    if len(text) > FILE_BYTES_MAX:
        raise BadNetwork(name, f"{len(text)} characters", f"at most {FILE_BYTES_MAX}")
    try:
        return strict_json.parsed(text, float)
    except strict_json.BadJson as error:
        raise BadNetwork(name, error.found, error.expected) from None


_EXPECTED = {
    "missing": "this field",
    "extra_forbidden": "no such field; custody schema network lists them",
    "too_short": "at least one",
    "model_type": "an object",
    "dict_type": "an object",
    "tuple_type": "a list",
    "float_type": "a number",
    "finite_number": f"a number from 0 to {NUMBER_MAX:g}",
    "greater_than_equal": f"a number from 0 to {NUMBER_MAX:g}",
    "less_than_equal": f"a number from 0 to {NUMBER_MAX:g}",
}
"""What may stand there, by pydantic's name of the fault; else its own words."""


def _bad(fault: Mapping[str, object], name: str, text: str) -> BadNetwork:
    kind, steps = str(fault["type"]), cast("tuple[object, ...]", fault["loc"])
    words = str(fault["msg"]).removeprefix("Value error, ")
    if kind == "value_error":
        return BadNetwork(name, "its fields do not fit together", words)
    path = ".".join(map(str, steps)) or "the whole"
    where = f"{name}: {path}{_stream_named(steps, text)}"
    found = "missing" if kind == "missing" else f"found {_shown(fault['input'])}"
    return BadNetwork(where, found, _EXPECTED.get(kind, words))


def _stream_named(steps: tuple[object, ...], text: str) -> str:
    """Return the id of the stream that a path leads into: ``streams.17`` alone is hard to find."""
    if len(steps) < 2 or steps[0] != "streams":
        return ""
    found = json.loads(text)["streams"][cast("int", steps[1])]
    stream_id = found.get("id") if isinstance(found, dict) else None
    return f" (stream {stream_id})" if isinstance(stream_id, str) else ""


def _shown(value: object) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "a number too large"
    return json.dumps(value, ensure_ascii=False, default=str)[:80]

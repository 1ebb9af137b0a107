"""A mapping that is proposed, line by line, each with its reason."""

from dataclasses import dataclass, field

Value = str | int | bool | tuple["Value", ...] | dict[str, "Value"]
"""What a TOML value may be here."""


@dataclass(frozen=True, slots=True)
class Line:
    """One key of the draft.

    Attributes:
        key: Its name.
        value: Its value; ``"?"`` in it has to be filled in.
        reason: Why.
    """

    key: str
    value: Value
    reason: str


@dataclass(slots=True)
class Draft:
    """A mapping that is proposed.

    Attributes:
        file: Lines of ``[file]``.
        constants: Lines of ``[constants]``.
        stem: Type of the record; ``"?"`` where headings do not tell.
        fields: Lines of the record's fields.
        elements: Its elements, each with its reason.
        doubts: What a person should look at.
        unused: Headings nothing is known about.
    """

    stem: str
    file: list[Line] = field(default_factory=list)
    constants: list[Line] = field(default_factory=list)
    fields: list[Line] = field(default_factory=list)
    elements: list[Line] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    empty: dict[str, str] = field(default_factory=dict)
    """Headings of columns without a word, by the field they would have been."""

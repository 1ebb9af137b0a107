"""From the text of a mapping file to a mapping that is known to make sense, before any data.

What ``suggest`` could not read off a file stands as ``"?"``, and so does not pass.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from pydantic import ValidationError

from custody import units
from producers import known_names
from producers.mapping import encodings
from producers.mapping.bounds import MAPPING_BYTES_MAX
from producers.mapping.cells import placed
from producers.mapping.clock import BadFormat, has_time, pattern, zone
from producers.mapping.faults import BadMapping
from producers.mapping.form import (
    ElementRule,
    FieldRule,
    FileRule,
    MappingFile,
    RecordRule,
)
from producers.mapping.targets import Kind, Target, names, required, target
from producers.mapping.unit_words import TO_CONVERT, is_foreign

UNKNOWN = "?"
"""What a person has to fill in."""

_OPEN = re.compile(r"[\"']\?[\"'](?!\s*=)")
_NAMED_MAX = 30
_SOURCES = ("column", "columns", "cell", "constant")
_MEASURED = (Kind.MASS, Kind.CONCENTRATION, Kind.FRACTION)
_ONLY_PCT = "plain_pct: only of a unit of pct"
_FILL_IN = "fill it in: what a file does not say, nothing here guesses"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record with its rule.

    Attributes:
        path: Where it goes in the request.
        target: What it is there.
        rule: Where it comes from.
        unit: Unit of its column; None where it has none.
    """

    path: str
    target: Target
    rule: FieldRule
    unit: str | None


@dataclass(frozen=True, slots=True)
class Record:
    """A record with its fields, constants of the file among them."""

    rule: RecordRule
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping that makes sense."""

    file: FileRule
    records: tuple[Record, ...]


def load(path: Path) -> Mapping:
    """Return the mapping of a file.

    Raises:
        BadMapping: It cannot be used; names every reason.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAPPING_BYTES_MAX + 1)
    except OSError as error:
        raise BadMapping([f"{path}: {error.strerror}"]) from None
    if len(raw) > MAPPING_BYTES_MAX:
        raise BadMapping([f"{path}: more than {MAPPING_BYTES_MAX} bytes"])
    try:
        return parse(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise BadMapping([f"{path}: a mapping is UTF-8: {error}"]) from None


def parse(text: str) -> Mapping:
    """Return the mapping of a text.

    Raises:
        BadMapping: As ``load``.
    """
    try:
        raw = tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, ArithmeticError, RecursionError, ValueError) as error:
        raise BadMapping([f"no TOML: {error}"]) from None
    unknown = list(_unknown(raw, ""))
    if unknown:
        raise BadMapping([_to_fill_in(unknown, text)], _FILL_IN)
    try:
        form = MappingFile.model_validate(raw)
    except ValidationError as error:
        raise BadMapping([_said(dict(line)) for line in error.errors(include_url=False)]) from None
    return checked(form)


def checked(form: MappingFile) -> Mapping:
    """Return a mapping whose parts fit each other and the requests they make.

    Raises:
        BadMapping: They do not; names every reason.
    """
    problems = list(_file_problems(form.file))
    records = []
    for no, rule in enumerate(form.record, start=1):
        record = Record(rule, tuple(_fields(rule, form)))
        problems += [f"record {no} ({rule.type}): {p}" for p in _record_problems(record, form)]
        records.append(record)
    problems += _useless_constants(form)
    if problems:
        raise BadMapping(problems)
    return Mapping(_read_file(form.file), tuple(records))


def _unknown(value: object, path: str) -> Iterator[str]:
    """Yield the paths of all that is still to be filled in."""
    if value == UNKNOWN:
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _unknown(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for no, item in enumerate(value, start=1):
            yield from _unknown(item, f"{path}[{no}]")


def _to_fill_in(unknown: list[str], text: str) -> str:
    """Return all keys that are to be filled in, with their lines."""
    code = [line.partition("#")[0] for line in text.splitlines()]
    lines = [no for no, line in enumerate(code, 1) for _ in _OPEN.findall(line)]
    # A "?" within a text of several lines is none of a key: no line is better than a wrong one.
    known = len(lines) == len(unknown)
    named = [f"{key} (line {lines[i]})" if known else key for i, key in enumerate(unknown)]
    return f'to be filled in, now "{UNKNOWN}": {", ".join(named[:_NAMED_MAX])}'


def _said(line: dict[str, object]) -> str:
    steps = line["loc"]
    assert isinstance(steps, tuple), "pydantic's way of naming a place"
    where = ".".join(str(step) for step in steps)
    if line["type"] == known_names.UNKNOWN:
        known = ", ".join(known_names.names_at(MappingFile, steps))
        return f"{where}: no such key; known there: {known}"
    found = f": {line['input']!r:.60}" if line["type"] != "missing" else ""
    return f"{where}: {line['msg']}{found}"


def _read_file(rule: FileRule) -> FileRule:
    delimiter = "\t" if rule.delimiter.casefold() == "tab" else rule.delimiter
    encoding = encodings.known(rule.encoding)
    return rule.model_copy(update={"delimiter": delimiter, "encoding": encoding})


def _file_problems(rule: FileRule) -> Iterator[str]:
    if encodings.known(rule.encoding) is None:
        yield f"file.encoding {rule.encoding!r}: one of {', '.join(encodings.ENCODINGS)}"
    delimiter = rule.delimiter if rule.delimiter.casefold() != "tab" else "\t"
    if len(delimiter) != 1 or delimiter in "\r\n\0" or delimiter == rule.quote:
        yield f"file.delimiter {rule.delimiter!r}: one character that is no quote, or tab"
    if rule.quote and rule.quote in "\r\n\0 ":
        yield f"file.quote {rule.quote!r}: a character such as a double quote, or nothing"
    if rule.decimal == rule.thousands:
        yield "file.thousands: another mark than decimal"
    yield from _time_problems("file", rule.time_format, rule.time_zone)


def _time_problems(where: str, form: str | None, zone_name: str | None) -> Iterator[str]:
    try:
        if form is not None:
            pattern(form)
        if zone_name is not None:
            zone(zone_name)
    except BadFormat as error:
        yield f"{where}: {error}"


def _fields(rule: RecordRule, form: MappingFile) -> Iterator[Field]:
    """Yield the fields of a record that exist; others are named by ``_record_problems``."""
    constants = {
        name: FieldRule(constant=value)
        for name, value in form.constants.items()
        if name not in rule.fields
    }
    for path, field in {**constants, **rule.fields}.items():
        found = target(rule.type, path)
        if found is not None:
            unit = field.unit
            if unit is None and found.kind is Kind.MASS:
                unit = form.file.mass_unit
            yield Field(path, found, field, unit)


def _useless_constants(form: MappingFile) -> Iterator[str]:
    for name in form.constants:
        if all(target(rule.type, name) is None for rule in form.record):
            yield f"constants.{name}: no record has such a field"


def _record_problems(record: Record, form: MappingFile) -> Iterator[str]:
    rule = record.rule
    for path in rule.fields:
        if target(rule.type, path) is None:
            yield f"no field {path} that a table can fill: {', '.join(names(rule.type))}"
    there = {field.path for field in record.fields} | ({"results"} if rule.elements else set())
    for name in required(rule.type):
        if name not in there and not any(path.startswith(f"{name}.") for path in there):
            yield f"{name} is missing: map it or name it in [constants]"
    for field in record.fields:
        yield from (f"{field.path}: {problem}" for problem in _field_problems(field, form.file))
    for element in rule.elements:
        yield from (f"{element.column}: {p}" for p in _element_problems(element, rule.type))
    yield from _repeats(rule.elements)


def _repeats(elements: Iterable[ElementRule]) -> Iterator[str]:
    """Yield analytes of two columns: a certificate or shot gives each once, and per basis."""
    first: dict[tuple[str, str | None], ElementRule] = {}
    for element in elements:
        other = first.setdefault((element.analyte, element.basis), element)
        if other is not element:
            yield f"{element.column}: {element.analyte} is in column {other.column} already"


def _field_problems(field: Field, file: FileRule) -> Iterator[str]:
    rule, kind = field.rule, field.target.kind
    yield from _source_problems(rule, kind, file)
    yield from _unit_problems(field)
    if kind is Kind.TIME and rule.constant is None:
        yield from _clock_problems(rule, file)
    elif kind is Kind.DAY and rule.format is not None:
        yield from _time_problems("format", rule.format, None)
    if kind is Kind.NAME:
        said = [rule.constant, rule.default, *rule.values.values()]
        wrong = [v for v in said if v is not None and v not in field.target.names]
        if wrong:
            yield f"{wrong[0]!r} is none of {', '.join(field.target.names)}"
    if rule.null_when_empty and not field.target.nullable:
        yield "null_when_empty: this field may not be null"


def _source_problems(rule: FieldRule, kind: Kind, file: FileRule) -> Iterator[str]:
    given = [name for name in _SOURCES if getattr(rule, name) not in (None, ())]
    if len(given) != 1:
        yield f"one of {', '.join(_SOURCES)}; given: {', '.join(given) or 'none'}"
    if rule.columns and kind not in (Kind.TIME, Kind.TEXT):
        yield "several columns can only be joined to a text or a time"
    if rule.cell is not None and not _is_above(rule.cell, file):
        yield f"cell {rule.cell} is not above the data: heading_rows and limits_row end before it"


def _is_above(cell: str, file: FileRule) -> bool:
    _, row = placed(cell)
    return row < max((*file.heading_rows, file.limits_row or 0), default=0)


def _unit_problems(field: Field) -> Iterator[str]:
    kind, unit = field.target.kind, field.unit
    known = units.GRAMS_PER if kind is Kind.MASS else units.PER_FRACTION
    if kind not in _MEASURED:
        if field.rule.unit is not None:
            yield "it has no unit"
    elif unit is None:
        also = ", or mass_unit in [file]" if kind is Kind.MASS else ""
        yield f"no unit: one of {', '.join(known)}{also}"
    elif unit not in known:
        yield _wrong_unit(unit, known)
    if field.rule.plain_pct and (kind not in _MEASURED or unit != "pct"):
        yield _ONLY_PCT
    if field.rule.u is not None and kind is not Kind.CONCENTRATION:
        yield "u: only of a value with its unit, such as moisture"


def _wrong_unit(unit: str, known: Iterable[str]) -> str:
    foreign = f"; {unit} {TO_CONVERT}" if is_foreign(unit) else ""
    return f"unit {unit!r}: one of {', '.join(known)}{foreign}"


def _clock_problems(rule: FieldRule, file: FileRule) -> Iterator[str]:
    form = rule.format or file.time_format
    found = list(_time_problems("time", form, rule.zone))
    yield from found
    if found or form is None:
        return
    try:
        timed = has_time(form)
    except BadFormat:
        # Said of the file already.
        return
    if not timed and rule.time_of_day is None:
        yield f"format {form!r} has no hour: time_of_day says which to take"


def _element_problems(element: ElementRule, stem: str) -> Iterator[str]:
    errors = (element.error_1sigma_column, element.error_2sigma_column)
    if stem not in ("assay", "xrf", "lot"):
        yield f"a {stem} has no elements"
    yield from _element_unit_problems(element)
    if stem == "xrf":
        if element.basis is not None or element.u is not None or element.u_column is not None:
            yield "of xrf, basis is a field of the record, and the error is error_2sigma_column"
        if None not in errors:
            yield "an error of one sigma or of two, and not both"
    elif element.basis is None:
        yield "no basis: dry or as_is"
    elif any(errors):
        yield "error_1sigma_column, error_2sigma_column: of xrf only"


def _element_unit_problems(element: ElementRule) -> Iterator[str]:
    if element.unit not in units.PER_FRACTION:
        yield _wrong_unit(element.unit, units.PER_FRACTION)
    if element.plain_pct and element.unit != "pct":
        yield _ONLY_PCT

"""Laws of reading: the way back is exact, any bytes get a verdict, rows and columns agree."""

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from io import BytesIO

import pytest
from fastavro import parse_schema, schemaless_writer
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import avro, codec
from schemas.column_reader import read_columns
from schemas.limits import violation
from schemas.plan import own_plan
from schemas.routes import ROUTES, Record
from schemas.rows import BadRecord, row_reader
from tests.support import strategies

STEMS = [route.stem for route in ROUTES]

Verdict = Record | str


def by_row(stem: str, bodies: Sequence[bytes]) -> list[Verdict]:
    read = row_reader(own_plan(stem))
    verdicts: list[Verdict] = []
    for body in bodies:
        try:
            verdicts.append(read(body, 0))
        except BadRecord as bad:
            verdicts.append(bad.reason)
    return verdicts


def by_column(stem: str, bodies: Sequence[bytes]) -> list[Verdict]:
    columns, bad = read_columns(own_plan(stem), bodies, 0)
    good = iter(columns.pylist())
    return [bad[i][0] if i in bad else next(good) for i in range(len(bodies))]


def mutated(body: bytes, chance: random.Random) -> bytes:
    """Damage a body in one of the ways that matter to a reader."""
    at = chance.randrange(len(body) + 1)
    some = chance.randbytes(chance.choice((1, 1, 1, 2, 9, 11)))
    ways = (
        body[:at],
        body[:at] + some + body[at + len(some) :],
        body[:at] + some + body[at:],
        body[:at] + b"\xff" * chance.randrange(1, 12) + body[at:],
        body + some,
        body + body,
        body,
    )
    return chance.choice(ways)


@pytest.mark.parametrize("stem", STEMS)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_decoding_an_encoded_record_gives_it_back(stem: str, data: st.DataObject) -> None:
    record = data.draw(strategies.records_of(stem))

    assert codec.decode(stem, codec.encode(record)) == record


@pytest.mark.parametrize("stem", STEMS)
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_fields_in_place_of_a_record_s_own_give_the_body_of_a_copy_with_them(
    stem: str, data: st.DataObject
) -> None:
    record, other = (data.draw(strategies.records_of(stem)) for _ in range(2))
    names = data.draw(st.sets(st.sampled_from([field.name for field in fields(record)])))
    instead = {name: getattr(other, name) for name in names}

    assert codec.encode_with(record, instead) == codec.encode(replace(record, **instead))


@pytest.mark.parametrize("stem", STEMS)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_encoding_gives_the_bytes_that_fastavro_gives(stem: str, data: st.DataObject) -> None:
    record = data.draw(strategies.records_of(stem) | strategies.unlimited_records_of(stem))
    out = BytesIO()
    schema = json.loads(avro.text(stem).replace('"logicalType"', '"was"'))

    schemaless_writer(out, parse_schema(schema), asdict(record))

    assert codec.encode(record) == out.getvalue()


@pytest.mark.parametrize("stem", STEMS)
@settings(max_examples=10, deadline=None)
@given(body=st.binary(max_size=200))
def test_any_bytes_decode_to_a_record_or_a_named_error(stem: str, body: bytes) -> None:
    [verdict] = by_row(stem, [body])

    if isinstance(verdict, str):
        assert verdict in {"undecodable", "too_many_items", "out_of_range"}
    else:
        assert codec.decode(stem, codec.encode(verdict)) == verdict


@pytest.mark.parametrize("stem", STEMS)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_what_keeps_its_limits_is_what_the_reader_takes(stem: str, data: st.DataObject) -> None:
    record = data.draw(strategies.records_of(stem) | strategies.unlimited_records_of(stem))

    [verdict] = by_row(stem, [codec.encode(record)])

    broken = violation(record)
    assert verdict == ("out_of_range" if broken else record)


@pytest.mark.parametrize("stem", STEMS)
@settings(max_examples=8, deadline=None)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_rows_and_columns_agree_on_valid_mutated_and_random_bytes(
    stem: str, data: st.DataObject, seed: int
) -> None:
    chance = random.Random(seed)
    bodies = [
        codec.encode(record)
        for record in data.draw(st.lists(strategies.records_of(stem), min_size=1, max_size=4))
    ]
    bodies += [mutated(chance.choice(bodies), chance) for _ in range(60)]
    bodies += [chance.randbytes(chance.randrange(80)) for _ in range(20)]
    chance.shuffle(bodies)

    assert by_column(stem, bodies) == by_row(stem, bodies)

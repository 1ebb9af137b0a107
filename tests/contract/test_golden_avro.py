"""The golden chain up to the Avro body: request -> records -> bytes -> records."""

import pytest

from schemas import codec
from schemas.limits import violation
from schemas.routes import ROUTES
from tests.support import golden

STEMS = [route.stem for route in ROUTES]


@pytest.mark.parametrize("stem", [stem for stem in STEMS if golden.has_request(stem)])
def test_the_gateway_makes_the_golden_records_of_the_golden_request(stem: str) -> None:
    assert golden.accepted(stem) == golden.records(stem)


@pytest.mark.parametrize("stem", STEMS)
def test_the_golden_records_encode_to_the_golden_bytes(stem: str) -> None:
    assert [codec.encode(record) for record in golden.records(stem)] == golden.bodies(stem)


@pytest.mark.parametrize("stem", STEMS)
def test_the_golden_bytes_decode_to_the_golden_records(stem: str) -> None:
    assert [codec.decode(stem, body) for body in golden.bodies(stem)] == golden.records(stem)


@pytest.mark.parametrize("stem", STEMS)
def test_the_golden_records_keep_their_limits(stem: str) -> None:
    assert [violation(record) for record in golden.records(stem)] == [None] * len(
        golden.records(stem)
    )

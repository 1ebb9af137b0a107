"""The last link of the golden chain: the golden bytes become the golden row."""

import json

import pytest

from sinks.tables import stored
from tests.support import golden_row


@pytest.mark.parametrize("stem", [route.stem for route in stored()])
def test_the_sink_makes_the_golden_row_of_the_golden_bytes(stem: str) -> None:
    assert golden_row.rows(stem) == json.loads(golden_row.file(stem).read_text())

"""What stands in commit metadata, and what is made of what does not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sinks.intent import METADATA_CHARACTERS_MAX, Digest, Intent, Settled, read

OFFSETS = st.integers(0, 2**62)


@settings(deadline=None)
@given(st.text(max_size=40), OFFSETS, OFFSETS, OFFSETS, st.text("0123456789abcdef", max_size=64))
def test_an_intent_comes_back(topic_id: str, end: int, last: int, n: int, digest: str) -> None:
    intent = Intent(topic_id, end, last, n, digest)
    assert read(intent.metadata()) == intent
    assert len(intent.metadata()) <= METADATA_CHARACTERS_MAX


def test_a_settlement_comes_back() -> None:
    assert read(Settled("abc").metadata()) == Settled("abc")


@pytest.mark.parametrize(
    "metadata", [None, "", "x", "[]", "{}", '{"v":2,"topic_id":"a"}', '{"v":1}', '{"v":1,"last":1}']
)
def test_what_is_not_ours_is_no_intent(metadata: str | None) -> None:
    assert read(metadata) is None


@settings(deadline=None)
@given(st.lists(st.none() | st.binary(max_size=5), min_size=1, max_size=12), st.integers(0, 12))
def test_a_digest_does_not_depend_on_the_cut(values: list[bytes | None], cut: int) -> None:
    offsets = np.arange(7, 7 + len(values))
    whole, parts = Digest(), Digest()
    whole.add(offsets, values)
    parts.add(offsets[:cut], values[:cut])
    parts.add(offsets[cut:], values[cut:])
    assert (whole.text(), whole.records) == (parts.text(), len(values))

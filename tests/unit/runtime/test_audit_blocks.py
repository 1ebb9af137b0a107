"""Partitions of few records are read together, long ones alone, empty ones not at all."""

import pytest

from runtime.audit import blocks
from runtime.audit.blocks import Span


def test_few_records_are_read_together_and_many_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 10)
    bounds = {"a": {0: (0, 4), 1: (5, 5), 2: (7, 13)}, "b": {0: (0, 25), 1: (0, 0), 2: (1, 2)}}
    assert list(blocks.packs(bounds)) == [
        [Span("a", 0, 0, 4), Span("a", 2, 7, 13)],
        [Span("b", 0, 0, 25)],
        [Span("b", 2, 1, 2)],
    ]
    assert list(blocks.packs({"a": {0: (3, 3)}})) == []

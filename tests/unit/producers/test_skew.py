"""How far a sender's clock is off, and who says so."""

import pytest

from custody.events import LotWeighed, Micros
from producers.judge import accept
from producers.outcome import Accepted
from producers.skew import skew_ms
from tests.support.gateway import NOW, golden, terms, ticket


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Thu, 05 Nov 2026 07:12:00 GMT", 0),
        ("Thu, 05 Nov 2026 08:12:00 GMT", 3_600_000),
        ("Thu, 05 Nov 2026 08:12:00 +0200", -3_600_000),
        ("Thu, 05 Nov 2026 07:11:58 GMT", -2_000),
        ("Thu, 05 Nov 2026 07:12:00 -0000", None),
        ("Thu, 05 Nov 9026 07:12:00 GMT", None),
        ("Thu, 35 Nov 2026 07:12:00 GMT", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_a_date_header_shows_the_skew(date: str | None, expected: int | None) -> None:
    assert skew_ms(date, NOW) == expected


def weighing_of(raw: object, measured: int | None) -> LotWeighed:
    outcome = accept(raw, Micros(NOW), terms(clock_skew_ms=measured))
    assert isinstance(outcome, Accepted)
    record = outcome.drafts[0].record
    assert isinstance(record, LotWeighed)
    return record


def test_a_measured_skew_is_carried_where_the_sender_states_none() -> None:
    assert weighing_of(ticket(1), 4_000).clock_skew_ms == 4_000
    assert weighing_of(ticket(1, clock_skew_ms=-7), 4_000).clock_skew_ms == -7
    assert weighing_of(ticket(1), None).clock_skew_ms is None


def test_a_reference_record_carries_none() -> None:
    assert isinstance(accept(golden("reference"), NOW, terms(clock_skew_ms=4_000)), Accepted)


def test_a_repeat_with_another_skew_is_the_same_content() -> None:
    first, second = (accept(ticket(1), NOW, terms(clock_skew_ms=ms)) for ms in (0, 9_000))
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert first.content == second.content

"""Lines of a file are judged one by one: what is no JSON takes no other line with it."""

import io
from collections.abc import Mapping, Sequence

from runtime.cli import events
from runtime.cli.events import LINE_CHARS_MAX, Line, Run, lines_of, send
from runtime.client import JsonObject

GOOD = '{"a": 1}\n'


class Gateway:
    """Accepts everything, and notes what came in one call."""

    def __init__(self) -> None:
        self.lists: list[list[str]] = []

    def publish_texts(
        self, texts: Sequence[str], options: Mapping[str, str] | None = None
    ) -> list[JsonObject]:
        assert not options
        self.lists.append(list(texts))
        return [{"result": "accepted"} for _ in texts]


def read(text: str) -> list[Line]:
    return list(lines_of(io.StringIO(text)))


def test_what_is_no_json_is_refused_in_its_place_and_the_rest_is_sent() -> None:
    bad = ("not json\n", '{"a": NaN}\n', '{"a": Infinity}\n', "[" * 100_000 + "\n")
    huge = '{"a": ' + "9" * 5_000 + "}\n"
    twice = '{"net_kg": 1, "net_kg": 2}\n{"a": 1e99999999999999999999}\n'
    gateway, run = Gateway(), Run(as_json=False)
    text = GOOD + "".join(bad) + huge + twice + "\n" + GOOD
    send(gateway, lines_of(io.StringIO(text)), run, {}, 200, lambda _: None)
    assert gateway.lists == [[GOOD, GOOD]]
    assert run.totals() == "accepted 2, duplicate 0, refused 7"
    refused = [line for line in read(text) if line.refusal is not None]
    assert [line.no for line in refused] == [2, 3, 4, 5, 6, 7, 8]
    said = [str(line.refusal["found"]) for line in refused if line.refusal is not None]
    assert "NaN is no number" in said[1]
    assert 'the field "net_kg" stands twice' in said[5]
    assert "an exponent of 20 digits" in said[6]
    assert "more than 100 deep" in said[3]
    assert "sys." not in said[4]


def test_a_line_longer_than_any_request_is_refused_and_passed_over() -> None:
    endless = '{"a": "' + "x" * (3 * LINE_CHARS_MAX) + '"}'
    lines = read(GOOD + endless + "\n" + GOOD + endless)
    assert [(line.no, line.refusal is None) for line in lines] == [
        (1, True), (2, False), (3, True), (4, False),
    ]  # fmt: skip
    longest = '"' + "x" * (LINE_CHARS_MAX - 3) + '"\n'
    assert [line.refusal for line in read(longest)] == [None]


def test_one_call_holds_so_many_requests_and_characters() -> None:
    gateway, run = Gateway(), Run(as_json=False)
    big = '"' + "x" * (events.LIST_CHARS_MAX // 5) + '"\n'
    stream = io.StringIO(GOOD * 25 + big * 12)
    send(gateway, lines_of(stream), run, {}, 10, lambda _: None)
    assert [len(some) for some in gateway.lists[:2]] == [10, 10]
    assert all(sum(map(len, some)) <= events.LIST_CHARS_MAX for some in gateway.lists)
    assert sum(map(len, gateway.lists)) == 37

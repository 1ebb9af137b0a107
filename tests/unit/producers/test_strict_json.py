"""One reader of what plants send: each fault in words of ours, with its place and its bound."""

import json
from decimal import Decimal

import pytest

from producers.strict_json import DEPTH_NEEDED, BadJson, parsed
from tests.support.gateway import GOLDEN

LEAKS = ("sys.", "recursion", "Exceeds", "decode", "Expecting", "char ", "<class", "Error")
"""Words of the interpreter."""

BAD = [
    ('{"a": 1, "a": 2}', 'the field "a" stands twice in one object', "each name once"),
    (
        '[{"b": 1}, {"r": [{"x": {"u": 1, "v": 2, "u": 1}}]}]',
        'the field "u" stands twice in 1.r.0.x',
        "each name once",
    ),
    ('{"\\u0061": 1, "a": 2}', 'the field "a" stands twice', "each name once"),
    ('{"a": NaN}', "NaN is no number of JSON", "null where there is no value"),
    ('[-Infinity, "NaN"]', "-Infinity is no number of JSON", "null where there is no value"),
    (
        '{"a":\n "' + "7" * 9_000 + '", "b": ' + "1" * 5_000 + "}",
        "a whole number of 5,000 digits, line 2, column 9011",
        "at most 4,300 digits",
    ),
    ("[1e-" + "9" * 30 + "]", "an exponent of 30 digits, line 1, column 2", "at most 18 digits"),
    ("[" * 100_000, "more than 100 deep within each other, line 1, column 101", "more than 8"),
    ('{"]": ' * 101 + "1" + "}" * 101, "100 deep within each other, line 1, column 601", "than 8"),
    ("[[1], " + "[" * 100 + "]" * 101, "100 deep within each other, line 1, column 106", "than 8"),
    ('{"[":' * 5_000, "more than 100 deep within each other, line 1, column 501", "more than 8"),
    ("", "there is nothing to read", "one JSON value"),
    (" \n", "there is nothing to read", "one JSON value"),
    ('{"a": 1', "the text ends too early, line 1, column 8", "one JSON value"),
    ('{"a": 1,\n}', "no JSON from line 2, column 1 on", "no comma before a closing bracket"),
    ("{'a': 1}", "no JSON from line 1, column 2 on: \"'a': 1}\"", "double quotes"),
    ('{"a": 1} {"a": 2}', "no JSON from line 1, column 10 on", "one JSON value"),
]


@pytest.mark.parametrize(
    ("text", "found", "expected"), BAD, ids=[found[:40] for _, found, _ in BAD]
)
def test_a_fault_is_told_with_place_and_bound_and_in_no_words_of_the_interpreter(
    text: str, found: str, expected: str
) -> None:
    for given in (text, text.encode()):
        with pytest.raises(BadJson) as raised:
            parsed(given)
        assert found in raised.value.found
        assert expected in raised.value.expected
        assert not [word for word in LEAKS if word in str(raised.value)]
        assert len(str(raised.value)) < 500


@pytest.mark.parametrize("text", [b"\xff\xff", b'{"a": "\xe9"}', b"\xff\xfe\xff"])
def test_bytes_that_are_no_text_are_told_by_the_first_bad_one(text: bytes) -> None:
    with pytest.raises(BadJson, match=r"byte \d+ is no text in UTF-"):
        parsed(text)


def test_what_is_json_is_read_with_every_digit_it_was_written_with() -> None:
    text = '{"a": 30.020, "b": [1e400, -7, true, null, "\\ud800"], "c": {"a": 1, "b": 2}}'
    found = parsed(text)
    assert found == json.loads(text, parse_float=Decimal)
    assert str(found["a"]) == "30.020"  # type: ignore[index]
    for mark in ("utf-8-sig", "utf-16", "utf-32"):
        assert parsed('{"a": 1.5}'.encode(mark)) == {"a": Decimal("1.5")}


def test_a_name_that_stands_twice_is_found_however_long_names_are() -> None:
    """The path to it is cut while it is made: of a name of a megabyte there is one copy."""
    inside = ",".join("1" for _ in range(50_000))
    with pytest.raises(BadJson) as raised:
        parsed('{"' + "n" * 1_000_000 + '": [' + inside + ', {"a": 1, "a": 1}]}')
    assert len(str(raised.value)) < 500


def test_what_is_as_deep_as_may_be_is_read() -> None:
    text = "[" * 100 + "]" * 100
    assert parsed(text) == json.loads(text)


def test_no_request_is_deeper_than_is_said() -> None:
    def depth(value: object) -> int:
        inside = value.values() if isinstance(value, dict) else value
        return 1 + max(map(depth, inside), default=0) if isinstance(value, dict | list) else 0  # type: ignore[call-overload]

    found = [depth(json.loads(path.read_text())) for path in GOLDEN.glob("*/request.json")]
    assert found
    assert max(found) + 1 <= DEPTH_NEEDED

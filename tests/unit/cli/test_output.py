import pytest

from runtime.cli import output


def test_a_table_is_aligned_with_numbers_at_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(
        (output.text("lot", "lot"), output.number("dry t", "dry_g", digits=3, divisor=1e6)),
        [{"lot": "L-1", "dry_g": 27_600_000}, {"lot": "L-24-0117", "dry_g": 1_234_567_890}],
    )
    assert capsys.readouterr().out.splitlines() == [
        "lot            dry t",
        "L-1           27.600",
        "L-24-0117  1,234.568",
    ]


def test_a_table_without_rows_is_its_heading(capsys: pytest.CaptureFixture[str]) -> None:
    output.table((output.text("lot", "lot"),), [])
    assert capsys.readouterr().out == "lot\n"


def test_the_talk_does_not_mix_with_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    output.talk("waiting")
    output.line_json({"mass_g": 1, "name": "Kolwezi é"})
    both = capsys.readouterr()
    assert both.out == '{"mass_g": 1, "name": "Kolwezi é"}\n'
    assert both.err == "waiting\n"


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "-"), ("", "-"), ("7", "7"), (1234.5, "1,234")]
)
def test_a_quantity_not_known_is_a_dash(value: object, shown: str) -> None:
    assert output.quantity(value) == shown


def test_times_are_utc_with_z() -> None:
    assert output.utc(1_793_688_130_000_000) == "2026-11-03T06:42:10Z"
    assert output.utc(None) == ""


def test_no_bar_is_drawn_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with output.progress("publishing", 3) as advance:
        advance(3)
    assert capsys.readouterr().err == ""


def test_what_a_sender_wrote_does_not_speak_to_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.table([output.text("field", "field")], [{"field": "\x1b]0;owned\x07x\u202ey"}])
    output.talk("a\x9bb\tc\nd")
    said = capsys.readouterr()
    assert said.out == "field\n\\x1b]0;owned\\x07x\\u202ey\n"
    assert said.err == "a\\x9bb\tc\nd\n"

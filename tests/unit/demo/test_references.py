"""The demo's reference data is what a person may load."""

from demo.references import references
from runtime.cli.reference import refusal_of


def test_every_record_can_be_loaded_from_the_command_line() -> None:
    assert [one for one in map(refusal_of, references()) if one is not None] == []

import io
import json
import logging
from collections.abc import Iterator

import pytest

from console import guard
from telemetry import logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    quiet = {name: logging.getLogger(name).level for name in logs.QUIET}
    text = io.StringIO()
    logs.configure("worker-1", stream=text)
    yield text
    root.handlers[:], root.level = handlers, level
    for name, before in quiet.items():
        logging.getLogger(name).setLevel(before)


def test_a_record_is_one_json_line_with_its_facts_as_fields(stream: io.StringIO) -> None:
    logging.getLogger("streams").info("partition assigned", extra={"partition": 3})
    line = json.loads(stream.getvalue())
    at = line.pop("at")
    assert at.endswith("Z")
    assert line == {
        "level": "info",
        "process": "worker-1",
        "logger": "streams",
        "message": "partition assigned",
        "partition": 3,
    }


def test_an_exception_keeps_to_one_line(stream: io.StringIO) -> None:
    try:
        int("first\nsecond")
    except ValueError:
        logging.getLogger("streams").exception("chunk failed")
    assert stream.getvalue().count("\n") == 1
    line = json.loads(stream.getvalue())
    assert line["error"].startswith("ValueError: invalid literal")
    assert "Traceback" in line["traceback"]


def test_a_statement_that_is_read_writes_no_line(stream: io.StringIO) -> None:
    """The parser said of each subscript that it had applied an offset to it."""
    guard.check("SELECT analyte[1] FROM v_assays")
    assert stream.getvalue() == ""


def test_a_library_that_talks_at_info_is_not_heard(stream: io.StringIO) -> None:
    logging.getLogger("aiokafka").info("heartbeat")
    logging.getLogger("aiokafka").warning("lost")
    assert json.loads(stream.getvalue())["message"] == "lost"

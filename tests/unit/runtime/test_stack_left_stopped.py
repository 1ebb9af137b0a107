"""``custody up`` ends well only where every process still runs."""

from dataclasses import replace
from pathlib import Path

import pytest

from runtime.stack import up
from runtime.stack.status import ProcessStatus, Status

RUNS = ProcessStatus("gateway", "running", 1, True, "ok", 0, None, "http://127.0.0.1:1")  # noqa: FBT003
STOPPED = replace(RUNS, name="warehouse", pid=None, healthy=False, reason="exited with code 4")


def test_a_process_that_was_left_stopped_while_others_started_is_an_error() -> None:
    assert up._all_running(Status({}, (RUNS,)), Path("logs")).healthy
    with pytest.raises(up.LeftStopped, match="warehouse does not run: exited with code 4"):
        up._all_running(Status({}, (RUNS, STOPPED)), Path("logs"))

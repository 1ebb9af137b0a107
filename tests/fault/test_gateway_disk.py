"""The disk of a gateway is full to the last byte, by others: it stays up, says so, and goes on."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fault.test_sink_disk import OWN_MOUNTS, may_mount

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(300)]


def test_a_gateway_starts_and_answers_503_on_a_full_disk_and_takes_again_when_there_is_room(
    tmp_path: Path,
) -> None:
    if not may_mount(tmp_path / "try"):
        pytest.skip("no file system can be mounted here; tests/fault/test_simulation.py fills one")
    disk = tmp_path / "disk"
    disk.mkdir()
    program = [sys.executable, "-m", "tests.support.gateway_disk", str(disk)]
    done = subprocess.run([*OWN_MOUNTS, *program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    print(said)
    assert (said["with_room"]["health"], said["with_room"]["post"]) == (200, 202)
    for how in ("stopped", "stopped_again", "killed"):
        seen = said[how]
        assert (seen["health"], seen["post"], seen["form"]) == (503, 503, 200), how
        # Said by what was left before a write, or by the write that found too little.
        assert re.search("free on its disk|disk is full", seen["reason"]), how
        assert int(seen["retry_after"]) > 0, how
        assert seen["waiting"] >= 1, "what was accepted is there"
    assert said["ended"] == 0
    assert (said["room_again"]["health"], said["room_again"]["post"]) == (200, 202)
    for how in ("older", "first"):
        assert said[how] == {"ended": 3}, how
        text = said[f"{how}_said"]
        assert "the outbox cannot be opened" in text, how
        assert "0 bytes are free on its disk" in text, how
        assert "next: make room and start again" in text, how

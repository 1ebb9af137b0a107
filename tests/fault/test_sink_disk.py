"""The disk of the warehouse is full while records come: the sink waits, and then all are rows."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.stack.topics import NewTopics, ensure
from tests.support import stack
from tests.support.full_disk import FACTS, REFUSED_MIN
from tests.support.sinks import PARTITIONS

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(300)]

OWN_MOUNTS = ("unshare", "--map-root-user", "--mount")


def may_mount(directory: Path) -> bool:
    """Whether a file system can be put on a directory here, seen by one process only."""
    directory.mkdir()
    mount = [*OWN_MOUNTS, "mount", "-t", "tmpfs", "none", str(directory)]
    try:
        return subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def test_a_full_disk_is_waited_for_and_no_record_is_lost_or_doubled(tmp_path: Path) -> None:
    if not may_mount(tmp_path / "try"):
        pytest.skip("no file system can be mounted here; test_sink_fire has the engine's refusal")
    disk = tmp_path / "disk"
    disk.mkdir()
    with stack.running_kafka(tmp_path / "kafka") as bootstrap:
        ensure({"bootstrap.servers": bootstrap}, NewTopics(PARTITIONS, 1, "changelog", 60))
        done = subprocess.run(
            [*OWN_MOUNTS, sys.executable, "-m", "tests.support.full_disk", bootstrap, str(disk)],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    print(said)
    assert said["refused"] >= REFUSED_MIN
    assert not said["complete_while_full"]
    assert said["wrong"] == {}
    assert (said["rows"], said["events"], said["sent"]) == (3 * FACTS,) * 3

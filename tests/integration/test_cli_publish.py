"""publish and reference load against a real gateway, which needs neither broker nor registry."""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from runtime.paths import DataDir
from runtime.stack import addresses
from runtime.stack.alive import lock_file
from tests.support import gateway
from tests.support.gateway import ticket

pytestmark = pytest.mark.integration

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("custody")
    data = DataDir(root)
    data.gateway.mkdir()
    process = gateway.Process(data.gateway, gateway.NOWHERE)
    process.start()
    known = addresses.Addresses("", "", "", process.url, "http://127.0.0.1:1", ())
    addresses.write(data.addresses, known)
    data.supervisor.mkdir()
    # As the supervisor of a running stack holds it.
    with lock_file(data.supervisor, "supervisor").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield root
    assert process.terminate() == 0


@pytest.fixture
def custody(data_dir: Path, tmp_path: Path) -> Run:
    def run(
        *arguments: str, stdin: str = "", data_dir: Path = data_dir
    ) -> "subprocess.CompletedProcess[str]":
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CUSTODY_")}
        return subprocess.run(
            [sys.executable, "-m", "runtime.cli.main", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=environment | {"CUSTODY_DATA_DIR": str(data_dir)},
            cwd=tmp_path,
        )

    return run


def _lines(*requests: Mapping[str, object] | str) -> str:
    return "".join(
        (r if isinstance(r, str) else json.dumps(r, default=str)) + "\n" for r in requests
    )


def test_a_file_is_published_once_however_often_it_is_sent(custody: Run, tmp_path: Path) -> None:
    file = tmp_path / "day.ndjson"
    file.write_text(_lines(*(ticket(no) for no in range(450))))
    first = custody("publish", str(file))
    assert first.returncode == 0
    assert first.stdout == (
        "accepted 450, duplicate 0, refused 0; warnings: unknown_site 450, unknown_device 450\n"
    )
    again = custody("publish", str(file))
    assert again.stdout == "accepted 0, duplicate 450, refused 0\n"


def test_what_is_refused_is_shown_with_its_line_and_exit_code_1(custody: Run) -> None:
    bad = ticket(9001, gross_kg=-1, tare_kg=0, net_kg=-1)
    done = custody("publish", "-", stdin=_lines(ticket(9000), bad, "{no json", ""))
    assert done.returncode == 1
    assert "negative_mass" in done.stdout
    assert "not_json" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("accepted 1, duplicate 0, refused 2")


def test_json_is_one_result_per_line_of_the_file_in_order(custody: Run) -> None:
    done = custody("publish", "--json", "-", stdin=_lines(ticket(9100), "[]", ticket(9101)))
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(r["line"], r["result"]) for r in results] == [
        (1, "accepted"),
        (2, "refused"),
        (3, "accepted"),
    ]
    assert results[0]["event_id"]
    assert done.stderr.startswith("accepted 2, duplicate 0, refused 1")


def test_a_number_travels_with_the_digits_its_sender_wrote(custody: Run) -> None:
    request = json.dumps(ticket(9200), default=str).replace("45000", "45000.000")
    done = custody("publish", "-", stdin=request)
    assert done.returncode == 0, done.stdout


def test_reference_load_takes_reference_records_only(custody: Run) -> None:
    device = {
        "type": "reference",
        "kind": "device",
        "id": "WB-KOV-1",
        "valid_from": "2026-01-01T00:00:00Z",
        "body": {"class": "III", "interval_kg": 20},
    }
    done = custody("reference", "load", "-", stdin=_lines(device, ticket(9300)))
    assert done.returncode == 1
    assert "custody publish" in done.stdout
    assert done.stdout.splitlines()[-1] == "accepted 1, duplicate 0, refused 1"


def test_a_body_beyond_its_schema_is_refused_here_with_line_field_and_bound(custody: Run) -> None:
    device = {
        "type": "reference",
        "kind": "device",
        "id": "WB-KOV-2",
        "valid_from": "2026-01-01T00:00:00Z",
        "body": {"class": "III", "interval_kg": -20, "named_by_us": True},
    }
    good = {**device, "id": "WB-KOV-3", "body": {"class": "III"}}
    done = custody("reference", "load", "-", "--json", stdin=_lines(good, device))
    assert done.returncode == 1
    taken, refused = [json.loads(line) for line in done.stdout.splitlines()]
    assert taken["result"] == "accepted"
    assert refused == {
        "line": 2, "result": "refused", "code": "bad_body", "field": "body.interval_kg",
        "found": -20, "allowed": "more than 0",
    }  # fmt: skip
    # The gateway itself stays tolerant: whoever posts to it decides.
    assert custody("publish", "-", stdin=_lines(device)).returncode == 0


def test_wrong_use_is_exit_code_2(custody: Run) -> None:
    assert custody("publish", "no-such-file.ndjson").returncode == 2
    assert custody("publish", "--list-requests", "5000", "-").returncode == 2
    for wrong in (
        ["balance"],
        ["balance", "L-1", "--at", "yesterday"],
        ["balance", "L-1", "--csv"],
        ["balance", "L-1", "--period", "2026-11", "--site", "MINE"],
        ["balance", "--period", "2026-11"],
        ["stock", "MINE", "--json", "--csv"],
        ["reference", "show", "weather"],
    ):
        assert custody(*wrong).returncode == 2, wrong


def test_without_a_stack_the_next_step_is_said(tmp_path: Path) -> None:
    environment = {**os.environ, "CUSTODY_DATA_DIR": str(tmp_path / "nothing")}
    done = subprocess.run(
        [sys.executable, "-m", "runtime.cli.main", "publish", "-"],
        input="",
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=tmp_path,
    )
    assert done.returncode == 3
    assert "custody up" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_stopped_stack_s_addresses_get_no_token(
    custody: Run, data_dir: Path, tmp_path: Path
) -> None:
    stopped = DataDir(tmp_path / "stopped")
    stopped.root.mkdir()
    known = addresses.read(DataDir(data_dir).addresses)
    assert known is not None
    addresses.write(stopped.addresses, known)
    file = tmp_path / "day.ndjson"
    file.write_text(_lines(ticket(1)))
    done = custody("publish", str(file), data_dir=stopped.root)
    assert done.returncode == 3
    assert "is of a stack that was stopped" in done.stderr

"""The main job, as a newcomer types it: one day through the whole local stack, and one page."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from demo.day import make_day
from runtime.stack import ports
from tests.support import worked
from tests.support.system import System, environment, running

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]

SEED = 1
"""The usual day, of which the analysts' page has worked questions."""
ROOT = Path(__file__).parents[2]
DEMO_TIMEOUT_S = 300


PORTS = (
    "STACK__KAFKA_PORT",
    "STACK__CONTROLLER_PORT",
    "STACK__REGISTRY_PORT",
    "GATEWAY__PORT",
    "CONSOLE__PORT",
    "WORKER__PORT",
)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A stack on ports of its own: another one on this machine may be taking the defaults."""
    data_dir = tmp_path_factory.mktemp("demo") / "data"
    with pytest.MonkeyPatch.context() as patch:
        for name in PORTS:
            patch.setenv(f"CUSTODY_{name}", str(ports.any_free()))
        with running(data_dir) as system:
            yield system


def run_demo(system: System, report: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "demo.main", "--seed", str(SEED), "--report", str(report)],
        cwd=ROOT,
        env=environment(system.data_dir),
        capture_output=True,
        text=True,
        timeout=DEMO_TIMEOUT_S,
        check=False,
    )


def test_a_day_holds_what_the_page_promises_and_so_does_the_same_day_again(
    system: System, tmp_path: Path
) -> None:
    """First run: all accepted, stored, found. Second run: all duplicates, the page still holds."""
    first = run_demo(system, tmp_path / "first.html")
    assert first.returncode == 0, first.stdout + first.stderr + logs(system)
    day = make_day(SEED)
    assert figure(first.stdout, "events accepted") >= len(day.sent)
    assert figure(first.stdout, "events known already (duplicates)") == 1
    assert "1 net_mismatch" in first.stdout
    assert "1 unknown_device" in first.stdout
    assert "everything held" in first.stdout
    for fraud in day.frauds:
        line = next(x for x in first.stdout.splitlines() if fraud.lot_id in x)
        assert line.endswith("found, named"), line
    assert day.drift is not None
    title = f"A scale that drifts, which is no fraud: instrument/{day.drift.device_id}, mass"
    drift = first.stdout.partition(title)[2].partition("\n\n")[0]
    assert drift.splitlines()[-1].startswith("instrument_bias")
    assert drift.endswith("found, named"), drift
    moved = levels(first.stdout)
    product = day.processes[1].output.lot_id
    put_in = moved[f"{day.corrected.lot_id} into the blend"]
    assert put_in > moved[f"concentrate {product}"] > 0.75 * put_in
    report = (tmp_path / "first.html").read_text("utf-8")
    assert report.count("<svg") == 4
    assert "http://" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", report)

    second = run_demo(system, tmp_path / "second.html")
    assert second.returncode == 0, second.stdout + second.stderr + logs(system)
    assert figure(second.stdout, "events accepted") == 0
    assert figure(second.stdout, "events known already (duplicates)") == len(day.sent) - 1
    assert levels(second.stdout) == moved, "what was known before a time stays so"

    asked = questions_of_analysts(system)
    assert asked == {question: answer for question, _, answer in worked.questions()}

    # The same core without Kafka says of these facts what was raised live.
    told = system.custody("backtest", "--from-warehouse", "--against", "live")
    assert "no difference" in told.stdout


def questions_of_analysts(system: System) -> dict[str, str]:
    """Return what an analyst is answered, by question, as Markdown."""
    token = (system.data_dir / "sink" / "analyst_token").read_text("utf-8").strip()
    with httpx.Client(base_url=system.target.console, auth=("analyst", token), timeout=60) as sql:
        asked = {
            question: sql.post("/?default_format=Markdown", content=statement)
            for question, statement, _ in worked.questions()
        }
    return {question: answer.text.strip() for question, answer in asked.items()}


def levels(page: str) -> dict[str, float]:
    """Return the kilograms of copper that the corrections moved, by level."""
    table = page.partition("What that moved")[2].partition("\n\n")[0].splitlines()[3:]
    rows = [re.split(r"  +", line) for line in table]
    return {row[0]: float(row[-1].replace(",", "")) for row in rows}


def logs(system: System) -> str:
    """Return the end of every log, for a failure that cannot be looked at afterwards."""
    ends = []
    for path in sorted((system.data_dir / "logs").glob("*.log")):
        lines = path.read_text("utf-8", errors="replace").splitlines()
        ends += [f"== {path.name}", *(line[:400] for line in lines[-15:])]
    return "\n".join(ends)


def figure(page: str, name: str) -> int:
    """Return the number behind a name on the page."""
    (line,) = [line for line in page.splitlines() if line.startswith(name)]
    return int(line.removeprefix(name).strip().replace(",", ""))

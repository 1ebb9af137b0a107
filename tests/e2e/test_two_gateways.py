"""What one gateway took and another sent for it: one row each, the same books, a clean audit.

The far gateway has no line at first. What waits there is exported, published at the stack's own
gateway, and then comes a second time, from the far one itself.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from runtime.stack import ports
from tests.support.gateway import wait_for
from tests.support.system import System

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]

FAR = "GW-FAR"
LOT, FED, MADE = "L-FAR-1", "L-FAR-2", "L-FAR-3"
WAY = "WAY-FAR-1"


def _lot(lot_id: str) -> dict[str, object]:
    return {
        "type": "lot", "site_id": "MINE-FAR", "lot_id": lot_id, "form": "ore",
        "occurred_at": "2026-11-03T06:10:00+02:00", "commodity": "copper_cobalt",
        "custody_model": "mass_balance", "custodian": "M",
        "declared_origins": [{"level": "site", "id": "MINE-FAR", "share": 1.0}],
    }  # fmt: skip


def _ticket(no: int, at: str, **said: object) -> dict[str, object]:
    return {
        "type": "weighing", "lot_id": LOT, "occurred_at": at, "ticket_no": f"FAR-{no}",
        "movement_id": WAY, "tare_kg": 15000, "tare_kind": "weighed", **said,
    }  # fmt: skip


FACTS: tuple[dict[str, object], ...] = (
    _lot(LOT),
    _ticket(
        1, "2026-11-03T06:42:10+02:00", site_id="MINE-FAR", device_id="WB-FAR-1",
        purpose="dispatch", direction="out", gross_kg=45000,
    ),
    {
        "type": "assay", "site_id": "MINE-FAR", "lot_id": LOT, "certificate_no": "FAR-A-1",
        "occurred_at": "2026-11-04T15:00:00+02:00", "lab_id": "LAB-FAR", "stage": "provisional",
        "party": "seller", "moisture": {"value": 8.0, "unit": "pct", "u": 0.25},
        "results": [{"analyte": "Cu", "value": 25, "unit": "kg_per_t", "basis": "dry"}],
    },
    {
        "type": "shipment", "site_id": "MINE-FAR", "lot_id": LOT, "kind": "dispatch",
        "occurred_at": "2026-11-05T06:50:00+02:00", "movement_id": WAY, "from_site": "MINE-FAR",
        "to_site": "DEPOT-FAR",
    },
    _ticket(
        2, "2026-11-05T09:00:00+02:00", site_id="DEPOT-FAR", device_id="WB-FAR-2",
        purpose="receipt", direction="in", gross_kg=43500,
    ),
    _lot(FED),
    {
        "type": "processing", "site_id": "MINE-FAR", "process_id": "P-FAR", "kind": "crush",
        "occurred_at": "2026-11-05T10:00:00+02:00", "close": True,
        "inputs": [{"lot_id": FED, "mass_dry_kg": 20000}],
        "outputs": [{"lot_id": MADE, "mass_dry_kg": 20000}],
    },
)  # fmt: skip
RECORDS = 9
"""Three of the process: what went in, what came out, its close."""


@dataclass(frozen=True, slots=True)
class Far:
    """A gateway of its own beside the stack, with or without a line."""

    data_dir: Path
    port: int

    @property
    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("CUSTODY_")}
        return own | {
            "CUSTODY_DATA_DIR": str(self.data_dir),
            "CUSTODY_GATEWAY__GATEWAY_ID": FAR,
            "CUSTODY_GATEWAY__PORT": str(self.port),
            "CUSTODY_KAFKA__BOOTSTRAP": "broker.invalid:9092",
            "CUSTODY_REGISTRY__URL": "http://registry.invalid/apis/ccompat/v7",
        }

    def custody(self, *args: str, stdin: str = "") -> str:
        done = subprocess.run(
            [sys.executable, "-m", "runtime.cli.main", *args], input=stdin, text=True,
            env=self.environment, capture_output=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (args, done.stdout, done.stderr)
        return done.stdout

    @contextmanager
    def running(self, **line: str) -> Iterator[None]:
        """Run it, by default without a line."""
        command = [sys.executable, "-m", "runtime.cli.main", "gateway"]
        with (self.data_dir.parent / "far.log").open("ab") as log:
            process = subprocess.Popen(command, env=self.environment | line, stdout=log, stderr=log)
        try:
            wait_for(lambda: self.health() is not None)
            yield
        finally:
            process.terminate()
            assert process.wait(60) == 0

    def health(self) -> dict[str, object] | None:
        with suppress(httpx.TransportError), closing(httpx.Client(timeout=10)) as client:
            found: dict[str, object] = client.get(f"http://127.0.0.1:{self.port}/health").json()
            return found
        return None

    def has_sent(self) -> bool:
        found = self.health()
        return found is not None and found["waiting"] == 0


def _books(system: System) -> list[tuple[object, object, object]]:
    """Dry mass and copper of the lots in every place."""
    return [
        (lot, line["place"], [line.get(name) for name in ("mass_wet_g", "mass_dry_g", "metal_mg")])
        for lot in (LOT, FED, MADE)
        for line in system.lines("balance", lot, "--all", check=False)
    ]


def _alerts(system: System) -> list[tuple[str, str, str]]:
    return sorted(
        (str(one["rule"]), str(one["alert_id"]), str(one["state"]))
        for lot in (LOT, FED, MADE)
        for one in system.lines("alerts", "--lot", lot)
    )


def test_what_two_gateways_send_is_there_once(system: System, tmp_path: Path) -> None:
    far = Far(tmp_path / "far", ports.any_free())
    far.data_dir.mkdir()
    waiting = tmp_path / "waiting.ndjson"
    with far.running():
        text = "".join(json.dumps(fact) + "\n" for fact in FACTS)
        far.custody("publish", "-", stdin=text)
        far.custody("outbox", "export", "--out", str(waiting))
    said = [json.loads(line) for line in waiting.read_text().splitlines()]
    ids = [line["event_id"] for line in said if line.get("event_id")]
    assert len(set(ids)) == RECORDS

    done = system.custody("publish", "--json", str(waiting))
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["result"] for one in answers] == ["accepted"] * RECORDS
    assert sorted(one["event_id"] for one in answers) == sorted(ids)
    named = ", ".join(f"'{one}'" for one in ids)
    in_views = f"SELECT event_id FROM v_events WHERE event_id IN ({named})"  # noqa: S608  our ids
    everywhere = in_views.replace("v_events", "events_all")
    wait_for(lambda: len(system.sql(everywhere)) == RECORDS, 120)
    # The second waits two ticks: more was taken of the lot that nobody has weighed than is known.
    wait_for(lambda: [one[0] for one in _alerts(system)] == ["lot_eprocess", "overdrawn"], 120)
    system.custody("verify", check=False)
    books, alerts = _books(system), _alerts(system)
    assert {place for lot, place, _ in books if lot == LOT} >= {"MINE-FAR", "DEPOT-FAR"}

    key = ("gateway-key", "show", "--reference", "--site", "MINE-FAR")
    record = far.custody(*key, "--from", "2026-01-01T00:00:00Z")
    system.custody("reference", "load", "-", stdin=record)
    addresses = json.loads((system.data_dir / "addresses.json").read_text())
    line = {
        "CUSTODY_KAFKA__BOOTSTRAP": addresses["kafka"],
        "CUSTODY_REGISTRY__URL": addresses["registry"],
    }
    with far.running(**line):
        wait_for(far.has_sent, 120)
    wait_for(lambda: len(system.sql(everywhere)) == 2 * RECORDS, 120)
    verified = {str(one["check"]): one for one in system.lines("verify", check=False)}
    assert verified["events"]["clean"]
    assert f"{RECORDS} events came through two gateways" in str(verified["events"]["note"])
    assert sorted(str(row["event_id"]) for row in system.sql(in_views)) == sorted(ids)
    assert (_books(system), _alerts(system)) == (books, alerts)

    audited = system.lines("audit", check=False)
    assert [one for one in audited if FAR in json.dumps(one) and not one.get("harmless")] == []
    again = system.custody("publish", "--json", str(waiting))
    assert {json.loads(line)["result"] for line in again.stdout.splitlines()} == {"duplicate"}

"""An alert settled and a lot held at the console, through every part of a running stack."""

import itertools
import json
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from console.visits import CSRF_HEADER
from runtime.paths import DataDir
from runtime.stack import addresses
from tests.e2e.test_cli import FACTS, TRIP
from tests.support.gateway import wait_for
from tests.support.own_names import owned
from tests.support.system import System

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

LOT = "L-DESK-1"
PASSWORD = "four words for a test"  # noqa: S105


def console(system: System) -> str:
    found = addresses.read(DataDir(system.data_dir).addresses)
    assert found is not None
    return found.console


@pytest.fixture
def browsers(system: System) -> Iterator[dict[str, httpx.Client]]:
    first = DataDir(system.data_dir).first_password.read_text().strip()
    system.custody("user", "add", "ann", "--role", "operator", "--keep", stdin=PASSWORD)
    with ExitStack() as stack:
        found = {}
        for name, password in (("admin", first), ("ann", PASSWORD)):
            client = stack.enter_context(
                httpx.Client(base_url=console(system), trust_env=False, timeout=30)
            )
            said = client.post("/login", json={"user": name, "password": password})
            client.headers[CSRF_HEADER] = said.json()["csrf_token"]
            found[name] = client
        body = {"old": first, "new": PASSWORD}
        said = found["admin"].post("/api/password", json=body)
        found["admin"].headers[CSRF_HEADER] = said.json()["csrf_token"]
        yield found


def parts(browser: httpx.Client) -> list[dict[str, object]]:
    """How worker, sink and stream are, as a page hears it."""
    with browser.stream("GET", "/api/live") as answer:
        lines = answer.iter_lines()
        beats = (next(lines) for line in lines if line == "event: health")
        looks = (json.loads(beat.removeprefix("data: ")) for beat in itertools.islice(beats, 15))
        said = next(look for look in looks if look["ok"])
        return [said["worker"], said["sink"], said["stream"]]


def test_two_people_at_an_alert_and_a_held_lot(
    system: System, browsers: dict[str, httpx.Client]
) -> None:
    assert not DataDir(system.data_dir).first_password.exists()
    system.publish(owned((*FACTS, *TRIP), "DESK"))
    alerts: list[dict[str, object]] = []

    def raised() -> bool:
        alerts[:] = system.lines("alerts", "--open", "--lot", LOT)
        return bool(alerts)

    wait_for(raised, 60)
    alert = alerts[0]
    path, seen = f"/api/alerts/{alert['alert_id']}/actions", {"version": alert["version"]}
    first = browsers["ann"].post(
        path,
        json={"action": "acknowledge", "reason": "calling the depot", **seen},
        headers={"Idempotency-Key": "1"},
    )
    assert first.status_code == 200, first.text
    assert first.json()["alert"]["state"] == "acknowledged"
    second = browsers["admin"].post(
        path,
        json={"action": "resolve", "resolution": "explained", "reason": "wet belt", **seen},
        headers={"Idempotency-Key": "1"},
    )
    assert second.status_code == 409
    assert second.json()["present"]["last_action"] == {
        "version": first.json()["version"],
        "actor": "ann",
        "made_it": "acknowledged",
        "reason": "calling the depot",
    }

    assert [part["ok"] for part in parts(browsers["ann"])] == [True] * 3

    token = (DataDir(system.data_dir).sink_token).read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    gate = f"{console(system)}/v1/lots/{LOT}/status"
    assert httpx.get(gate, headers=headers).json()["status"] == "CLEAR"
    held = browsers["ann"].post(
        f"/api/lots/{LOT}/hold", json={"reason": "seal"}, headers={"Idempotency-Key": "2"}
    )
    assert held.status_code == 200, held.text
    said = httpx.get(gate, headers=headers).json()
    assert (said["status"], said["holds"][0]["actor"]) == ("HOLD", "ann")
    log = system.lines("user", "log", "--actor", "ann", "--limit", "2")
    assert [row["what"] for row in log] == ["hold", "acknowledge"]

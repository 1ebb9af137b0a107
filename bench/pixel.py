"""Record to pixel: how long from a ticket sent to its alert on an operator's screen.

A browser stands on the page of what is wrong now while short trips come in, one after the other.
The clock starts before the receipt is sent to the gateway, so it takes in the gateway's disk, the
line to Kafka, the worker, the hub and the page, and stops in the frame after the alert's row is
there. A round is as many trips as the page shows singly; then all are settled, at the console, and
the next begins. Needs a running stack: ``custody up``.

Expected before measuring: some 200 ms from accept to alert, as ``bench.latency`` has it, and the
page's own question for what the alert says: p50 400 ms, p95 below 1 s.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import click
import httpx
from playwright.sync_api import expect

from bench.drive import Target, target
from bench.watch import quantile
from console.visits import CSRF_HEADER
from tests.support import chromium, system
from tests.support.chromium import Visit, Visitors
from tests.support.visitors import PASSWORD

ROUND = 30
"""From 40 alerts on the page folds them by their cause."""
WARM_UP = 3
_USER = "bench-operator"
_PAUSE_MS = 500
_ROWS = ".alerts tbody tr:has(a)"
"""Not the row that says that nothing is open."""

_WATCH = """() => {
  window.seen = {};
  const look = () => requestAnimationFrame(() => {
    for (const row of document.querySelectorAll(".alerts tbody tr")) {
      const lot = (row.textContent.match(/PIX-\\d+-\\d+-\\d+/) || [])[0];
      if (lot && !(lot in window.seen)) window.seen[lot] = Date.now();
    }
  });
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
}"""


def trip(lot: str, minute: int) -> tuple[list[Mapping[str, object]], Mapping[str, object]]:
    """Return what is known of a load before its receipt, and a receipt that is 5 % short."""
    hour, rest = divmod(minute, 60)
    ticket = {
        "type": "weighing",
        "lot_id": lot,
        "movement_id": f"W-{lot}",
        "vehicle_id": lot,
        "tare_kg": 15_000,
        "tare_kind": "weighed",
    }
    # A road and scales of its own: trips that are all short on one road are that road's finding.
    mine, port = f"MINE-{lot}", f"PORT-{lot}"
    ends = {"from_site": mine, "to_site": port}
    before: list[Mapping[str, object]] = [
        ticket
        | {
            "site_id": mine,
            "occurred_at": f"2026-11-05T{hour:02}:{rest:02}:00+00:00",
            "ticket_no": f"{lot}-1",
            "device_id": f"WB-{mine}",
            "purpose": "dispatch",
            "direction": "out",
            "gross_kg": 45_000,
            "net_kg": 30_000,
        },
        {
            "type": "shipment",
            "site_id": mine,
            "lot_id": lot,
            "occurred_at": f"2026-11-05T{hour:02}:{rest:02}:10+00:00",
            "kind": "dispatch",
            "movement_id": f"W-{lot}",
            "vehicle_id": lot,
            **ends,
        },
    ]
    receipt = ticket | {
        "site_id": port,
        "occurred_at": f"2026-11-05T{hour + 3:02}:{rest:02}:00+00:00",
        "ticket_no": f"{lot}-2",
        "device_id": f"WB-{port}",
        "purpose": "receipt",
        "direction": "in",
        "gross_kg": 43_500,
        "net_kg": 28_500,
    }
    return before, receipt


def send(gateway: httpx.Client, *events: Mapping[str, object]) -> float:
    """Post events; return when the posting began, milliseconds since the epoch."""
    began = time.time() * 1e3
    gateway.post("/v1/events", json=list(events)).raise_for_status()
    return began


def settle(console: httpx.Client) -> None:
    """Resolve every alert that stands."""
    for alert in console.get("/api/alerts").json()["alerts"]:
        body = {
            "action": "resolve",
            "version": alert["version"],
            "resolution": "explained",
            "reason": "of a bench",
        }
        path = f"/api/alerts/{alert['alert_id']}/actions"
        key = {"Idempotency-Key": str(alert["alert_id"])}
        console.post(path, json=body, headers=key).raise_for_status()


def rounds(
    to: Target, visit: Visit, console: httpx.Client, many: int, pause_s: float
) -> Iterator[float]:
    """Yield milliseconds from ticket to pixel of each trip that counts."""
    page, run = visit.page, int(time.time())
    headers = {"Authorization": f"Bearer {to.token}"}
    with httpx.Client(base_url=to.gateway, headers=headers, timeout=30) as gateway:
        for number in range(many):
            for no in range(ROUND):
                lot = f"PIX-{run}-{number}-{no}"
                before, receipt = trip(lot, number * ROUND + no)
                send(gateway, *before)
                page.wait_for_timeout(pause_s * 1e3)
                began = send(gateway, receipt)
                expect(page.locator(_ROWS, has_text=lot).first).to_be_visible()
                # The row is there a frame before its time is.
                seen = page.wait_for_function("lot => window.seen[lot]", arg=lot).json_value()
                if number or no >= WARM_UP:
                    yield seen - began
            while page.locator(_ROWS).count():
                # The last may be on the screen before it is in the warehouse.
                settle(console)
                page.wait_for_timeout(_PAUSE_MS)


@click.command()
@click.option("--rounds", "many", type=int, default=4, show_default=True, help="Of 30 trips each.")
@click.option("--pause", "pause_s", type=float, default=0.7, show_default=True)
def main(many: int, pause_s: float) -> None:
    """Print one JSON line."""
    data = Path(os.environ.get("CUSTODY_DATA_DIR", ".custody"))
    system.System(data).custody(
        "user", "add", _USER, "--role", "operator", "--keep", stdin=PASSWORD
    )
    to = target(data)
    took: list[float] = []
    with (
        httpx.Client(base_url=to.console, trust_env=False, timeout=30) as console,
        chromium.running() as browser,
        closing(Visitors(browser, to.console)) as people,
        people.visit(_USER, "/now") as visit,
    ):
        said = console.post("/login", json={"user": _USER, "password": PASSWORD})
        console.headers[CSRF_HEADER] = said.json()["csrf_token"]
        visit.page.wait_for_selector(".light.live")
        visit.page.evaluate(_WATCH)
        took.extend(rounds(to, visit, console, many, pause_s))
    figures = {f"p{round(q * 100)}_ms": round(quantile(took, q)) for q in (0.5, 0.95)}
    worst = round(max(took))
    click.echo(json.dumps({"bench": "record_to_pixel", "n": len(took), **figures, "max_ms": worst}))


if __name__ == "__main__":
    main()

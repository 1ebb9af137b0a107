"""Alerts as a worker says them, for tests of pages: made from the golden one."""

import json
import re
from dataclasses import replace

from custody.ids import derived_id
from custody.records import Alert, Evidence, Posterior
from tests.support import golden, tree


def alert(name: str, **changes: object) -> Alert:
    """Return an alert of the test of a lot; its id follows from the name.

    Args:
        name: Of the lot, too.
        changes: Fields that are other than usual.
    """
    (made, *_) = golden.records("alert")
    assert isinstance(made, Alert)
    lot = f"L-{name}"
    usual = replace(
        made,
        alert_id=derived_id("alert", ["pages", lot, None]),
        subject=f"lot/{lot}",
        lot_id=lot,
        movement_id=f"W-{name}",
        rule="lot_eprocess",
        statistic="e_value",
        state="open",
        value=1e6,
        threshold=1e3,
        threshold_basis="proved",
        size=0.123,
        size_u=0.011,
        unit="fraction",
        posterior=(
            Posterior(family="loss", probability=0.9, ln_e=13.0),
            Posterior(family="water", probability=0.1, ln_e=2.0),
        ),
        evidence=EVIDENCE,
        reason="loss 12.3% (sigma 1.1%) between MINE-KOV and DEPOT-LUB; at stake 11.1% of"
        " 40,000 USD (Cu, price of 2026-11-01); it can still be stopped",
        stake_share=0.111,
        stake_amount=4440.0,
        stake_currency="USD",
        stake_analytes=("Cu",),
        stake_priced_on="2026-11-01",
        stake_price_source=None,
        stoppable=True,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]  # a test names what is there


EVIDENCE = (
    Evidence(
        quantity="ln_net", analyte=None, expected=-0.001, observed=-0.121, u=0.012, z=-10.0,
        unit="1", event_ids=(), instruments=("WB-1", "WB-2"), shift=-10.0, ln_ratio=50.0,
    ),
    Evidence(
        quantity="ln_fraction", analyte="Cu", expected=-3.7, observed=-3.66, u=0.04, z=1.0,
        unit="1", event_ids=(), instruments=("XRF-1",), shift=0.0, ln_ratio=-2.302585092994046,
    ),
)  # fmt: skip


def symbols(name: str) -> list[str]:
    """Return the symbols of an enum of alerts, but the one that stands for all others."""
    text = (tree.ROOT / "schemas" / "avsc" / "alert.avsc").read_text("utf-8")
    found = re.search(rf'"name": "{name}".*?"symbols": \[([^\]]*)\]', text, re.DOTALL)
    assert found is not None
    named: list[str] = json.loads(f"[{found[1]}]")
    return [symbol for symbol in named if symbol != "other"]

"""Whether one assay looks like its declared origin, where it is all that is known of a lot."""

import math

import pytest

from custody.core import CustodyFold
from custody.detect.lot_facts import Assay, Model, Readings
from custody.detect.lot_families import Family
from custody.detect.lot_suspicion import Suspicion, explain
from custody.detect.mixture import Detector
from custody.events import LotFact, ReferenceSet
from custody.records import Alert
from runtime.backtest.replay import Replay
from tests.support import tree
from tests.support.facts import Maker
from tests.support.instruments import reference
from tests.support.lot_models import ANALYTES, sites
from tests.support.world import World


def assayed(ln: dict[str, float], analytes: tuple[str, ...] = ANALYTES) -> tuple[float, Suspicion]:
    """Return ln E of a lot of the first site of which only this is known, and what is said."""
    model = Model(
        analytes=analytes, stations=("mine",), legs=(), origin=sites()[0], library=sites(),
        dry_share=(-0.08, 0.02),
    )  # fmt: skip
    fractions = {analyte: math.exp(one) for analyte, one in ln.items()}
    one = Assay(
        event_id="e", station="mine", laboratory="LAB", fractions=fractions, u_rel_default=0.01
    )
    detector = Detector(model)
    judged = detector.judge(Readings(assays=(one,)))
    said = explain(detector, judged)
    assert said is not None
    return judged.ln_e, said


def at(site: int, by: float = 0.0) -> dict[str, float]:
    return {a: float(x) + by for a, x in zip(ANALYTES, sites()[site].mean, strict=True)}


def test_an_assay_at_the_mean_is_no_surprise() -> None:
    ln_e, _ = assayed(at(0))
    assert ln_e < 0.0


def test_material_of_another_site_is_told_by_name() -> None:
    ln_e, said = assayed(at(1))
    assert ln_e > math.log(1000)
    assert (said.named.family, said.named.site) == (Family.FOREIGN, "S1")
    assert said.named.stations == ("mine",)
    assert said.named.probability > 0.9


@pytest.mark.parametrize(("from_site", "found"), [(0, []), (1, [("origin_mismatch", "lot/L-1")])])
def test_a_certificate_alone_is_enough_in_the_stream_and_in_a_backtest(
    from_site: int, found: list[tuple[str, str]]
) -> None:
    """Of what was declared from one site and is another's; the same records either way."""
    prints = [
        reference("fingerprint", site.site_id, {
            "analytes": list(ANALYTES), "ln_mean": site.mean.tolist(),
            "ln_covariance": site.covariance.tolist(), "samples": site.lots,
        })
        for site in sites()
    ]  # fmt: skip
    maker = Maker("L-1")
    grades: dict[str, tuple[float, float | None]] = {
        a: (math.exp(x), 0.01 * math.exp(x)) for a, x in at(from_site).items()
    }
    records: list[LotFact | ReferenceSet] = [
        *prints,
        maker.lot("S0", 0, {}),
        maker.assay("S0", 10, grades),
    ]
    world = World()
    world.tell(*records)
    replayed = [one for said in Replay(CustodyFold()).run(records) for one in said]
    for said in (world.alerts.values(), replayed):
        alerts = [one for one in said if isinstance(one, Alert) and one.rule == "lot_eprocess"]
        assert [(one.family, one.subject) for one in alerts] == found
        assert all("S1" in one.reason for one in alerts)


def test_what_was_not_seen_is_left_out_and_what_is_left_is_judged() -> None:
    ln_e, said = assayed({"Co": -math.inf, "Fe": at(0)["Fe"] - 0.9})
    assert [one.quantity for one in said.contributions] == ["Fe"]
    assert math.isfinite(ln_e)


def test_the_example_of_the_page_can_be_done_again() -> None:
    """One analyte 30 % below, deviation 10 % over 50 lots: S, and ln LR of a quarter of waste."""
    s = 0.1**2 * (1 + 1 / 50) + 0.01**2
    d, shift = math.log(0.70), math.log(0.75)
    ln_lr = (shift * d - shift**2 / 2) / s
    page = tree.text(tree.ROOT / "docs/detection/fingerprint.md")
    assert f"= {s:.4f}" in page
    assert f"/ 0.0103 = {ln_lr:.2f}" in page
    _, said = assayed({"Co": at(0)["Co"] + d})
    [row] = said.contributions
    assert row.u == pytest.approx(math.sqrt(s), rel=1e-3)
    assert row.z == pytest.approx(d / math.sqrt(s), rel=1e-3)

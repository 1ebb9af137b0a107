"""A drift on several partitions whose workers crash: found once, known to all, the same each time.

In memory, with the worker's own steps (``tests/support/cluster.py``).
"""

from itertools import groupby
from random import Random

import pytest

from custody.core import CustodyFold
from custody.events import LotFact, ReferenceSet
from custody.records import Alert, Drift, Residual
from schemas import topics
from schemas.partition import partition_of
from schemas.routes import fact_key
from tests.support.chain_references import copies, ticks
from tests.support.cluster import Cluster, Faults
from tests.support.facts import MINUTE, T0
from tests.support.fleet import GAP_MIN, Fleet

PARTITIONS = 3


def run(seed: int, faults: Faults) -> Cluster:
    """Lots one after the other, each with all its facts; the clock goes on in between."""
    fleet = Fleet(5, lots=22, since=10, xrf=("XRF-DEPOT", "Co", 0.22), composition=True)
    return told(fleet, Cluster(CustodyFold(), PARTITIONS, Random(seed), faults), PARTITIONS)


def told(fleet: Fleet, cluster: Cluster, partitions: int) -> Cluster:
    """Tell a cluster of a fleet's lots, and of the time."""
    records = fleet.records()
    for record in records:
        if isinstance(record, ReferenceSet):
            cluster.broadcast(topics.CONTROL, copies(record, partitions))
    facts = [one for one in records if isinstance(one, LotFact)]
    for number, (_, lot) in enumerate(groupby(facts, key=lambda one: one.lot_id)):
        for fact in lot:
            cluster.publish(topics.FACT, fact_key(fact).encode(), fact)
        cluster.run()
        cluster.broadcast(topics.FLOW, ticks((number + 1) * GAP_MIN + 120.0, partitions))
        cluster.run()
    return cluster


def still_open(cluster: Cluster) -> set[tuple[str, str]]:
    """Subjects and reasons; what was raised and taken back within one chunk was never said."""
    alerts = {one.alert_id: one for one in alerts_of(cluster)}
    return {(one.subject, one.reason) for one in alerts.values() if one.state == "open"}


def alerts_of(cluster: Cluster) -> list[Alert]:
    return [one for one in cluster.said(topics.ALERT) if isinstance(one, Alert)]


def residuals(cluster: Cluster) -> dict[tuple[str, str], object]:
    """The last word of each lot about each instrument."""
    return {(one.thing, one.lot_id): (one.occurred_at, one.figures) for one in words(cluster)}


def words(cluster: Cluster) -> list[Residual]:
    return [one for one in cluster.said(topics.FLOW) if isinstance(one, Residual)]


def test_a_drift_is_known_to_all_partitions() -> None:
    cluster = run(1, Faults())
    drifts = [one for one in cluster.said(topics.FLOW) if isinstance(one, Drift)]
    assert {one.partition for one in drifts} == set(range(PARTITIONS))
    [(subject, reason)] = still_open(cluster)
    assert subject == "instrument/XRF-DEPOT"
    assert reason.startswith("XRF-DEPOT reads Co 2")
    # All lots after the first few have been told to judge without it, wherever they live.
    known = {partition_of(one.lot_id.encode(), PARTITIONS) for one in words(cluster)}
    assert known == set(range(PARTITIONS))
    raised = {one.lot_id for one in cluster.said(topics.ALERT) if isinstance(one, Alert)}
    assert not {f"L-{number:03d}" for number in range(16, 22)} & raised


@pytest.mark.parametrize("seed", [2, 3])
def test_crashes_change_nothing(seed: int) -> None:
    expected = run(1, Faults())
    found = run(seed, Faults(crash=0.05, commit_lost=0.5, moved=0.3))
    assert found.crashes
    assert still_open(found) == still_open(expected)
    assert residuals(found) == residuals(expected)


def test_a_scale_knocked_while_lots_lie_at_it_accuses_no_lot_on_any_partition() -> None:
    """Lots lie for a day between the scale's two words of them; workers crash meanwhile."""
    fleet = Fleet(1, lots=45, since=20, scale=("WB-DEPOT", 0.012), stay_min=1440.0)
    faults = Faults(crash=0.05, commit_lost=0.5, moved=0.3)
    cluster = Cluster(CustodyFold(), PARTITIONS, Random(4), faults)
    for record in fleet.records():
        if isinstance(record, ReferenceSet):
            cluster.broadcast(topics.CONTROL, copies(record, PARTITIONS))
    facts = [one for one in fleet.records() if isinstance(one, LotFact)]
    for minutes, told_then in groupby(facts, key=_half_day):
        for fact in told_then:
            cluster.publish(topics.FACT, fact_key(fact).encode(), fact)
        cluster.run()
        cluster.broadcast(topics.FLOW, ticks(minutes, PARTITIONS))
        cluster.run()
    assert cluster.crashes
    assert {subject for subject, _ in still_open(cluster)} == {"instrument/WB-DEPOT"}
    taken_back = {one.rule for one in alerts_of(cluster) if one.state == "retracted"}
    # It is named so soon that no lot is ever overdrawn.
    assert taken_back - {"route_loss"} == {"lot_eprocess"}


def _half_day(fact: LotFact) -> float:
    """Return the end of the half day in which a fact was recorded, minutes, and two hours more."""
    return ((fact.recorded_at - T0) // (720 * MINUTE) + 1) * 720.0 + 120.0


def test_a_wet_season_is_no_biased_laboratory() -> None:
    """All lots have 10.5 to 11.5 % of water; of ore it is only known that 5 +- 3 % are usual.

    One laboratory says it, and nothing else does: what is usual differs from what these mines
    have by the same in every lot, which many lots do not average out.
    """
    fleet = Fleet(5, lots=60, since=60, composition=True, moisture=(0.105, 0.115), at_port=False)
    cluster = told(fleet, Cluster(CustodyFold(), 1, Random(1), Faults()), 1)
    assert not still_open(cluster)

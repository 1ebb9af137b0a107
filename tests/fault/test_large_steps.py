"""A step that says more than a row of the store may hold, on a real broker and through a kill.

A lot whose attribute is given for the whole of it is posted anew, trip by trip, with each load
that is weighed in: 240 loads say some 2,000 transfers in one step, 400 kB.
"""

import signal
from pathlib import Path

import pytest

from custody.events import Attribute, LotFact
from streams.config import ROW_BYTES_MAX, Stage
from tests.support import stack
from tests.support.agreement import sums_of
from tests.support.facts import Maker, hauled
from tests.support.ledger_topics import Lag, Sender, heard
from tests.support.standing import Books
from tests.support.streams import WorkerProcess, ended, eventually, framed, make_topics
from tests.support.world import World, amounts

pytestmark = [pytest.mark.fault, pytest.mark.integration, pytest.mark.slow]

LOADS = 240
WITHIN_S = 120


def loads() -> list[LotFact]:
    """The loads of a lot whose attribute is given for the whole of it."""
    maker = Maker()
    whole = Attribute(
        name="ghg", amount=5e4, unit="kgCO2e", per="total", quality="measured", source=None
    )
    return [maker.lot("MINE", -5, {"Cu": 0.025}, attributes=(whole,)), *hauled(maker, LOADS)]


def told(*chunks: list[LotFact]) -> World:
    world = World()
    for chunk in chunks:
        world.tell(*chunk, together=True)
    return world


@pytest.mark.timeout(300)
def test_a_step_of_many_transfers_is_said_whole_after_a_kill(tmp_path: Path) -> None:
    facts, last = loads()[:-2], loads()[-2:]
    expected = told(facts, last)
    said = expected.transfers[len(told(facts).transfers) :]
    assert sum(len(framed(one)) for one in said) > ROW_BYTES_MAX
    with stack.running_kafka(tmp_path / "kafka") as bootstrap:
        make_topics(bootstrap)
        sender, lag = Sender(bootstrap, [*facts, *last]), Lag(bootstrap)
        first = WorkerProcess(bootstrap, tmp_path / "first", fold="custody")
        dying = WorkerProcess(
            bootstrap, tmp_path / "first", fold="custody", hook=["kill", Stage.LOGGED.value, 1]
        )
        other = WorkerProcess(bootstrap, tmp_path / "other", fold="custody")
        with ended([first, dying, other]):
            sender.send(len(facts))
            first.start()
            assert eventually(lambda: lag.records() == 0, WITHIN_S, every_s=0.1)
            assert first.end() == 0
            sender.send(len(last))
            dying.start()
            assert dying.wait(60) == -signal.SIGKILL
            # It has nothing of its own: what it says again comes from the changelog.
            other.start()
            assert eventually(lambda: lag.records() == 0, WITHIN_S, every_s=0.1)
            assert other.end() == 0
        lag.close()
        found = Books(heard(bootstrap).said)
    assert found.sums == sums_of(expected.transfers)
    assert {b.account: amounts(b) for b in found.balances.values()} == {
        account: amounts(b) for account, b in expected.balances.items() if amounts(b)
    }

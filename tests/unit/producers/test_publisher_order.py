"""What a publisher leaves on a partition while the line fails, on the broker in memory."""

from dataclasses import replace
from pathlib import Path

from typing_extensions import override

from producers import publisher
from producers.service import Options
from schemas import topics
from schemas.codec import FRAME_BYTES, decode
from tests.support.gateway import ticket
from tests.support.sim import threads
from tests.support.sim.producing import Producer
from tests.support.sim.run import Run, stand_ins

DELIVERY_S = 10.0
HEARD_LATE_S = 2.0


class Busy(Producer):
    """A client whose application hears of everything late, as one that waits for its disk."""

    @override
    def _late(self) -> float:
        return self._world.now_s + HEARD_LATE_S


def test_no_record_overtakes_one_whose_time_was_up(tmp_path: Path) -> None:
    """A receiver drops what is not above the highest number it has seen: it would be lost."""
    made = Run(1, tmp_path)
    world, broker, site = made.world, made.broker, made.sites[0]
    world.quiet = True
    patient = replace(site.config.publisher, delivery_timeout_s=DELIVERY_S)
    site.config = replace(site.config, publisher=patient)
    busy = (publisher, "Producer", lambda options, **_: Busy(broker, options))
    with threads.installed([*stand_ins(made), busy]):
        try:
            site.start()
            for number, then_s in ((1, HEARD_LATE_S + 1), (2, 0.8 * DELIVERY_S), (3, 3.0)):
                assert world.wait(lambda: site.gateway is not None, 100.0)
                assert site.gateway is not None
                site.gateway.take([ticket(number, lot_id="L-1")], Options(), "plant")
                world.wait(None, then_s)
                # It has gone once the session runs: what comes after it finds the line down.
                broker.away = True
            broker.away = False
            world.wait(lambda: False, 4 * DELIVERY_S)
        finally:
            world.end()
            site.bury()
    found = [record for log in broker.topics[topics.FACT] for record in log]
    numbers = [decode("weighing", (r.value or b"")[FRAME_BYTES:]).gateway_seq for r in found]  # type: ignore[union-attr]  # a fact
    assert list(dict.fromkeys(numbers)) == [1, 2, 3]

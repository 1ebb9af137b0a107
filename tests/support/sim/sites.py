"""Gateways and the plants that send to them."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from random import Random

from producers.config import GatewayConfig, OutboxConfig, PublisherConfig
from producers.group import Answer
from producers.outbox import Outbox, OutboxClosed
from producers.reserve import OutboxNotOpened
from producers.service import Gateway, Options
from tests.support.sim.disk import Disk
from tests.support.sim.registry import URL, Registry
from tests.support.sim.requests import Asked
from tests.support.sim.world import Process, World

ANSWER_WAIT_S = 20.0
AGAIN = 0.1
"""Share of the requests that a plant sends once more although they were answered."""


@dataclass
class Site:
    """A gateway that is started again whenever it dies, on the disk it had.

    Args:
        world: Time and chance.
        disk: Its disk.
        registry: Where it asks for ids.
        partitions: Of every topic.
        crash: Chance of a kill at each point.
    """

    world: World
    disk: Disk
    registry: Registry
    partitions: int
    crash: float
    gateway: Gateway | None = None
    outbox: Outbox | None = None
    process: Process = field(init=False)

    def __post_init__(self) -> None:
        self.process = Process(self.gateway_id)
        self.config = GatewayConfig(
            outbox=OutboxConfig(
                directory=self.disk.directory,
                gateway_id=self.gateway_id,
                partitions=self.partitions,
                disk_free_bytes_min=0,
            ),
            publisher=PublisherConfig(
                kafka={"bootstrap.servers": "simulated"},
                delivery_timeout_s=self.world.rng.choice((2.0, 10.0)),
                in_flight_max=self.world.rng.choice((2, 10_000)),
            ),
        )
        # A key of its own would be of the machine's chance, not the seed's.
        key = self.world.rng.randbytes(32).hex()
        (self.disk.directory / "signing.key").write_text(key)

    @property
    def gateway_id(self) -> str:
        """Name of the gateway."""
        return self.disk.directory.name

    def start(self) -> None:
        """Start it, with the clock it had."""
        self.process = Process(
            self.gateway_id, self.crash, clock_ahead_us=self.process.clock_ahead_us
        )
        self.world.spawn(self.process, f"{self.gateway_id}/main", self._serve)

    def bury(self) -> None:
        """Let go of what a dead process had open, as its system does."""
        if self.gateway is not None:
            self.gateway.sites.close()
            self.gateway = None
        if self.outbox is not None:
            self.outbox._opened.close()
            self.outbox = None
        if self.world.rng.random() < 0.5:
            self.disk.cut_power()

    def _serve(self) -> None:
        process = self.process
        try:
            made = Gateway(
                self.config, self.registry.catalog(), URL, lambda: self.world.wall(process)
            )
        except OutboxNotOpened:
            # A first start on a full disk: the process ends, and whoever runs it starts it again.
            self.world.exit()
        self.outbox = made.outbox
        made.publisher.start()
        self.gateway = made
        self.world.wait(lambda: False, None)

    @property
    def waiting(self) -> int:
        """Entries that Kafka has not acknowledged; one where it is not known."""
        return 1 if self.gateway is None else self.gateway.outbox.depth


@dataclass
class Plant:
    """Sends its requests until each is answered; again where an answer may have got lost.

    Args:
        world: Time and chance.
        site: Its gateway.
        asked: What it has to send.

    Attributes:
        answers: The first answer to each request, by its place.
    """

    world: World
    site: Site
    asked: Sequence[Asked]
    answers: dict[int, Answer] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether all is answered."""
        return len(self.answers) == len(self.asked)

    def send_all(self) -> None:
        """Send in order, in lists of a few; what is not answered is sent again."""
        left = list(range(len(self.asked)))
        while left:
            count = self.world.rng.choice((1, 1, 3, 8))
            some, left = left[:count], left[count:]
            if not self._send(some):
                left = some + left
            elif self.world.rng.random() < AGAIN:
                # Where all is lost on the way back, a plant does what it did before.
                left = some + left
            self.world.wait(None, self.world.rng.random() * 0.5)

    def _send(self, places: list[int]) -> bool:
        gateway = self.site.gateway
        if gateway is None or self.site.process.dead:
            self.world.wait(lambda: self.site.gateway is not None, 1.0)
            return False
        raws = [self.asked[place].body for place in places]
        future = gateway.take(raws, Options(), "plant")
        process = self.site.process
        self.world.wait(lambda: future.done() or process.dead, ANSWER_WAIT_S)
        return self._hear(places, future)

    def _hear(self, places: list[int], future: "Future[list[Answer]]") -> bool:
        if not future.done() or self.world.chance(0.05):
            return False
        try:
            answers = future.result()
        except OutboxClosed:
            return False
        for place, answer in zip(places, answers, strict=True):
            self._note(place, answer)
        return True

    def _note(self, place: int, answer: Answer) -> None:
        before = self.answers.setdefault(place, answer)
        asked = self.asked[place]
        if asked.good is not None:
            assert (answer.code is None) == asked.good, f"{asked.body}: {answer.item}"
        assert (before.code is None) == (answer.code is None), f"{before.item}, then {answer.item}"
        if before is not answer and answer.code is None:
            assert answer.item["result"] == "duplicate", f"{before.item}, then {answer.item}"


def shared_out(asked: Sequence[Asked], sites: int, rng: Random) -> list[list[Asked]]:
    """Give each request to one site; no two sites know of each other's."""
    shares: list[list[Asked]] = [[] for _ in range(sites)]
    for one in asked:
        shares[rng.randrange(sites)].append(one)
    return shares

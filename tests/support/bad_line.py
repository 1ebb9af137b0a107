"""A bad line for tests: a TCP relay that is slow, far away, stalls, and breaks, told or untold.

All connections share the line, one direction at a time each way, piece by piece as it comes: a
piece takes its bytes over the rate, now and then the line stands still, and what was sent arrives
half a round trip later. Now and then a connection ends: by a reset, which both ends hear of and
which takes along what was under way; or *half open*: nothing arrives any more, and neither end is
told. Everything is drawn from a seed.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from runtime.stack import kafka, ports
from tests.support import stack

UP, DOWN = "up", "down"
PIECE_BYTES = 1_460


@dataclass(frozen=True, slots=True)
class Weather:
    """How bad a line is.

    Attributes:
        seed: Decides what is left to chance.
        bytes_per_s: What it carries, each way.
        round_trip_s: From one end to the other and back.
        stall_share: Share of pieces before which it stands still.
        stall_s_max: For so long at most.
        ends_after_s: A connection lives so long, give or take a third.
        half_open_share: Share of connections that end without a word.
    """

    seed: int
    bytes_per_s: float = 8_000
    round_trip_s: float = 0.8
    stall_share: float = 0.05
    stall_s_max: float = 2.0
    ends_after_s: float = 30.0
    half_open_share: float = 0.5


@dataclass(slots=True)
class Tally:
    """What went over the line, and what happened to it."""

    bytes: dict[str, int] = field(default_factory=lambda: {UP: 0, DOWN: 0})
    connections: int = 0
    stalls: int = 0
    resets: int = 0
    half_open: int = 0


FAIR = Weather(0, bytes_per_s=1e8, round_trip_s=0.0, stall_share=0.0, ends_after_s=1e6)
"""No worse than none."""


class BadLine:
    """The relay, on a thread of its own; ``start`` and ``stop``. It begins fair.

    Args:
        port: Where it listens.
        to_port: Where it leads.
    """

    def __init__(self, port: int, to_port: int) -> None:
        self._port = port
        self._to_port = to_port
        self._loop = asyncio.new_event_loop()
        self._flows = asyncio.Event()
        self._turns = {UP: asyncio.Lock(), DOWN: asyncio.Lock()}
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.change(FAIR)

    def change(self, weather: Weather) -> None:
        """Begin anew with other weather: for connections from now on, and a tally of its own."""
        self._weather = weather
        self._chance = Random(weather.seed)
        self.tally = Tally()

    def hold(self, *, still: bool) -> None:
        """Let nothing through any more, and tell nobody; or everything again."""
        turn = self._flows.clear if still else self._flows.set
        self._loop.call_soon_threadsafe(turn)

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def stop(self) -> None:
        """End everything."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        self._flows.set()
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self._port)

    async def _end(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._open:
            writer.transport.abort()

    async def _connected(
        self, near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter
    ) -> None:
        far_in, far_out = await asyncio.open_connection("127.0.0.1", self._to_port)
        self.tally.connections += 1
        self._open |= {near_out, far_out}
        carrying = [
            asyncio.create_task(self._carry(UP, near_in, far_out)),
            asyncio.create_task(self._carry(DOWN, far_in, near_out)),
        ]
        self._keep(asyncio.create_task(self._live(carrying, near_out, far_out)))

    def _keep(self, task: "asyncio.Task[None]") -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _live(
        self,
        carrying: "list[asyncio.Task[None]]",
        near: asyncio.StreamWriter,
        far: asyncio.StreamWriter,
    ) -> None:
        """Let a connection carry for as long as it lives, then end it as it is to end."""
        life_s = self._weather.ends_after_s * self._chance.uniform(2 / 3, 4 / 3)
        says_nothing = self._chance.random() < self._weather.half_open_share
        try:
            _, still = await asyncio.wait(
                carrying, timeout=life_s, return_when=asyncio.FIRST_COMPLETED
            )
            broken = len(still) == len(carrying)
            self.tally.half_open += broken and says_nothing
            self.tally.resets += broken and not says_nothing
        finally:
            for task in carrying:
                task.cancel()
            await asyncio.gather(*carrying, return_exceptions=True)
        if broken and says_nothing:
            return  # open to the end of the test, for each end that does not give it up
        for writer in (near, far):
            _reset(writer)

    async def _carry(
        self, way: str, source: asyncio.StreamReader, target: asyncio.StreamWriter
    ) -> None:
        """Carry one direction of a connection; ends with it, or is cancelled."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        arriving = asyncio.create_task(self._arrive(under_way, target))
        try:
            while piece := await source.read(PIECE_BYTES):
                async with self._turns[way]:
                    await self._flows.wait()
                    await asyncio.sleep(self._takes_s(len(piece)))
                    self.tally.bytes[way] += len(piece)
                arrives_s = self._loop.time() + self._weather.round_trip_s / 2
                under_way.put_nowait((arrives_s, piece))
            await under_way.join()
        except OSError:
            pass  # one end is gone: so is the connection
        finally:
            arriving.cancel()
            await asyncio.gather(arriving, return_exceptions=True)

    def _takes_s(self, size: int) -> float:
        taken_s = size / self._weather.bytes_per_s
        if self._chance.random() < self._weather.stall_share:
            self.tally.stalls += 1
            taken_s += self._chance.uniform(0, self._weather.stall_s_max)
        return taken_s

    async def _arrive(
        self, under_way: "asyncio.Queue[tuple[float, bytes]]", target: asyncio.StreamWriter
    ) -> None:
        while True:
            at_s, piece = await under_way.get()
            await asyncio.sleep(at_s - self._loop.time())
            with suppress(OSError):
                target.write(piece)
                await target.drain()
            under_way.task_done()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection so that its other end hears of a reset, not of an end."""
    with suppress(OSError):
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextmanager
def broker_behind(directory: Path) -> Iterator[tuple[str, str, BadLine]]:
    """A real broker with two addresses: one on this machine, and one behind a bad line.

    A client of the second is told by the broker to come that way again, as over a tunnel.
    """
    node = stack.kafka_node(directory)
    far_port, line_port = ports.any_free(), ports.any_free()
    text = node.properties.read_text(encoding="utf-8")
    near = f"PLAINTEXT://127.0.0.1:{node.port}"
    changed = {
        f"\nlisteners={near},": f"\nlisteners={near},LINE://127.0.0.1:{far_port},",
        f"\nadvertised.listeners={near}": (
            f"\nadvertised.listeners={near},LINE://127.0.0.1:{line_port}"
        ),
        "protocol.map=": "protocol.map=LINE:PLAINTEXT,",
    }
    for before, after in changed.items():
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    node.properties.write_text(text, encoding="utf-8")
    line = BadLine(line_port, far_port)
    with stack.started(kafka.command(node), lambda: kafka.is_ready(node.bootstrap)):
        line.start()
        try:
            yield node.bootstrap, f"127.0.0.1:{line_port}", line
        finally:
            line.stop()

"""What stands in for ``threading``, ``time``, ``os`` and ``asyncio`` in simulated processes.

Only the names the modules use are here; each is given to the modules by ``installed`` and taken
away again. Code that waits hands its turn on; nobody waits for the machine's clock.
"""

from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace, TracebackType
from typing import Self, TypeVar
from unittest import mock

from tests.support.sim.world import World

T = TypeVar("T")


class Condition:
    """A condition among threads of which one runs at a time: nothing to lock."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def notify_all(self) -> None:
        """Wake nobody: whoever waits is asked again at every turn."""

    def wait_for(self, predicate: Callable[[], bool], timeout: float | None = None) -> bool:
        """Wait until something holds."""
        return self._world.wait(predicate, timeout)


class Event:
    """A flag to wait for."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._set = False

    def set(self) -> None:
        """Raise the flag."""
        self._set = True

    def is_set(self) -> bool:
        """Tell whether it is raised."""
        return self._set

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for it."""
        return self._world.wait(self.is_set, timeout)


class Thread:
    """A further thread of the process that makes it."""

    def __init__(self, world: World, target: Callable[[], object], name: str) -> None:
        self._world = world
        self._target = target
        self._name = name

    def start(self) -> None:
        """Let it have its turns."""
        process = self._world.current.process
        self._world.spawn(process, f"{process.name}/{self._name}", self._target)

    def is_alive(self) -> bool:
        """Tell nothing: simulated processes are killed, never stopped."""
        return False


class Lock:
    """A lock among threads of which one runs at a time."""

    __enter__ = Condition.__enter__
    __exit__ = Condition.__exit__


def threading_of(world: World) -> SimpleNamespace:
    """Return what stands in for the module ``threading``."""
    return SimpleNamespace(
        Condition=lambda: Condition(world),
        Event=lambda: Event(world),
        Lock=Lock,
        Thread=lambda target, name, daemon: Thread(world, target, name),  # noqa: ARG005
    )


def time_of(world: World) -> SimpleNamespace:
    """Return what stands in for the module ``time``."""
    return SimpleNamespace(monotonic=world.monotonic)


def asyncio_of(world: World) -> SimpleNamespace:
    """Return what stands in for ``asyncio``: who gathers, gathers one after another, in any order.

    What a kill leaves is any prefix of each, as where they go on side by side.
    """
    import asyncio

    async def gather(*given: Awaitable[object]) -> list[object]:
        found: dict[int, object] = {}
        order = list(range(len(given)))
        world.rng.shuffle(order)
        try:
            for number in order:
                found[number] = await given[number]
        finally:
            for one in given:
                if isinstance(one, Coroutine):
                    one.close()
        return [found[number] for number in range(len(given))]

    async def sleep(seconds: float) -> None:
        if seconds:
            world.wait(None, seconds)

    return SimpleNamespace(gather=gather, sleep=sleep, Lock=asyncio.Lock, Future=asyncio.Future)


@contextmanager
def installed(stand_ins: Sequence[tuple[object, str, object]]) -> Iterator[None]:
    """Give modules their stand-ins for the length of the block."""
    with ExitStack() as stack:
        for module, name, stand_in in stand_ins:
            stack.enter_context(mock.patch.object(module, name, stand_in))
        yield

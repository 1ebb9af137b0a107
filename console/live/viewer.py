"""One who watches: from his last event on, without a gap and without a repeat."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from console.live.hub import Hub
from console.live.places import Places, places_of, text_of
from console.live.ring import Ring, Standing, framed
from custody.errors import Unavailable

HEARTBEAT_S = 2.0
_AT_ONCE = 200
_RETRY_MS = 1_000


@dataclass(frozen=True, slots=True)
class Watch:
    """What one watches by.

    Attributes:
        hub: Gives what is new.
        ring: The hub's, as it was when he came: where it is another one, his place is gone.
        pulse: Gives how the parts get on, as a line of JSON.
        goes_on: Tells whether the process does; where it does not, he comes back to the next one.
        over: Gives why his session is over, as one word; empty while it lasts.
    """

    hub: Hub
    ring: Ring
    pulse: Callable[[], str]
    goes_on: Callable[[], bool]
    over: Callable[[], str]

    async def chunks(self, last_id: str | None) -> AsyncGenerator[bytes, None]:
        """Yield what is sent, until he may not watch on or has lost his place.

        Args:
            last_id: Id of the last event he has seen; None where he comes for the first time.
        """
        with self.hub.waking() as news:
            now = self.ring.standing()
            yield b"retry: %d\n\n" % _RETRY_MS
            if last_id is not None:
                seen = places_of(last_id, now.end)
                if seen is None or any(at > now.end[place] for place, at in seen.items()):
                    yield _reset(now.end, "the id is of other topics than these")
                    return
                try:
                    async for chunk in self._missed(seen, now):
                        yield chunk
                except Unavailable as error:
                    yield _reset(now.end, error.what)
                    return
            yield _event("hello", json.dumps({"heartbeat_s": HEARTBEAT_S}), now.end)
            async for chunk in self._live(now.next_no, news):
                yield chunk

    async def _missed(self, seen: Places, now: Standing) -> AsyncIterator[bytes]:
        """Yield what he has not seen; an id says what he has seen by then, in every partition."""
        at = dict(seen)
        missed = []
        if any(at[place] < start for place, start in now.start.items()):
            missed = await run_in_threadpool(self.hub.past, seen, now.start)
        missed += [entry.told for entry in now.entries]
        for some in range(0, len(missed), _AT_ONCE):
            frames = []
            for told in missed[some : some + _AT_ONCE]:
                if told.offset >= at[told.place]:
                    at[told.place] = told.offset + 1
                    frames.append(framed(told, text_of(at)))
            if frames:
                yield b"".join(frames)

    async def _live(self, no: int, news: asyncio.Event) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        beat_s = loop.time()
        while True:
            if loop.time() >= beat_s:
                if not self.goes_on():
                    return
                if why := self.over():
                    # Told, or a browser would come back for ever, on a page that looks stale.
                    yield _event("over", json.dumps({"why": why}))
                    return
                yield _event("health", self.pulse())
                beat_s = loop.time() + HEARTBEAT_S
            news.clear()
            entries = self.ring.after(no, _AT_ONCE)
            if entries is None or self.hub.ring is not self.ring:
                end = self.hub.ring or self.ring
                yield _reset(end.standing().end, "too slow, or the topics were made anew")
                return
            if entries:
                no += len(entries)
                yield b"".join(entry.frame for entry in entries)
                continue
            try:
                async with asyncio.timeout(max(0.0, beat_s - loop.time())):
                    await news.wait()
            except TimeoutError:
                continue


def _event(name: str, line: str, at: Places | None = None) -> bytes:
    head = "" if at is None else f"id: {text_of(at)}\n"
    return f"{head}event: {name}\ndata: {line}\n\n".encode()


def _reset(end: Places, why: str) -> bytes:
    """Tell that the page has to load anew; with the present place, from which it then goes on."""
    return _event("reset", json.dumps({"why": why}), end)

"""``GET /api/live``: server-sent events for a page that watches."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from console.live.hub import Hub
from console.live.viewer import Watch
from console.people.roles import Right
from console.visits import Visits
from web.problem import Problem

VIEWERS_MAX = 500

_SEND_S = 15.0
"""A line that takes nothing for so long is dead; the browser comes back with its last id."""

_HEADERS = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Live:
    """What is watched.

    Attributes:
        hub: Reads what is new.
        pulse: Gives how the parts get on, as a line of JSON; at every beat of every page.
        stopping: Tells whether the process ends.
    """

    hub: Hub
    pulse: Callable[[], str]
    stopping: Callable[[], bool]


class EventStream(Response):
    """An answer without an end, which never waits for a line that takes nothing."""

    def __init__(self, chunks: AsyncGenerator[bytes, None]) -> None:
        super().__init__(None, 200, _HEADERS, "text/event-stream")
        # Of an answer with a length the browser would see the end.
        del self.headers["content-length"]
        self._chunks = chunks

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(head)
        sending = asyncio.ensure_future(self._send(send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
                with suppress(asyncio.CancelledError, TimeoutError, OSError):
                    await task
            # Cancelled while it sent, it is still where it was; nobody is to wake it any more.
            await self._chunks.aclose()

    async def _send(self, send: Send) -> None:
        async for chunk in self._chunks:
            async with asyncio.timeout(_SEND_S):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def live_router(found: Visits, live: Live) -> APIRouter:
    """Return the route of live events.

    Args:
        found: Tells who sends a request.
        live: What is watched.
    """
    router = APIRouter()

    @router.get("/api/live", summary="What happens, as it happens: server-sent events")
    def get_live(request: Request) -> Response:
        visitor = found.visitor(request, Right.SEE, "live")
        ring = live.hub.ring
        if ring is None or live.hub.watching >= VIEWERS_MAX:
            why = "too many watch" if ring is not None else "Kafka has not answered yet"
            raise Problem(503, "not-live", why, {"Retry-After": "2"})

        def goes_on() -> bool:
            return not live.stopping()

        def over() -> str:
            return found.door.why_over(visitor)

        watch = Watch(live.hub, ring, live.pulse, goes_on, over)
        # A page that takes up what another one heard names its place: it has no header to set.
        last_id = request.headers.get("last-event-id") or request.query_params.get("last_id")
        return EventStream(watch.chunks(last_id or None))

    return router

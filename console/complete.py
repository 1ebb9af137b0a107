"""Says with every answer up to when it is complete: a header, asked for before the answer is."""

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from custody.events import Micros
from schemas.present import rfc3339

COMPLETE_TO = "X-Custody-Complete-To"
"""Everything recorded until then is in the answer, RFC 3339; empty where that is not known."""


class CompleteTo:
    """Adds the header to all that an application answers, streamed or not.

    Args:
        app: Who answers.
        complete_to: Up to when everything is in, microseconds; None where that is not known.
    """

    def __init__(self, app: ASGIApp, complete_to: Callable[[], Micros | None]) -> None:
        self._app = app
        self._complete_to = complete_to

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        to = self._complete_to()
        header = COMPLETE_TO.lower().encode(), b"" if to is None else rfc3339(to).encode()

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), header]
            await send(message)

        await self._app(scope, receive, told)

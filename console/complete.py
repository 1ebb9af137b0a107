"""Says with every answer up to when it is complete: headers, asked for before the answer is."""

from collections.abc import Callable, Mapping
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from custody.events import Micros
from schemas.present import rfc3339

COMPLETE_TO = "X-Custody-Complete-To"
"""Everything recorded until then is in the answer, RFC 3339; empty where that is not known."""

COMPLETE_SITES = "X-Custody-Complete-Sites"
"""The same of each site, the least complete first: ``MINE-KOV=2026-11-07T05:12:00Z, PORT=...``."""

SITES_MAX = 32
"""Sites that are named, so that no proxy refuses the header; ``v_watermark`` has all."""


class CompleteTo:
    """Adds the headers to all that an application answers, streamed or not.

    Args:
        app: Who answers.
        complete_to: Up to when everything is in, microseconds; None where that is not known.
        sites: The same by site.
    """

    def __init__(
        self,
        app: ASGIApp,
        complete_to: Callable[[], Micros | None],
        sites: Callable[[], Mapping[str, Micros]],
    ) -> None:
        self._app = app
        self._complete_to = complete_to
        self._sites = sites

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        to = self._complete_to()
        said = {COMPLETE_TO: "" if to is None else rfc3339(to), COMPLETE_SITES: told(self._sites())}
        headers = [(name.lower().encode(), text.encode()) for name, text in said.items()]

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        await self._app(scope, receive, with_headers)


def told(sites: Mapping[str, Micros]) -> str:
    """Return the text of the header: ids as in an address, which hold no comma and no equals.

    Of more than ``SITES_MAX`` sites the last is the furthest: the others are behind that one.
    """
    least = sorted(sites.items(), key=lambda pair: (pair[1], pair[0]))
    least[SITES_MAX - 1 :] = least[-1:] if len(least) >= SITES_MAX else []
    return ", ".join(f"{quote(site, safe='')}={rfc3339(to)}" for site, to in least)

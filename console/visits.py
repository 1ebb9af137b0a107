"""From a request to whoever sends it: cookie, bearer token, origin, address; and bodies of JSON."""

import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from console.access import Access
from console.people.door import Door, Visitor
from console.people.roles import Right
from web.problem import Problem

CSRF_HEADER = "X-CSRF-Token"
BODY_BYTES_MAX = 64 * 1024


@dataclass(frozen=True, slots=True)
class Visits:
    """Tells who sends a request.

    Attributes:
        door: Knows who is in.
        access: Knows the tokens that may read without a session: the operator's, the analysts'.
        public_url: Where browsers reach the console, such as ``https://custody.example``; None
            where that is the address it listens on.
    """

    door: Door
    access: Access
    public_url: str | None = None

    @property
    def secure(self) -> bool:
        """Whether browsers come by https."""
        return self.public_url is not None and self.public_url.startswith("https://")

    @property
    def cookie(self) -> str:
        """Name of the cookie: where there is https, one that no other host or path can set."""
        return "__Host-custody" if self.secure else "custody"

    def visitor(self, request: Request, right: Right, what: str, about: str = "") -> Visitor:
        """Return who asks, where they may.

        Raises:
            Problem: 401, 403.
        """
        visitor = self.anyone(request)
        self.door.require(visitor, right, what, about)
        return visitor

    def anyone(self, request: Request) -> Visitor:
        """Return who asks, whatever they may.

        Raises:
            Problem: 401.
        """
        return self.door.find(request.cookies.get(self.cookie, ""), address_of(request))

    def changer(self, request: Request) -> Visitor:
        """Return who asks for a change, from a page of ours and of their session.

        Raises:
            Problem: 401, 403.
        """
        self.check_origin(request)
        visitor = self.anyone(request)
        self.door.check_csrf(visitor, request.headers.get(CSRF_HEADER, ""))
        return visitor

    def reader(self, request: Request, right: Right, what: str) -> None:
        """See that a request may read: by a token, or by a session with the right.

        Raises:
            Problem: 401, 403.
        """
        if "authorization" in request.headers:
            self.access.role_of(request.headers)
        else:
            self.visitor(request, right, what)

    def check_origin(self, request: Request) -> None:
        """See that a browser sends a change from a page of ours.

        A browser says so with every POST; whoever says nothing is none, and has no cookie that he
        was not given.

        Raises:
            Problem: 403.
        """
        origin = request.headers.get("origin")
        site = request.headers.get("sec-fetch-site", "same-origin")
        ours = self.public_url or f"{request.url.scheme}://{request.headers.get('host', '')}"
        if (origin is not None and origin != _origin(ours)) or site not in {"same-origin", "none"}:
            raise Problem(403, "foreign-origin", "this comes from a page of another site")

    def keep(self, response: Response, secret: str) -> None:
        """Have the browser keep a session; it ends with the browser, or before it.

        It comes with a link that somebody follows from another site, or who is sent one has to log
        in again. That shows a page and changes nothing: a change needs ``changer``.
        """
        response.set_cookie(
            self.cookie, secret, path="/", secure=self.secure, httponly=True, samesite="lax"
        )

    def forget(self, response: Response) -> None:
        """Have the browser forget its session."""
        response.delete_cookie(
            self.cookie, path="/", secure=self.secure, httponly=True, samesite="lax"
        )


def address_of(request: Request) -> str:
    """Return where a request comes from."""
    return "unknown" if request.client is None else request.client.host


async def json_body(request: Request) -> dict[str, object]:
    """Return the object in the body of a request.

    Raises:
        Problem: 400, 413, 415: it is none.
    """
    # A form of another site cannot send this type without asking first.
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise Problem(415, "not-json", "Content-Type: application/json is needed")
    found = _read(await body_of(request))
    if not isinstance(found, dict):
        raise Problem(400, "bad-json", "the body is no JSON object")
    return found


def _read(body: bytes) -> object:
    try:
        found: object = json.loads(body.decode())
        # Half a character ("\ud800") and NaN can be read, but neither kept nor sent on.
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError as error:
        raise Problem(400, "bad-json", "the body is nested too deeply") from error
    except ValueError as error:
        raise Problem(400, "bad-json", f"the body is no JSON: {error}") from error
    return found


async def body_of(request: Request) -> bytes:
    """Return a body of at most ``BODY_BYTES_MAX``.

    Raises:
        Problem: 413.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise Problem(413, "too-large", f"a body has at most {BODY_BYTES_MAX:,} bytes")
    return bytes(body)


def text_of(body: dict[str, object], name: str) -> str:
    """Return a text of a body.

    Raises:
        Problem: 400: it is missing or no text.
    """
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise Problem(400, "missing-field", f"{name}: a text is needed")
    return value


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"

"""At the gateway's door: whose token it is, and whether he has not sent enough for now."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from custody.errors import CustodyError
from custody.events import Micros
from producers.config import HttpConfig
from producers.token_store import TokenStore
from producers.tokens import OPERATOR, Token, digest_of, operator
from web.problem import Problem
from web.token import load_or_make

REFRESH_S = 0.5
"""A token that is made or revoked counts after this long at the latest."""

USED_EVERY_US = 60_000_000
"""The last use of a token is written once a minute, so that it costs nothing."""

log = logging.getLogger(__name__)


class Access:
    """The tokens of a running gateway. Threads may share it.

    Args:
        operator_secret: Gives the operator's token, asked again and again: it may be renewed.
        store: All other tokens; None where there are none.
        clock: Time of day.
        monotonic: Seconds that never go back.
    """

    def __init__(
        self,
        operator_secret: Callable[[], str],
        store: TokenStore | None,
        clock: Callable[[], Micros],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._operator_secret = operator_secret
        self._store = store
        self._clock = clock
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._version: int | None = None
        self._others: dict[bytes, Token] = {}
        self._known: dict[bytes, Token] = {}
        self._noted: dict[str, Micros] = {}
        self._buckets: dict[str, Bucket] = {}
        self._failing = ""
        self._read()
        self._read_at = monotonic()

    @classmethod
    def single(cls, secret: str) -> "Access":
        """Return the access of a gateway that knows the operator's token alone."""
        return cls(lambda: secret, None, lambda: Micros(0))

    def admit(self, authorization: str) -> Token:
        """Return the token of a request.

        Args:
            authorization: Its header ``Authorization``; empty where it has none.

        Raises:
            Problem: 401: none, unknown, expired or revoked.
        """
        scheme, _, secret = authorization.partition(" ")
        with self._lock:
            self._refresh()
            token = self._known.get(digest_of(secret)) if scheme.lower() == "bearer" else None
            if token is None:
                headers = {"WWW-Authenticate": "Bearer"}
                raise Problem(401, "no-token", "Authorization: Bearer <token> is needed", headers)
            now = self._clock()
            state = token.state(now)
            if state != "valid":
                headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
                detail = f"token {token.name} is {state}: custody token create makes another"
                raise Problem(401, f"token-{state}", detail, headers)
            self._note_used(token, now)
            return token

    def take(self, token: Token, requests: int, limits: HttpConfig) -> None:
        """Count requests against the rate of a token.

        Raises:
            Problem: 429 with the seconds until there is room for as many.
        """
        if limits.rate_per_s is None:
            return
        with self._lock:
            bucket = self._buckets.get(token.name)
            if bucket is None:
                bucket = Bucket(limits.rate_per_s, limits.rate_burst, self._monotonic())
                self._buckets[token.name] = bucket
            wait_s = bucket.take(requests, self._monotonic())
        if wait_s:
            detail = f"token {token.name}: more than {limits.rate_per_s:g} requests per second"
            raise Problem(429, "rate-limit", detail, {"Retry-After": str(wait_s)})

    def close(self) -> None:
        """Close the file; who is known remains known."""
        with self._lock:
            if self._store is not None:
                self._store.close()
                self._store = None

    def _refresh(self) -> None:
        now_s = self._monotonic()
        if now_s - self._read_at < REFRESH_S:
            return
        self._read_at = now_s
        try:
            self._read()
        except (CustodyError, OSError) as error:
            # The truck is at the gate: who was known remains known, and the log says why.
            if self._failing != str(error):
                log.exception("tokens cannot be read, the last known count")
            self._failing = str(error)
        else:
            self._failing = ""

    def _read(self) -> None:
        """Take what is new of the file, and the operator's token as it is now."""
        if self._store is not None and (version := self._store.version()) != self._version:
            self._others = self._store.by_digest()
            self._version = version
            names = {token.name for token in self._others.values()}
            self._buckets = {n: b for n, b in self._buckets.items() if n in names | {OPERATOR}}
        self._known = {**self._others, digest_of(self._operator_secret()): operator()}

    def _note_used(self, token: Token, now: Micros) -> None:
        noted = self._noted.get(token.name)
        if self._store is None or token.name == OPERATOR:
            return
        if noted is not None and now - noted < USED_EVERY_US:
            return
        # Noted whether it can be written or not: a full disk is tried once a minute, too.
        self._noted[token.name] = now
        try:
            self._store.note_used(token.name, now)
        except CustodyError as error:
            log.warning("last use of a token not noted", extra={"why": error.what})


class Bucket:
    """A token bucket in the sense of traffic shaping: so many at once, so many per second.

    Args:
        rate_per_s: Requests per second on average.
        burst: Requests at once after a pause.
        now_s: Monotonic time.
    """

    __slots__ = ("_at_s", "_burst", "_level", "_rate_per_s")

    def __init__(self, rate_per_s: float, burst: int, now_s: float) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._level = float(burst)
        self._at_s = now_s

    def take(self, count: int, now_s: float) -> int:
        """Take from the bucket; return 0, or the whole seconds until there is enough."""
        self._level = min(self._burst, self._level + (now_s - self._at_s) * self._rate_per_s)
        self._at_s = now_s
        # A list larger than the bucket passes when it is full, and leaves a debt.
        missing = min(count, self._burst) - self._level
        if missing > 0:
            return int(missing / self._rate_per_s) + 1
        self._level -= count
        return 0


def open_access(directory: Path, clock: Callable[[], Micros]) -> Access:
    """Return the access of a gateway in its directory; makes the operator's token where it is not.

    Raises:
        TokenUnreadable: The operator's token is open to others.
        TokensUnreadable: The other tokens cannot be read.
    """
    file = directory / "token"
    store = TokenStore(directory, durable=False)
    return Access(lambda: load_or_make(file), store, clock)

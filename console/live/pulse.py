"""How the parts get on, for pages that have to turn stale when one of them stops."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import httpx

EVERY_S = 1.0
_TIMEOUT_S = 1.0
_FRESH_S = 0.5
STALE_S = 3.0
"""So long unheard of, a part is not well: a page says so within five seconds."""


@dataclass(frozen=True, slots=True)
class Part:
    """How one part is.

    Attributes:
        ok: It gets on.
        since_s: Seconds since it was last seen to.
        reason: Why it is not ok, in its own words; empty where it is.
    """

    ok: bool
    since_s: float | None
    reason: str = ""


class Workers:
    """Asks the stream workers how they are, from a thread of its own.

    Args:
        urls: Base addresses of their ``/health``; none where nobody said.
        monotonic: Seconds that never go back.
    """

    def __init__(self, urls: Sequence[str], monotonic: Callable[[], float]) -> None:
        self._urls = urls
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._well_s: dict[str, float] = {}
        self._reasons: dict[str, str] = {}

    def run(self, stop: threading.Event) -> None:
        """Ask once a second until ``stop`` is set. Blocks."""
        with httpx.Client(timeout=_TIMEOUT_S, trust_env=False) as client:
            while self._urls and not stop.wait(EVERY_S):
                for url in self._urls:
                    self._ask(client, url)

    def state(self) -> Part | None:
        """Return how the one that is worst is; None where nobody said where they are."""
        if not self._urls:
            return None
        now = self._monotonic()
        with self._lock:
            parts = [
                Part(
                    ok=not self._reasons.get(url, "not asked yet"),
                    since_s=None if url not in self._well_s else now - self._well_s[url],
                    reason=self._reasons.get(url, "not asked yet"),
                )
                for url in self._urls
            ]
        worst = max(parts, key=lambda part: (not part.ok, part.since_s or 0.0))
        late = worst.since_s is not None and worst.since_s > STALE_S
        return Part(worst.ok and not late, worst.since_s, worst.reason)

    def _ask(self, client: httpx.Client, url: str) -> None:
        try:
            answer = client.get(f"{url}/health")
            reason = "" if answer.is_success else str(answer.json().get("reason") or "not well")
        except (httpx.HTTPError, ValueError, AttributeError) as error:
            reason = f"does not answer: {type(error).__name__}"
        with self._lock:
            self._reasons[url] = reason
            if not reason:
                self._well_s[url] = self._monotonic()


class Pulse:
    """How the parts are, as a line of JSON; looked at once for all who watch.

    Args:
        look: Gives the parts by name: worker, sink, stream; None for one that is not watched.
        since_record_s: Gives the seconds since a record came; None where none has.
        now: Time of day as RFC 3339.
        monotonic: Seconds that never go back.
    """

    def __init__(
        self,
        look: Callable[[], Mapping[str, Part | None]],
        since_record_s: Callable[[], float | None],
        now: Callable[[], str],
        monotonic: Callable[[], float],
    ) -> None:
        self._look = look
        self._since_record_s = since_record_s
        self._now = now
        self._monotonic = monotonic
        self._line = ""
        self._looked_s = -_FRESH_S

    def __call__(self) -> str:
        """Return the line, at most half a second old."""
        if not self._line or self._monotonic() - self._looked_s >= _FRESH_S:
            self._looked_s = self._monotonic()
            self._line = line(self._look(), self._now(), self._since_record_s())
        return self._line


def line(parts: Mapping[str, Part | None], at: str, since_record_s: float | None) -> str:
    """Return how the parts are as a line of JSON.

    Args:
        parts: By name: worker, sink, stream; None where one is not watched.
        at: Time of day, RFC 3339.
        since_record_s: Seconds since a record came.
    """
    said: dict[str, object] = {
        name: None
        if part is None
        else {"ok": part.ok, "since_s": _rounded(part.since_s), "reason": part.reason}
        for name, part in parts.items()
    }
    well = all(part is None or part.ok for part in parts.values())
    return json.dumps({"at": at, "ok": well, "since_record_s": _rounded(since_record_s), **said})


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)

"""At the door: who comes in, who is in, who may do what; each of it written down."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from console.people import passwords
from console.people.register import Register
from console.people.roles import Right
from console.people.sessions import Sessions, csrf_of
from console.people.throttle import Throttle
from console.people.user import Deed, User
from custody.events import Micros
from web.problem import Problem


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is in.

    Attributes:
        user: Who.
        secret: Of the session; never shown.
        address: From where.
    """

    user: User
    secret: str
    address: str


class Door:
    """Lets people in and out. Threads may share it; a password takes a tenth of a second.

    Args:
        register: The users.
        sessions: Their sessions.
        throttle: How often a password may be guessed.
        clock: Time of day.
    """

    def __init__(
        self,
        register: Register,
        sessions: Sessions,
        throttle: Throttle,
        clock: Callable[[], Micros],
    ) -> None:
        self.register = register
        self._sessions = sessions
        self._throttle = throttle
        self._clock = clock

    def enter(self, name: str, password: str, address: str) -> Visitor:
        """Let a user in.

        Raises:
            Problem: 401 where name or password is wrong, 429 after too many attempts.
        """
        user = self._judged(name, password, address, "login")
        visitor = Visitor(user, self._sessions.begin(user.name), address)
        self.note(visitor, "login", "", "ok")
        return visitor

    def find(self, secret: str, address: str) -> Visitor:
        """Return who is in by a session's secret.

        Raises:
            Problem: 401: no session, or it is over.
        """
        session = self._sessions.find(secret) if secret else None
        if session is None:
            raise Problem(401, "no-session", "log in at /login")
        return Visitor(session.user, secret, address)

    def why_over(self, visitor: Visitor) -> str:
        """Return why a visitor may not watch on: ``shut-out`` or ``over``; empty where he may."""
        session = self._sessions.find(visitor.secret, used=False)
        if session is not None and session.user.may(Right.SEE):
            return ""
        is_shut_out = self.register.user(visitor.user.name).disabled_at is not None
        return "shut-out" if is_shut_out else "over"

    def require(self, visitor: Visitor, right: Right, what: str, about: str = "") -> None:
        """See that a visitor has a right.

        Args:
            visitor: Who.
            right: Which.
            what: What it is for; written down where it is refused.
            about: With what.

        Raises:
            Problem: 403.
        """
        user = visitor.user
        if user.may(right):
            return
        self.note(visitor, what, about, "not allowed")
        if user.must_change:
            detail = "the password has to be changed first: POST /api/password"
            raise Problem(403, "password-to-be-changed", detail)
        detail = f"{user.name} is {user.role}; this needs the right to {right}: docs/access.md"
        raise Problem(403, "not-for-this-role", detail)

    def check_csrf(self, visitor: Visitor, given: str) -> None:
        """See that a change comes from a page of the visitor's session.

        Raises:
            Problem: 403.
        """
        # Digests, so that how long it takes says nothing, of whatever length.
        wanted = hashlib.sha256(csrf_of(visitor.secret).encode()).digest()
        if hashlib.sha256(given.encode("utf-8", "surrogateescape")).digest() != wanted:
            detail = "X-CSRF-Token is missing or of another session; GET /api/me has it"
            raise Problem(403, "no-csrf-token", detail)

    def change_password(self, visitor: Visitor, old: str, new: str) -> Visitor:
        """Change a visitor's own password; all sessions end, and a new one begins.

        Raises:
            Problem: 401, 429: the old one is wrong.
            UnfitPassword: The new one cannot be one, or is the old one.
        """
        name = visitor.user.name
        self._judged(name, old, visitor.address, "change password")
        passwords.check_other(old, new)
        self.register.set_password(name, new, self._clock())
        after = Visitor(self.register.user(name), self._sessions.begin(name), visitor.address)
        self.note(after, "change password", "", "ok")
        return after

    def leave(self, visitor: Visitor) -> None:
        """End a visitor's session."""
        self._sessions.end(visitor.secret)
        self.note(visitor, "logout", "", "ok")

    def note(self, visitor: Visitor, what: str, about: str, outcome: str) -> None:
        """Write down what a visitor did."""
        self._note(visitor.user.name, visitor.address, what, about, outcome)

    def note_all(self, visitor: Visitor, what: str, outcomes: Iterable[tuple[str, str]]) -> None:
        """Write down what a visitor did to many things: each by what and with what outcome."""
        made = [
            _deed(self._clock(), visitor.user.name, visitor.address, (what, about, outcome))
            for about, outcome in outcomes
        ]
        self.register.note(*made)

    def _judged(self, name: str, password: str, address: str, what: str) -> User:
        wait_s = self._throttle.begin(name[:64], address)
        if wait_s:
            # Not written down: the wait itself bounds the table, not whoever hammers at the door.
            headers = {"Retry-After": str(int(wait_s) + 1)}
            raise Problem(429, "too-many-attempts", "too many attempts, wait a little", headers)
        user = self.register.is_right(name, password)
        if user is None:
            self._note(name[:64], address, what, "", "wrong name or password")
            raise Problem(401, "wrong-password", "the name or the password is wrong")
        self._throttle.succeeded(name[:64], address)
        return user

    def _note(self, actor: str, address: str, what: str, about: str, outcome: str) -> None:
        self.register.note(_deed(self._clock(), actor, address, (what, about, outcome)))


def _deed(at: Micros, actor: str, address: str, done: tuple[str, str, str]) -> Deed:
    what, about, outcome = done
    return Deed(
        at=at, actor=actor, address=address, what=what, about=about[:200], outcome=outcome[:200]
    )

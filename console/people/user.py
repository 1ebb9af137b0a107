"""A user, a session and a line of the audit table, as they are kept."""

import re
from dataclasses import dataclass

from console.people.roles import Right, Role, may
from custody.errors import Refused
from custody.events import Micros

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)


class UnfitName(Refused):
    """It is called what no log or list should have to show."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"user name {name[:80]!r}",
            expected="1 to 64 small letters, digits, dots, dashes, the first no sign",
        )


class UnknownUser(Refused):
    """Nobody has the name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no user is called {name}", next_step="custody user list")


class NameTaken(Refused):
    """A name was given before; what its user did stands under it."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"there is a user {name}",
            expected="a name of its own for each person",
            next_step=f"custody user enable {name}, where it is the same person",
        )


class LastAdmin(Refused):
    """Nobody would be left who may manage users."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is the last admin",
            expected="one admin at least",
            next_step="custody user role NAME admin, of another user, first",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user, without the password.

    Attributes:
        name: Small letters; the actor of all that the user does.
        role: What the user may do.
        must_change: The password is one that somebody else has seen: it opens nothing but its
            own change.
        created_at: When it was made.
        changed_at: When the password was last set.
        disabled_at: From when on the user cannot come in; None where the user can.
    """

    name: str
    role: Role
    must_change: bool
    created_at: Micros
    changed_at: Micros
    disabled_at: Micros | None = None

    def may(self, right: Right) -> bool:
        """Tell whether the user has a right now."""
        return self.disabled_at is None and not self.must_change and may(self.role, right)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session that is not over.

    Attributes:
        user: Whose.
        created_at: When it began.
        seen_at: When it was last used, to the minute.
    """

    user: User
    created_at: Micros
    seen_at: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One line of the audit table.

    Attributes:
        at: When.
        actor: Who, as given: at a failed login there may be no such user.
        address: From where; ``command line`` for the machine itself.
        what: What was done, such as ``login`` or ``shelve``.
        about: With what: an alert, a lot, a user; empty where with nothing.
        outcome: What came of it, in a word or two.
    """

    at: Micros
    actor: str
    address: str
    what: str
    about: str
    outcome: str


def checked_name(name: str) -> str:
    """Return a name that may be a user's.

    Raises:
        UnfitName: It may not.
    """
    if not _NAME.fullmatch(name):
        raise UnfitName(name)
    return name

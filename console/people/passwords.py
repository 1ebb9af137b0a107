"""Passwords: what may be one, and what is kept of it.

Kept is Argon2id of RFC 9106 as libsodium makes it, salt and cost in the text itself. A guess then
costs the memory and the time below, to whoever has stolen the file, too.
"""

import secrets
import threading
import unicodedata
from dataclasses import dataclass

from nacl import pwhash
from nacl.exceptions import InvalidkeyError

from custody.errors import Refused

CHARACTERS_MIN, CHARACTERS_MAX = 12, 256

_MIB = 1 << 20
_AT_ONCE = threading.Semaphore(2)
"""Each takes 64 MiB: a crowd at the door must not take the memory of the sink beside it."""
_ONE_TIME_BYTES = 15


class UnfitPassword(Refused):
    """It cannot be a password here; what is wrong with it is said, never the password itself."""

    def __init__(self, why: str, expected: str) -> None:
        super().__init__(
            f"the password {why}",
            expected=expected,
            next_step="four words that do not belong together are easy to keep",
        )


class UnfitLength(UnfitPassword):
    """It is too short or too long."""

    def __init__(self, characters: int) -> None:
        bounds = f"{CHARACTERS_MIN} to {CHARACTERS_MAX} characters"
        super().__init__(f"has {characters} characters", bounds)


class NameInPassword(UnfitPassword):
    """The name of its user is the first thing that anybody guesses."""

    def __init__(self, name: str) -> None:
        super().__init__("has the name of its user in it", f"one without {name!r} in it")


class SamePassword(UnfitPassword):
    """It is the old one: whoever has seen that would still have it."""

    def __init__(self) -> None:
        super().__init__("is the one that is to be changed", "another one than before")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess costs.

    Attributes:
        passes: Passes over the memory.
        memory_bytes: Memory.
    """

    passes: int = 3
    memory_bytes: int = 64 * _MIB


def check(name: str, password: str) -> None:
    """See that a password is fit for a user.

    Raises:
        UnfitPassword: It is too short, too long, or has the user's name in it.
    """
    characters = len(_normal(password))
    if not CHARACTERS_MIN <= characters <= CHARACTERS_MAX:
        raise UnfitLength(characters)
    if len(name) > 2 and name.casefold() in _normal(password).casefold():
        raise NameInPassword(name)


def check_other(old: str, new: str) -> None:
    """See that a new password is another one than the old.

    Raises:
        SamePassword: It is the same.
    """
    if _normal(old) == _normal(new):
        raise SamePassword


def digest_of(password: str, cost: Cost) -> str:
    """Return what is kept of a password. Takes a tenth of a second and ``cost.memory_bytes``."""
    with _AT_ONCE:
        made = pwhash.argon2id.str(
            _normal(password).encode(), opslimit=cost.passes, memlimit=cost.memory_bytes
        )
    return made.decode()


def is_right(kept: str, password: str) -> bool:
    """Tell whether a password is the one something was kept of. Costs as much as making it."""
    if len(password) > CHARACTERS_MAX:
        return False
    with _AT_ONCE:
        try:
            return bool(pwhash.verify(kept.encode(), _normal(password).encode()))
        except InvalidkeyError:
            return False


def one_time() -> str:
    """Return a password that nobody can guess and a person can type: 120 random bits."""
    text = secrets.token_hex(_ONE_TIME_BYTES)
    return "-".join(text[i : i + 5] for i in range(0, len(text), 5))


def _normal(password: str) -> str:
    # The same keys give other code points on another keyboard.
    return unicodedata.normalize("NFKC", password)

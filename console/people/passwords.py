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
    """It cannot be a password here."""

    def __init__(self, characters: int) -> None:
        super().__init__(
            f"the password has {characters} characters, or the name of its user in it",
            expected=f"{CHARACTERS_MIN} to {CHARACTERS_MAX} characters that do not hold the name",
            next_step="four words that do not belong together are easy to keep",
        )


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
    has_name = len(name) > 2 and name.casefold() in _normal(password).casefold()
    if has_name or not CHARACTERS_MIN <= characters <= CHARACTERS_MAX:
        raise UnfitPassword(characters)


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

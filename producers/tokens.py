"""Who may post what: bearer tokens by name, bound to sites and types. Pure.

A token is 256 random bits. Only its SHA-256 is kept: whoever reads the file of tokens cannot post
with it. The digest needs no salt and no slow hash, because nobody can guess 256 bits. A request's
token is hashed and its digest looked up, so how long an answer takes says nothing about how much
of a guess was right.
"""

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from custody.errors import Refused
from custody.events import Micros
from producers.requests import MODELS

OPERATOR = "operator"
"""Name of the token made at the first start; it may post and ask for everything."""

CONTROL_TYPES = frozenset({"reference", "action"})
"""What changes how facts are read. Nobody posts it by accident: a token has to name it."""

FACT_TYPES = frozenset(MODELS) - CONTROL_TYPES

PREFIX = "custody_"
"""Begins every token, so that one in a log, a mail or a repository can be searched for."""

_BYTES = 32
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


class BadToken(Refused):
    """A token cannot be made as it was asked for."""


class UnfitName(BadToken):
    """It is called what no log or list should have to show."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"token name {name!r}",
            expected=f"1 to 64 letters, digits, dots, dashes; not {OPERATOR!r}",
        )


class UnfitSite(BadToken):
    """What was given for a site is the id of none, and must not come to mean every site."""

    def __init__(self, site: str) -> None:
        super().__init__(
            f"--site {site!r} is the id of no site",
            expected="a site_id as requests have it, without blanks around it",
            next_step="leave --site out for a token of every site",
        )


class NoSuchType(BadToken):
    """It is for a type of request that does not exist."""

    def __init__(self, stem: str) -> None:
        super().__init__(f"type {stem!r} does not exist", expected=", ".join(MODELS))


class OfNoSite(BadToken):
    """It is bound to a site, and for what belongs to none."""

    def __init__(self) -> None:
        super().__init__(
            "a token for reference or action cannot be bound to a site",
            expected="reference and action records belong to no site",
            next_step="make one token for them, and one with --site for the facts",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What is known of a token; the token itself is not.

    Attributes:
        name: What a person calls it; kept with what it sent and was refused. Given once for ever.
        sites: Sites whose facts it may post and ask for; empty for all.
        types: Types of request it may post; empty for all facts.
        created_at: When it was made.
        expires_at: From when on it is not known any more; None for never.
        last_used_at: When it was last seen, to the minute; None for never.
        revoked_at: When it was withdrawn; None where it was not.
    """

    name: str
    sites: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    created_at: Micros
    expires_at: Micros | None = None
    last_used_at: Micros | None = None
    revoked_at: Micros | None = None

    def may_post(self, stem: str) -> bool:
        """Tell whether it may post requests of a type."""
        return stem in (self.types or FACT_TYPES)

    def is_expired(self, now: Micros) -> bool:
        """Tell whether its time is over."""
        return self.expires_at is not None and now >= self.expires_at

    def state(self, now: Micros) -> str:
        """Return ``revoked``, ``expired`` or ``valid``."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.is_expired(now) else "valid"


def operator() -> Token:
    """Return the rights of the operator's token: all sites, all types, for ever."""
    return Token(name=OPERATOR, types=frozenset(MODELS), created_at=Micros(0))


def new_secret() -> str:
    """Return a new token's text."""
    return PREFIX + secrets.token_urlsafe(_BYTES)


def digest_of(secret: str) -> bytes:
    """Return what is kept of a token's text, 32 bytes."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def checked(token: Token) -> Token:
    """Return a token that was asked for.

    Raises:
        UnfitName, UnfitSite, NoSuchType: Its name or a site is unfit, or a type does not exist.
        OfNoSite: Sites are given with types that belong to no site.
    """
    if not _NAME.fullmatch(token.name) or token.name == OPERATOR:
        raise UnfitName(token.name)
    for site in sorted(token.sites):
        if not site.strip() or site != site.strip() or not site.isprintable():
            raise UnfitSite(site)
    for stem in sorted(token.types - set(MODELS)):
        raise NoSuchType(stem)
    if token.sites and token.types & CONTROL_TYPES:
        raise OfNoSite
    return token


def denial(
    token: Token, raws: Sequence[object], site_of: Callable[[str], str | None]
) -> tuple[int, str] | None:
    """Return place and text of the first request that a token may not post; None where it may all.

    Looks at what it was sent, before the judge does: what has no readable type or site is left to
    the judge, who refuses it. A correction counts for the site of what it corrects, too, or a
    token of one site could withdraw the facts of another.

    Args:
        token: Whose.
        raws: Parsed JSON.
        site_of: Gives the site of an event that was taken here; None where it is not known.
    """
    if not token.sites and (token.types or FACT_TYPES) >= set(MODELS):
        return None
    for index, raw in enumerate(raws):
        if isinstance(raw, Mapping):
            found = _denied(token, raw, site_of)
            if found is not None:
                return index, found
    return None


def _denied(
    token: Token, raw: Mapping[str, object], site_of: Callable[[str], str | None]
) -> str | None:
    stem, target = raw.get("type"), raw.get("corrects")
    if isinstance(stem, str) and stem in MODELS and not token.may_post(stem):
        return f"is of type {stem}; token {token.name} is for {_named(token.types or FACT_TYPES)}"
    if not token.sites:
        return None
    site = raw.get("site_id")
    if isinstance(site, str) and site not in token.sites:
        return f"is of site {site[:64]}; token {token.name} is for {_named(token.sites)}"
    corrected = site_of(target) if isinstance(target, str) else None
    if corrected is not None and corrected not in token.sites:
        return f"corrects an event of another site; token {token.name} is for {_named(token.sites)}"
    return None


def _named(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))

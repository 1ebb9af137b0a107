"""Who may ask: two roles, each with a token of its own."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Role(Enum):
    """What one may read.

    ``OPERATOR`` reads every table, ``ANALYST`` the views. The name is the user name of tools that
    ask for one.
    """

    OPERATOR = "operator"
    ANALYST = "analyst"


_ANY_USER = frozenset({"", "default"})
"""What tools send where nobody has entered a user name; the token says who it is."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The token of each role."""

    by_role: Mapping[Role, str] = field(repr=False)

    def role_of(self, user: str, secret: str) -> Role | None:
        """Return whose token it is; None where it is nobody's, or not that user's."""
        found = None
        for role, token in self.by_role.items():
            # Every token is compared, so that time says nothing.
            if hmac.compare_digest(secret.encode(), token.encode()):
                found = role
        if found is None or user not in _ANY_USER | {found.value}:
            return None
        return found


def credentials(headers: Mapping[str, str], query: Mapping[str, str]) -> tuple[str, str] | None:
    """Return user and token as ClickHouse's tools send them; None where there are none.

    Args:
        headers: Names in lower case: ``authorization`` with Bearer or Basic, ``x-clickhouse-user``
            with ``x-clickhouse-key``.
        query: ``user`` and ``password`` of the address.
    """
    scheme, _, given = headers.get("authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            return "", given.strip()
        case "basic":
            return _basic(given)
        case _:
            pass
    if "x-clickhouse-key" in headers:
        return headers.get("x-clickhouse-user", ""), headers["x-clickhouse-key"]
    if "password" in query:
        return query.get("user", ""), query["password"]
    return None


def _basic(given: str) -> tuple[str, str] | None:
    try:
        user, colon, password = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if colon else None

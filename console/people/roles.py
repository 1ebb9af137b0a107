"""What a person of a role may do. Pure; the same table stands in ``docs/access.md``."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Right(StrEnum):
    """One thing that is allowed or not."""

    SEE = "see"
    """Alerts, balances, lots, and all that a page shows."""
    ACT = "act"
    """Actions on alerts; hold and release."""
    ASK = "ask"
    """SQL of one's own, and exports."""
    MANAGE = "manage"
    """The list of who did what."""


class Role(StrEnum):
    """What a user is."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ANALYST = "analyst"
    ADMIN = "admin"


RIGHTS: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({Right.SEE}),
        Role.OPERATOR: frozenset({Right.SEE, Right.ACT}),
        Role.ANALYST: frozenset({Right.SEE, Right.ASK}),
        Role.ADMIN: frozenset(Right),
    }
)
"""Whoever settles alerts need not read the whole history, and whoever reads it settles nothing:
a query that costs the machine its evening is not asked by mistake from the control room, and a
report is not written by who decided what is in it. One person alone is the admin and has both."""


def may(role: Role, right: Right) -> bool:
    """Tell whether a role has a right."""
    return right in RIGHTS[role]

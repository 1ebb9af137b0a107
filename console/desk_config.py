"""What people's side of the console is told."""

from dataclasses import dataclass, field
from pathlib import Path

from console.people.passwords import Cost
from console.people.sessions import Ends


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskConfig:
    """Settings of the desk.

    Attributes:
        directory: Holds users, sessions and deeds.
        public_url: Where browsers reach it, where that is not the address it listens on.
        ends: When sessions are over.
        cost: Of a guess at a password.
    """

    directory: Path
    public_url: str | None = None
    ends: Ends = field(default_factory=Ends)
    cost: Cost = field(default_factory=Cost)

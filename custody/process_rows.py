"""What the core keeps of a process."""

from dataclasses import dataclass, field

from custody.held import Held, Posted
from custody.rows import Fed


@dataclass(slots=True)
class ProcessRow:
    """The head of a process: the set of its sides and of what its inputs handed in."""

    facts: int = 0
    last: tuple[int, int, str] | None = None
    sides: list[Fed] = field(default_factory=list)
    given: dict[str, Held] = field(default_factory=dict)
    posted: dict[str, Posted] = field(default_factory=dict)
    handed: dict[str, Held] = field(default_factory=dict)

    def copy(self) -> "ProcessRow":
        """Return a copy whose fields may be set; containers are still shared."""
        return ProcessRow(
            self.facts,
            self.last,
            self.sides,
            self.given,
            self.posted,
            self.handed,
        )

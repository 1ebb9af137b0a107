"""A broker in memory: logs, committed offsets, groups; ``clients`` are how it is talked to.

What it keeps, it keeps: a simulated broker does not crash. It may be away, and then nothing goes
in or out; a producer that died may still have records on the line, and they arrive later.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.support.sim.world import Process, World

Headers = list[tuple[str, bytes | None]]
Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it stands in its partition."""

    key: bytes | None
    value: bytes | None
    headers: Headers | None = None
    timestamp_ms: int = 0


@dataclass(slots=True)
class Member:
    """A member of a group: told what it owns when it asks.

    Attributes:
        process: Dies with it.
        name: Its static name: a newcomer of this name takes the place of the one before.
        owned: What it has been given and has not given back.
        lost: The group has thrown it out; it has not heard of it yet.
        told: The group's version at which it had heard everything.
    """

    process: Process
    name: str
    owned: set[Place] = field(default_factory=set)
    lost: bool = False
    told: int = -1


class Group:
    """A consumer group, cooperative: what moves is given back by one before another gets it.

    Args:
        world: Chance.
        places: What there is to own.
    """

    def __init__(self, world: World, places: Iterable[Place]) -> None:
        self._world = world
        self._places = sorted(places)
        self._target: dict[Place, Member] = {}
        self._version = 0
        self.offsets: dict[Place, tuple[int, str]] = {}
        self.members: list[Member] = []

    def join(self, member: Member) -> None:
        """Take a member in; an older one of its name is out at once."""
        for other in list(self.members):
            if other.name == member.name:
                self.throw_out(other)
        self.members.append(member)
        self.rebalance()

    def throw_out(self, member: Member) -> None:
        """Take everything from a member, as when its session is over."""
        if member in self.members:
            self.members.remove(member)
            member.lost = True
            self.rebalance()

    def leave(self, member: Member) -> None:
        """Let a member go that gave everything back."""
        if member in self.members:
            self.members.remove(member)
            self.gave(member, list(member.owned))
            self.rebalance()

    def rebalance(self) -> None:
        """Say anew who is to have what: by chance."""
        self._version += 1
        self._target = {}
        for place in self._places:
            if self.members:
                self._target[place] = self._world.rng.choice(self.members)

    def took(self, member: Member, places: Iterable[Place]) -> None:
        """Note what a member has taken over."""
        member.owned.update(places)
        self._version += 1

    def gave(self, member: Member, places: Iterable[Place]) -> None:
        """Note what a member has given back."""
        member.owned.difference_update(places)
        self._version += 1

    def to_revoke(self, member: Member) -> list[Place]:
        """Return what a member is to give back."""
        return sorted(p for p in member.owned if self._target.get(p) is not member)

    def to_assign(self, member: Member) -> list[Place]:
        """Return what a member is to have now: nobody else has it any more."""
        taken = {place for other in self.members for place in other.owned}
        mine = [p for p in self._places if self._target.get(p) is member]
        return [place for place in mine if place not in taken]

    def is_news(self, member: Member) -> bool:
        """Tell whether a member would hear something if it asked."""
        if member.lost or member.told == self._version:
            return member.lost
        news = bool(self.to_revoke(member) or self.to_assign(member))
        if not news:
            member.told = self._version
        return news


class Broker:
    """Topics and groups.

    Args:
        world: Time and chance.
        topics: Names.
        partitions: Of every topic.

    Attributes:
        away: Nobody reaches it.
    """

    def __init__(self, world: World, topics: Sequence[str], partitions: int) -> None:
        self.world = world
        self.partitions = partitions
        self.away = False
        self.topics = {name: [list[Record]() for _ in range(partitions)] for name in topics}
        self.groups: dict[str, Group] = {}
        self._late: list[tuple[Process, Place, list[Record]]] = []

    def log(self, place: Place) -> list[Record]:
        """Return a partition; the offset of a record is its place in the list."""
        return self.topics[place[0]][place[1]]

    def append(self, place: Place, records: Sequence[Record]) -> int:
        """Append records; return the offset of the first."""
        log = self.log(place)
        first = len(log)
        log.extend(records)
        return first

    def group(self, name: str, places: Iterable[Place]) -> Group:
        """Return a group, made when it is first asked for."""
        if name not in self.groups:
            self.groups[name] = Group(self.world, places)
        return self.groups[name]

    def on_the_line(self, process: Process, place: Place, records: list[Record]) -> None:
        """Watch what a producer has to send: if its process dies, the line may still have it."""
        self._late.append((process, place, records))

    def bury(self, process: Process) -> None:
        """Forget a dead process: its members are out, and some of what it sent still arrives."""
        for group in self.groups.values():
            for member in list(group.members):
                if member.process is process:
                    group.throw_out(member)
        theirs = [late for late in self._late if late[0] is process]
        self._late = [late for late in self._late if late[0] is not process]
        for _, place, records in theirs:
            self.append(place, records[: self.world.rng.randint(0, len(records))])
            records.clear()

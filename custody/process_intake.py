"""What reaches a process: sides and contents into rows, and which events that changes.

Corrections join sides into clusters that say nothing about each other, so what stands is found by
reading the clusters that were touched, never all sides: a stockpile has ten thousand.
"""

from collections.abc import Iterable, Sequence

from custody import factset, handing
from custody.events import Micros
from custody.held import Held
from custody.process_rows import ABSENT, NOT_PLACED, Event, OutRow
from custody.process_store import ProcessStore, event_of
from custody.records import Content
from custody.rows import FactRow, Finding

SIDES_MAX = 4096
"""Sides of a process that is not continuous, corrections included."""

INPUT_RANK = 0
RANKS = {"added": 1, "output": 2, "loss": 2, "stock": 3, "close": 4}
"""Order of sides of one moment: what goes in before what goes out, and the stock last.

One request states them all with one time, and means the material before it.
"""
RANK_OTHER = 5

Change = tuple[Event | None, Event | None]
"""An event as it stood and as it stands; both the same where only its amounts changed."""

WORDS = {
    "correction_conflict": "More than one correction speaks for this side; the newest counts.",
    "correction_target_unseen": "It corrects a side that has not been seen; it stands for itself.",
    "void_of_void": "It withdraws a withdrawal, which has no effect.",
}


class Intake:
    """Takes what arrived in one step; used once.

    Args:
        store: Rows of the process.
        continuous: The process is a continuous node: it may have any number of sides.
        findings: Names for metrics; grows.

    Attributes:
        refused: Sentences by event id, of sides beyond what a process may have.
        words: What is odd about corrections, by rule and event; None where it no longer is.
    """

    __slots__ = ("_altered", "_continuous", "_findings", "_store", "_was", "refused", "words")

    def __init__(self, store: ProcessStore, findings: list[str], *, continuous: bool) -> None:
        self._store = store
        self._continuous = continuous
        self._findings = findings
        self._was: dict[str, tuple[Event | None, str | None]] = {}
        self._altered: set[str] = set()
        self.refused: dict[str, str] = {}
        self.words: dict[tuple[str, str], str | None] = {}

    def take_contents(self, contents: Iterable[Content]) -> None:
        """Take what lots handed in, the newest word of each cause."""
        store = self._store
        for content in contents:
            cause = content.cause_event_id
            ref = store.ref(cause)
            old = None if ref.given == ABSENT else store.given(ref.given)
            new = None if content.void else handing.received(content)
            if old == new:
                continue
            self._remember(cause)
            ref = ref._replace(given=store.put_given(ref.given, new))
            if ref.side == ABSENT:
                # Of an event that is no side of this process: an input.
                ref = ref._replace(at=Micros(0), rank=NOT_PLACED)
                if new is not None:
                    ref = ref._replace(at=new.at, rank=INPUT_RANK)
            store.put_ref(cause, ref)
            self._count(old, -1)
            self._count(new, 1)
            self._altered.add(cause)

    def _count(self, held: Held | None, sign: int) -> None:
        if held is not None:
            self._store.row.take(held.wet, held.dry, handing.amounts_of(held), sign)

    def take_sides(self, facts: Sequence[FactRow]) -> None:
        """Take sides, in any order, with repetitions."""
        touched = [event_id for fact in facts for event_id in self._take(fact)]
        seen: set[str] = set()
        for event_id in touched:
            if event_id not in seen:
                seen |= self._settle(event_id)

    def changes(self) -> list[Change]:
        """Return the events that changed."""
        found: list[Change] = []
        for event_id, (was, _) in self._was.items():
            now = event_of(event_id, self._store.ref(event_id))
            if was != now or event_id in self._altered:
                found.append((was, now))
        return found

    def _remember(self, event_id: str) -> None:
        """Note how an event stood before this step."""
        if event_id in self._was:
            return
        ref = self._store.ref(event_id)
        kind = None
        if ref.side != ABSENT and ref.rank >= 0:
            kind = _kind(self._store.side(ref.side))
        self._was[event_id] = event_of(event_id, ref), kind

    def _take(self, fact: FactRow) -> list[str]:
        """Keep a side that says something new; return the sides it may change."""
        store, row = self._store, self._store.row
        event_id = fact.head.event_id
        ref = store.ref(event_id)
        left: list[str] = []
        if ref.side != ABSENT:
            old = store.side(ref.side)
            fact = factset.joined(old, fact)
            if fact is old:
                self._findings.append("duplicate_event")
                return []
            if factset.bare(fact) == factset.bare(old):
                store.put_side(ref.side, fact)
                return [event_id]
            self._remember(event_id)
            self._link(old, add=False)
            left = [] if old.head.corrects is None else [old.head.corrects]
        elif row.facts >= SIDES_MAX and not self._continuous:
            self._refuse(event_id)
            return []
        self._remember(event_id)
        ref = store.ref(event_id)
        store.put_ref(event_id, ref._replace(side=store.add_side(fact)))
        self._link(fact, add=True)
        self._altered.add(event_id)
        self._note_last(fact)
        return [event_id, *left]

    def _refuse(self, event_id: str) -> None:
        self._findings.append("too_many_sides")
        self.refused[event_id] = (
            f"The process has {SIDES_MAX:,} sides already; this one changes nothing."
        )

    def _link(self, fact: FactRow, *, add: bool) -> None:
        """Let the target of a correction know of it, seen or not."""
        target = fact.head.corrects
        if target is None:
            return
        ref = self._store.ref(target)
        names = set(ref.corrections)
        if add:
            names.add(fact.head.event_id)
        else:
            names.discard(fact.head.event_id)
        self._store.put_ref(target, ref._replace(corrections=tuple(sorted(names))))

    def _note_last(self, fact: FactRow) -> None:
        """Keep the last side in canonical order; an earlier copy may take its place from it."""
        row = self._store.row
        last = (fact.head.at, fact.head.known, fact.head.event_id)
        if row.last is not None and row.last[2] == last[2]:
            fact = max(self._store.sides().values(), key=lambda other: other.order)
            last = (fact.head.at, fact.head.known, fact.head.event_id)
        elif row.last is not None and last <= row.last:
            return
        row.last, row.site = last, fact.head.site

    def _settle(self, event_id: str) -> set[str]:
        """Find what stands among the sides that corrections join with this one."""
        store = self._store
        cluster = self._cluster(event_id)
        if not cluster:
            return {event_id}
        stand, _, found = factset.standing(list(cluster.values()))
        standing = {fact.head.event_id for fact in stand}
        for name, fact in cluster.items():
            self._remember(name)
            ref = store.ref(name)
            at, rank = Micros(0), NOT_PLACED
            if name in standing:
                part = "" if fact.side is None else fact.side.part
                at, rank = fact.head.at, RANKS.get(part, RANK_OTHER)
            store.put_ref(name, ref._replace(at=at, rank=rank))
            self._recount(name, _kind(fact) if name in standing else None)
        self._say(cluster, found)
        return set(cluster)

    def _recount(self, event_id: str, kind: str | None) -> None:
        """Count the kinds that standing sides name."""
        kinds = self._store.row.kinds
        was, old = self._was[event_id]
        if old is not None:
            kinds[old] -= 1
            if not kinds[old]:
                del kinds[old]
        if kind is not None:
            kinds[kind] = kinds.get(kind, 0) + 1
        # A cluster may be settled once only, but an event is remembered for the whole step.
        self._was[event_id] = was, kind

    def _cluster(self, event_id: str) -> dict[str, FactRow]:
        """Return the sides that correct each other, this one's among them, by event id."""
        store = self._store
        cluster: dict[str, FactRow] = {}
        waiting, met = [event_id], {event_id}
        while waiting:
            name = waiting.pop()
            ref = store.ref(name)
            near = list(ref.corrections)
            if ref.side != ABSENT:
                fact = cluster[name] = store.side(ref.side)
                if fact.head.corrects is not None:
                    near.append(fact.head.corrects)
            waiting.extend(other for other in near if other not in met)
            met.update(near)
        return cluster

    def _say(self, cluster: dict[str, FactRow], found: Sequence[Finding]) -> None:
        """Keep what is odd about corrections with the last of them, and of an id with its side."""
        store = self._store
        said = _said_of(cluster, found)
        for name, words in said.items():
            out = store.out(name)
            if words != out.words:
                self._findings.extend(sorted(words.keys() - out.words.keys()))
                self.words.update({(rule, name): None for rule in out.words})
                self.words.update({(rule, name): text for rule, text in words.items()})
                store.put_out(name, OutRow(out.posted, out.told, out.findings, words))


def _said_of(cluster: dict[str, FactRow], found: Sequence[Finding]) -> dict[str, dict[str, str]]:
    """Return what is said of each side of a cluster, by rule.

    What ``WORDS`` says is of the corrections as one, once. All else is of one id, and two ids may
    have the same fault: each is said of its own.
    """
    last = max(cluster.values(), key=lambda fact: fact.order).head.event_id
    said: dict[str, dict[str, str]] = {name: {} for name in cluster}
    for one in found:
        is_own = one.rule not in WORDS and one.about in cluster
        words = said[one.about if is_own else last]
        text = WORDS.get(one.rule, one.detail)
        # How many more ids there are is said beside what is said of the last.
        before = words.get(one.rule, text)
        words[one.rule] = text if before == text else f"{before}; {text}"
    return said


def _kind(fact: FactRow) -> str:
    return "other" if fact.side is None else fact.side.kind

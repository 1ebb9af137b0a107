"""What is stored against what gateways have signed: chains followed, heads checked.

A chain is followed in order of its numbers. A record whose bytes do not make its digest was
changed; one that the next record was not written on was exchanged; a number without a record was
dropped, two records with one number were written by two. A head says what the tree of all digests
must be at a size, whoever signed it: the gateway itself, or another that had read its head.

Source:
    docs/audit.md; RFC 6962 (trees)
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from custody.digest import DIGEST_BYTES, GENESIS, Frontier
from custody.events import Micros
from custody.heads import Head

GAP = "sequence_gap"
REUSED = "sequence_reused"
BROKEN = "chain_broken"
REWRITTEN = "history_rewritten"
SIGNATURE = "signature_invalid"
UNKNOWN = "unknown_gateway"

RULES = frozenset({GAP, REUSED, BROKEN, REWRITTEN, SIGNATURE, UNKNOWN})
"""Rules of family ``integrity``."""

AUDITED_MAX = 64
"""Findings of a gateway that stand at once, the first by name: more say the same."""

BEYOND = " beyond"
"""Ends what a fault of a record that no head counts is about."""

BARE = " header"
"""Ends what a fault of a record is about that came without digests."""

_BARE = (
    "it came without the digests that a gateway sends with each record (headers prev and digest,"
    f" {DIGEST_BYTES} bytes each): its gateway did not write it"
)

ROOTS_MAX = 100_000
"""Roots that a chain remembers, the last ones: two months of heads."""

OTHERS_MAX = 16
"""Other records of one number that are gone on from: each is another writer under one name."""

Log = tuple[str, int]
"""Gateway and epoch: one chain."""

Ends = dict[bytes, Frontier | None]
"""Tree up to a record by its digest; no tree behind a gap."""


class Fault(NamedTuple):
    """Something that does not fit.

    Attributes:
        rule: One of ``RULES``.
        gateway: Whose records.
        about: What of it; the same fault has the same words.
        detail: A sentence.
    """

    rule: str
    gateway: str
    about: str
    detail: str


class Link(NamedTuple):
    """One stored record of a chain.

    Attributes:
        seq: Its number.
        prev: Digest it says it was written on.
        digest: Its digest, as it says.
        good: Its bytes make that digest.
        topic: Kafka topic.
        partition: Kafka partition.
        offset: Kafka offset.
        event_id: Its event.
        again: It was a dead letter first and was sent again, so it stands behind later numbers.
    """

    seq: int
    prev: bytes
    digest: bytes
    good: bool
    topic: str
    partition: int
    offset: int
    event_id: str
    again: bool = False

    @property
    def place(self) -> str:
        """Topic, partition and offset as people write them."""
        return f"{self.topic}/{self.partition}@{self.offset}"


class Claim(NamedTuple):
    """What somebody has signed of a chain at a size.

    Attributes:
        size: Records in the chain.
        root: Root of the tree over their digests.
        digest: Digest of the last of them; None where only the root is said.
        by: Gateway that signed it.
        at: When.
    """

    size: int
    root: bytes | None
    digest: bytes | None
    by: str
    at: Micros


class Stretch(NamedTuple):
    """Records of a chain from one number on, without a fault among themselves.

    Attributes:
        first: Number of the first.
        prev: What it was written on.
        digests: Digests in order.
        starts: Least offset by topic and partition.
        ends: Greatest offset by topic and partition.
    """

    first: int
    prev: bytes
    digests: Sequence[bytes]
    starts: dict[str, int]
    ends: dict[str, int]


@dataclass(slots=True)
class Chain:
    """How far a chain has been followed.

    Attributes:
        log: Gateway and epoch.
        seq: Number of the last record.
        digest: Its digest; None behind a gap, where nobody can say what comes next.
        frontier: Tree over all digests; None behind a gap.
        ends: Greatest offset by topic and partition.
        contradicted: Something has said otherwise already; every later head will, too.
        roots: Roots of the tree at the sizes that were claimed, the last ones; several where the
            last number stands twice.
        others: The other records of the last number that were written on one that stands before
            it: two that write under one name, as from copies of a disk, each go on by their own.
    """

    log: Log
    seq: int = 0
    digest: bytes | None = GENESIS
    frontier: Frontier | None = field(default_factory=Frontier)
    ends: dict[str, int] = field(default_factory=dict)
    contradicted: bool = False
    roots: dict[int, tuple[bytes, ...]] = field(default_factory=dict)
    others: Ends = field(default_factory=dict)

    def fits(self, stretch: Stretch) -> bool:
        """Tell whether a stretch continues the chain without a fault."""
        return (
            stretch.first == self.seq + 1
            and self.digest in (None, stretch.prev)
            and all(at > self.ends.get(place, -1) for place, at in stretch.starts.items())
        )

    def follow(self, stretch: Stretch, claims: Sequence[Claim]) -> list[Fault]:
        """Go on by a stretch that fits, and hold claims of sizes within it against the tree.

        Args:
            stretch: See ``fits``.
            claims: In order of size.
        """
        faults: list[Fault] = []
        due = iter([c for c in claims if self.seq <= c.size <= self.seq + len(stretch.digests)])
        claim = next(due, None)
        while claim is not None and claim.size == self.seq:
            faults.extend(self._held(claim))
            claim = next(due, None)
        for digest in stretch.digests:
            self._add(digest)
            while claim is not None and claim.size == self.seq:
                faults.extend(self._held(claim))
                claim = next(due, None)
        for place, at in stretch.ends.items():
            self.ends[place] = max(self.ends.get(place, -1), at)
        return faults

    def inspect(self, links: Iterable[Link], claims: Sequence[Claim]) -> list[Fault]:
        """Go on record by record, and name what does not fit.

        Args:
            links: In order of number and offset, from the next number on.
            claims: In order of size.
        """
        faults: list[Fault] = []
        before: Link | None = None
        below: Ends = {}
        for link in links:
            if link.seq <= self.seq:
                places = [link.place] if before is None else sorted([before.place, link.place])
                faults.append(reused(self.log, link.seq, places))
                self._fork(link, below)
                continue
            if before is not None:
                # Held only now: a head may be of any of the records of its last number.
                faults.extend(self._due(claims))
            faults.extend(self._judge(link, before))
            below = self._go_on(link)
            if not link.again:
                place = f"{link.topic}/{link.partition}"
                self.ends[place] = max(self.ends.get(place, -1), link.offset)
            before = link
        if before is not None:
            faults.extend(self._due(claims))
        return faults

    def through(self, digest: bytes, claims: Sequence[Claim]) -> list[Fault]:
        """Go on over a record without a row whose digest is known: a dead letter.

        Args:
            digest: As the record said; what was written on it, and heads, confirm it.
            claims: In order of size.
        """
        self._add(digest)
        return list(self._due(claims))

    def recall(self, claim: Claim) -> list[Fault] | None:
        """Hold a claim of a size that has been passed; None where its root is not remembered."""
        if claim.root is None or claim.size not in self.roots:
            return None
        return list(self._against(claim, [(root, None) for root in self.roots[claim.size]]))

    def pass_over(self, to: int) -> Fault:
        """Go on behind records that are not there; returns the gap."""
        fault = self._gap(self.seq + 1, to)
        self.seq, self.digest, self.frontier, self.others = to, None, None, {}
        return fault

    def _due(self, claims: Sequence[Claim]) -> Iterator[Fault]:
        for claim in claims:
            if claim.size == self.seq:
                yield from self._held(claim)

    def _add(self, digest: bytes) -> None:
        self.seq += 1
        self.digest = digest
        if self.others:
            self.others = {}
        if self.frontier is not None:
            self.frontier.append(digest)

    def _go_on(self, link: Link) -> Ends:
        """Go on by a record from the one it was written on; returns all it may have been."""
        below = dict(self.others)
        if self.digest is not None:
            below[self.digest] = _grown(self.frontier)
        if link.prev != self.digest and link.prev in self.others:
            self.frontier = _grown(self.others[link.prev])
        self._add(link.digest)
        return below

    def _fork(self, link: Link, below: Ends) -> None:
        """Keep another record of the last number, if it was written on one that stands before."""
        if link.good and link.prev in below and len(self.others) < OTHERS_MAX:
            self.others[link.digest] = _grown(below[link.prev], link.digest)

    def _judge(self, link: Link, before: Link | None) -> Iterator[Fault]:
        gateway, epoch = self.log
        if link.seq > self.seq + 1:
            yield self.pass_over(link.seq - 1)
        which = f"record {link.seq} (event {link.event_id}, {link.place})"
        if not len(link.prev) == len(link.digest) == DIGEST_BYTES:
            yield Fault(BROKEN, gateway, f"{epoch}/{link.seq}", f"{which}: {_BARE}")
        elif not link.good:
            what = "its bytes do not make the digest it was sent with: it was changed"
            yield Fault(BROKEN, gateway, f"{epoch}/{link.seq}", f"{which}: {what}")
        elif self.digest not in (None, link.prev) and link.prev not in self.others:
            of = before or link
            last = f"record {self.seq}" if before is None else f"record {of.seq} ({of.place})"
            what = f"was written on another record than {last} that stands before it"
            # Every later head will say so, too.
            self.contradicted = True
            yield Fault(BROKEN, gateway, f"{epoch}/{self.seq}", f"{which} {what}: exchanged")
        last_offset = self.ends.get(f"{link.topic}/{link.partition}", -1)
        if not link.again and link.offset <= last_offset:
            what = (
                "stands before records with lower numbers in its partition: the order was changed"
            )
            yield Fault(BROKEN, gateway, f"{epoch}/{link.seq} order", f"{which} {what}")

    def _gap(self, first: int, last: int) -> Fault:
        gateway, epoch = self.log
        what = f"record {first}" if first == last else f"records {first} to {last}"
        detail = f"{what} of epoch {epoch} {'is' if first == last else 'are'} not there"
        return Fault(GAP, gateway, f"{epoch}/{first}", detail)

    def _held(self, claim: Claim) -> Iterator[Fault]:
        ends = [(self.frontier, self.digest), *((tree, last) for last, tree in self.others.items())]
        made = [(None if tree is None else tree.root(), last) for tree, last in ends]
        roots = tuple(root for root, _ in made if root is not None)
        if roots:
            self.roots[self.seq] = roots
            if len(self.roots) > ROOTS_MAX:
                del self.roots[next(iter(self.roots))]
        yield from self._against(claim, made)

    def _against(
        self, claim: Claim, made: Sequence[tuple[bytes | None, bytes | None]]
    ) -> Iterator[Fault]:
        """Yield that a claim fits none of some roots and last digests."""
        gateway, epoch = self.log
        if self.contradicted or any(_fits(claim, root, last) for root, last in made):
            return
        self.contradicted = True
        who = "its own head" if claim.by == gateway else f"a head signed by {claim.by}"
        yield Fault(
            REWRITTEN,
            gateway,
            f"{epoch}/{claim.size}",
            f"{who} says of the first {claim.size} records of epoch {epoch} what those that are"
            " stored do not make: they are not the ones it was signed over",
        )


def _grown(tree: Frontier | None, *digests: bytes) -> Frontier | None:
    """Return a copy of a tree with more leaves."""
    if tree is None:
        return None
    grown = Frontier(tree.size, tree.peaks)
    for digest in digests:
        grown.append(digest)
    return grown


def _fits(claim: Claim, root: bytes | None, last: bytes | None) -> bool:
    """Tell whether a claim says nothing else than a root and a last digest, as far as known."""
    other_root = None not in (root, claim.root) and claim.root != root
    other_last = None not in (last, claim.digest) and claim.digest != last
    return not (other_root or other_last)


def reused(log: Log, seq: int, places: Sequence[str]) -> Fault:
    """Return that a number stands at several places."""
    gateway, epoch = log
    what = f"number {seq} of epoch {epoch} stands twice: {' and '.join(places)}"
    return Fault(REUSED, gateway, f"{epoch}/{seq}", what)


def bare(log: Log, seq: int, which: str) -> Fault:
    """Return that a record came without digests: no gateway sends one so.

    Args:
        log: Gateway and epoch it names.
        seq: Its number.
        which: Its event and place.
    """
    gateway, epoch = log
    detail = f"record {seq} of epoch {epoch} ({which}): {_BARE}"
    return Fault(BROKEN, gateway, f"{epoch}/{seq}{BARE}", detail)


def beyond(log: Log, seq: int, which: str, head: Head) -> Fault:
    """Return that a record is not among those its gateway signed when it was there already.

    Args:
        log: Gateway and epoch it names.
        seq: Its number.
        which: Its event and place.
        head: The newest head of the gateway.
    """
    gateway, epoch = log
    signed = f"{head.size} records of epoch {head.gateway_epoch}"
    what = f"its gateway signed {signed} when it was there already, and it is none of them"
    about = f"{epoch}/{seq}{BEYOND}"
    return Fault(BROKEN, gateway, about, f"record {seq} of epoch {epoch} ({which}): {what}")

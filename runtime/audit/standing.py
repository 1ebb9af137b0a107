"""What stands against gateways: heads and chains, gone over again as more is stored.

One pass reads what is new: heads first, then each chain up to the size its heads claim. A number
that is not there when its head is may still be on its way; after a grace it is missing. Once it
comes, its chain is followed from the beginning, so what is found is a function of what is stored.

The same passes serve the auditor beside the sink, which goes on for ever, and ``custody audit``,
which makes one without grace.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from custody.audit import BARE, BEYOND, REUSED, SIGNATURE, UNKNOWN, Chain, Claim, Fault, Log
from custody.events import Micros
from custody.heads import Head
from runtime.asof import Ask
from runtime.audit import bare, beyond, chains, letters
from runtime.audit import heads as stored_heads
from runtime.audit.chains import Fingerprints
from runtime.audit.letters import DeadLetter

CLAIMS_MAX = 50_000
"""Claims of a chain that are kept to hold against it when it is followed anew, the last ones."""


_NUMBER = re.compile(r"(\d+)/(\d+)")
"""Epoch and number, as a fault of a record begins to say what it is about."""


@dataclass(slots=True)
class _Log:
    """One chain, and what has been signed and found of it."""

    chain: Chain
    claims: list[Claim] = field(default_factory=list)
    signed: int = 0
    """Greatest size that a head of its own gateway claims."""
    held: int = 0
    """How far it is to be followed: as far as that, or to the last where no head is to come."""
    faults: list[Fault] = field(default_factory=list)
    gaps: list[tuple[int, int, Fault]] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    missing_since: Micros | None = None
    followed: int = 0
    """How far it was followed before: what is missing up to there has had its time."""


class Standing:
    """What stands against gateways, pass after pass.

    Args:
        ask: Runs SQL.
        fingerprints: Asks for the fingerprints of the schema ids in use.
        grace_us: How long a record may come after its head, and that of a gateway's key after its
            first records.
    """

    def __init__(
        self, ask: Ask, fingerprints: Callable[[], Fingerprints], grace_us: int = 0
    ) -> None:
        self._ask = ask
        self._fingerprints = fingerprints
        self._grace_us = grace_us
        self._logs: dict[Log, _Log] = {}
        self._judge = stored_heads.Judge({})
        self._ends: dict[str, int] = {}
        self._doubted: dict[Fault, Head] = {}
        self._told: dict[Fault, None] = {}
        self._bare: dict[Fault, None] = {}
        self._newest: dict[str, Head] = {}
        self._sealed: dict[str, int] | None = None
        self._writers: dict[str, str] = {}
        self._strange_since: dict[str, Micros] = {}
        self._strangers: set[str] = set()
        self._headless: set[str] = set()
        self._twice: set[tuple[str, int, int]] = set()
        self._beyond = beyond.Beyond(ask, grace_us)
        self.records = 0
        """Records of chains gone over so far."""
        self.heads = 0
        """Heads gone over so far."""

    def remember(self, said: Iterable[tuple[str, str, str]]) -> None:
        """Take what stood when somebody last looked, before the first pass.

        It is looked at like anything else, but had its grace then: it is not taken back only to be
        found again.

        Args:
            said: Gateway, rule and what it is about, as in ``Fault``.
        """
        for gateway, rule, about in said:
            number = _NUMBER.match(about)
            if rule == UNKNOWN:
                self._strangers.add(gateway)
            elif rule == SIGNATURE and about == stored_heads.NO_HEAD:
                self._headless.add(gateway)
            elif number is None:
                # Of heads: all are read, and judged at once.
                continue
            else:
                log, seq = (gateway, int(number[1])), int(number[2])
                if rule == REUSED:
                    self._twice.add((*log, seq))
                elif about.endswith(BEYOND):
                    self._beyond.remember(log, seq)
                else:
                    self._log(log).followed = max(self._log(log).followed, seq)

    def go_over(
        self, now: Micros, *, unsigned: bool = False, advance: Callable[[int], None] | None = None
    ) -> list[Fault]:
        """Make one pass and return all that stands, in order; blocks.

        Args:
            now: Time of day.
            unsigned: Follow chains to their last record, not only as far as heads claim.
            advance: Told of records, as they are done.
        """
        self._judge.records = stored_heads.keys(self._ask)
        self._read_heads(now)
        self._look_at_new(now)
        self._look_at_writers(now)
        unclaimed = chains.logs(self._ask) if unsigned else dict(self._beyond.over())
        for log, last in unclaimed.items():
            self._log(log).held = max(self._log(log).held, last)
        for one in self._logs.values():
            self._refill(one)
        behind = [one for one in self._logs.values() if one.chain.seq < one.held]
        if behind:
            prints = self._fingerprints()
            self._follow_clean(behind, prints, advance or (lambda _: None))
            for one in behind:
                self._follow(one, prints, now, advance)
        return self._standing(now)

    def _follow_clean(
        self, behind: Sequence[_Log], prints: Fingerprints, advance: Callable[[int], None]
    ) -> None:
        parts = [
            chains.Part(one.chain, one.held, sorted(one.claims, key=lambda claim: claim.size))
            for one in behind
        ]

        def told(done: int) -> None:
            self.records += done
            advance(done)

        for log, found in chains.follow_clean(self._ask, prints, parts, told).items():
            self._log(log).faults += found

    def _look_at_new(self, now: Micros) -> None:
        """Hold the numbers of what has come since the last pass against all others.

        A chain that has been followed is not looked at again, and what no head speaks of is not
        followed: a second record under a number needs neither to be one.
        """
        known, self._sealed = self._sealed, chains.sealed(self._ask)
        if known == self._sealed:
            return
        after = {place: known.get(place, -1) for place in self._sealed} if known else {}
        self._writers = chains.writers(self._ask, after) | self._writers
        self._beyond.came(after, self._sealed, now)
        twice = chains.given_twice(self._ask, after, self._twice)
        self._twice.clear()
        self._told.update(dict.fromkeys(twice))
        self._branch_off(twice)
        self._bare.update(dict.fromkeys(bare.without_digests(self._ask, after)))

    def _branch_off(self, twice: Iterable[Fault]) -> None:
        """Begin anew the chains whose contradiction a second record under a number may explain."""
        for fault in twice:
            number = _NUMBER.match(fault.about)
            assert number is not None, "it is about a number"
            one = self._log((fault.gateway, int(number[1])))
            if one.chain.contradicted and int(number[2]) <= one.chain.seq:
                self._again(one)

    def _look_at_writers(self, now: Micros) -> None:
        """Note since when records are of gateways that reference data does not know.

        A record needs no head to be counted, so its gateway needs none to be named.
        """
        for gateway in self._writers:
            if gateway in self._judge.records:
                self._strange_since.pop(gateway, None)
            else:
                since = Micros(0) if gateway in self._strangers else now
                self._strange_since.setdefault(gateway, since)

    def _read_heads(self, now: Micros) -> None:
        for one in stored_heads.stored(self._ask, self._ends):
            self._ends[one.place] = one.offset
            self.heads += 1
            self._take(one.head, now)

    def _take(self, head: Head, now: Micros) -> None:
        newest = self._newest.setdefault(head.gateway_id, head)
        if head.at >= newest.at:
            self._newest[head.gateway_id] = head
        doubts = {fault.rule: fault for fault in self._judge.signed(head)}
        if SIGNATURE in doubts:
            # What nobody has signed claims nothing.
            self._doubted.setdefault(doubts[SIGNATURE], head)
            return
        if not doubts:
            self._beyond.signed(head, now)
        self._told.update(dict.fromkeys(self._judge.told_otherwise(head)))
        for log, claim in stored_heads.claims_of(head):
            own = claim.by == log[0]
            # Of a gateway nobody knows only its own records are held against its word.
            if own or not doubts:
                self._claimed(log, claim, own=own)

    def _claimed(self, log: Log, claim: Claim, *, own: bool) -> None:
        known = self._log(log)
        known.claims.append(claim)
        del known.claims[:-CLAIMS_MAX]
        if claim.size <= known.chain.seq:
            self._hold(known, claim)
        if own:
            known.signed = max(known.signed, claim.size)
            known.held = max(known.held, claim.size)

    def _hold(self, one: _Log, claim: Claim) -> None:
        """Hold a claim against what was followed before it came."""
        found = one.chain.recall(claim)
        if found is not None:
            one.faults += found
        elif one.chain.frontier is not None and not one.chain.contradicted:
            # Nobody has claimed this size before: only the whole chain can tell.
            self._again(one)

    def _again(self, one: _Log) -> None:
        one.followed = max(one.followed, one.chain.seq)
        one.chain, one.missing_since = Chain(one.chain.log), None
        one.faults.clear()
        one.gaps.clear()
        one.letters.clear()

    def _log(self, log: Log) -> _Log:
        return self._logs.setdefault(log, _Log(Chain(log)))

    def _refill(self, one: _Log) -> None:
        """Begin a chain anew whose missing records have come."""
        for first, last, _ in one.gaps:
            if chains.present(self._ask, one.chain.log, first, last) == last - first + 1:
                self._again(one)
                return

    def _follow(
        self,
        one: _Log,
        prints: Fingerprints,
        now: Micros,
        advance: Callable[[int], None] | None,
    ) -> None:
        while one.chain.seq < one.held:
            before = one.chain.seq
            told = advance or (lambda _: None)
            one.faults += chains.follow(self._ask, prints, one.chain, one.held, one.claims, told)
            self.records += one.chain.seq - before
            if one.chain.seq >= one.held:
                break
            letter = letters.after(self._ask, one.chain)
            if letter is not None:
                one.letters.append(letter)
                one.faults += one.chain.through(letter.digest, one.claims)
                continue
            one.missing_since = now if one.missing_since is None else one.missing_since
            first = one.chain.seq + 1
            if first > one.followed and now - one.missing_since < self._grace_us:
                return
            beyond = chains.next_number(self._ask, one.chain)
            last = one.held if beyond is None else beyond - 1
            one.gaps.append((first, last, one.chain.pass_over(last)))
        one.missing_since = None

    def letters(self) -> list[DeadLetter]:
        """Return the numbers of chains that dead letters stand for, in order."""
        return sorted(letter for one in self._logs.values() for letter in one.letters)

    def _standing(self, now: Micros) -> list[Fault]:
        found: dict[Fault, None] = {}
        for head in self._newest.values():
            found.update(dict.fromkeys(self._judge.signed(head)))
        for gateway, since in self._strange_since.items():
            by_head = stored_heads.unknown(gateway)
            # A new gateway's record of reference data may come after its first records.
            if by_head in found or now - since >= self._grace_us:
                found.pop(by_head, None)
                found[stored_heads.unknown(gateway, self._writers[gateway])] = None
        found.update(dict.fromkeys(self._unsigned(now)))
        for fault, head in list(self._doubted.items()):
            if any(again.rule == SIGNATURE for again in self._judge.signed(head)):
                found[fault] = None
            else:
                del self._doubted[fault]
        found.update(self._told)
        for one in self._logs.values():
            found.update(dict.fromkeys([*one.faults, *(fault for _, _, fault in one.gaps)]))
        found.update(dict.fromkeys(_not_named(self._bare, BARE, found)))
        beyond_heads = self._beyond.found(lambda log: self._log(log).signed)
        found.update(dict.fromkeys(_not_named(beyond_heads, BEYOND, found)))
        return sorted(found)

    def _unsigned(self, now: Micros) -> Iterator[Fault]:
        """Yield that records are of a gateway that reference data knows and that has sent no head.

        Unlike a new key's record, a head is on the same line as the records it signs.
        """
        due_us = beyond.HEAD_US + (self._grace_us or beyond.GRACE_US)
        for gateway, place in self._writers.items():
            if gateway in self._newest or gateway not in self._judge.records:
                continue
            if gateway in self._headless or self._beyond.waiting_us(gateway, now) >= due_us:
                yield stored_heads.unsigned(gateway, place)


def _not_named(faults: Iterable[Fault], ends: str, found: Iterable[Fault]) -> list[Fault]:
    """Return faults of single records but those of records that are named already.

    Args:
        faults: What they are about ends in a word of theirs.
        ends: That word; without it who followed the chain, or looked at headers, may have named it.
        found: What is named.
    """
    named = {(one.rule, one.gateway, one.about.removesuffix(BARE)) for one in found}
    return [
        one for one in faults if (one.rule, one.gateway, one.about.removesuffix(ends)) not in named
    ]


def fingerprints_of(
    ask: Ask, text: Callable[[int], str | None], canonical: Callable[[str], bytes]
) -> dict[int, bytes]:
    """Return the fingerprint of each schema id in use; an id nobody knows has none. Blocks.

    Args:
        ask: Runs SQL.
        text: The schema an id stands for, as registered.
        canonical: The fingerprint of such a text.
    """
    ids = [int(str(row["schema_id"])) for row in ask(chains.SCHEMA_IDS, {})]
    texts = {number: text(number) for number in sorted(ids)}
    return {number: canonical(found) for number, found in texts.items() if found is not None}


def by_gateway(faults: Sequence[Fault]) -> Mapping[str, list[Fault]]:
    """Return faults by gateway, in order."""
    found: dict[str, list[Fault]] = defaultdict(list)
    for fault in faults:
        found[fault.gateway].append(fault)
    return found

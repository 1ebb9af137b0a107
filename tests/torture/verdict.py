"""What stands on the topics after a repetition, against the second model and against perfect order.

Nothing here knows what went wrong meanwhile: whatever it was, the same has to stand there.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from custody.records import Alert, Content, Transfer
from schemas import topics
from schemas.codec import FRAME_BYTES, schema_id_of
from tests.support import agreement
from tests.support.differences import difference
from tests.support.ledger_topics import Heard, about, heard
from tests.support.oracle.books import Oracle
from tests.support.oracle.rules import RULES
from tests.support.standing import Books, perfect
from tests.support.streams import CATALOG, PARTITIONS, Follow
from tests.torture.plan import Histories

SPOKEN = (topics.TRANSFER, topics.BALANCE, topics.ALERT, topics.FLOW)
"""Topics on which workers number what they say, by one counter per partition."""


@dataclass
class Verdict:
    """What was found.

    Attributes:
        wrong: One sentence for each thing that is not as it should be; empty where all is well.
        transfers: Each once.
        repeats: Records that were said again after a crash, and are dropped by who hears them.
    """

    wrong: list[str] = field(default_factory=list)
    transfers: int = 0
    repeats: int = 0


@dataclass(frozen=True)
class Spoken:
    """What workers have said, read from a broker whose topics will be gone.

    Attributes:
        heard: Each number of a sender once.
        misnumbered: What is wrong with the numbers themselves.
    """

    heard: Heard
    misnumbered: list[str]


def listen(bootstrap: str) -> Spoken:
    """Read all that workers have said."""
    return Spoken(heard(bootstrap), list(_numbered(bootstrap)))


def judge(spoken: Spoken, histories: Histories) -> Verdict:
    """Hold what was said against what the facts demand; asks nobody, takes seconds of CPU."""
    said = spoken.heard.said
    verdict = Verdict(list(spoken.misnumbered), len(said.transfers), spoken.heard.repeats)
    verdict.wrong += _by_the_rules(said, histories)
    verdict.wrong += _as_in_perfect_order(said, histories)
    verdict.wrong += _handed(said)
    verdict.wrong += _alerts_once(said.alerts)
    return verdict


def _numbered(bootstrap: str) -> Iterator[str]:
    """A number is said again only byte for byte, and none is left out."""
    said: dict[tuple[str, int], tuple[str, int, bytes]] = {}
    for topic in SPOKEN:
        for partition, _, value in Follow(bootstrap, topic, PARTITIONS).read():
            assert value is not None
            writer = CATALOG.writer(schema_id_of(value))
            assert writer is not None
            record = writer.read(value, FRAME_BYTES)
            number = getattr(record, "n", None)
            if number is None:
                continue
            name = str(getattr(record, "sender", "")), int(number)
            if said.setdefault(name, (topic, partition, value)) != (topic, partition, value):
                yield f"{name[0]} said two things as number {name[1]}: {record}"
    numbers: dict[str, set[int]] = defaultdict(set)
    for sender, number in said:
        numbers[sender].add(number)
    for sender, found in numbers.items():
        if found != set(range(1, max(found) + 1)):
            missing = sorted(set(range(1, max(found) + 1)) - found)
            yield f"{sender} left out {missing[:5]} of {max(found)} numbers"


def _by_the_rules(said: agreement.Said, histories: Histories) -> Iterator[str]:
    for name, facts in histories.by_name.items():
        oracle = Oracle(facts, histories.references)
        unlike = agreement.unlike(oracle, about(said, name), facts, RULES)
        if unlike:
            yield f"{name} not as the rules say: {unlike}"


def _as_in_perfect_order(said: agreement.Said, histories: Histories) -> Iterator[str]:
    try:
        books = Books(said)
    except AssertionError as error:
        yield str(error)
        return
    expected = perfect(histories.facts, histories.references)
    unlike = difference(books.sums, expected.sums, histories.facts)
    if unlike:
        yield f"not as in perfect order: {unlike}"
    for what in ("balances", "alerts", "handed"):
        one, other = getattr(books, what), getattr(expected, what)
        odd = [name for name in one.keys() | other.keys() if one.get(name) != other.get(name)]
        if odd:
            yield f"{what} not as in perfect order: {sorted(map(str, odd))[:3]}"


def _handed(said: agreement.Said) -> Iterator[str]:
    """What transfers put from lots into processes is what the processes were told."""
    moved, told = _moved(said.transfers), _told(said.contents)
    for name in sorted(moved.keys() | told.keys()):
        if moved[name] != told[name]:
            yield f"{name[0]} was told {told[name]} g {name[1]}, and {moved[name]} g were moved"


def _moved(transfers: Sequence[Transfer]) -> Counter[tuple[str, str]]:
    moved: Counter[tuple[str, str]] = Counter()
    for one in transfers:
        if _is_handed(one.debit, one.credit):
            moved[one.credit, "wet"] += one.mass_wet_g
            moved[one.credit, "dry"] += one.mass_dry_g
    return moved


def _told(contents: Sequence[Content]) -> Counter[tuple[str, str]]:
    """Told again means corrected: the latest of each cause counts, and nothing where it is void."""
    latest = {(one.from_owner, one.to_owner, one.cause_event_id): one for one in contents}
    told: Counter[tuple[str, str]] = Counter()
    for one in latest.values():
        if _is_handed(one.from_owner, one.to_owner) and not one.void:
            told[one.to_owner, "wet"] += one.mass_wet_g
            told[one.to_owner, "dry"] += one.mass_dry_g
    return told


def _is_handed(giver: str, taker: str) -> bool:
    return giver.startswith("lot/") and taker.startswith("process/")


def _alerts_once(alerts: list[Alert]) -> Iterator[str]:
    """Each version of an alert stands once; which there are is held against perfect order."""
    versions = Counter((alert.alert_id, alert.version) for alert in alerts)
    for (alert_id, version), count in versions.items():
        if count > 1:
            yield f"alert {alert_id} stands {count} times in version {version}"

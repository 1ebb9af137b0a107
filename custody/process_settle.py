"""From what should stand for the sides of a process to what must be said of it now.

Each side is settled by itself: its postings, what its lot is told, its findings. What is said in
one step is bounded, because a row carries what it says: one late truck may move ten thousand
outputs of a stockpile. What is left is said in the next step.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from custody import accounts, doubts, handing, ledger
from custody import carried as travelling
from custody.fold import Output
from custody.held import Carried, Held, Posted
from custody.ledger import Clock
from custody.process_rows import OutRow, Told
from custody.process_store import ProcessStore
from custody.records import Content, Transfer

SAID_BYTES_MAX = 96_000
"""What sides may say in one step. A row of 256 kB holds it beside the head and one balance."""

RECORD_BYTES = 420
"""Of one transfer or content beside what it carries and its metals."""
METAL_BYTES = 80


@dataclass(slots=True)
class Outcome:
    """What should stand for one side.

    Attributes:
        postings: By ``kind|event_id``.
        handed: What its lot gets.
        frozen: Deep in a ring: whatever its lot was told holds on.
        carried: What the postings carry; attributes stand among their amounts.
        findings: Sentences by rule.
    """

    postings: dict[str, Posted] = field(default_factory=dict)
    handed: Held | None = None
    frozen: bool = False
    carried: Carried = travelling.NOTHING_CARRIED
    findings: dict[str, str] = field(default_factory=dict)


class Settling:
    """Settles sides of one process in one step; used once.

    Args:
        process_id: The process.
        store: Its rows.
        clock: This step's records.

    Attributes:
        found: Findings that are new or say something else, sentences by rule and event.
        cleared: Findings that hold no more.
        names: Rules of new findings, for metrics; what waits is counted when it is said.
    """

    __slots__ = (
        "_account",
        "_clock",
        "_contents",
        "_done",
        "_owner",
        "_process_id",
        "_said_bytes",
        "_store",
        "_undone",
        "cleared",
        "found",
        "names",
    )

    def __init__(self, process_id: str, store: ProcessStore, clock: Clock) -> None:
        self._process_id = process_id
        self._owner = "process/" + process_id
        self._account = accounts.process(process_id)
        self._store = store
        self._clock = clock
        self._undone: list[Transfer] = []
        self._done: list[Transfer] = []
        self._contents: list[Content] = []
        self._said_bytes = 0
        self.found: dict[tuple[str, str], str] = {}
        self.cleared: list[tuple[str, str]] = []
        self.names: list[str] = []

    @property
    def is_full(self) -> bool:
        """No more should be said in this step."""
        return self._said_bytes >= SAID_BYTES_MAX

    @property
    def outputs(self) -> list[Output]:
        """What was said: compensations first, then new transfers, then contents."""
        return [*self._undone, *self._done, *self._contents]

    def settle(self, event_id: str, outcome: Outcome) -> None:
        """Say what leads from what stands for a side to what should.

        Args:
            event_id: The side's.
            outcome: What should stand.
        """
        out = self._store.out(event_id)
        posted = self._post(out.posted, outcome)
        told = out.told if outcome.frozen and out.told else self._tell(event_id, out.told, outcome)
        if out.findings != outcome.findings:
            self._find(event_id, out.findings, outcome.findings)
        now = OutRow(posted, told, outcome.findings, out.words)
        if now != out:
            self._store.put_out(event_id, now)

    def _post(self, before: dict[str, Posted], outcome: Outcome) -> dict[str, Posted]:
        if before == outcome.postings:
            return before
        shares = travelling.said(outcome.carried)
        wanted = outcome.postings
        transfers, _ = ledger.difference(
            before, wanted, (None, self._process_id), shares, self._clock
        )
        if transfers:
            self._count(before, -1)
            self._count(wanted, 1)
        for transfer in transfers:
            undone = transfer.replaces_event_id is not None
            (self._undone if undone else self._done).append(transfer)
            self._note_size(len(transfer.metals), outcome.carried)
        return wanted

    def _count(self, postings: Mapping[str, Posted], sign: int) -> None:
        row = self._store.row
        for posting in postings.values():
            way = 1 if posting.credit == self._account else -1
            row.take(posting.wet, posting.dry, posting.amounts, sign * way)

    def _tell(self, event_id: str, before: Told | None, outcome: Outcome) -> Told | None:
        handed = outcome.handed
        now = None if handed is None else handing.told_of(handed)
        if now == before:
            return before
        known = self._clock.newest
        if before is not None and (now is None or now.owner != before.owner):
            self._contents.append(handing.withdrawing(event_id, before, self._owner, known))
            self._said_bytes += RECORD_BYTES
        if handed is not None:
            self._contents.append(handing.telling(handed, self._owner, known))
            self._note_size(len(handed.metals), handed.carried)
        return now

    def _note_size(self, metals: int, carried: Carried) -> None:
        size = RECORD_BYTES + METAL_BYTES * metals
        self._said_bytes += size + travelling.bytes_of(carried)

    def _find(self, event_id: str, before: Mapping[str, str], now: Mapping[str, str]) -> None:
        for rule, detail in now.items():
            if before.get(rule) != detail:
                self.found[rule, event_id] = detail
            if rule not in before and rule not in doubts.RULES:
                self.names.append(rule)
        self.cleared.extend((rule, event_id) for rule in before if rule not in now)

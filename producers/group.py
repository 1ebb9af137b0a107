"""One transaction's worth of submissions: what is new, what was seen, what contradicts.

Memory only. ``Group.add`` decides a submission against what was taken before, on disk and in the
group itself; the outbox then writes ``past`` and ``refused`` as they stand.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from custody.events import Micros, ReferenceSet
from custody.heads import SeenHead
from producers import correcting
from producers.chain import Chain, Entry
from producers.outcome import Accepted, Code, Draft, Outcome, Refusal, Warned
from producers.past import Past
from producers.refused_share import BODY_BYTES_MAX, reckoned_bytes
from producers.store import Identity, Refused


@dataclass(frozen=True, slots=True)
class Submission:
    """What one caller hands in: judged requests that belong together.

    Attributes:
        outcomes: One per request, in order.
        bodies: The requests as JSON, kept where they are refused; as many as outcomes.
        now: When they were taken.
        sender: Who sent them, for the list of refused requests.
        atomic: All or nothing.
    """

    outcomes: Sequence[Outcome]
    bodies: Sequence[Callable[[], bytes]]
    now: Micros
    sender: str = ""
    atomic: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one request.

    Attributes:
        stem: Stem of the request; empty where it was not recognised.
        accepted: Number of records taken.
        code: Why it was refused; None where it was not.
        item: The result as the sender gets it.
    """

    stem: str
    accepted: int
    code: Code | None
    item: Mapping[str, object]


@dataclass(slots=True)
class Group:
    """What one transaction will write.

    Attributes:
        chain: Numbers and links the records.
        past: What was taken before, and the new entries and event ids.
        refused_bytes_left: How much more of refused requests may be kept.
        refused: Requests not taken, as they are kept.
        unkept: How many are not.
        references: Reference records among the new ones, one per broadcast.
    """

    chain: Chain
    past: Past
    refused_bytes_left: int
    refused: list[Callable[[], Refused]] = field(default_factory=list)
    unkept: int = 0
    references: list[ReferenceSet] = field(default_factory=list)

    def add_head(self, now: Micros, seen: tuple[SeenHead, ...]) -> None:
        """Add the head of the chain as it stands, with heads of other gateways."""
        self.past.entries.append(self.chain.head(now, seen))

    def add(self, submission: Submission) -> list[Answer]:
        """Decide a submission and take what is new; one answer per outcome, in order."""
        if not submission.atomic:
            return self._answers(submission)
        before, trial = self.chain.position(), self._copy()
        answers = trial._answers(submission)  # noqa: SLF001  its own class
        if all(answer.code is None for answer in answers):
            self.past, self.references = trial.past, trial.references
            return answers
        self.chain.go_to(before)
        refusal = Refusal(Code.ATOMIC_LIST, "", None, "a list without refused items")
        # Refused items are kept as they were refused; their company was fine and is not.
        self.refused, self.unkept = trial.refused, trial.unkept
        self.refused_bytes_left = trial.refused_bytes_left
        return [
            answer
            if answer.code is not None
            else Answer(answer.stem, 0, refusal.code, refusal.answer())
            for answer in answers
        ]

    def _answers(self, submission: Submission) -> list[Answer]:
        pairs = zip(submission.outcomes, submission.bodies, strict=True)
        return [self._answer(outcome, body, submission) for outcome, body in pairs]

    def _answer(
        self, outcome: Outcome, body: Callable[[], bytes], submission: Submission
    ) -> Answer:
        if isinstance(outcome, Accepted):
            decided = self._decide(outcome, submission.now)
            if isinstance(decided, Answer):
                return decided
            refusal, stem = decided, outcome.stem
        else:
            refusal, stem = outcome, ""
        item = refusal.answer()
        if not self._keep(refusal.code, item, body, submission):
            item["kept"] = False
            self.unkept += 1
        return Answer(stem, 0, refusal.code, item)

    def _decide(self, accepted: Accepted, now: Micros) -> Answer | Refusal:
        """Take an acceptable request, unless it was seen before."""
        own = {draft.record.event_id for draft in accepted.drafts}
        if accepted.event_id not in own:
            known = self.past.identity(accepted.event_id)
            if known is not None:
                return _repeat(accepted, same=known.content == accepted.content)
        fresh: list[Draft] = []
        for draft in accepted.drafts:
            known = self.past.identity(draft.record.event_id)
            if known is None:
                fresh.append(draft)
            elif known.content != draft.content:
                return _repeat(accepted, same=False, event_id=draft.record.event_id)
        if not fresh:
            return _repeat(accepted, same=True)
        # A correction has one record, or copies of one.
        wrong = correcting.mismatch(fresh[0], self.chain, self.past)
        return wrong or self._take(accepted, fresh, own, now)

    def _take(
        self, accepted: Accepted, fresh: Sequence[Draft], own: set[str], now: Micros
    ) -> Answer:
        warnings = [*accepted.warnings, *correcting.remarks(fresh[0], self.past)]
        taken = [self.chain.append(draft, now) for draft in fresh]
        self.past.entries += taken
        if accepted.event_id not in own:
            self.past.identities[accepted.event_id] = Identity(
                accepted.content, taken[0].no, len(taken), taken[0].accepted_at
            )
        for draft, entry in zip(fresh, taken, strict=True):
            self._remember(draft, entry)
        correcting.note(fresh[0], self.past)
        first = fresh[0].record
        if isinstance(first, ReferenceSet):
            self.references.append(first)
        return Answer(accepted.stem, len(taken), None, _accepted_item(accepted, taken, warnings))

    def _remember(self, draft: Draft, entry: Entry) -> None:
        """Note an event id; the copies of a broadcast share one."""
        event_id = draft.record.event_id
        identities = self.past.identities
        known = identities.get(event_id)
        if known is None:
            identities[event_id] = Identity(draft.content, entry.no, 1, entry.accepted_at)
        else:
            identities[event_id] = replace(known, entries=known.entries + 1)

    def _keep(
        self,
        code: Code,
        item: Mapping[str, object],
        body: Callable[[], bytes],
        submission: Submission,
    ) -> bool:
        """Keep a refused request where there is room for it; tell whether there is."""
        reason = json.dumps(item, ensure_ascii=True)
        size = reckoned_bytes(submission.sender, reason, body()[:BODY_BYTES_MAX])
        if size > self.refused_bytes_left:
            return False
        self.refused_bytes_left -= size
        # Made once more when it is written: a list's bodies are never held together.
        self.refused.append(
            lambda: Refused(
                submission.now, submission.sender, code.value, reason, body()[:BODY_BYTES_MAX]
            )
        )
        return True

    def _copy(self) -> "Group":
        """Return a group that can grow without touching this one, but for the chain."""
        return Group(
            self.chain,
            self.past.copy(),
            self.refused_bytes_left,
            list(self.refused),
            self.unkept,
            list(self.references),
        )


def _repeat(accepted: Accepted, *, same: bool, event_id: str | None = None) -> Answer | Refusal:
    if same:
        item: dict[str, object] = {"result": "duplicate", "event_id": accepted.event_id}
        if accepted.stem == "processing":
            # Whoever lost the first answer corrects a part by its id. Numbers are of the taking.
            item["parts"] = [
                {"event_id": draft.record.event_id, "part": draft.part} for draft in accepted.drafts
            ]
        return Answer(accepted.stem, 0, None, item)
    found = event_id or accepted.event_id
    return Refusal(
        Code.DUPLICATE_CONFLICT,
        "event_id",
        found,
        "the content first sent under this id, or a correction that names it in corrects,"
        " or, for another lot under the same number, an event_id of its own",
    )


def _accepted_item(
    accepted: Accepted, taken: Sequence[Entry], warnings: Sequence[Warned]
) -> Mapping[str, object]:
    item: dict[str, object] = {
        "result": "accepted",
        "event_id": accepted.event_id,
        "gateway_seq": taken[0].seq,
    }
    if accepted.stem == "processing":
        item["parts"] = [
            {"event_id": entry.event_id, "gateway_seq": entry.seq, "part": entry.part}
            for entry in taken
        ]
    item["warnings"] = [warning.answer() for warning in warnings]
    return item

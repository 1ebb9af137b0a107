"""Gateways that sign: their chains, heads and keys, without an outbox."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from custody import heads
from custody.events import LotWeighed, Micros
from custody.heads import SeenHead
from custody.ids import derived_id
from producers.chain import Chain, Entry, genesis
from producers.judge import accept
from producers.outcome import Accepted, Draft
from producers.signing import Signer
from schemas.codec import decode, encode_with
from tests.support.gateway import NOW, terms, ticket
from tests.support.sinks import PARTITIONS
from tests.support.stored import PARTITION

MINUTE = 60_000_000


@dataclass
class Plant:
    """A gateway with its key; what it has written, in order."""

    name: str
    signer: Signer
    epoch: int
    chain: Chain

    def __init__(self, name: str, seed: int, epoch: int = 1) -> None:
        self.name, self.signer = name, Signer(name, bytes([seed] * 32))
        self.epoch = epoch
        self.chain = Chain(name, PARTITIONS, genesis(epoch, 0), self.signer)
        self.minute = 0

    def tickets(self, numbers: Sequence[int]) -> list[Entry]:
        """Weighings of many lots, as the chain has them."""
        return [self.chain.append(self._draft(no), NOW) for no in numbers]

    def later(self, numbers: Sequence[int], at: Micros) -> list[Entry]:
        """The same, recorded at a time."""
        return [self.chain.append(self._draft(no), at) for no in numbers]

    def head(self, seen: tuple[SeenHead, ...] = ()) -> Entry:
        self.minute += 1
        return self.chain.head(Micros(NOW + self.minute * MINUTE), seen)

    def key(
        self,
        operator: "Plant",
        signer: Signer | None = None,
        since: str = "2020-01-01T00:00:00Z",
    ) -> Entry:
        """The operator's record of its key, in the operator's own chain."""
        body = {"public_key": heads.key_text((signer or self.signer).public)}
        said = accept(
            {
                "type": "reference", "kind": "gateway", "id": self.name,
                "valid_from": since, "body": body,
            },
            NOW,
            terms(gateway=(operator.name, 1)),
        )  # fmt: skip
        assert isinstance(said, Accepted)
        return operator.chain.append(said.drafts[PARTITION], NOW)

    def _draft(self, no: int) -> Draft:
        made = accept(
            ticket(no, device_id=f"WB-{self.name}"), NOW, terms(gateway=(self.name, self.epoch))
        )
        assert isinstance(made, Accepted)
        return made.drafts[0]


def forged(of: Entry, seq: int, recorded_at: Micros | None = None, epoch: int = 1) -> Entry:
    """A copy of a record with its headers, under another event and number."""
    record = decode("weighing", of.body)
    assert isinstance(record, LotWeighed)
    at = record.recorded_at if recorded_at is None else recorded_at
    number = {"gateway_epoch": epoch, "gateway_seq": seq}
    other = replace(
        record, event_id=derived_id("forged", [record.event_id, str(seq)]), recorded_at=at
    )
    return replace(of, seq=seq, body=encode_with(other, number))


def seen_of(head: Entry) -> SeenHead:
    """What another gateway says of a head that it has read."""
    found = decode("head", head.body)
    assert isinstance(found, heads.Head)
    assert found.merkle_root is not None
    return SeenHead(
        gateway_id=found.gateway_id,
        gateway_epoch=found.gateway_epoch,
        size=found.size,
        merkle_root=found.merkle_root,
    )

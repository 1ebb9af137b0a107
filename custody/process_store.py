"""The rows of one process during one step: read through, written once, found by event id.

A crash may leave rows of a step without the head that counts them, and what is then read again may
be cut into other steps. So nothing that a head refers to is ever overwritten: a row that changes
goes to the other of its two *slots*, and the head, written last, says which slot holds. A slot is
told by the last bit of a row's number.
"""

from collections.abc import Iterator

from custody.fold import Reader, Row
from custody.held import Held
from custody.process_rows import (
    ABSENT,
    Event,
    IdsRow,
    InRow,
    OutRow,
    PageRef,
    PageRow,
    ProcessRow,
    Ref,
    StateRow,
    bucket,
)
from custody.rows import FactRow

NO_REF = Ref()


class ProcessStore:
    """Rows of one process.

    Args:
        process_id: The process.
        row: Its head of this step, which may be changed.
        reader: Rows of the partition.
        written: Rows this step writes, by key.
    """

    __slots__ = ("_process_id", "_reader", "_written", "row")

    def __init__(
        self, process_id: str, row: ProcessRow, reader: Reader, written: dict[str, Row]
    ) -> None:
        self._process_id = process_id
        self._reader = reader
        self._written = written
        self.row = row

    def side(self, number: int) -> FactRow:
        """Return a side by its number."""
        found = self._get("side", number)
        assert isinstance(found, FactRow), self._key("side", number) + " is missing"
        return found

    def add_side(self, fact: FactRow) -> int:
        """Write a side, or a copy that speaks instead of an earlier one; return its number."""
        number = self.row.facts
        self.row.facts += 1
        self._written[self._key("side", number)] = fact
        return number

    def put_side(self, number: int, fact: FactRow) -> None:
        """Write a side whose content stands: only what else came under its id is new."""
        self._written[self._key("side", number)] = fact

    def sides(self) -> dict[int, FactRow]:
        """Return all sides by number; of copies of one event the one that speaks."""
        by_id = {
            (fact := self.side(number)).head.event_id: (number, fact)
            for number in range(self.row.facts)
        }
        return dict(by_id.values())

    def given(self, number: int) -> Held | None:
        """Return what was handed in, by its number; None where it was withdrawn."""
        found = self._get("in", number)
        return found.held if isinstance(found, InRow) else None

    def put_given(self, number: int, held: Held | None) -> int:
        """Write what was handed in.

        Args:
            number: Where it was kept, or ``ABSENT``.
            held: What is handed in now.

        Returns:
            Where it is kept.
        """
        if number == ABSENT:
            number = 2 * self.row.inputs
            self.row.inputs += 1
        else:
            number = self._other("in", number)
        self._written[self._key("in", number)] = InRow(held)
        return number

    def out(self, event_id: str) -> OutRow:
        """Return what stands for a side; it must not be changed."""
        number = self.ref(event_id).out
        found = None if number == ABSENT else self._get("out", number)
        return found if isinstance(found, OutRow) else OutRow()

    def put_out(self, event_id: str, out: OutRow) -> None:
        """Write what stands for a side."""
        ref = self.ref(event_id)
        if ref.out == ABSENT:
            number = 2 * self.row.outs
            self.row.outs += 1
        else:
            number = self._other("out", ref.out)
        self._written[self._key("out", number)] = out
        if number != ref.out:
            self.put_ref(event_id, ref._replace(out=number))

    def ref(self, event_id: str) -> Ref:
        """Return where an event is kept."""
        return self._refs(bucket(event_id)).get(event_id, NO_REF)

    def put_ref(self, event_id: str, ref: Ref) -> None:
        """Write where an event is kept."""
        at = bucket(event_id)
        refs = {**self._refs(at), event_id: ref}
        slots = self.row.ids
        if not slots[at]:
            slots[at] = 1
        else:
            slots[at] = 1 + self._other("ids", 2 * at + slots[at] - 1) % 2
        self._written[self._key("ids", 2 * at + slots[at] - 1)] = IdsRow(refs)

    def refs(self) -> Iterator[tuple[str, Ref]]:
        """Yield all events and where they are kept, in no order."""
        for at, slot in enumerate(self.row.ids):
            if slot:
                yield from self._refs(at).items()

    def _refs(self, at: int) -> dict[str, Ref]:
        slot = self.row.ids[at]
        found = self._get("ids", 2 * at + slot - 1) if slot else None
        return found.refs if isinstance(found, IdsRow) else {}

    def page(self, ref: PageRef) -> PageRow:
        """Return a page; it must not be changed."""
        found = self._get("page", ref.page)
        assert isinstance(found, PageRow), self._key("page", ref.page) + " is missing"
        return found

    def put_page(self, ref: PageRef, events: list[Event]) -> PageRef:
        """Write the events of a page; return where it is kept."""
        page = self._other("page", ref.page)
        self._written[self._key("page", page)] = PageRow(events)
        return ref._replace(page=page, at=events[0].at)

    def new_page(self, events: list[Event]) -> PageRef:
        """Write a page that was not there; return where it is kept."""
        page = 2 * self.row.pages_made
        self.row.pages_made += 1
        self._written[self._key("page", page)] = PageRow(events)
        return PageRef(page, events[0].at, ABSENT)

    def state(self, ref: PageRef) -> StateRow | None:
        """Return the state after a page; it must not be changed."""
        found = None if ref.state == ABSENT else self._get("state", ref.state)
        return found if isinstance(found, StateRow) else None

    def put_state(self, ref: PageRef, state: StateRow) -> PageRef:
        """Write the state after a page; return where it is kept."""
        first = ref.page - ref.page % 2
        number = first if ref.state == ABSENT else self._other("state", ref.state)
        self._written[self._key("state", number)] = state
        return ref._replace(state=number)

    def _other(self, prefix: str, number: int) -> int:
        """Return the slot to write to: the other, unless this step has written this one."""
        return number if self._key(prefix, number) in self._written else number ^ 1

    def _key(self, prefix: str, number: int) -> str:
        return f"{prefix}/{self._process_id}/{number}"

    def _get(self, prefix: str, number: int) -> Row | None:
        key = self._key(prefix, number)
        row = self._written.get(key)
        return self._reader.get(key) if row is None else row


def event_of(event_id: str, ref: Ref) -> Event | None:
    """Return an event as a page has it; None where it does not stand."""
    if ref.rank < 0:
        return None
    if ref.side == ABSENT:
        return Event(ref.at, ref.rank, event_id, ref.given, ABSENT)
    return Event(ref.at, ref.rank, event_id, ref.side, ref.given)

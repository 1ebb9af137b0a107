"""The events of a continuous node in pages, with the state after each: a late event costs a tail.

Events are kept in order of (at, rank, event_id), 64 to a page. After each page the state is kept,
so that an event at the end costs one page, and one in the past the pages from its own on. Pages to
derive are marked; the marks outlast a step, because a step may say only so much.

Source:
    docs/adr/0014-keep-continuous-nodes-in-pages.md
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from custody.continuous import Node
from custody.kinds import Kind
from custody.process import of_other_kind, standing_side
from custody.process_intake import Change
from custody.process_rows import ABSENT, Event, PageRef, StateRow
from custody.process_settle import Outcome, Settling
from custody.process_store import ProcessStore, event_of
from custody.reference import References

EVENTS_MAX = 64
"""Events of a page."""

STEP_EVENTS_MAX = 2048
"""Events derived in one step: about a tenth of a second."""


class Pages:
    """The pages of one node during one step.

    Args:
        process_id: The process.
        store: Its rows.
        kind: What it does.
    """

    __slots__ = ("_kind", "_process_id", "_row", "_store")

    def __init__(self, process_id: str, store: ProcessStore, kind: Kind) -> None:
        self._process_id = process_id
        self._store = store
        self._row = store.row
        self._kind = kind

    def build(self) -> None:
        """Put all events into new pages; old ones are forgotten."""
        found = [event_of(event_id, ref) for event_id, ref in self._store.refs()]
        events = sorted(event for event in found if event is not None)
        self._row.pages, self._row.dirty = [], {}
        for start in range(0, len(events), EVENTS_MAX):
            self._new_page(len(self._row.pages), events[start : start + EVENTS_MAX])

    def derive_all(self) -> None:
        """Mark every page: the rules have changed."""
        self._row.dirty = {_name(ref): True for ref in self._row.pages}

    def change(self, changes: Sequence[Change]) -> None:
        """Take events that changed, as they stood and as they stand."""
        for was, now in changes:
            if was is not None:
                self._remove(was)
                if was.rank and now is None:
                    self._row.gone.append(was.number)
            if now is not None:
                self._insert(now)

    def gone(self, changes: Iterable[Change], settling: Settling) -> None:
        """Withdraw what is found of inputs that do not stand any more."""
        for was, now in changes:
            if was is not None and not was.rank and now is None:
                settling.settle(was.event_id, Outcome())

    def run(self, settling: Settling, references: References) -> bool:
        """Derive marked pages, first to last, as far as this step may.

        Returns:
            Nothing is left to derive.
        """
        row, room = self._row, STEP_EVENTS_MAX
        while row.gone and not settling.is_full:
            self._withdraw(row.gone.pop(), settling)
        while row.dirty and not row.gone:
            at = next(n for n, ref in enumerate(row.pages) if _name(ref) in row.dirty)
            room = self._run_page(at, settling, references, room)
            if _name(row.pages[at]) in row.dirty:
                return False
        return not row.gone

    def _withdraw(self, number: int, settling: Settling) -> None:
        """Withdraw what stands for a side that does not stand."""
        event_id = self._store.side(number).head.event_id
        if self._store.ref(event_id).rank < 0:
            settling.settle(event_id, Outcome())

    def end(self, references: References) -> Node:
        """Return the node as it is after the last page that was derived."""
        state = self._state_after(len(self._row.pages) - 1)
        return Node(self._process_id, self._kind, state, references)

    def _state_after(self, at: int) -> StateRow:
        """Return a copy of the state after a page, by its place; of a page not begun, before it."""
        for before in range(at, -1, -1):
            state = self._store.state(self._row.pages[before])
            if state is not None:
                return state.copy()
        return StateRow()

    def _run_page(self, at: int, settling: Settling, references: References, room: int) -> int:
        """Derive one page, or a part of it; return how many events may still be derived."""
        store, row = self._store, self._row
        ref = row.pages[at]
        page, old, name = store.page(ref), store.state(ref), _name(ref)
        if old is None or row.dirty[name]:
            state = self._state_after(at - 1)
            state.done = 0
        else:
            state = old.copy()
        node = Node(self._process_id, self._kind, state, references)
        while state.done < len(page.events) and room > 0 and not settling.is_full:
            self._apply(page.events[state.done], node, settling)
            state.done += 1
            room -= 1
        row.pages[at] = store.put_state(ref, state)
        if state.done < len(page.events):
            row.dirty[name] = False
            return 0
        del row.dirty[name]
        if state != old and at + 1 < len(row.pages):
            row.dirty[_name(row.pages[at + 1])] = True
        return room

    def _apply(self, event: Event, node: Node, settling: Settling) -> None:
        store = self._store
        if not event.rank:
            held = store.given(event.number)
            assert held is not None, event
            node.put_in(held)
            settling.settle(event.event_id, Outcome(findings=of_other_kind(held.kind, self._kind)))
            return
        one = standing_side(event.number, store.side(event.number))
        if one is None:
            return
        measured = store.given(event.given) if event.given != ABSENT else None
        outcome = node.apply(one, measured, store.out(event.event_id))
        settling.settle(event.event_id, outcome)

    def _find(self, event: Event) -> int:
        """Return the place of the page where an event belongs; -1 where there is none."""
        pages = self._row.pages
        at = max(bisect_right(pages, event.at, key=lambda ref: ref.at) - 1, 0) if pages else -1
        # Pages may begin at the same moment; only their first events tell them apart.
        while at > 0 and event < self._store.page(pages[at]).events[0]:
            at -= 1
        return at

    def _insert(self, event: Event) -> None:
        at = self._find(event)
        if at < 0:
            self._new_page(0, [event])
            return
        events = self._store.page(self._row.pages[at]).events
        place = bisect_left(events, event)
        if len(events) < EVENTS_MAX:
            self._rewrite(at, [*events[:place], event, *events[place:]], place)
            return
        if place == len(events):
            self._new_page(at + 1, [event])
            return
        half = EVENTS_MAX // 2
        self._new_page(at + 1, events[half:])
        self._rewrite(at, events[:half], 0)
        self._insert(event)

    def _remove(self, event: Event) -> None:
        row, at = self._row, self._find(event)
        events = self._store.page(row.pages[at]).events
        place = bisect_left(events, event)
        assert events[place] == event, event
        if len(events) > 1:
            self._rewrite(at, [*events[:place], *events[place + 1 :]], place)
            return
        row.dirty.pop(_name(row.pages.pop(at)), None)
        if at < len(row.pages):
            row.dirty[_name(row.pages[at])] = True

    def _rewrite(self, at: int, events: list[Event], place: int) -> None:
        """Write a page whose events are others from a place on, and mark it."""
        row = self._row
        ref = row.pages[at] = self._store.put_page(row.pages[at], events)
        state = self._store.state(ref)
        again = state is None or place < state.done
        row.dirty[_name(ref)] = row.dirty.get(_name(ref), False) or again

    def _new_page(self, at: int, events: list[Event]) -> None:
        ref = self._store.new_page(events)
        self._row.pages.insert(at, ref)
        self._row.dirty[_name(ref)] = True


def _name(ref: PageRef) -> int:
    """Return what a page is called whichever slot it is in."""
    return ref.page // 2

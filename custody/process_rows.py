"""What the core keeps of a process, in rows that stay small whatever passes through it.

The head counts; everything of which there may be thousands has rows of its own with one entry
each: sides ``side/<process>/<n>``, inputs ``in/<process>/<n>``, and what was posted and told for a
side ``out/<process>/<n>``. ``ids/<process>/<n>`` find them by event id. A continuous node adds
pages of its events in order (``page``) and the state after each (``state``).

Source:
    docs/adr/0014-keep-continuous-nodes-in-pages.md
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from custody.deadlines import Due
from custody.events import Micros
from custody.held import BEGINNING, Carried, Held, Posted
from custody.rows import AlertState

BUCKETS = 1024
"""Rows of the index of a process; 20,000 events are 20 to a row, 2 kB."""

NOT_PLACED = -1
"""Instead of a rank: the event does not stand."""

ABSENT = -1
"""Instead of the number of a row: there is none."""


def bucket(event_id: str) -> int:
    """Return the index row of an event."""
    return zlib.crc32(event_id.encode()) % BUCKETS


class Ref(NamedTuple):
    """Where an event of a process is kept, and where it stands among the others.

    Attributes:
        side: Number of its side row, or ``ABSENT``.
        given: Number of the row of what its lot handed in for it, or ``ABSENT``.
        out: Number of the row of what stands for it, or ``ABSENT``.
        corrections: Event ids of the sides that correct it.
        at: When it happened, where it stands.
        rank: Order among events of one moment; ``NOT_PLACED`` where it does not stand.
    """

    side: int = ABSENT
    given: int = ABSENT
    out: int = ABSENT
    corrections: tuple[str, ...] = ()
    at: Micros = Micros(0)
    rank: int = NOT_PLACED


class Event(NamedTuple):
    """One event of a continuous node; the first three fields are its place in order.

    ``number`` is that of the side, or for an input (rank 0) that of what was handed in; ``given``
    is that of what an output was measured to be, or ``ABSENT``.
    """

    at: Micros
    rank: int
    event_id: str
    number: int
    given: int


@dataclass(slots=True)
class IdsRow:
    """Part of the index of a process: refs by event id."""

    refs: dict[str, Ref] = field(default_factory=dict)


@dataclass(slots=True)
class InRow:
    """What a lot handed in for one event; None where it was withdrawn."""

    held: Held | None = None


class Told(NamedTuple):
    """What was handed on for an output: enough to withdraw it and to see a change.

    ``digest`` is of all that was said. The content itself may be 40 kB and is not kept.
    """

    owner: str
    place: str
    generation: int
    at: Micros
    digest: bytes


@dataclass(slots=True)
class OutRow:
    """What stands for one side.

    Attributes:
        posted: Postings by ``kind|event_id``.
        told: What its lot was told.
        findings: Sentences by rule, of what was derived.
        words: The same of its id and of the corrections it is part of.
    """

    posted: dict[str, Posted] = field(default_factory=dict)
    told: Told | None = None
    findings: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class PageRow:
    """Some events of a continuous node, in order."""

    events: list[Event] = field(default_factory=list)


class MetalKnown(NamedTuple):
    """How well a metal of a layer is known, milligrams: by its dry share, its grade, and beside.

    ``beside`` is the variance of what is neither, ``parts`` are systematic. Scales are in none.
    ``share_gone`` and ``grade_gone`` is what of these errors is in the books and not in the layer.
    """

    share: float
    grade: float
    beside: float
    parts: dict[str, float]
    share_gone: float = 0.0
    grade_gone: float = 0.0


class Material(NamedTuple):
    """How well the material of a layer is known; what scales did to its dry mass is not in it.

    Attributes:
        cause: Event whose error ``share`` is; empty where a node has one layer.
        share: Random u of the dry share, in grams of dry mass.
        gone: What of that error is in the books and not in the layer: what left it otherwise known.
        parts: Systematic parts of the same.
        metals: By analyte.
        graded: Event whose errors the grades are; empty where that is ``cause``.
    """

    cause: str
    share: float
    gone: float
    parts: dict[str, float]
    metals: dict[str, MetalKnown]
    graded: str = ""


EXACT = Material("", 0.0, 0.0, {}, {})
"""Of a material of which nothing was measured, so that nothing is wrong with it."""


class Layer(NamedTuple):
    """Material of one composition: grams, milligrams by analyte, what it carries."""

    wet: int
    dry: int
    metals: dict[str, int]
    carried: Carried
    known: Material = EXACT


@dataclass(slots=True)
class StateRow:
    """What lies in a continuous node.

    Attributes:
        done: Events of the page that are in it.
        layers: Oldest first; one where mixing is perfect.
        wet: Grams that are in the books of the node and in no layer; may be negative.
        dry: The same of the dry mass.
        loose: The same of metals and attributes.
        wet_u: Variance and systematic parts of the wet mass, grams.
        dry_u: The same of the dry mass, without what the dry share of the layers does to it.
        metals_u: The same of metals, milligrams, without what the layers are made of.
        generation: Of what went in.
        begun: Something happened before.
        place: Where.
        expected: Metals of what lies there that nobody has measured.
    """

    done: int = 0
    layers: list[Layer] = field(default_factory=list)
    wet: int = 0
    dry: int = 0
    loose: dict[str, int] = field(default_factory=dict)
    wet_u: tuple[float, dict[str, float]] = (0.0, {})
    dry_u: tuple[float, dict[str, float]] = (0.0, {})
    generation: int = 0
    begun: bool = False
    place: str = "unknown"
    expected: tuple[str, ...] = ()
    metals_u: dict[str, tuple[float, dict[str, float]]] = field(default_factory=dict)

    def copy(self) -> "StateRow":
        """Return a copy whose containers may be changed."""
        return StateRow(
            self.done,
            list(self.layers),
            self.wet,
            self.dry,
            dict(self.loose),
            self.wet_u,
            self.dry_u,
            self.generation,
            self.begun,
            self.place,
            self.expected,
            dict(self.metals_u),
        )


class PageRef(NamedTuple):
    """Where a page is kept: its row, its first moment, and the row of the state after it."""

    page: int
    at: Micros
    state: int


@dataclass(slots=True)
class ProcessRow:
    """The head of a process.

    Attributes:
        known: When the newest record it took was recorded; nothing it says is known before.
        facts: Number of side rows.
        inputs: Number of inputs that were ever handed in; each has two slots.
        outs: Number of sides for which something was ever kept; each has two slots.
        ids: By bucket of the index 0, or one more than the slot that holds.
        last: Place of the last side in canonical order, standing or not.
        site: Where that was.
        kinds: How many standing sides name each kind.
        wet: Grams in the process by its postings and what was handed in.
        dry: The same of the dry mass.
        amounts: The same of metals and attributes.
        rules: Digest of the rules a continuous node was derived by; empty for a batch.
        pages: In order.
        pages_made: Pages ever made; each has two slots, and none is used for another.
        dirty: Pages to derive, by their number without the slot, and whether from their beginning.
        gone: Sides of which something may stand that should not.
        called: The process has asked itself to go on.
        used: Hashes of the keys of reference records used.
        alerts: Alerts by key.
        due: What it waits for while it is open and has given out more than it got.
        clocks: By site the greatest time by which its facts are known to be in.
        doubts: Keys of findings that wait for what may be on its way (``custody.doubts``).
    """

    known: Micros = BEGINNING
    facts: int = 0
    inputs: int = 0
    outs: int = 0
    ids: bytearray = field(default_factory=lambda: bytearray(BUCKETS))
    last: tuple[Micros, Micros, str] | None = None
    site: str = "unknown"
    kinds: dict[str, int] = field(default_factory=dict)
    wet: int = 0
    dry: int = 0
    amounts: dict[str, int] = field(default_factory=dict)
    rules: bytes = b""
    pages: list[PageRef] = field(default_factory=list)
    pages_made: int = 0
    dirty: dict[int, bool] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)
    called: bool = False
    used: list[int] = field(default_factory=list)
    alerts: dict[str, AlertState] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    due: Due | None = None
    clocks: dict[str, Micros] = field(default_factory=dict)

    def copy(self) -> "ProcessRow":
        """Return a copy whose containers may be changed."""
        return ProcessRow(
            self.known,
            self.facts,
            self.inputs,
            self.outs,
            bytearray(self.ids),
            self.last,
            self.site,
            dict(self.kinds),
            self.wet,
            self.dry,
            dict(self.amounts),
            self.rules,
            list(self.pages),
            self.pages_made,
            dict(self.dirty),
            list(self.gone),
            self.called,
            list(self.used),
            dict(self.alerts),
            list(self.doubts),
            self.due,
            dict(self.clocks),
        )

    def take(self, wet: int, dry: int, amounts: Mapping[str, int], sign: int) -> None:
        """Count what came in (1) or went out (-1)."""
        self.wet += sign * wet
        self.dry += sign * dry
        for key, value in amounts.items():
            now = self.amounts.get(key, 0) + sign * value
            if now:
                self.amounts[key] = now
            else:
                # What is not there is not remembered: which metals once passed through depends
                # on the order of arrival.
                self.amounts.pop(key, None)

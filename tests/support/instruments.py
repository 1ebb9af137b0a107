"""Instruments that err: a simulator of scales, laboratories and what is in the lots.

It draws what instruments do (a wrong span, rounding, an unsteady display, a truck that has taken
on fuel, a sample that is not the lot) and never what we say of it: nothing here reads the core's
uncertainties. Norm figures are written out again. Arrays, because a coverage of 95 % to a quarter
percent takes tens of thousands of lots; a fixed generator, so that a run can be repeated.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from custody.events import Micros, ReferenceSet
from tests.support.facts import event_id

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

INTERVAL_G = 20_000.0
"""e of the bridge, class III, up to 60 t."""
SPAN_MAX = 0.001
"""A span error that keeps within the permissible error in service at every load up to 60 t.

60 kg of 60 t; at 40 t, 40 kg are permitted, at 10 t, 20 kg.
"""
UNSTEADY_G = 8_600.0
"""Half width of what the display does at rest; a deviation of a quarter of an interval."""
PLACING_G = 20_000.0
"""Half width of what it matters where the truck stands: the permissible error of small loads."""
FUEL_AND_MUD_G = 36_700.0
"""Half width of what a truck weighs more than its stored tare on every trip, and again per trip.

Together a deviation of 30 kg.
"""
TRUCKS = 5
"""Trucks that bring the lots of a row."""


@dataclass(frozen=True, slots=True)
class Lots:
    """What is true of lots: grams wet and tare, moisture and grade as fractions, which truck."""

    wet_g: Floats
    tare_g: Floats
    moisture: Floats
    grade: Floats
    truck: Numbers

    @property
    def dry_g(self) -> Floats:
        return self.wet_g * (1.0 - self.moisture)

    @property
    def metal_g(self) -> Floats:
        return self.dry_g * self.grade

    def take(self, chosen: Numbers) -> "Lots":
        """Some of the lots, in the order and shape of their numbers."""
        return Lots(
            self.wet_g.ravel()[chosen],
            self.tare_g.ravel()[chosen],
            self.moisture.ravel()[chosen],
            self.grade.ravel()[chosen],
            self.truck.ravel()[chosen],
        )


@dataclass(frozen=True, slots=True)
class Tickets:
    """What the papers say of lots, in the same units."""

    gross_g: Floats
    tare_g: Floats
    moisture: Floats
    grade: Floats

    @property
    def net_g(self) -> Floats:
        return self.gross_g - self.tare_g

    @property
    def dry_g(self) -> Floats:
        return self.net_g * (1.0 - self.moisture)

    @property
    def metal_g(self) -> Floats:
        return self.dry_g * self.grade


def lots(rng: np.random.Generator, shape: tuple[int, ...]) -> Lots:
    """Truckloads of ore: 20 to 40 t, 4 to 12 % moisture, 1 to 4 % copper."""
    return Lots(
        rng.uniform(20e6, 40e6, shape),
        rng.uniform(13e6, 17e6, shape),
        rng.uniform(0.04, 0.12, shape),
        rng.uniform(0.01, 0.04, shape),
        rng.integers(0, TRUCKS, shape),
    )


@dataclass(frozen=True, slots=True)
class Effects:
    """How wrong things may be; every draw is rectangular with these half widths.

    Attributes:
        span: Of the bridge, relative; one draw per bridge.
        stored_tare: The tare comes from memory, and the truck has changed.
        scatter: Factor on all effects of the bridge; 1 is a bridge within its norm.
        moisture_bias: Of the laboratory's oven, fraction; one draw per laboratory.
        moisture_sample: A sample is not the lot, fraction.
        grade_bias: Of the laboratory, relative; one draw per laboratory and analyte.
        grade_sample: Sub-sampling of a lot, relative.
        grade_analysis: Of one analysis, relative.
    """

    span: float = SPAN_MAX
    stored_tare: bool = False
    scatter: float = 1.0
    moisture_bias: float = 0.005
    moisture_sample: float = 0.006
    grade_bias: float = 0.02
    grade_sample: float = 0.022
    grade_analysis: float = 0.01


def told(rng: np.random.Generator, true: Lots, effects: Effects) -> Tickets:
    """Return what rectangular effects make of lots.

    The last axis shares a bridge and a laboratory; every row has fresh ones.
    """
    shape = true.wet_g.shape
    shared = (*shape[:-1], 1)

    def within(half: float, size: tuple[int, ...] = shape) -> Floats:
        return rng.uniform(-half, half, size) if half else np.zeros(size)

    span = 1.0 + within(effects.span * effects.scatter, shared)

    def read(load_g: Floats) -> Floats:
        wrong = within(UNSTEADY_G * effects.scatter) + within(PLACING_G * effects.scatter)
        return INTERVAL_G * np.round((load_g * span + wrong) / INTERVAL_G)

    carried = np.zeros(shape)
    if effects.stored_tare:
        by_truck = within(FUEL_AND_MUD_G, (*shape[:-1], TRUCKS))
        carried = within(FUEL_AND_MUD_G) + np.take_along_axis(by_truck, true.truck, axis=-1)
    gross, tare = read(true.wet_g + true.tare_g + carried), read(true.tare_g)
    bias = within(effects.moisture_bias, shared) + within(effects.moisture_sample)
    relative = within(effects.grade_bias, shared) + within(effects.grade_sample)
    relative = relative + within(effects.grade_analysis)
    # Printed to 0.1 % moisture and to 0.01 % copper.
    moisture = np.round(true.moisture + bias, 3)
    return Tickets(gross, tare, moisture, np.round(true.grade * (1.0 + relative), 4))


@dataclass(frozen=True, slots=True)
class Stated:
    """Standard uncertainties that senders state; ``share`` of the laboratory's is systematic."""

    net_random_g: int = 25_000
    net_systematic_g: int = 20_000
    moisture: float = 0.003
    grade_rel: float = 0.01
    share: float = 0.5


def normal(rng: np.random.Generator, true: Lots, stated: Stated) -> Tickets:
    """Return what normal errors of the stated size make of lots; instruments per row, as above."""
    shape = true.wet_g.shape
    shared = (*shape[:-1], 1)
    own, common = np.sqrt(1.0 - stated.share), np.sqrt(stated.share)

    def error(random: float, systematic: float) -> Floats:
        drawn: Floats = random * rng.standard_normal(shape)
        return drawn + systematic * rng.standard_normal(shared)

    net = np.round(true.wet_g + error(stated.net_random_g, stated.net_systematic_g))
    moisture = true.moisture + error(stated.moisture * own, stated.moisture * common)
    grade = true.grade * (1.0 + error(stated.grade_rel * own, stated.grade_rel * common))
    return Tickets(net + np.round(true.tare_g), np.round(true.tare_g), moisture, grade)


def reference(kind: str, name: str, body: Mapping[str, object]) -> ReferenceSet:
    """A reference record that is valid from the beginning of time."""
    text = json.dumps(body, sort_keys=True)
    return ReferenceSet(
        event_id=event_id(f"{kind} {name} {text}"),
        gateway_id="GW-1",
        gateway_epoch=1,
        gateway_seq=1 + zlib.crc32(text.encode()),
        partition=0,
        kind=kind,
        id=name,
        valid_from=Micros(0),
        valid_to=None,
        recorded_at=Micros(1),
        corrects=None,
        void=False,
        body=text,
    )

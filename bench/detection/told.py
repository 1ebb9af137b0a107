"""Lots of a simulated world as a calibration is told them."""

from collections.abc import Mapping
from dataclasses import replace

from bench.detection.judged import readings
from bench.detection.world import Lots, World
from custody.detect.calibration_lots import Lot
from custody.detect.lot_facts import Leg, Readings, Xrf
from custody.detect.lot_model import Thought
from custody.events import Micros

USUAL = Xrf(bias_rel=0.06, matrix_rel=0.03, heterogeneity_rel=0.05, counting_rel=0.02)


def lots_of(world: World, drawn: Lots, named: str = "L") -> list[Lot]:
    """Return drawn lots; each site has stations of its own, all instruments are as usual."""
    return [_lot(world, drawn, i, named) for i in range(len(drawn.origin))]


def _lot(world: World, drawn: Lots, i: int, named: str) -> Lot:
    site = int(drawn.origin[i])
    stations = {one.name: f"{one.name}-{site}" for one in world.spec.stations}
    told = _at(readings(world, drawn, i), stations)
    place = {name: at for at, name in enumerate(stations.values())}
    known = [(place[one.station], one.event_id) for one in told.weighings]
    known += [(place[one.station], one.event_id) for one in told.moistures]
    known += [(place[one.station], one.event_id) for one in told.shots]
    known += [(place[one.station], one.event_id) for one in told.assays]
    order = sorted(known, key=lambda one: one[0])
    thought = Thought(
        tuple(f"a{number:02d}" for number in range(world.spec.analytes)),
        tuple(stations.values()),
        (Leg(),) * (len(stations) - 1),
        None,
        (),
        (-0.08, 0.05),
        tuple(sorted({shot.device: USUAL for shot in told.shots}.items())),
        None,
    )
    name = f"{named}-{i:06d}"
    order_ids = tuple(event_id for _, event_id in order)
    return Lot(name, f"mine-{site}", None, thought, told, order_ids, Micros(i))


def _at(told: Readings, stations: Mapping[str, str]) -> Readings:
    return Readings(
        weighings=tuple(
            replace(one, station=stations[one.station], scale_u_rel=0.0005)
            for one in told.weighings
        ),
        moistures=tuple(
            replace(one, station=stations[one.station], laboratory_u=0.001)
            for one in told.moistures
        ),
        shots=tuple(replace(one, station=stations[one.station]) for one in told.shots),
        assays=tuple(
            replace(one, station=stations[one.station], laboratory_u_rel=0.01)
            for one in told.assays
        ),
    )

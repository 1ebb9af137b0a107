"""What the gateway knows of the plant: the reference records that went through it."""

import json
from collections.abc import Iterable

from custody import units
from custody.events import Micros, ReferenceSet

INTERVAL_G_DEFAULT = 20_000
"""Scale interval where the device is not known: 20 kg, a 60 t weighbridge of class III."""


class Known:
    """Reference records by kind and id, every version. Not a ledger: it only raises warnings.

    Safe to read while another thread adds: each change replaces a tuple.
    """

    def __init__(self, records: Iterable[ReferenceSet] = ()) -> None:
        self._versions: dict[tuple[str, str], tuple[ReferenceSet, ...]] = {}
        for record in records:
            self.add(record)

    def add(self, record: ReferenceSet) -> None:
        """Take up a reference record; a correction replaces the version of the same start."""
        name = (record.kind, record.id)
        kept = tuple(
            version
            for version in self._versions.get(name, ())
            if version.valid_from != record.valid_from
        )
        added = () if record.void else (record,)
        self._versions[name] = tuple(sorted((*kept, *added), key=lambda v: v.valid_from))

    def has(self, kind: str, id_: str, at: Micros) -> bool:
        """Tell whether a thing is known at a time."""
        return self._at(kind, id_, at) is not None

    def interval_g(self, device_id: str, at: Micros) -> int:
        """Return the interval of a scale, grams; ``INTERVAL_G_DEFAULT`` where nothing says it."""
        record = self._at("device", device_id, at)
        if record is None:
            return INTERVAL_G_DEFAULT
        interval_kg = json.loads(record.body).get("interval_kg")
        try:
            return abs(units.grams(interval_kg, "kg"))
        except units.NotANumber:
            return INTERVAL_G_DEFAULT

    def _at(self, kind: str, id_: str, at: Micros) -> ReferenceSet | None:
        for version in reversed(self._versions.get((kind, id_), ())):
            if version.valid_from <= at and (version.valid_to is None or at < version.valid_to):
                return version
        return None

"""Reference data by kind and id, as it holds at a time; every call looks at all of it."""

import json
from collections.abc import Sequence
from typing import Any

from custody.events import ReferenceSet
from tests.support.oracle.stand import standing

MOISTURE = {
    "ore": 0.05, "concentrate": 0.09, "hydroxide": 0.55, "carbonate": 0.01, "brine": 0.70,
    "cathode": 0.0, "metal": 0.0, "matte": 0.005, "powder": 0.005, "precursor": 0.01,
}  # fmt: skip
GRAMS = {"t": 1e6, "kg": 1e3, "lb": 453.59237, "g": 1.0}


class References:
    """All reference records.

    Args:
        records: In any order, copies and corrections included.
    """

    def __init__(self, records: Sequence[ReferenceSet]) -> None:
        ordered = sorted(records, key=lambda r: (r.valid_from, r.recorded_at, r.event_id, r.body))
        self._versions: dict[tuple[str, str], list[ReferenceSet]] = {}
        for record in ordered:
            self._versions.setdefault((record.kind, record.id), []).append(record)
        for key, versions in self._versions.items():
            stand = standing(versions).facts
            stand.sort(key=lambda r: (r.valid_from, r.recorded_at, r.event_id))
            self._versions[key] = stand

    def body(self, kind: str, name: str | None, at: int) -> dict[str, Any]:
        """The body that holds at a time; empty where none does."""
        found: dict[str, Any] = {}
        for version in self._versions.get((kind, name or ""), []):
            ends = version.valid_to is not None and version.valid_to <= at
            if version.valid_from <= at and not ends:
                found = json.loads(version.body)
        return found

    def number(self, kind: str, name: str | None, at: int, field: str, default: float) -> float:
        """A number of a body."""
        return float(self.body(kind, name, at).get(field, default))

    def moisture(self, commodity: str, form: str, at: int) -> float:
        """Moisture where nobody measured it."""
        default = MOISTURE.get(form, 0.05)
        return self.number("commodity", commodity, at, "moisture_fraction", default)

    def prices(self, at: int) -> dict[str, float]:
        """Price per gram of each analyte that has one."""
        found = {}
        for kind, name in self._versions:
            body = self.body(kind, name, at) if kind == "price" else {}
            if body:
                found[str(body["analyte"])] = float(body["amount"]) / GRAMS[body["per"]]
        return found

"""Rows of one partition in memory: the reader of the fold."""

from bisect import bisect_left, insort

from custody.deadlines import DUE, waiting_of
from custody.events import Micros
from custody.fold import Row
from custody.ids import BETWEEN

_DUE = DUE + "/"


class Rows:
    """Rows of the partition: the reader of the fold.

    Keys are grouped up to their first ``BETWEEN``, because that is what scans ask for; those that
    wait for the clock stand in order.
    """

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._groups: dict[str, dict[str, set[str]]] = {}
        self._due: list[str] = []

    def get(self, key: str) -> Row | None:
        """Return the row under a key, or None."""
        return self._rows.get(key)

    def scan(self, prefix: str, before: str | None = None) -> list[str]:
        """Return the keys that begin with a prefix, in order; those before another where given."""
        if prefix == _DUE:
            return self._due[: len(self._due) if before is None else bisect_left(self._due, before)]
        found = self._found(prefix)
        return found if before is None else [key for key in found if key < before]

    def _found(self, prefix: str) -> list[str]:
        kind, group = _group(prefix)
        groups = self._groups.get(kind, {})
        if BETWEEN in prefix:
            return sorted(key for key in groups.get(group, ()) if key.startswith(prefix))
        return sorted(
            key for name, keys in groups.items() if name.startswith(prefix) for key in keys
        )

    def put(self, key: str, row: Row | None) -> None:
        """Replace a row; None takes it away."""
        if row is not None and key in self._rows:
            self._rows[key] = row
            return
        kind, group = _group(key)
        if kind == DUE:
            self._put_due(key, gone=row is None)
        if row is not None:
            self._groups.setdefault(kind, {}).setdefault(group, set()).add(key)
            self._rows[key] = row
        elif self._rows.pop(key, None) is not None:
            keys = self._groups[kind][group]
            keys.discard(key)
            if not keys:
                del self._groups[kind][group]

    def first_due(self) -> Micros | None:
        """Return when the first row that waits for the clock wants to be looked at."""
        return waiting_of(self._due[0]).at if self._due else None

    def _put_due(self, key: str, *, gone: bool) -> None:
        if not gone:
            insort(self._due, key)
        elif key in self._rows:
            del self._due[bisect_left(self._due, key)]


def _group(key: str) -> tuple[str, str]:
    group = key.partition(BETWEEN)[0]
    return group.partition("/")[0], group

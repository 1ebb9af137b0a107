"""Runs statements that the guard let through, a few at a time, within bounds, until cancelled."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from console import guard
from console.asked import engine_settings
from console.config import ConsoleConfig
from console.engine import Chunk, EngineError, Query, open_engine
from console.errors import SAME_ID_IS_RUNNING, Busy, Cancelled, Failed, sorted_error
from console.parameters import escaped, used_parameters
from console.rules import check_format
from console.who import Role
from custody.errors import CustodyError

_KILLS = 25
_KILL_S = 0.2
_TABLES = "SELECT name FROM system.tables WHERE database = 'custody'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A statement as somebody sent it.

    Attributes:
        statement: One statement; it may end in FORMAT and SETTINGS.
        role: Whose it is.
        query_id: Name to cancel it by; no other of that name may be running.
        format: Used where the statement says none.
        parameters: Values of ``{name:Type}``, escaped as in a TSV; more than the statement names
            are left out.
        settings: Settings by name, judged by ``console/asked.py``.
    """

    statement: str
    role: Role
    query_id: str
    format: str = "TabSeparated"
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(slots=True)
class Answer:
    """A statement that runs: its parts come while it does.

    Close it, whether all parts were taken or not: only then its turn is another's.

    Attributes:
        query_id: Name to cancel it by.
        format: ClickHouse's name of the format.
        rows: Rows in the parts so far, as far as the engine says.
        size: Bytes in the parts so far.
    """

    query_id: str
    format: str
    _parts: Iterator[Chunk]
    _check: Callable[[], None]
    _sorted: Callable[[EngineError], CustodyError]
    _done: Callable[[], None]
    rows: int = 0
    size: int = 0

    def next(self) -> bytes | None:
        """Return the next part; None at the end. Blocks while the engine works.

        Raises:
            Refused: A bound was passed, or it was cancelled.
            Unavailable: The warehouse went away.
        """
        self._check()
        try:
            chunk = next(self._parts, None)
        except EngineError as error:
            raise self._sorted(error) from error
        if chunk is None:
            return None
        self.rows += chunk.rows
        self.size += len(chunk.data)
        return chunk.data

    def close(self) -> None:
        """End the statement and give its turn back; harmless to call again."""
        close = getattr(self._parts, "close", None)
        try:
            if close is not None:
                close()
        finally:
            self._done()


@dataclass(slots=True)
class _Running:
    role: Role
    started: bool = False
    cancelled: bool = False
    kills: int = 0


class Reader:
    """Answers queries from any thread, a few at a time.

    Args:
        config: Address and bounds.
        clock: Seconds that only go up; for the wait of a turn.
    """

    def __init__(self, config: ConsoleConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._clock = clock
        self._engine = open_engine(config.warehouse)
        self._changed = threading.Condition()
        self._running = dict[str, _Running]()
        self._free = config.queries_at_once
        self._waiting = 0
        self._own = 0
        self._tables = frozenset[str]()

    def ask(self, statement: str, format_name: str, parameters: Mapping[str, str]) -> bytes:
        """Run a statement of the operator and return the whole answer.

        Blocks at most ``query_wait_s`` for its turn and ``query_timeout_s`` for the answer.

        Args:
            statement: One statement; ``{name:Type}`` marks a parameter.
            format_name: One of ``rules.FORMATS``, where the statement says none.
            parameters: Values by name; more than the statement names are left out.

        Raises:
            Refused: The guard or the engine does not take it, or a bound was passed.
            Unavailable: No turn in time, or no warehouse.
        """
        with self._changed:
            self._own += 1
            query_id = f"own-{self._own}"
        answer = self.start(
            Ask(
                statement=statement,
                role=Role.OPERATOR,
                query_id=query_id,
                format=format_name,
                parameters=escaped(parameters),
            )
        )
        try:
            return b"".join(iter(answer.next, None))
        finally:
            answer.close()

    def start(self, ask: Ask) -> Answer:
        """Judge a statement, wait for its turn and begin it.

        Blocks at most ``query_wait_s``. The answer is to be closed.

        Raises:
            Refused: The guard does not take it, or its id is taken.
            Unavailable: No turn in time, or no warehouse.
        """
        scope = guard.Scope(ask.role, self._known_tables() if ask.role is Role.ANALYST else _NONE)
        checked = guard.check(ask.statement, scope)
        format_name = checked.format or check_format(ask.format)
        asked = {**ask.settings, **checked.settings}
        query = Query(
            text=checked.text,
            format=format_name,
            query_id=ask.query_id,
            settings=engine_settings(self._config, ask.role, asked, format_name),
            parameters=used_parameters(checked.text, ask.parameters),
        )
        self._take_turn(ask)
        return Answer(
            query_id=ask.query_id,
            format=format_name,
            _parts=self._engine.run(query),
            _check=lambda: self._check_cancelled(ask.query_id),
            _sorted=lambda error: sorted_error(error, query.settings, ask.query_id),
            _done=lambda: self._give_back(ask.query_id),
        )

    def cancel(self, query_id: str, role: Role) -> bool:
        """Stop a statement that runs or waits; the operator may stop anybody's.

        Returns:
            Whether there is one of that name and role.

        Raises:
            Unavailable: The warehouse does not answer.
        """
        with self._changed:
            found = self._running.get(query_id)
            if found is None or (role is not Role.OPERATOR and found.role is not role):
                return False
            found.cancelled = True
            self._changed.notify_all()
        for _ in range(_KILLS):
            if not self._is_running(query_id, found):
                break
            # Between its turn and its first step the engine does not know it yet: once more then.
            try:
                self._engine.kill(query_id)
            except EngineError as error:
                own = engine_settings(self._config, role, {}, "TSV")
                raise sorted_error(error, own, query_id) from error
        return True

    def _is_running(self, query_id: str, entry: "_Running") -> bool:
        """Return whether it still has its turn, after a moment for it to end."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._running.get(query_id) is not entry, 0 if not entry.kills else _KILL_S
            )
            entry.kills += 1
            return entry.started and self._running.get(query_id) is entry

    def running(self, role: Role) -> list[str]:
        """Return the names of statements that run or wait; the operator's are all."""
        with self._changed:
            return [
                name
                for name, found in self._running.items()
                if role is Role.OPERATOR or found.role is role
            ]

    def close(self) -> None:
        """Close what is held between statements."""
        self._engine.close()

    def _known_tables(self) -> frozenset[str]:
        """Ask once which tables there are: they do not change while this process runs."""
        if not self._tables:
            rows = self.ask(_TABLES, "TabSeparated", {})
            self._tables = frozenset(rows.decode().split())
        return self._tables

    def _take_turn(self, ask: Ask) -> None:
        config = self._config
        with self._changed:
            if ask.query_id in self._running:
                message = f"a query with the id {ask.query_id} is running already"
                raise Failed(message, SAME_ID_IS_RUNNING)
            if not self._free and self._waiting >= config.queries_waiting_max:
                raise Busy(config.queries_at_once, f"{self._waiting} wait")
            entry = self._running[ask.query_id] = _Running(ask.role)
            self._waiting += 1
            try:
                self._wait(entry, ask.query_id)
            except BaseException:
                del self._running[ask.query_id]
                raise
            finally:
                self._waiting -= 1
            self._free -= 1
            entry.started = True

    def _wait(self, entry: _Running, query_id: str) -> None:
        config = self._config
        until = self._clock() + config.query_wait_s
        while not self._free and not entry.cancelled:
            left = until - self._clock()
            if left <= 0 or not self._changed.wait(left):
                why = f"none ended within {config.query_wait_s:g} s"
                raise Busy(config.queries_at_once, why)
        if entry.cancelled:
            raise Cancelled(query_id)

    def _check_cancelled(self, query_id: str) -> None:
        entry = self._running.get(query_id)
        if entry is not None and entry.cancelled:
            raise Cancelled(query_id)

    def _give_back(self, query_id: str) -> None:
        with self._changed:
            if self._running.pop(query_id, None) is not None:
                self._free += 1
                self._changed.notify_all()


_NONE = frozenset[str]()

"""Runs statements that the guard let through, a few at a time, within bounds, until cancelled."""

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from console import guard
from console.asked import engine_settings
from console.config import ConsoleConfig
from console.engine import Chunk, EngineError, Query, open_engine
from console.errors import Cancelled, sorted_error
from console.parameters import escaped, used_parameters
from console.rules import check_format
from console.turns import Place, Turn, Turns
from console.who import Role
from custody.errors import CustodyError

_KILLS, _KILLS_AT_ONCE = 25, 5
_KILL_S = 0.2
_QUICK_BYTES = 1 << 22
_TOO_LONG = frozenset({159, 160})
"""What the engine says of a query that took longer than it might."""
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
        asker: Whose turn it takes; all who share a token are one. Empty: the role's.
    """

    statement: str
    role: Role
    query_id: str
    format: str = "TabSeparated"
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    asker: str = ""


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


@dataclass(frozen=True, slots=True)
class Stopping:
    """A statement that was told to stop.

    Attributes:
        ended: It has given its turn back, or waited for one.
        insist: Tells it again until it has, for five seconds at most; blocks.
    """

    ended: bool
    insist: Callable[[], None]


class Reader:
    """Answers queries from any thread, a few at a time.

    Args:
        config: Address and bounds.
        clock: Seconds that only go up; for the wait of a turn.
    """

    def __init__(self, config: ConsoleConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._engine = open_engine(config.warehouse)
        self._turns = Turns(config, clock)
        self._own = itertools.count(1)
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
        answer = self.start(
            Ask(
                statement=statement,
                role=Role.OPERATOR,
                query_id=f"own-{next(self._own)}",
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
        query = self.judged(ask)
        turn = self._turns.take(ask.query_id, ask.role, ask.asker or ask.role.value)
        return Answer(
            query_id=ask.query_id,
            format=query.format,
            _parts=self._parts(query, turn),
            _check=lambda: _check_cancelled(turn),
            _sorted=lambda error: sorted_error(error, query.settings, ask.query_id),
            _done=lambda: self._turns.give_back(turn),
        )

    def judged(self, ask: Ask) -> Query:
        """Return a statement as the engine is asked it, without asking.

        Raises:
            Refused: The guard does not take it.
            Unavailable: No warehouse.
        """
        tables = self._known_tables() if ask.role is Role.ANALYST else _NONE
        scope = guard.Scope(ask.role, tables, ask.parameters)
        checked = guard.check(ask.statement, scope)
        format_name = checked.format or check_format(ask.format)
        asked = {**ask.settings, **checked.settings}
        return Query(
            text=checked.text,
            format=format_name,
            query_id=ask.query_id,
            settings=engine_settings(self._config, ask.role, asked, format_name),
            parameters=used_parameters(checked.text, ask.parameters),
        )

    def _parts(self, query: Query, turn: Turn) -> Iterator[Chunk]:
        """Yield what the engine answers; what the quick turn is too short for begins anew."""
        if turn.place is Place.QUICK:
            whole = self._quickly(query, turn)
            if whole is not None:
                yield from whole
                return
            self._turns.take_ordinary(turn)
        yield from self._engine.run(query)

    def _quickly(self, query: Query, turn: Turn) -> list[Chunk] | None:
        """Return the whole answer, or None where it is too long for the quick turn.

        Nothing is sent before it is whole, so that nobody has half of it when it begins anew.
        """
        bound = float(query.settings["max_execution_time"])
        longest = min(self._config.quick_s, bound)
        settings = {**query.settings, "max_execution_time": f"{longest:g}"}
        parts, size = list[Chunk](), 0
        running = self._engine.run(replace(query, settings=settings))
        try:
            with closing(running):
                for chunk in running:
                    parts.append(chunk)
                    size += len(chunk.data)
                    if size > _QUICK_BYTES:
                        return None
        except EngineError as error:
            if error.code in _TOO_LONG and longest < bound and not turn.cancelled:
                return None
            raise
        return parts

    def cancel(self, query_id: str, role: Role) -> Stopping | None:
        """Stop a statement that runs or waits; the operator may stop anybody's.

        Blocks at most a second: the engine heeds it between two blocks of rows, and one may take
        longer than anybody wants to wait for the answer.

        Returns:
            How far that has come; None where there is none of that name and role.

        Raises:
            Unavailable: The warehouse does not answer.
        """
        found = self._turns.cancel(query_id, role)
        if found is None:
            return None
        return Stopping(self._stop(found, _KILLS_AT_ONCE), lambda: self._insist(found))

    def _stop(self, turn: Turn, times: int) -> bool:
        """Tell the engine, so often at most, to stop a statement; return whether it has ended."""
        for _ in range(times):
            if not self._turns.runs_after(turn, _KILL_S if turn.kills else 0):
                return True
            turn.kills += 1
            # Between its turn and its first step the engine does not know it yet: once more then.
            try:
                self._engine.kill(turn.query_id)
            except EngineError as error:
                own = engine_settings(self._config, turn.role, {}, "TSV")
                raise sorted_error(error, own, turn.query_id) from error
        return not self._turns.runs_after(turn, _KILL_S)

    def _insist(self, turn: Turn) -> None:
        # Nobody waits for it: what cannot be told now ends by its own bounds.
        with suppress(CustodyError):
            self._stop(turn, _KILLS)

    def running(self, role: Role) -> list[str]:
        """Return the names of statements that run or wait; the operator's are all."""
        return self._turns.names(role)

    def close(self) -> None:
        """Close what is held between statements."""
        self._engine.close()

    def _known_tables(self) -> frozenset[str]:
        """Ask once which tables there are: they do not change while this process runs."""
        if not self._tables:
            rows = self.ask(_TABLES, "TabSeparated", {})
            self._tables = frozenset(rows.decode().split())
        return self._tables


def _check_cancelled(turn: Turn) -> None:
    if turn.cancelled:
        raise Cancelled(turn.query_id)


_NONE = frozenset[str]()

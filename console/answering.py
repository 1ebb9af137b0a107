"""One way to answer with rows: as JSON for a page, or one of its tables as CSV for a sheet.

Every answer says up to when it is complete, for each site.
"""

import csv
import io
import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response

from console.columns import COLUMNS
from console.problem import problem_of
from console.rows import Ask, Row
from custody.errors import CustodyError
from custody.events import Micros
from schemas.present import rfc3339
from web.problem import Problem

_ISO = "SETTINGS date_time_output_format = 'iso'"
"""Ends a statement, so that its times are RFC 3339."""

_WATERMARKS = "SELECT site_id, complete_to FROM v_watermark ORDER BY site_id"
_FRESH_S = 5.0
_HOURS_MAX = 24 * 31
_HOUR_US = 3_600_000_000


class Watermarks:
    """Up to when each site's records are in facts and books; asked every five seconds at most.

    Args:
        ask: Reads the warehouse.
        monotonic: Seconds that never go back.
    """

    def __init__(self, ask: Ask, monotonic: Callable[[], float]) -> None:
        self._ask = ask
        self._monotonic = monotonic
        self._asking = threading.Lock()
        self._known: list[Row] = []
        self._asked_s: float | None = None

    def get(self) -> list[Row]:
        """Return ``site_id`` (empty for all together) and ``complete_to``, RFC 3339.

        Blocks where it is asked.

        Raises:
            Unavailable: No warehouse.
        """
        with self._asking:
            if self._asked_s is None or self._monotonic() - self._asked_s >= _FRESH_S:
                self._known = self._ask(f"{_WATERMARKS} {_ISO}", {})
                self._asked_s = self._monotonic()
            return self._known


def asked_rows(ask: Ask, statement: str, values: Mapping[str, str]) -> list[Row]:
    """Run a statement of a page; times in its rows are RFC 3339.

    Raises:
        Problem: It failed, or the warehouse is away.
    """
    try:
        return ask(f"{statement} {_ISO}", values)
    except CustodyError as error:
        raise problem_of(error) from error


def stamp(at: Micros) -> str:
    """Return a time as the value of a parameter of type DateTime64."""
    return rfc3339(at).replace("T", " ").removesuffix("Z")


def lately(request: Request, now: Micros, *, hours: int) -> tuple[Micros, Micros]:
    """Return the time that ``?hours=`` asks for: from when until now.

    Args:
        request: Of a page.
        now: Time of day.
        hours: How many where it says none.

    Raises:
        Problem: 400: no whole number of hours, or more than 31 days.
    """
    text = request.query_params.get("hours", str(hours))
    asked = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
    if not 1 <= asked <= _HOURS_MAX:
        raise Problem(400, "bad-query", f"hours={text[:40]}: a number from 1 to {_HOURS_MAX}")
    return Micros(now - asked * _HOUR_US), now


def check_asked(request: Request, *names: str) -> None:
    """See that rows are asked for by nothing that would not be heard: ``/api/alerts?state=open``.

    Args:
        request: Of a page or a program.
        names: Parameters that are heard, beside those of how it is written.

    Raises:
        Problem: 400: there is another one.
    """
    check_heard(request, *names, "format", "table")


def check_heard(request: Request, *names: str) -> None:
    """See that an address has no parameter but these: a misspelt one would give a wrong answer.

    Raises:
        Problem: 400: there is another one.
    """
    known = f"heard here are {', '.join(sorted(names))}" if names else "no parameter is heard here"
    for name in request.query_params:
        if name not in names:
            raise Problem(400, "bad-query", f"{name[:40]}: {known}; SQL hears all else")


def array_of(texts: Iterable[str]) -> str:
    """Return texts as the value of a parameter that is an array."""
    escaped = (text.replace("\\", "\\\\").replace("'", "\\'") for text in texts)
    quoted = ", ".join(f"'{text}'" for text in escaped)
    return f"[{quoted}]"


def answer(
    request: Request,
    tables: Mapping[str, Sequence[Row]],
    more: Mapping[str, object],
    complete_to: Callable[[], list[Row]],
) -> Response:
    """Answer with tables.

    Args:
        request: ``?format=csv``, or ``Accept: text/csv``, asks for CSV of ``?table=``, which is
            the first where none is said; else JSON of all.
        tables: Rows by the name of their table.
        more: What else the JSON says.
        complete_to: Gives up to when each site is complete.

    Raises:
        Problem: 400: there is no such table or format. 503: the warehouse is away.
    """
    asked = request.query_params
    accepts_csv = "text/csv" in request.headers.get("accept", "")
    wanted = asked.get("format") or ("csv" if accepts_csv else "json")
    try:
        complete = complete_to()
    except CustodyError as error:
        raise problem_of(error) from error
    if wanted == "json":
        body = {**more, **tables, "complete_to": complete}
        return Response(json.dumps(body), media_type="application/json")
    if wanted != "csv":
        raise Problem(400, "bad-query", f"format={wanted[:40]}: json or csv")
    name = asked.get("table") or next(iter(tables))
    if name not in tables:
        raise Problem(400, "bad-query", f"table={name[:40]}: one of {', '.join(tables)}")
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    kind = request.url.path.removeprefix("/api/").partition("/")[0]
    text = csv_of(tables[name], COLUMNS[f"{kind}/{name}"])
    return Response(text, 200, headers, "text/csv; charset=utf-8")


def csv_of(rows: Sequence[Row], columns: Sequence[str]) -> str:
    """Return rows as CSV with a line of names; lists and objects within a cell as JSON.

    A cell that a sheet would take for a formula begins with an apostrophe.

    Args:
        rows: Those of a table.
        columns: What its columns are called where it has no rows.
    """
    out = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row)) or columns
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return out.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, dict | list):
        return json.dumps(value)
    if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        return f"'{value}"
    return value

"""``GET /api/lots|sites|processes/<id>[/<part>]``: what pages show, as JSON and as CSV."""

from collections.abc import Collection, Mapping
from urllib.parse import unquote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console.answering import answer, check_asked
from console.answers import PERIOD, SUMMARY, TABLES, Answers, Asked, Unknown
from console.people.roles import Right
from console.problem import problem_of
from console.visits import Visits
from custody.errors import CustodyError
from web.problem import Problem

ROWS_MAX = 100_000
"""Of one answer; ``rows_count`` says how many there are."""


def answers_router(found: Visits, answers: Answers) -> APIRouter:
    """Return the routes of what pages show.

    Args:
        found: Tells who sends a request.
        answers: Gives the rows.
    """
    router = APIRouter()
    for kind in answers.parts:
        _add_kind(router, found, answers, kind)
    return router


def _add_kind(router: APIRouter, found: Visits, answers: Answers, kind: str) -> None:
    names = ", ".join(name for name in answers.parts[kind] if name)

    @router.get(f"/api/{kind}/{{subject:path}}", summary=f"What is known of one; parts: {names}")
    def get_part(request: Request, subject: str) -> Response:  # noqa: ARG001  read unescaped
        found.reader(request, Right.SEE, kind)
        raw = request.scope.get("raw_path") or request.url.path.encode()
        name, asked = asked_of(answers.parts[kind], kind, raw.decode("ascii"), request.query_params)
        check_asked(request, *_heard(kind, name))
        limit = _limit(request.query_params)
        try:
            # Asked before the rows are: what it claims is in them.
            complete_to = answers.complete_to()
            told = answers.parts[kind][name](asked)
        except Unknown as error:
            raise Problem(404, "unknown", str(error)) from error
        except CustodyError as error:
            raise problem_of(error) from error
        said = {"id": asked.subject, "at": asked.at, "known": asked.known, **told.more}
        tables = {name or TABLES[kind]: told.rows[:limit], **told.tables}
        more = {**said, "rows_count": len(told.rows)}
        return answer(request, tables, more, lambda: complete_to)


def asked_of(
    parts: Collection[str], kind: str, raw_path: str, query: Mapping[str, str]
) -> tuple[str, Asked]:
    """Return which part is asked for, and of what.

    An id may have any letters: a slash in it is sent as ``%2F``, so only a part of its own is one.

    Args:
        parts: Their names.
        kind: As in the path.
        raw_path: As it was sent.
        query: Of the address.
    """
    rest = raw_path.partition(f"/api/{kind}/")[2].partition("?")[0]
    subject, _, last = rest.rpartition("/")
    name = last if subject and last in parts else SUMMARY
    return name, Asked(
        subject=unquote(subject if name else rest),
        at=query.get("at") or None,
        known=query.get("known") or None,
        period=query.get("period") or None,
    )


def _heard(kind: str, name: str) -> Collection[str]:
    """Return the parameters of a part: a chart is all there is, and one part has a period."""
    if kind == "charts":
        return ("known", "limit")
    return ("at", "known", "limit", "period") if name == PERIOD else ("at", "known", "limit")


def _limit(query: Mapping[str, str]) -> int:
    text = query.get("limit", str(ROWS_MAX))
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not 1 <= number <= ROWS_MAX:
        raise Problem(400, "bad-query", f"limit={text[:40]}: a number from 1 to {ROWS_MAX}")
    return number

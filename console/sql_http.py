"""SQL of a person who is logged in: the same door as ``/sql``, by a session and written down."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from console import who
from console.parameters import escaped, sent_parameters
from console.people.roles import Right, Role
from console.problem import problem_of
from console.reader import Ask, Reader
from console.request import statement_of
from console.streaming import Manner, Streamed
from console.visits import Visits
from custody.errors import CustodyError

_OF_THE_PAGE = "SELECT view, name, type, meaning FROM v_columns ORDER BY view, position"
"""What Explore asks by itself (``pages/explore_views.js``): no person asked it."""

_EXACT = MappingProxyType(
    {
        "output_format_json_quote_64bit_integers": "1",
        "output_format_json_quote_denormals": "1",
        "output_format_json_quote_decimals": "1",
    }
)
"""For a browser, whose numbers are exact to 2^53 and which reads no nan from JSON."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What SQL needs.

    Attributes:
        reader: Runs it, in the turns of all who ask SQL.
        characters_max: Length of one statement.
        answer_bytes_max: Bytes of one answer.
        new_id: Gives a statement its name.
        ended: Told how one ended; None where it went well.
    """

    reader: Reader
    characters_max: int
    answer_bytes_max: int
    new_id: Callable[[], str]
    ended: Callable[[CustodyError | None], None]


def sql_router(found: Visits, asking: Asking) -> APIRouter:
    """Return the route of SQL.

    Args:
        found: Tells who sends a request.
        asking: What SQL needs.
    """
    router = APIRouter()

    @router.post("/api/sql", summary="Run one statement that reads, as a user")
    async def post_sql(request: Request) -> Response:
        visitor = await run_in_threadpool(found.changer, request)
        statement = await statement_of(request, asking.characters_max)
        await run_in_threadpool(found.door.require, visitor, Right.ASK, "sql", statement)
        sent = request.query_params
        ask = Ask(
            statement=statement,
            # The admin sees what is behind the views, as the operator of the machine does.
            role=who.Role.OPERATOR if visitor.user.role is Role.ADMIN else who.Role.ANALYST,
            query_id=asking.new_id(),
            format=sent.get("format", "JSONEachRow"),
            parameters=escaped(sent_parameters(sent)),
            settings=_EXACT if sent.get("exact") else {},
            asker=f"user/{visitor.user.name}",
        )

        def note(outcome: str) -> None:
            found.door.note(visitor, "sql", statement, outcome)

        def refused(error: CustodyError) -> Response:
            problem = problem_of(error)
            answer = problem.response()
            # After the answer and beside the loop: it is a write to disk.
            told = f"refused: {problem.status} {problem.name}: {problem.detail}"
            answer.background = BackgroundTask(note, told)
            return answer

        try:
            await run_in_threadpool(asking.reader.judged, ask)
        except CustodyError as error:
            asking.ended(error)
            return refused(error)
        if statement != _OF_THE_PAGE:
            await run_in_threadpool(note, "asked")
        manner = Manner(
            failed=refused,
            broken=lambda error: str(error).encode(),
            ended=asking.ended,
            # Held until it is whole: what was answered 200 is no half answer.
            head_bytes=asking.answer_bytes_max,
        )
        return Streamed(asking.reader, ask, manner)

    return router

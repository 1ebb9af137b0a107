"""Reads a statement from a request's body."""

from starlette.requests import Request

from web.problem import Problem


async def statement_of(request: Request, characters_max: int) -> str:
    """Return the body as text.

    Raises:
        Problem: It is not UTF-8, or too long.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > 4 * characters_max:
            break
    try:
        statement = body.decode()
    except UnicodeDecodeError as error:
        raise Problem(400, "not-text", "the query is not UTF-8 text") from error
    if len(statement) > characters_max:
        detail = f"a query has at most {characters_max:,} characters"
        raise Problem(413, "too-long", detail)
    return statement

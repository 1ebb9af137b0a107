"""The ``type`` of a problem leads somewhere: each that is said has its text on the server."""

import asyncio
import re

import httpx
import pytest
from fastapi import FastAPI

from tests.support import tree
from web.problem import Problem, on_problem
from web.problem_kinds import KINDS, add_problem_kinds

SAID = re.compile(r'Problem\(\s*\d{3},\s*"([a-z-]+)"|"/problems/([a-z-]+)"')


def said() -> set[str]:
    """Names in the sources of those that answer; a token's state is put together."""
    texts = [
        path.read_text("utf-8")
        for package in ("producers", "web", "console")
        for path in (tree.ROOT / package).rglob("*.py")
    ]
    found = {one or other for text in texts for one, other in SAID.findall(text)}
    return found - {"not-found"} | {"token-expired", "token-revoked"}


def test_each_kind_that_is_said_has_its_text_and_none_is_left_over() -> None:
    assert said() == set(KINDS)


def asked(path: str) -> httpx.Response:
    app = FastAPI()
    app.add_exception_handler(Problem, on_problem)
    add_problem_kinds(app)

    async def got() -> httpx.Response:
        server = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=server, base_url="http://test") as client:
            return await client.get(path)

    return asyncio.run(got())


@pytest.mark.parametrize("name", [*KINDS, "not-found", "method-not-allowed"])
def test_a_type_leads_to_what_it_means(name: str) -> None:
    answer = asked(Problem(400, name, "x").type)
    assert (answer.status_code, answer.text.split("\n")[0]) == (200, name)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_a_kind_that_is_none_is_said_to_be() -> None:
    assert asked("/problems/nonsense").status_code == 404

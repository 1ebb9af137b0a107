"""A desk for tests: cheap passwords, a clock that is set, a browser on its answers."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from fastapi import FastAPI
from typing_extensions import override

from console.access import Access
from console.desk import Rooms, add_desk
from console.live_http import Live
from console.people.door import Door
from console.people.file import PeopleFile
from console.people.passwords import Cost
from console.people.register import Register
from console.people.roles import Role
from console.people.sessions import Ends, Sessions
from console.people.throttle import Throttle
from console.visits import CSRF_HEADER, Visits
from console.who import Role as Asking
from console.who import Tokens
from custody.events import Micros
from web.problem import Problem, on_problem

CHEAP = Cost(passes=1, memory_bytes=8192)
"""The least that the library takes: tests try many."""

PASSWORD = "six blue trucks at dawn"  # noqa: S105  of tests
TOKEN = "token-of-tests"  # noqa: S105
ORIGIN = "http://testserver"


@dataclass(slots=True)
class Clock:
    """A time of day and a stop-watch that go when they are told."""

    at: int = 1_793_862_720_000_000

    def __call__(self) -> Micros:
        return Micros(self.at)

    def seconds(self) -> float:
        return self.at / 1e6

    def pass_s(self, seconds: float) -> None:
        self.at += round(seconds * 1e6)


class Direct(httpx.BaseTransport):
    """Asks an app in this process, from any address."""

    def __init__(self, app: FastAPI, address: str) -> None:
        self._asgi = httpx.ASGITransport(app, client=(address, 5))

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def asked() -> httpx.Response:
            answer = await self._asgi.handle_async_request(request)
            body = b"".join([part async for part in answer.aiter_raw()])
            return httpx.Response(answer.status_code, headers=answer.headers, content=body)

        return asyncio.run(asked())


@dataclass(slots=True)
class Desk:
    """The parts of a desk without Kafka and warehouse."""

    file: PeopleFile
    clock: Clock
    public_url: str | None = None
    app: FastAPI = field(default_factory=FastAPI)
    register: Register = field(init=False)
    sessions: Sessions = field(init=False)
    visits: Visits = field(init=False)

    def __post_init__(self) -> None:
        self.register = Register(self.file, CHEAP)
        self.sessions = Sessions(self.file, Ends(idle_s=3_600, absolute_s=86_400), self.clock)
        door = Door(self.register, self.sessions, Throttle(self.clock.seconds), self.clock)
        self.visits = Visits(door, Access(Tokens({Asking.OPERATOR: TOKEN})), self.public_url)
        self.app.add_exception_handler(Problem, on_problem)

    def user(self, name: str, role: Role) -> None:
        self.register.add(name, role, PASSWORD, self.clock())

    def client(self, address: str = "10.0.0.7") -> httpx.Client:
        """A browser without a session."""
        return httpx.Client(base_url=self.public_url or ORIGIN, transport=Direct(self.app, address))

    def browser(self, name: str) -> httpx.Client:
        """A browser whose user has logged in, and sends what a page of ours would."""
        return logged_in(self.client(), name)


def logged_in(client: httpx.Client, name: str, password: str = PASSWORD) -> httpx.Client:
    """Log a browser in."""
    said = log_in(client, name, password)
    assert said.status_code == 200, said.text
    client.headers[CSRF_HEADER] = said.json()["csrf_token"]
    return client


def log_in(client: httpx.Client, name: str, password: str = PASSWORD) -> httpx.Response:
    return client.post("/login", json={"user": name, "password": password})


@contextmanager
def people(
    directory: Path, public_url: str | None = None, live: Live | None = None
) -> Iterator[Desk]:
    """A desk of people alone, who may watch where there is something to watch."""
    with closing(PeopleFile(directory)) as file:
        made = Desk(file, Clock(), public_url)
        add_desk(made.app, made.visits, Rooms(live=live))
        yield made

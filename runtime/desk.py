"""People's side of the console, put together from the settings."""

import logging
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass

from fastapi import FastAPI

from console.access import Access
from console.actions_http import Acting
from console.config import ConsoleConfig
from console.desk import add_desk
from console.desk_config import DeskConfig
from console.gateway import Gateway
from console.lot_status import CompleteTo
from console.lots_http import Lots
from console.people.door import Door
from console.people.file import PeopleFile
from console.people.register import Register
from console.people.sessions import Sessions
from console.people.throttle import Throttle
from console.reader import Reader
from console.rows import Row, asked
from console.visits import Visits
from custody.events import Micros
from sinks.progress import Progress

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the warehouse process lends the desk.

    Attributes:
        access: Knows the tokens of whoever has no session.
        console: Where the warehouse is.
        progress: How the sink gets on.
        now: Time of day.
    """

    access: Access
    console: ConsoleConfig
    progress: Progress
    now: Callable[[], Micros]


@contextmanager
def desk(app: FastAPI, config: DeskConfig, parts: Parts) -> Iterator[None]:
    """Let people use the console for the length of the block; makes the first admin.

    Args:
        app: What answers.
        config: Of the desk.
        parts: Of the process.

    Raises:
        PeopleUnreadable: The file of users cannot be used.
    """
    # Of its own: a gate does not wait until analysts have their answers.
    reader = Reader(parts.console)

    def ask(statement: str, values: Mapping[str, str]) -> list[Row]:
        return asked(reader, statement, values, secrets.token_hex(16))

    def stores() -> str:
        health = parts.progress.health()
        return "" if health.ok else f"the warehouse does not get on: {health.reason}"

    gateway = Gateway(config.gateway_url, config.gateway_token_file, config.gateway_trust)
    with closing(PeopleFile(config.directory)) as file, closing(gateway), closing(reader):
        add_desk(
            app,
            Visits(_door(file, config, parts.now), parts.access, config.public_url),
            Acting(gateway, ask),
            Lots(ask, CompleteTo(ask, time.monotonic), stores),
        )
        yield


def _door(file: PeopleFile, config: DeskConfig, now: Callable[[], Micros]) -> Door:
    register = Register(file, config.cost)
    first = register.add_first(now())
    if first is not None:
        _LOG.warning("first user made", extra={"password_file": str(first)})
    return Door(register, Sessions(file, config.ends, now), Throttle(time.monotonic), now)

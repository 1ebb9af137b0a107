"""People's side of the console, put together from the settings."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from fastapi import FastAPI

from console.access import Access
from console.desk import add_desk
from console.desk_config import DeskConfig
from console.people.door import Door
from console.people.file import PeopleFile
from console.people.register import Register
from console.people.sessions import Sessions
from console.people.throttle import Throttle
from console.visits import Visits
from custody.events import Micros

_LOG = logging.getLogger(__name__)


@contextmanager
def desk(
    app: FastAPI, config: DeskConfig, access: Access, now: Callable[[], Micros]
) -> Iterator[None]:
    """Let people use the console for the length of the block; makes the first admin.

    Args:
        app: What answers.
        config: Of the desk.
        access: Knows the tokens of whoever has no session.
        now: Time of day.

    Raises:
        PeopleUnreadable: The file of users cannot be used.
    """
    with closing(PeopleFile(config.directory)) as file:
        register = Register(file, config.cost)
        first = register.add_first(now())
        if first is not None:
            _LOG.warning("first user made", extra={"password_file": str(first)})
        sessions = Sessions(file, config.ends, now)
        door = Door(register, sessions, Throttle(time.monotonic), now)
        add_desk(app, Visits(door, access, config.public_url))
        yield

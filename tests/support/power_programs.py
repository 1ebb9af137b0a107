"""Gateways that are traced (``power_trace``) and what drives them; started by name.

Each has the real outbox and the real way in, and no line to Kafka. ``bend`` takes something away
from it: a test that does not notice proves nothing.
"""

import json
import sqlite3
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from producers import drop_place, folders, store
from producers.drop_name import RESULT
from tests.support import gateway as support
from tests.support import inlets, mqtt_line

TOKEN = "t" * 43
LISTS, LIST, SINGLES, SENDERS = 20, 100, 40, 4
FILES, LINES = 3, 40
MESSAGES = 20

NO_COMMIT = "a commit is left to the log's next write-back"
NO_FOLDER = "no folder is synced"
NO_RESULT = "the result of a dropped file is not synced"


def home(directory: Path) -> Path:
    """Where the gateway's outbox is; made by the gateway."""
    return directory / "plant" / "gateway"


def folder(directory: Path) -> Path:
    """Where files are dropped."""
    return directory / "dropped"


def http(bent: str, directory: str, count: str) -> None:
    """Singles from some senders at once, then lists: ``LISTS`` of them fill the log."""
    bend(bent)
    singles = [json.dumps(support.ticket(no), default=str) for no in range(SINGLES)]
    lists = [
        json.dumps([support.ticket(SINGLES + no * LIST + k) for k in range(LIST)], default=str)
        for no in range(int(count))
    ]
    with (
        support.running(support.config(home(Path(directory))), publish=False) as gateway,
        support.serving(gateway, TOKEN) as url,
        httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}) as client,
        ThreadPoolExecutor(SENDERS) as senders,
    ):

        def post(body: str) -> None:
            answer = client.post(f"{url}/v1/events", content=body, timeout=60)
            assert answer.status_code == 202, answer.text
            assert "refused" not in answer.text, answer.text

        list(senders.map(post, singles))
        list(map(post, lists))


def drop(bent: str, directory: str) -> None:
    """Take the files that lie in the folder."""
    bend(bent)
    where = folder(Path(directory))
    with support.running(support.config(home(Path(directory))), publish=False) as gateway:
        one = inlets.drop(gateway, where, batch_requests_max=LINES // 2)
        while len(list((where / "done").glob("*.ndjson"))) < FILES:
            inlets.looked(one)


def mqtt(bent: str, directory: str, url: str, name: str) -> None:
    """Take the messages that the broker has kept for this session."""
    bend(bent)
    given = mqtt_line.config(url, name)
    with mqtt_line.taking(home(Path(directory)), given) as gateway:
        support.wait_for(
            lambda: (
                gateway.outbox.depth >= MESSAGES and mqtt_line.state(gateway)["unacknowledged"] == 0
            )
        )


def bend(name: str) -> None:
    """Take something away from the gateway of this process."""
    if name:
        _BENDS[name]()


def _commits() -> None:
    connect = store.connect

    def bent(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
        connection = connect(path, read_only=read_only)
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    store.connect = bent


def _folders() -> None:
    def bent(folder: Path) -> None:
        assert folder.is_dir()

    folders.sync = bent


def _results() -> None:
    def bent(folder: Path, name: str, chunks: Iterable[str]) -> None:
        (folder / f"{name}{RESULT}").write_text("".join(chunks))
        folders.sync(folder)

    drop_place.write_result = bent


_BENDS = {
    NO_COMMIT: _commits,
    NO_FOLDER: _folders,
    NO_RESULT: _results,
}

"""A gateway of this process that the command line, called in this process, talks to over HTTP."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from producers.service import Gateway
from runtime.cli import connect
from runtime.client import Endpoint
from runtime.client import Gateway as Client
from tests.support import gateway


@contextmanager
def commanded(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """Run one without a line; its outbox and token are made in a directory."""
    token, outbox = directory / "token", directory / "gateway"
    token.write_text("secret")
    outbox.mkdir()
    with (
        gateway.running(gateway.config(outbox), publish=False) as started,
        gateway.serving(started, "secret") as url,
    ):

        @contextmanager
        def opened() -> Iterator[Client]:
            with closing(Client(Endpoint("gateway", url, token))) as client:
                yield client

        monkeypatch.setattr(connect, "gateway", opened)
        yield started

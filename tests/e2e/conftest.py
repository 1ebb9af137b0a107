"""One running stack for every test that only asks it and adds to it."""

from collections.abc import Iterator

import pytest

from tests.support import system as stacks
from tests.support.system import System


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A stack shared by the session: tests use lots of their own and stop nothing."""
    with stacks.running(tmp_path_factory.mktemp("stack") / "data") as running:
        yield running

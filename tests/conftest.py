"""Fixtures every test may ask for: one real broker and one real registry per session."""

import os
import uuid
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support import stack

# A gate has to say the same of the same commit twice, on a busy machine, too; whoever develops
# searches anew each time. A deadline would be a test of the machine.
_SLOW = [HealthCheck.too_slow]
settings.register_profile("dev", deadline=None, suppress_health_check=_SLOW)
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap address of a real broker, shared by the session. No topic exists at the start."""
    with stack.running_kafka(tmp_path_factory.mktemp("kafka")) as bootstrap:
        yield bootstrap


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a real registry's Confluent API, shared by the session, under FULL_TRANSITIVE."""
    with stack.running_registry(tmp_path_factory.mktemp("registry")) as url:
        yield url


@pytest.fixture
def topics(kafka: str) -> Iterator[Callable[..., list[str]]]:
    """``topics("fact", "flow", partitions=4)``: new topics with names of their own.

    The topics are deleted after the test.
    """
    made: list[str] = []

    def make(*stems: str, partitions: int = 4, config: dict[str, str] | None = None) -> list[str]:
        names = [f"{stem}-{uuid.uuid4().hex[:8]}" for stem in stems]
        stack.create_topics(kafka, names, partitions=partitions, config=config)
        made.extend(names)
        return names

    yield make
    if made:
        stack.delete_topics(kafka, made)

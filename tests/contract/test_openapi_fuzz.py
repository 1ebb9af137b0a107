"""The API as it describes itself, and as it does not: no request makes it fail inside.

Schemathesis draws requests from the published OpenAPI, valid ones and broken ones, and holds each
answer against it: a status that is described, a body of the described shape, no 500. The gateway
is the real one over HTTP, with its outbox on disk and no broker.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support import gateway as support

TOKEN = "the-token-of-the-test"  # noqa: S105  it opens nothing

EXAMPLES = 60
Operation = APIOperation[Any, Any, Any, Any]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("gateway")
    with (
        support.running(support.config(folder), publish=False) as gateway,
        support.serving(gateway, TOKEN) as served,
    ):
        yield served


@pytest.fixture(scope="module")
def operations(url: str) -> dict[str, Operation]:
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    found = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    return {f"{one.method.upper()} {one.path}": one for one in found}


def test_every_operation_is_drawn_from(operations: dict[str, Operation]) -> None:
    assert {"POST /v1/events", "GET /v1/events/{event_id}", "GET /health"} <= set(operations)


def test_what_is_drawn_from_the_description_is_answered_as_described(
    url: str, operations: dict[str, Operation]
) -> None:
    for operation in operations.values():
        _hold(url, operation, GenerationMode.POSITIVE)


@pytest.mark.parametrize("name", ["POST /v1/events", "GET /v1/refused"])
def test_what_breaks_the_description_is_refused_as_described(
    url: str, operations: dict[str, Operation], name: str
) -> None:
    _hold(url, operations[name], GenerationMode.NEGATIVE)


def _hold(url: str, operation: Operation, mode: GenerationMode) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(generation_mode=mode))
    def answered(case: schemathesis.Case[Any]) -> None:
        response = case.call(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"})
        case.validate_response(response, checks=CHECKS)

    answered()

import json
import os
from collections.abc import Iterator

import httpx
import pytest

from telemetry.http import Health, OpsServer
from telemetry.metrics import CHUNKS, Metrics


class Process:
    health = Health(ok=True, fields={"lag_records": 0})


@pytest.fixture
def process() -> Process:
    return Process()


@pytest.fixture
def url(process: Process) -> Iterator[str]:
    metrics = Metrics("worker")
    metrics.add(CHUNKS)
    with OpsServer("127.0.0.1", 0, metrics, lambda: process.health) as server:
        yield f"http://127.0.0.1:{server.port}"


def test_health_is_200_with_its_numbers(url: str) -> None:
    answer = httpx.get(f"{url}/health")
    assert answer.status_code == 200
    said = answer.json()
    assert said == {"status": "ok", "reason": "", "pid": os.getpid(), "lag_records": 0}


def test_a_stuck_process_answers_503_and_says_why(url: str, process: Process) -> None:
    process.health = Health(ok=False, reason="no progress for 31 s")
    answer = httpx.get(f"{url}/health")
    assert answer.status_code == 503
    assert answer.json()["reason"] == "no progress for 31 s"


def test_metrics_are_the_text_prometheus_reads(url: str) -> None:
    answer = httpx.get(f"{url}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "custody_chunks_total 1.0" in answer.text


def test_any_other_path_is_404(url: str) -> None:
    assert httpx.get(f"{url}/").status_code == 404


def test_health_body_writes_what_json_does_not_know_as_text() -> None:
    assert json.loads(Health(ok=True, fields={"x": b"1"}).body())["x"] == "b'1'"

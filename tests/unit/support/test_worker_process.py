"""What tests ask of a worker is answered, whatever has become of the worker."""

import socket
import threading
from pathlib import Path

import pytest

from tests.support.streams import WorkerProcess


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 251\r\n\r\n",
        b'HTTP/1.1 200 OK\r\nContent-Length: 251\r\n\r\n{"partitions"',
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_a_worker_killed_in_the_middle_of_its_answer_is_not_ready(
    answer: bytes, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer_once() -> None:
            line, _ = listening.accept()
            with line:
                line.recv(65536)
                line.sendall(answer)

        thread = threading.Thread(target=answer_once)
        thread.start()
        worker = WorkerProcess("", tmp_path, port=listening.getsockname()[1])
        ready = worker.is_ready()
        thread.join()
    assert not ready

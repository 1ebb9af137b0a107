"""A sink as a process of its own, to be killed: ``python -m tests.support.sink_process ...``."""

import signal
import sys
import threading
from pathlib import Path

from sinks.config import GROUP
from sinks.progress import Progress
from sinks.sink import run
from telemetry.metrics import Metrics
from tests.support.sinks import CATALOG, config, now


def main(bootstrap: str, warehouse: str, group: str = GROUP) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    settings = config(bootstrap, Path(warehouse), group=group, batch_age_s=0.05)
    progress = Progress(Metrics("warehouse"), settings.stuck_after_s)
    run(settings, CATALOG, progress, now, stop, lambda: print("ready", flush=True))


if __name__ == "__main__":
    main(*sys.argv[1:])

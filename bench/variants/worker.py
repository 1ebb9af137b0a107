"""The real worker over ids of the static table."""

import json
import sys
from pathlib import Path

from schemas.registry import StaticCatalog
from streams.config import WorkerConfig
from streams.worker import run
from tests.support.folds import TrivialFold

if __name__ == "__main__":
    options = json.loads(sys.argv[1])
    config = WorkerConfig(
        bootstrap=options["bootstrap"],
        registry_url="",
        data_dir=Path(options["data_dir"]),
        port=options["port"],
        tick_interval_s=0.0,
        log_level="WARNING",
    )
    run(config, TrivialFold(says=options["says"]), StaticCatalog())

"""The real worker over ids of the static table."""

import json
import sys
from pathlib import Path

from custody.core import CustodyFold
from custody.fold import Fold
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
        cache_bytes_max=options["cache_mb"] * 1_000_000,
        chunk_records_max=options["chunk"],
        tick_interval_s=0.0,
        log_level="WARNING",
    )
    custody = options["fold"] == "custody"
    fold: Fold = CustodyFold() if custody else TrivialFold(says=options["says"])
    run(config, fold, StaticCatalog())

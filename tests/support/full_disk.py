"""A sink on a disk of its own that fills: ``python -m tests.support.full_disk BROKER DIRECTORY``.

Called in a mount namespace, where it puts a small file system on the directory. Records come while
there is no byte left; then there is room again. Prints what the engine refused meanwhile, by code,
and what ``custody verify`` finds.
"""

import json
import subprocess
import sys
from pathlib import Path

from tests.support.accounted import asked, is_complete, violations
from tests.support.filler import fill
from tests.support.sinks import Gateway, Running, config, running, wait_until

DISK_BYTES = 96 << 20
FACTS = 300
REFUSED_MIN = 3
WITHIN_S = 60.0

ERRORS = "SELECT code, value FROM system.errors WHERE code IN (74, 75, 76, 243, 1001) AND value > 0"
"""Reading, writing and opening files, room on the disk, and what the C++ library throws."""


def main(bootstrap: str, directory: Path) -> None:
    size = f"size={DISK_BYTES}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "none", str(directory)], check=True)
    settings = config(
        bootstrap,
        directory / "warehouse",
        batch_age_s=0.05,
        retry_wait_s=0.05,
        retry_wait_s_max=0.5,
    )
    gateway = Gateway(bootstrap)
    with running(settings) as sink:
        gateway.publish(FACTS)
        _complete(sink, bootstrap)
        filler = fill(directory)
        before = _refused(sink)
        gateway.publish(FACTS)
        wait_until(lambda: _refused(sink) >= before + REFUSED_MIN, WITHIN_S)
        codes = {str(row["code"]): int(str(row["value"])) for row in asked(sink.address, ERRORS)}
        refused, complete = _refused(sink) - before, is_complete(sink.address, bootstrap)
        filler.unlink()
        gateway.publish(FACTS)
        _complete(sink, bootstrap)
        wrong = violations(sink.address, bootstrap)
        [facts] = asked(sink.address, "SELECT count() AS n, uniqExact(event_id) AS u FROM weighing")
    said = {
        "refused": refused, "codes": codes, "complete_while_full": complete,
        "wrong": {name: str(found) for name, found in wrong.items()},
        "rows": facts["n"], "events": facts["u"], "sent": len(gateway.sent),
    }  # fmt: skip
    print(json.dumps(said))


def _refused(sink: Running) -> int:
    return sum(int(str(row["value"])) for row in asked(sink.address, ERRORS))


def _complete(sink: Running, bootstrap: str) -> None:
    wait_until(lambda: bool(sink.failed) or is_complete(sink.address, bootstrap), WITHIN_S)
    if sink.failed:
        raise sink.failed[0]


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

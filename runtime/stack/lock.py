"""Write ``artifacts.lock.json``: resolve with jgo, download, and record every checksum.

For a maintainer who moves to another version: ``python -m runtime.stack.lock``.
"""

import json
import sys
import tempfile
from pathlib import Path

from runtime.stack.jars import Artifact, Fetch, jgo_fetch, sha256_of

KAFKA_VERSION = "4.4.0"
REGISTRY_VERSION = "3.3.3"

_KAFKA = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    # Kafka speaks slf4j 1 and leaves the binding to its packager; without one its log is lost.
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.5",
)
_REGISTRY = f"io.apicurio:apicurio-registry-app:{REGISTRY_VERSION}:tar.gz:all"


def main() -> int:
    """Resolve, download and write the lock file. Blocks; needs the network."""
    fetch = jgo_fetch(None)
    with tempfile.TemporaryDirectory() as scratch:
        bundles = {
            "kafka": _entry("Apache Kafka", KAFKA_VERSION, _kafka_coordinates(), fetch, scratch),
            "registry": _entry("Apicurio Registry", REGISTRY_VERSION, [_REGISTRY], fetch, scratch),
        }
    path = Path(__file__).with_name("artifacts.lock.json")
    path.write_text(json.dumps(bundles, indent=1) + "\n", encoding="utf-8")
    print(path, file=sys.stderr)  # noqa: T201  a maintainer's script
    return 0


def _kafka_coordinates() -> list[str]:
    import jgo

    found = {
        f"{a.groupId}:{a.artifactId}:{a.version}:jar": None
        for endpoint in _KAFKA
        for a in jgo.resolve(endpoint)
    }
    return sorted(found)


def _entry(
    title: str, version: str, coordinates: list[str], fetch: Fetch, scratch: str
) -> dict[str, object]:
    rows = []
    for coordinate in coordinates:
        path = fetch(Artifact(coordinate, 0, ""), Path(scratch), lambda _bytes: None)
        size_bytes = path.stat().st_size
        rows.append({"coordinate": coordinate, "size_bytes": size_bytes, "sha256": sha256_of(path)})
    return {"title": title, "version": version, "artifacts": rows}


if __name__ == "__main__":
    sys.exit(main())

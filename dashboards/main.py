"""Write Grafana's dashboards: the JSON in deploy/grafana is made from balance.py and health.py.

python -m dashboards.main --out deploy/grafana
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards import balance, health

HOME = Path(__file__).resolve().parents[1] / "deploy" / "grafana"


def texts() -> dict[str, str]:
    """Return the JSON of each dashboard by its file's name."""
    return {
        made.FILE: json.dumps(made.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"
        for made in (balance, health)
    }


def queries(name: str) -> list[tuple[str, dict[str, object]]]:
    """Return the queries of a dashboard as its JSON has them, each with its panel's title."""
    whole = json.loads(texts()[name])
    return [
        (panel["title"], query)
        for one in whole["panels"]
        for panel in (one, *one.get("panels", ()))
        for query in panel.get("targets", ())
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the files and say where."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HOME, help="folder; made where it is not")
    out: Path = parser.parse_args(arguments).out
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts().items():
        (out / name).write_text(text, "utf-8")
        print(out / name)


if __name__ == "__main__":
    main()

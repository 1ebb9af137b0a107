"""What the mines' ore is like: reference data the demo has from days before its own.

``demo/data/fingerprints.ndjson`` is what ``custody calibrate`` says of certificates of the mines'
laboratories on four days on which all was as it was said to be:

    python -m demo.history > history.ndjson
    custody calibrate --facts history.ndjson --out calibrated.ndjson

Of the records written those of kind ``fingerprint`` are kept.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from demo.requests import Request

DATA = Path(__file__).parent / "data" / "fingerprints.ndjson"


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """How lots of a mine differ: mean and covariance of ln(fraction of dry mass).

    Attributes:
        analytes: Order of both.
        mean: Shape (analytes,).
        covariance: Of single lots, shape (analytes, analytes).
        samples: How many lots both are from.
    """

    analytes: tuple[str, ...]
    mean: npt.NDArray[np.float64]
    covariance: npt.NDArray[np.float64]
    samples: int


def records() -> list[Request]:
    """Return the reference records."""
    return [json.loads(line) for line in DATA.read_text("utf-8").splitlines()]


@cache
def fingerprints() -> dict[str, Fingerprint]:
    """Return the fingerprint of each mine."""
    found = {}
    for record in records():
        body = cast("Request", record["body"])
        found[str(record["id"])] = Fingerprint(
            tuple(cast("list[str]", body["analytes"])),
            np.array(body["ln_mean"], dtype=float),
            np.array(body["ln_covariance"], dtype=float),
            int(str(body["samples"])),
        )
    return found

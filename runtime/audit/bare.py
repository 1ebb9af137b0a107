"""Records that came without the digests that a gateway sends with each of them.

A gateway puts two headers on every record, of 32 bytes each. One that has none of them, or others,
was written by somebody else: that needs no head to be seen, and no time.
"""

from collections.abc import Mapping

from custody.audit import AUDITED_MAX, Fault, bare
from custody.digest import DIGEST_BYTES
from runtime.asof import Ask
from runtime.audit.chains import PLACE, TABLES, behind


def without_digests(ask: Ask, after: Mapping[str, int]) -> list[Fault]:
    """Return the records that came without digests; blocks.

    Args:
        ask: Runs SQL.
        after: By place the offset behind which records are new; where it is empty all are.
    """
    number = "gateway_id, gateway_epoch, gateway_seq"
    wrong = f"(length(prev) != {DIGEST_BYTES} OR length(digest) != {DIGEST_BYTES})"
    each = " UNION ALL ".join(
        f"SELECT {number}, event_id,"  # noqa: S608  names of ours
        f" {PLACE} AS place"
        f" FROM {table} WHERE {wrong} AND ({behind(after)})"
        for table in TABLES
    )
    rows = ask(
        f"SELECT * FROM ({each}) ORDER BY {number}, place LIMIT {AUDITED_MAX} BY gateway_id",  # noqa: S608
        {},
    )
    return [
        bare(
            (str(row["gateway_id"]), int(str(row["gateway_epoch"]))),
            int(str(row["gateway_seq"])),
            f"event {row['event_id']}, {row['place']}",
        )
        for row in rows
    ]

"""Rows of ``edge``: the transfers between lots and processes, in the direction of the material.

A pure mapping from rows of ``transfer`` to rows of ``edge``, one each and under the same topic,
partition and offset, so that the sink reconciles both in the same way after a crash. They are
rows of their own, not a materialised view: a view's rows are not atomic with those it reads.

A later measurement of an output (kind ``measured``) belongs to the edge from the process to the
lot whichever account it debits; where it debits the lot it takes back, and its amounts change sign.

Source:
    docs/lineage.md
"""

from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

TABLE = "edge"
"""The table; migration 0010 makes it."""

SOURCE = "transfer"
"""The table whose rows they are made from."""
_LOT, _PROCESS = "lot/", "process/"
_LAST = "/[^/]*$"
_COPIED = (
    "topic",
    "partition",
    "offset",
    "timestamp",
    "sender",
    "n",
    "kind",
    "cause_event_id",
    "replaces_event_id",
    "effective_at",
    "known_at",
    "metals.analyte",
    "origins.level",
    "origins.id",
    "origins.share",
    "metal_origins.analyte",
    "metal_origins.level",
    "metal_origins.id",
    "metal_origins.share",
    "shares.dimension",
    "shares.label",
    "shares.share",
)


def edges_of(transfers: pa.Table) -> pa.Table:
    """Return the edge of each transfer between a lot and a process, in their order."""
    lot_gives = _between(transfers, _LOT, _PROCESS)
    lot_takes = _between(transfers, _PROCESS, _LOT)
    kinds = pc.coalesce(_text(transfers["replaces_kind"]), _text(transfers["kind"]))
    back = pc.and_(lot_gives, pc.equal(kinds, "measured"))
    return pa.concat_tables(
        [
            _edges(transfers.filter(pc.and_(lot_gives, pc.invert(back))), "debit", 1),
            _edges(transfers.filter(lot_takes), "credit", 1),
            _edges(transfers.filter(back), "debit", -1),
        ]
    )


def _between(transfers: pa.Table, giver: str, taker: str) -> pa.ChunkedArray:
    return pc.and_(
        pc.starts_with(transfers["debit"], giver), pc.starts_with(transfers["credit"], taker)
    )


def _edges(transfers: pa.Table, lot_side: str, sign: int) -> pa.Table:
    """Return edges of transfers that all have their lot on one side.

    Args:
        transfers: The transfers.
        lot_side: Column of the lot's account: debit or credit.
        sign: -1 where the amounts go against the direction of the material.
    """
    account = transfers[lot_side]
    process = transfers["credit" if lot_side == "debit" else "debit"]
    lot = pc.replace_substring_regex(account, _LAST, "")
    gives = (lot_side == "debit") == (sign == 1)
    made = {name: transfers[name] for name in _COPIED}
    made |= {
        "parent": lot if gives else process,
        "child": process if gives else lot,
        "lot_id": pc.utf8_slice_codeunits(lot, len(_LOT)),
        "process_id": pc.utf8_slice_codeunits(process, len(_PROCESS)),
        "place": _place(account),
        "mass_wet_g": _signed(transfers["mass_wet_g"], sign),
        "mass_dry_g": _signed(transfers["mass_dry_g"], sign),
        "metals.value_mg": _signed_lists(transfers["metals.value_mg"], sign),
    }
    return pa.table(made)


def _place(account: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the place that each account names, as ``custody.accounts.place`` does."""
    place = pc.replace_substring_regex(account, "^.*/", "")
    place = pc.replace_substring(place, "%2F", "/")
    return pc.replace_substring(place, "%25", "%")


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string())


def _signed(column: pa.ChunkedArray, sign: int) -> pa.ChunkedArray:
    return column if sign == 1 else pc.negate(column)


def _signed_lists(column: pa.ChunkedArray, sign: int) -> pa.ChunkedArray:
    if sign == 1:
        return column
    chunks = [
        pa.ListArray.from_arrays(_offsets(chunk), pc.negate(chunk.flatten()))
        for chunk in column.chunks
    ]
    return pa.chunked_array(chunks, column.type)


def _offsets(lists: pa.ListArray) -> pa.Array:
    """Return the offsets of lists that may be a slice of longer ones, from 0 on."""
    return pc.subtract(lists.offsets, cast("pa.Scalar", lists.offsets[0]))

import pyarrow as pa

from schemas.arrow import arrow_schema
from sinks.rows import _flat


def test_a_group_of_nothing_but_duplicates_is_no_rows_and_no_error() -> None:
    whole = arrow_schema("balance").empty_table()
    dropped = pa.Table.from_batches([], schema=whole.schema)
    flat = _flat(dropped)
    assert flat.num_rows == 0
    assert "metals.u_systematic_mg.source" in flat.column_names

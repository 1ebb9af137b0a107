"""Settings that a request asks for: which are heard, which are capped, which are refused.

The engine is asked with ``readonly=1``, so nothing set in a statement counts; what stands in the
address or in SETTINGS at the statement's end is judged here and set before the statement runs.
"""

from collections.abc import Mapping
from types import MappingProxyType

from console.config import ConsoleConfig
from console.who import Role
from custody.errors import Refused

TRANSPORT = frozenset(
    """
    query database user password default_format query_id session_id session_timeout session_check
    buffer_size wait_end_of_query compress decompress enable_http_compression
    http_zlib_compression_level client_protocol_version quota_key role
    send_progress_in_http_headers http_headers_progress_interval_ms
    cancel_http_readonly_queries_on_client_close http_write_exception_in_output_format
    add_http_cors_header log_queries log_comment readonly stacktrace async_insert
    wait_for_async_insert max_insert_block_size date_time_input_format
    max_bytes_ratio_before_external_sort max_bytes_ratio_before_external_group_by
    max_bytes_before_external_sort max_bytes_before_external_group_by
    timeout_before_checking_execution_speed output_format_parallel_formatting
    """.split()  # noqa: SIM905  a list of words reads better as words
)
"""Of the protocol, or without meaning for a door that only reads: heard elsewhere or not at all."""

_CAPPED = frozenset(
    {"max_threads", "max_execution_time", "max_memory_usage", "max_result_rows", "max_result_bytes"}
)

_FREE = frozenset(
    """
    date_time_output_format session_timezone group_by_use_nulls transform_null_in union_default_mode
    intersect_default_mode except_default_mode count_distinct_implementation limit offset
    result_overflow_mode max_rows_to_read max_bytes_to_read read_overflow_mode
    format_csv_delimiter bool_true_representation bool_false_representation
    cast_keep_nullable cast_string_to_dynamic_use_inference use_skip_indexes
    force_optimize_projection optimize_use_projections final
    """.split()  # noqa: SIM905
)

_OF_VIEWS = frozenset({"join_use_nulls", "aggregate_functions_null_for_empty"})
"""Of what joins and sums give for nothing: a view, too, would be read with them. ``v_complete_to``
had no rows, and a balance NULL for 0."""

_FREE_PREFIXES = (
    "output_format_json_",
    "output_format_arrow_",
    "output_format_parquet_",
    "output_format_csv_",
    "output_format_tsv_",
    "output_format_pretty_",
    "output_format_native_",
    "output_format_binary_",
    "output_format_decimal_",
)
"""How values are written. ``output_format_schema`` is none of these: it writes a file."""

_OFF = frozenset({"0", "false"})
"""A client that says of a setting that it is off may: so it is."""

_IN_SMALL = {"max_block_size": "8192", "function_range_max_elements_in_block": "4000000"}
"""A stop and a limit of time are heeded between two blocks: what a function does with a long list
or text it does for each row of one. An eighth of the engine's rows costs a query next to nothing;
the list holds a year of days for each of them."""

_OPERATOR_TIME_S = 3_600.0
_ROWS_MAX = 1_000_000_000
_BYTES_MAX = 1 << 40
_VALUE_CHARACTERS = 100

STREAMED = frozenset(
    {"Native", "TSV", "TabSeparated", "CSV", "JSONEachRow", "RowBinary", "ArrowStream"}
)
"""Formats that leave as they are made, so that an answer needs no memory here."""


class SettingRefused(Refused):
    """A setting that this door does not take."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            f"the setting {name[:80]} is not for a request: {why}",
            expected="limits, which are capped, and how values are written: docs/warehouse.md",
            next_step="leave it out",
        )


def engine_settings(
    config: ConsoleConfig, role: Role, asked: Mapping[str, str], format_name: str
) -> Mapping[str, str]:
    """Return the settings a statement runs with: ours, and what was asked within them.

    Args:
        config: Bounds.
        role: An operator may ask for more time.
        asked: Settings by name, those of the transport left out.
        format_name: A streamed one may have as many rows as are asked for.

    Raises:
        SettingRefused: One is not for a request.
    """
    bounds = _bounds(config, role, format_name)
    found = dict(_defaults(config)) | (_IN_SMALL if role is Role.ANALYST else {})
    for name, value in asked.items():
        if name in _CAPPED:
            found[name] = _capped(name, value, found[name], bounds[name])
        elif name in _FREE or name.startswith(_FREE_PREFIXES):
            if len(value) > _VALUE_CHARACTERS or not value.isprintable():
                raise SettingRefused(
                    name, f"its value has more than {_VALUE_CHARACTERS} characters"
                )
            found[name] = value
        elif name not in _OF_VIEWS:
            raise SettingRefused(name, "it is none that this door knows")
        elif value not in _OFF:
            raise SettingRefused(name, "views would answer otherwise with it")
    return MappingProxyType(found)


def changeable_sql() -> str:
    """Return an SQL condition over ``name``: whether a request may set it.

    Tools ask the engine which settings they may set, and there ``readonly=1`` says none.
    """
    names = ", ".join(f"'{name}'" for name in sorted(_CAPPED | _FREE | TRANSPORT))
    prefixes = " OR ".join(f"startsWith(name, '{prefix}')" for prefix in _FREE_PREFIXES)
    return f"name IN ({names}) OR {prefixes}"


def _defaults(config: ConsoleConfig) -> dict[str, str]:
    return {
        "session_timezone": "UTC",
        "max_threads": str(config.threads),
        "max_execution_time": f"{config.query_timeout_s:g}",
        "max_memory_usage": str(config.query_memory_bytes),
        "max_result_rows": str(config.result_rows_max),
        "max_result_bytes": str(config.result_bytes_max),
        "result_overflow_mode": "throw",
        # What does not fit into memory is refused: the disk is the sink's.
        "max_bytes_ratio_before_external_sort": "0",
        "max_bytes_ratio_before_external_group_by": "0",
        "max_bytes_before_external_sort": "0",
        "max_bytes_before_external_group_by": "0",
        # Estimates of how long a query will take are wrong in its first second.
        "timeout_before_checking_execution_speed": "0",
        "output_format_json_quote_64bit_integers": "0",
        # Threads that only write rows out cost a small answer a sixth of its time.
        "output_format_parallel_formatting": "0",
    }


def _bounds(config: ConsoleConfig, role: Role, format_name: str) -> Mapping[str, float]:
    streamed = format_name in STREAMED
    longest = _OPERATOR_TIME_S if role is Role.OPERATOR else config.query_timeout_s
    return {
        "max_threads": config.threads,
        "max_execution_time": max(longest, config.query_timeout_s),
        "max_memory_usage": config.query_memory_bytes,
        "max_result_rows": _ROWS_MAX if streamed else config.result_rows_max,
        "max_result_bytes": _BYTES_MAX if streamed else config.result_bytes_max,
    }


def _capped(name: str, value: str, default: str, bound: float) -> str:
    try:
        number = float(value)
    except ValueError as error:
        raise SettingRefused(name, "its value is no number") from error
    # 0 means without a bound: then ours holds.
    if not 0 < number < float("inf"):
        return default
    return f"{min(number, bound):.15g}"

"""Bounds on what is read, so that a file made in malice or by accident is refused early."""

MAPPING_BYTES_MAX = 262_144
"""A mapping of a thousand columns is a quarter of it."""

ROW_CHARS_MAX = 131_072
"""One row of text with all its lines. A request has 64 kB; the reader of the standard library
takes no longer field either."""

COLUMNS_MAX = 1_000
"""Columns of a table; laboratories report some 70 elements, each with its limit and error."""

SHEET_FILE_BYTES_MAX = 64 * 1024 * 1024
"""A spreadsheet as it lies on disk; all of it is read into memory."""

SHEET_ROWS_MAX = 1_048_576
"""Rows that a spreadsheet can have."""

UNPACKED_BYTES_MAX = 256 * 1024 * 1024
"""All members of a spreadsheet's archive unpacked: some 300,000 rows of 20 columns."""

UNPACKED_RATIO_MAX = 200
"""Unpacked over packed bytes of an archive. Sheets of real scales lie between 5 and 30."""

RATIO_FROM_BYTES = 16 * 1024 * 1024
"""Below this an archive may be packed as tightly as it likes: it can do no harm."""

MEMBERS_MAX = 2_000
"""Members of a spreadsheet's archive."""

READER_BYTES_MAX = 2 * 1024 * 1024 * 1024
"""Address space of the process that reads a spreadsheet, where the system can bound it."""

READER_S_MAX = 120.0
"""Longest silence of the process that reads a spreadsheet, seconds."""

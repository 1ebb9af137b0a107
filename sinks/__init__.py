"""The sink: from topics to ClickHouse tables, each record exactly one row."""

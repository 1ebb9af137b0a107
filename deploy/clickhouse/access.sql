-- Who may ask a ClickHouse server. An administrator runs it before the first start of the sink; it
-- may be run again. Put passwords of your own in the place of {sink_password} and {password}.

-- Writes, and makes the tables and views. Its views read as it, whoever asks, so that analysts need
-- no grant on the tables beneath.
CREATE USER IF NOT EXISTS custody IDENTIFIED WITH sha256_password BY '{sink_password}'
    SETTINGS default_normal_view_sql_security = 'DEFINER';
GRANT ALL ON custody.* TO custody;
GRANT SELECT ON system.* TO custody;
GRANT KILL QUERY ON *.* TO custody;

-- Bounds of a question. Tools may ask for less, which readonly = 1 alone would refuse: Grafana sets
-- max_execution_time on every query.
CREATE SETTINGS PROFILE IF NOT EXISTS custody_reading SETTINGS
    readonly = 1,
    max_execution_time = 60 MIN 1 MAX 60 CHANGEABLE_IN_READONLY,
    max_result_rows = 1000000 MIN 1 MAX 1000000000 CHANGEABLE_IN_READONLY,
    max_threads = 2 MIN 1 MAX 2 CHANGEABLE_IN_READONLY,
    max_memory_usage = 1073741824 READONLY,
    max_bytes_before_external_sort = 0 READONLY,
    max_bytes_before_external_group_by = 0 READONLY,
    result_overflow_mode = 'throw' READONLY;

-- The views, and the table that shows all facts by what they share.
CREATE ROLE IF NOT EXISTS custody_analyst SETTINGS PROFILE 'custody_reading';
GRANT SELECT ON custody.v_* TO custody_analyst;
GRANT SELECT ON custody.events_all TO custody_analyst;
GRANT SHOW TABLES, SHOW COLUMNS ON custody.* TO custody_analyst;

-- All tables, and no writing.
CREATE ROLE IF NOT EXISTS custody_operator SETTINGS PROFILE 'custody_reading';
GRANT SELECT, SHOW ON custody.* TO custody_operator;
GRANT SELECT ON system.processes TO custody_operator;
GRANT KILL QUERY ON *.* TO custody_operator;

-- How much in an hour, over all queries of one user.
CREATE QUOTA IF NOT EXISTS custody_reading KEYED BY user_name
    FOR INTERVAL 1 hour MAX queries = 10000, execution_time = 3600
    TO custody_analyst;

CREATE USER IF NOT EXISTS analyst IDENTIFIED WITH sha256_password BY '{password}'
    DEFAULT ROLE custody_analyst;
GRANT custody_analyst TO analyst;

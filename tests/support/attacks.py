"""Statements that must not pass the SQL door, by what they try.

``{dir}`` stands for a directory that may be written and ``{port}`` for a port that listens, so that
a test can see what one that passed would have done.
"""

ANYBODY = {
    "a file by a function": """
        SELECT file('/etc/hostname')
        SELECT FILE('/etc/hostname')
        SELECT FiLe/* */('/etc/hostname')
        SELECT `file`('/etc/hostname')
        SELECT "file"('/etc/hostname')
        SELECT file ('/etc/hostname')
        SELECT * APPLY(file) FROM (SELECT '/etc/hostname' AS x)
        SELECT * APPLY file FROM (SELECT '/etc/hostname' AS x)
        SELECT COLUMNS('x') APPLY `file` FROM (SELECT '/etc/hostname' AS x)
        SELECT arrayMap(file, ['/etc/hostname'])
        SELECT arrayMap(x -> file(x), ['/etc/hostname'])
        SELECT arrayFold((a, x) -> concat(a, file(x)), ['/etc/hostname'], '')
        SELECT 1 WHERE file('/etc/hostname') != ''
        WITH file('/etc/hostname') AS x SELECT x
        WITH (SELECT file('/etc/hostname')) AS x SELECT x
        EXPLAIN SELECT file('/etc/hostname')
        EXPLAIN SYNTAX SELECT file('/etc/hostname')
        DESCRIBE (SELECT file('/etc/hostname'))
        SELECT ‘'’, file('/etc/hostname'), ‘'’
        SELECT 1 // ' \\n , file('/etc/hostname') // '
        SELECT 1 # ' \\n , file('/etc/hostname') # '
        SELECT /* /* */ file('/etc/hostname') /* */ */ 1
        SELECT $x$ ' $x$, file('/etc/hostname'), $x$ ' $x$
        SELECT x'\\' , file('/etc/hostname'), '1'
        SELECT 'a\\\\', file('/etc/hostname'), '\\\\'
        SELECT "a\\" , file('/etc/hostname'), "b"
        SELECT `a\\` , file('/etc/hostname'), `b`
    """,
    "a file as a table": """
        SELECT * FROM file('/etc/hostname', 'LineAsString')
        SELECT * FROM numbers(1), file('/etc/hostname', 'LineAsString')
        SELECT * FROM numbers(1) CROSS JOIN File('/etc/hostname', 'LineAsString')
        SELECT 1 IN file('/etc/hostname', 'LineAsString')
        SELECT * FROM (SELECT * FROM `file`('/etc/hostname', 'LineAsString'))
        SELECT * FROM default.`/etc/hostname`
        SELECT * FROM `/etc/hostname`
        SELECT * FROM '/etc/hostname'
        SELECT 1 IN default.`/etc/hostname`
        DESCRIBE TABLE default.`/etc/hostname`
        DESCRIBE file('/etc/hostname')
        EXISTS default.`/etc/hostname`
        SHOW CREATE TABLE default.`/etc/hostname`
        SHOW COLUMNS FROM default.`/etc/hostname`
        SELECT * FROM {t:Identifier}
        SELECT * FROM merge('default', '.*')
        SELECT * FROM fileCluster('x', '/etc/hostname')
        SELECT * FROM iceberg('/tmp') UNION ALL SELECT 1
        SELECT * FROM deltaLakeLocal('/tmp')
        SELECT * FROM sqlite('/tmp/x.db', 't')
        SELECT * FROM filesystem('/etc')
    """,
    "the network": """
        SELECT * FROM url('http://127.0.0.1:{port}/', 'LineAsString')
        SELECT * FROM URL('http://127.0.0.1:{port}/', 'LineAsString', 'a String')
        SELECT * FROM urlCluster('x', 'http://127.0.0.1:{port}/')
        SELECT * FROM s3('http://127.0.0.1:{port}/b/k', 'CSV')
        SELECT * FROM gcs('http://127.0.0.1:{port}/b/k')
        SELECT * FROM remote('127.0.0.1:{port}', system.one)
        SELECT * FROM remoteSecure('127.0.0.1:{port}', system, one)
        SELECT * FROM view(SELECT * FROM remote('127.0.0.1:{port}', system.one))
        SELECT (SELECT count() FROM remote('127.0.0.1:{port}', system.one))
        SELECT 1 IN (SELECT * FROM url('http://127.0.0.1:{port}/', 'CSV', 'a Int8'))
        SELECT * FROM mysql('127.0.0.1:{port}', 'a', 'b', 'c', 'd')
        SELECT * FROM postgresql('127.0.0.1:{port}', 'a', 'b', 'c', 'd')
        SELECT * FROM mongodb('127.0.0.1:{port}', 'a', 'b', 'c', 'd', 'e Int8')
        SELECT * FROM redis('127.0.0.1:{port}', 'k', 'k String')
        SELECT * FROM hdfs('hdfs://127.0.0.1:{port}/x', 'CSV')
        SELECT * FROM azureBlobStorage('http://127.0.0.1:{port}', 'a', 'b')
        SELECT * FROM cluster('x', system.one)
        SELECT * FROM jdbc('x', 'y')
        SELECT aiGenerate('x')
        SELECT AIFilter('x')
    """,
    "programs and the process": """
        SELECT * FROM executable('touch {dir}/ran', 'TSV', 'a String')
        SELECT * FROM python(x)
        SELECT * FROM Python('x')
        SELECT * FROM eval('SELECT 1')
        SELECT sleep(3)
        SELECT sleepEachRow(3)
        SELECT arrayMap(sleep, [3])
        SELECT addressToLine(1)
        SELECT logTrace('x')
        SELECT getServerSetting('path')
        SELECT dictGet('x', 'y', 1)
        SELECT joinGet('x', 'y', 1)
        SELECT catboostEvaluate('/tmp/x', 1)
        SELECT * FROM dictionary('x')
        SELECT * FROM loop(system.one)
    """,
    "writing": """
        INSERT INTO lot (lot_id) VALUES ('x')
        INSERT INTO FUNCTION file('{dir}/out.csv') SELECT 1
        SELECT 1 INTO OUTFILE '{dir}/out1'
        SELECT 1 INTO /**/ OUTFILE '{dir}/out2' TRUNCATE FORMAT CSV
        SELECT * FROM (SELECT 1 INTO OUTFILE '{dir}/out3')
        EXPLAIN SELECT 1 INTO OUTFILE '{dir}/out4'
        EXPLAIN AST SELECT 1 INTO OUTFILE '{dir}/out5'
        SHOW TABLES INTO OUTFILE '{dir}/out6'
        DESCRIBE lot INTO OUTFILE '{dir}/out7'
        SELECT 1; INSERT INTO lot (lot_id) VALUES ('x')
        SELECT 1 ;; DROP TABLE lot
        WITH x AS (SELECT 1) INSERT INTO lot SELECT * FROM x
        CREATE TABLE x ENGINE = Memory AS SELECT 1
        WITH 1 AS x CREATE VIEW y AS SELECT x
        EXPLAIN INSERT INTO lot SELECT 1
        EXPLAIN TABLE OVERRIDE mysql('127.0.0.1:{port}', 'a', 'b', 'c', 'd')
        DROP TABLE lot
        SYSTEM SHUTDOWN
        KILL QUERY WHERE 1
        BACKUP TABLE lot TO File('{dir}/b')
        SELECT 1 PARALLEL WITH SELECT 2
        SET readonly = 0
        USE default
    """,
    "settings and formats": """
        SELECT * FROM (SELECT 1 SETTINGS max_threads = 64)
        SELECT 1 UNION ALL (SELECT 2 SETTINGS readonly = 0) UNION ALL SELECT 3
        SELECT 1 IN (SELECT 1 FORMAT Null)
        SELECT 1 FORMAT Avro
        SELECT 1 FORMAT Template
        SELECT 1 FORMAT CSV FORMAT TSV
        SELECT 1 SETTINGS max_threads
        SELECT 1 SETTINGS max_threads = {a:UInt8}
    """,
}
"""What nobody may, the operator neither."""

ANALYSTS = """
    SELECT * FROM weighing
    SELECT * FROM custody.weighing
    SELECT * FROM `weighing`
    SELECT * FROM "custody"."weighing"
    SELECT * FROM v_alerts, weighing
    SELECT * FROM v_alerts CROSS JOIN weighing AS v_w
    SELECT (SELECT count() FROM weighing)
    SELECT '' IN weighing
    SELECT '' IN (weighing)
    SELECT '' NOT IN custody.weighing
    SELECT '' GLOBAL IN `weighing`
    SELECT in('', weighing)
    SELECT `in`('', weighing)
    SELECT notIn('', weighing)
    SELECT arrayMap(x -> x IN weighing, [''])
    WITH weighing AS (SELECT * FROM weighing) SELECT * FROM weighing
    WITH 1 AS weighing SELECT * FROM weighing
    SELECT * FROM (WITH weighing AS (SELECT 1) SELECT * FROM weighing), weighing
    WITH v AS (SELECT * FROM weighing) SELECT * FROM v
    SELECT 1 UNION ALL SELECT count() FROM weighing
    SELECT * FROM view(SELECT * FROM weighing)
    SELECT EXISTS(SELECT * FROM weighing)
    SELECT * FROM merge('custody', 'weigh')
    SELECT * FROM v_alerts ARRAY JOIN [1] AS a JOIN weighing ON 1
    EXPLAIN SELECT * FROM weighing
    DESCRIBE weighing
    SHOW CREATE TABLE weighing
    SHOW COLUMNS FROM weighing
    EXISTS TABLE weighing
    SELECT hasColumnInTable('custody', 'weighing', 'lot_id')
    SELECT query FROM system.processes
    SELECT * FROM system.query_log
    SELECT path FROM system.parts
    SELECT * FROM system.disks
    SELECT * FROM system.server_settings
    SELECT data_paths FROM system.tables
    SELECT as_select FROM system.tables AS t
    SELECT data_path FROM (SELECT * FROM system.databases)
    SELECT '' IN system.tables
    SELECT * FROM information_schema.tables
    SELECT * FROM schema_migrations
"""
"""What an analyst may not: tables that are no views, what others ask, where files are. Two of
them pass the guard and fail at the engine: columns that were taken out."""

TAKEN_OUT = ("data_paths", "as_select", "data_path ")


def listed(text: str, *, directory: str = "/nowhere", port: int = 1) -> list[str]:
    """Return the statements of a list, one a line; \\n in one is a line end."""
    lines = [line.strip() for line in text.splitlines()]
    return [
        line.replace("{dir}", directory).replace("{port}", str(port)).replace("\\n", "\n")
        for line in lines
        if line
    ]

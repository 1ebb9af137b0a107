"""One text of the migrations, rendered for where it runs: embedded and one server, or a cluster.

Embedded and on one server a statement runs as it stands. In a cluster a table is a replicated one
on each shard, ``<table>_local``, under a Distributed one that has its name, so that views, reads
and the sink do not know the difference; joins and sets are made once and sent along (GLOBAL).

Dangerous changes are refused before anything runs: a migration may add, it may not rewrite or
remove what is stored. A person who must do that does it by hand, with the sink stopped. An index
or a projection may go: all that it holds is in the rows.
"""

import re
from dataclasses import dataclass

from custody.errors import Corrupt


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where tables are sharded and replicated.

    Attributes:
        name: As ``remote_servers`` of the servers has it. Their macros ``shard`` and ``replica``
            are used.
    """

    name: str


class DangerousMigration(Corrupt):
    """A migration would rewrite or remove what is stored."""

    def __init__(self, file: str, what: str) -> None:
        super().__init__(
            f"migration {file} would {what}",
            expected="a file that adds: a new column beside the old one, a new table, a view",
            next_step="add a column or table and leave the old one; or do it by hand, sink stopped",
        )


_DANGERS = (
    (r"\bMODIFY COLUMN\b", "rewrite a column"),
    (r"\bDROP (COLUMN|TABLE|DATABASE|PARTITION|VIEW)\b", "drop something"),
    (r"\bRENAME (COLUMN|TABLE)\b", "rename something that is read by its name"),
    (r"\bTRUNCATE\b", "empty a table"),
    (r"\b(ALTER TABLE \S+ (DELETE|UPDATE)|DELETE FROM)\b", "change rows"),
    (r"\bMODIFY (ORDER BY|TTL)\b", "sort or expire rows anew"),
    (r"\b(REPLACE PARTITION|DETACH|EXCHANGE)\b", "replace rows"),
)
_TABLE = re.compile(
    r"CREATE TABLE IF NOT EXISTS custody\.(?P<name>\w+)\n(?P<body>.*?)\nENGINE = MergeTree\b"
    r"(?P<rest>.*)",
    re.DOTALL,
)
_ALTER = re.compile(r"ALTER TABLE custody\.(?P<name>\w+)\b(?P<rest>.*)", re.DOTALL)
_ADDS_COLUMNS = re.compile(r"\s*(ADD COLUMN|COMMENT COLUMN)\b")
_STORED_ONLY = re.compile(r"\bAFTER `[^`]+`")
_TEXT = re.compile(r"'(?:[^'\\]|\\.)*'")
_SET = re.compile(r"(?<!GLOBAL )\b((?:NOT )?IN) \((?=\s*SELECT\b)")
_JOIN = re.compile(r"(?<!GLOBAL )\b((?:LEFT ANTI|LEFT|INNER) JOIN)\b")
_SHARDED_BY = {"edge": "sipHash64(child)", "event": "sipHash64(lot_id, process_id)"}
"""Where a table is asked by something else than its records' key."""


def check(file: str, statement: str) -> None:
    """See that a statement only adds; words in texts and comments of columns do not count.

    Raises:
        DangerousMigration: It does not.
    """
    bare = _TEXT.sub("''", statement)
    for pattern, what in _DANGERS:
        if re.search(pattern, bare, re.IGNORECASE):
            raise DangerousMigration(file, what)


def render(statement: str, cluster: Cluster | None) -> tuple[str, ...]:
    """Return what to run in place of a statement of a migration.

    Args:
        statement: As the file has it.
        cluster: None embedded and on one server.
    """
    if cluster is None:
        return (statement,)
    where = f"ON CLUSTER '{cluster.name}'"
    if found := _TABLE.fullmatch(statement):
        return _replicated(found, cluster, where)
    if found := _ALTER.fullmatch(statement):
        return _altered(found["name"], found["rest"], where)
    if statement.startswith(("CREATE OR REPLACE VIEW", "CREATE TABLE")):
        named = re.sub(r"^(CREATE [A-Z ]+custody\.\w+)", rf"\1 {where}", statement, count=1)
        return (_global(named),)
    if statement.startswith("CREATE OR REPLACE FUNCTION"):
        return (re.sub(r"^(CREATE OR REPLACE FUNCTION \w+)", rf"\1 {where}", statement),)
    return (_global(statement),)


def _replicated(found: re.Match[str], cluster: Cluster, where: str) -> tuple[str, ...]:
    name = found["name"]
    key = _SHARDED_BY.get(name, "sipHash64(key)" if "`key`" in found["body"] else "rand()")
    engine = f"ReplicatedMergeTree('/clickhouse/tables/{{shard}}/custody/{name}', '{{replica}}')"
    local = (
        f"CREATE TABLE IF NOT EXISTS custody.{name}_local {where}\n{found['body']}\n"
        f"ENGINE = {engine}{found['rest']}"
    )
    spread = (
        f"CREATE TABLE IF NOT EXISTS custody.{name} {where}\nAS custody.{name}_local\n"
        f"ENGINE = Distributed('{cluster.name}', custody, {name}_local, {key})"
    )
    return local, spread


def _altered(name: str, rest: str, where: str) -> tuple[str, ...]:
    """A view has no local table; the Distributed one has columns, no index and no projection."""
    if name.startswith("v_"):
        return (f"ALTER TABLE custody.{name} {where}{rest}",)
    local = f"ALTER TABLE custody.{name}_local {where}{rest}"
    if not _ADDS_COLUMNS.match(rest):
        return (local,)
    return local, f"ALTER TABLE custody.{name} {where}{_STORED_ONLY.sub('', rest)}"


def _global(statement: str) -> str:
    return _JOIN.sub(r"GLOBAL \1", _SET.sub(r"GLOBAL \1 (", statement))

"""What reaches beyond the tables or the bounds, by name: functions, table functions, system tables.

Scalar functions are many and nearly all harmless, so those that reach files, the network, other
programs or the insides of the process, or that no limit stops, are named here, and a test holds the
list against every function of the engine that is installed. Table functions and system tables are
few and nearly all reach out, so there the harmless ones are named.
"""

from collections.abc import Mapping
from types import MappingProxyType

_DENIED = frozenset(
    """
    file url urlcluster filecluster s3 s3cluster gcs oss cosn hdfs hdfscluster azureblobstorage
    azureblobstoragecluster remote remotesecure cluster clusterallreplicas executable
    executablepool python mysql postgresql mongodb redis sqlite odbc jdbc ytsaurus input bigquery
    arrowflight arrowstream fuzzjson fuzzquery loop dictionary eval viewexplain viewifpermitted
    catboostevaluate evalmlmethod sleep sleepeachrow showcertificate getserverport tcpport
    getserversetting getclienthttpheader currentrequesturl currenthandler globalvariable getmacro
    initializeaggregation demangle logtrace throwif filesystem prometheusquery
    prometheusqueryrange kafka nats rabbitmq tryfile generateserialid hascolumnintable
    transactionid transactionlatestsnapshot transactionoldestsnapshot
    naivebayesclassifier naivebayesclassifierwithprob naivebayesclassifierwithallprobs
    assigncentroid ismergetreepartcoveredby getoskernelversion serveruuid
    in notin globalin globalnotin nullin notnullin globalnullin globalnotnullin
    inignoreset notinignoreset globalinignoreset globalnotinignoreset nullinignoreset
    notnullinignoreset globalnullinignoreset globalnotnullinignoreset
    """.split()  # noqa: SIM905  a list of words reads better as words
)

_UNSTOPPABLE = frozenset(
    """
    levenshteindistance levenshteindistanceutf8 editdistance editdistanceutf8
    dameraulevenshteindistance arraylevenshteindistance arraylevenshteindistanceweighted
    arraysimilarity h3kring h3line h3polygontocells h3polygontocellswithcontainment
    """.split()  # noqa: SIM905
)
"""What takes the square of a cell's length, or of a number in it, for each row. The engine looks at
its clock between blocks of rows, so neither ``max_execution_time`` nor a kill stops one of these:
twelve rows of 30,000 letters took ``levenshteinDistance`` 84 s where 60 were allowed."""

_DENIED_PREFIXES = (
    "__",  # the engine's own
    "ai",  # ask a language model over the network
    "addressto",
    "azure",
    "deltalake",
    "dict",
    "filesystem",
    "hudi",
    "iceberg",
    "joinget",
    "mergetree",
    "paimon",
    "region",  # dictionaries in files
    "timeseries",
    "zookeeper",
)

_HARMLESS = frozenset({"in", "icebergbucket", "icebergtruncate", "iceberghash", "timeseriesrange"})
"""Denied by the lists above, and needed: the operator ``IN``, and functions of their arguments."""

_IN_CALLS = frozenset(name for name in _DENIED if name.endswith(("in", "inignoreset")))

TABLE_FUNCTIONS = frozenset(
    {"numbers", "numbers_mt", "values", "generateseries", "generate_series", "view"}
)
"""Functions that may stand where a table stands, beside our views that take parameters. The engine
takes each of them with readonly=1; it does not take zeros, which numbers does as well."""

VIEW_PREFIX = "v_"
"""Our views, with parameters or without; what analysts may read."""

SHARED_TABLES = frozenset({"events_all"})
"""Tables that are not views and yet meant for analysts: all facts by what they share."""

DATABASES = frozenset({"custody", "system", "information_schema", "INFORMATION_SCHEMA"})
"""Those of the operator. The database default reads files: a table's name there is a path."""

SYSTEM_TABLES = frozenset(
    """
    one numbers numbers_mt zeros functions table_functions settings formats data_type_families
    time_zones keywords aggregate_function_combinators collations databases tables columns
    """.split()  # noqa: SIM905
)
"""System tables of analysts: names, types, functions. Not what others ask, nor where files are."""

LISTED_BY = "the tables are listed by: SHOW TABLES FROM custody"
"""What to do, for who asked for a table that is none or not for analysts."""

_SHARED = ", ".join(f"'{name}'" for name in sorted(SHARED_TABLES))
SHOWN = f"startsWith({{0}}, '{VIEW_PREFIX}') OR {{0}} IN ({_SHARED})"
"""An SQL condition over a table's name: whether analysts may read it."""

_HIDDEN = "data_paths, metadata_path, create_table_query, as_select, engine_full"
_OF_ANALYSTS = f"WHERE database != 'custody' OR {SHOWN}"
SUBSTITUTES: Mapping[str, str] = MappingProxyType(
    {
        "databases": "SELECT * EXCEPT (data_path, metadata_path) FROM system.databases",
        "tables": f"SELECT * EXCEPT ({_HIDDEN}) FROM system.tables "  # noqa: S608
        + _OF_ANALYSTS.format("name"),
        "columns": "SELECT * FROM system.columns " + _OF_ANALYSTS.format("table"),  # noqa: S608
    }
)
"""Asked instead of the system table, without the columns that show where files are, and without
what analysts may not read."""


def denied_call(name: str) -> bool:
    """Return whether a function may not be called, whatever it is called with."""
    folded = name.lower()
    return folded in _IN_CALLS or denied_name(name)


def denied_name(name: str) -> bool:
    """Return whether a word names a function that may not be used, called or handed on.

    Functions are handed on without a call: ``arrayMap(file, ...)``, ``* APPLY file``.
    """
    folded = name.lower()
    if folded in _HARMLESS:
        return False
    return folded in _DENIED or folded in _UNSTOPPABLE or folded.startswith(_DENIED_PREFIXES)


def unstoppable(name: str) -> bool:
    """Return whether a function is refused because it cannot be stopped, not for what it reads."""
    return name.lower() in _UNSTOPPABLE

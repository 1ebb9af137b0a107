"""Parameters of a statement: ``{name:Type}`` in its text, ``param_name`` in the request."""

import re
from collections.abc import Mapping

_NAMED = re.compile(r"\{\s*(\w+)\s*:")
_PREFIX = "param_"


def used_parameters(statement: str, values: Mapping[str, str]) -> Mapping[str, str]:
    """Return the values that the statement names; a tool may send more."""
    named = set(_NAMED.findall(statement))
    return {name: value for name, value in values.items() if name in named}


def sent_parameters(query: Mapping[str, str]) -> Mapping[str, str]:
    """Return the values of ``param_<name>`` by name."""
    return {
        name.removeprefix(_PREFIX): value
        for name, value in query.items()
        if name.startswith(_PREFIX)
    }


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0"})


def escaped(values: Mapping[str, str]) -> Mapping[str, str]:
    """Return plain values as the protocol has them: escaped like a field of a TSV."""
    return {name: value.translate(_ESCAPES) for name, value in values.items()}

"""``docs/settings.md`` and ``.env.example``, written from the settings class."""

from pathlib import Path
from types import UnionType
from typing import Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from runtime.settings import Settings, names

_HEAD = """\
# Settings

Written by `make docs` from `runtime/settings.py`; a test keeps it true.

Every setting is an environment variable, or a line of a file `.env` in the directory a command is
called in; the environment wins. A name that begins with one of the groups below and does not
exist is refused, as is a value outside its range. `custody config` prints the values in effect and
where each comes from. Secrets are best given as files.
"""

_EXAMPLE_HEAD = """\
# Copy to .env and take the # away from what you change. Written by `make docs` from
# runtime/settings.py; docs/settings.md says what each is, its range and the reason.
"""


def page() -> str:
    """Return ``docs/settings.md``."""
    parts = [_HEAD]
    for title, doc, rows in _groups():
        parts.append(f"## {title}\n\n{doc}\n\n| setting | default | may be | what and why |\n")
        parts.append("|---|---|---|---|\n")
        for name, info in rows:
            cells = [f"`{name}`", _default(info), _range(info), _text(info)]
            parts.append("| " + " | ".join(cells) + " |\n")
        parts.append("\n")
    return "".join(parts).replace(_HEAD, _HEAD + "\n").rstrip("\n") + "\n"


def example() -> str:
    """Return ``.env.example``."""
    lines = [_EXAMPLE_HEAD]
    for title, _doc, rows in _groups():
        lines.append(f"\n# {title}\n")
        for name, info in rows:
            default = info.default
            lines.append(f"#{name}={'' if default is None else default}\n")
    return "".join(lines)


def _groups() -> list[tuple[str, str, list[tuple[str, FieldInfo]]]]:
    groups: dict[str, tuple[str, list[tuple[str, FieldInfo]]]] = {}
    for name, path in names().items():
        model: type[BaseModel] = Settings
        if len(path) > 1:
            inner = Settings.model_fields[path[0]].annotation
            assert isinstance(inner, type)
            assert issubclass(inner, BaseModel)
            model = inner
        title = path[0] if len(path) > 1 else "general"
        _, rows = groups.setdefault(title, ((model.__doc__ or "").strip(), []))
        rows.append((name, model.model_fields[path[-1]]))
    return [(title, doc, rows) for title, (doc, rows) in groups.items()]


def _default(info: FieldInfo) -> str:
    assert info.default is not PydanticUndefined
    return "not set" if info.default is None else f"`{info.default}`"


def _range(info: FieldInfo) -> str:
    """Limits, allowed values or the kind of text."""
    choices = [choice for kind in _kinds(info.annotation) for choice in _choices(kind)]
    if choices:
        return ", ".join(choices)
    low = next((m.ge for m in info.metadata if hasattr(m, "ge")), None)
    high = next((m.le for m in info.metadata if hasattr(m, "le")), None)
    if low is not None:
        return f"{low:,} to {high:,}" if high is not None else f"{low:,} or more"
    return _kind_name(_kinds(info.annotation)[0])


def _kinds(annotation: object) -> list[object]:
    """The annotation's own kinds, without the None of an optional one."""
    if get_origin(annotation) in (Union, UnionType):
        return [kind for kind in get_args(annotation) if kind is not type(None)]
    return [annotation]


def _choices(kind: object) -> list[str]:
    return [f"`{c}`" for c in get_args(kind)] if get_origin(kind) is Literal else []


def _kind_name(kind: object) -> str:
    words: dict[object, str] = {Path: "a path", SecretStr: "a secret"}
    return words.get(kind, "text")


def _text(info: FieldInfo) -> str:
    return " ".join((info.description or "").split()).replace("``", "`").replace("|", "\\|")

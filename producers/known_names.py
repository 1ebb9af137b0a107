"""Which names may stand where an unknown one does: "not permitted" alone helps nobody."""

from collections.abc import Iterator, Sequence
from typing import get_args

from pydantic import BaseModel

UNKNOWN = "extra_forbidden"
"""What pydantic calls a field that a model does not have."""


def names_at(model: type[BaseModel], steps: Sequence[object]) -> list[str]:
    """Return the names that may stand beside an unknown one, sorted.

    Args:
        model: Of the whole.
        steps: Pydantic's way from the whole to the unknown name: names of fields, numbers of items,
            keys, and the model of a choice of several.
    """
    here = [model]
    for step in steps[:-1]:
        chosen = [one for one in here if one.__name__ == step]
        inner = [inside for one in here for inside in _inside(one, step)]
        here = chosen or inner or here
    return sorted({field.alias or name for one in here for name, field in one.model_fields.items()})


def _inside(model: type[BaseModel], step: object) -> Iterator[type[BaseModel]]:
    for name, field in model.model_fields.items():
        if step in (name, field.alias):
            yield from _models(field.annotation)


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)

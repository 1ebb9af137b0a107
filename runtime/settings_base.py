"""What groups of settings share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Port = Annotated[int, Field(ge=1, le=65_535)]

MIB = 1 << 20


class Group(BaseModel):
    """Settings that belong together; a name that is none of them is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def require(holds: bool, rule: str) -> None:  # noqa: FBT001  a statement, as in assert
    """Refuse a group that breaks a rule over several of its settings.

    Raises:
        ValueError: It does not hold; pydantic names the group.
    """
    if not holds:
        raise ValueError(rule)

"""The words of the console's pages: one catalogue per language, in ``console/words``."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

LANGUAGES = ("en", "fr")


def words(accepted: str) -> tuple[str, Mapping[str, str]]:
    """Return a language and its words, by what a browser accepts.

    Args:
        accepted: Its header ``Accept-Language``; empty where it has none.
    """
    wanted = sorted(map(_weighed, accepted.split(",")), key=lambda pair: -pair[1])
    language = next((name for name, _ in wanted if name in LANGUAGES), LANGUAGES[0])
    return language, catalogue(language)


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Return the words of a language by their names."""
    found: dict[str, str] = json.loads(
        files("console").joinpath("words", f"{language}.json").read_text("utf-8")
    )
    return found


def _weighed(part: str) -> tuple[str, float]:
    name, _, weight = part.strip().partition(";q=")
    try:
        return name[:2].lower(), float(weight or 1)
    except ValueError:
        return name[:2].lower(), 0.0

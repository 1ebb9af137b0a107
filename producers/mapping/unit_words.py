"""Units as columns and cells write them, and the names they have here."""

import re
import unicodedata
from functools import lru_cache

MASS_WORDS = {
    "kg": "kg", "kgs": "kg", "kilo": "kg", "kilos": "kg", "kilogram": "kg", "kilograms": "kg",
    "kilogramme": "kg", "кг": "kg", "公斤": "kg", "千克": "kg",
    "t": "t", "to": "t", "ton": "t", "tonne": "t", "tonnes": "t", "tonnen": "t", "toneladas": "t",
    "metric ton": "t", "metric tons": "t", "metric tonnes": "t", "tm": "t", "mt": "t",
    "т": "t", "吨": "t", "噸": "t",
    "g": "g", "gr": "g", "gram": "g", "grams": "g", "г": "g", "克": "g",
}  # fmt: skip

CONCENTRATION_WORDS = {
    "%": "pct", "pct": "pct", "percent": "pct", "wt%": "pct", "wt pct": "pct", "% m/m": "pct",
    "mass%": "pct", "masse%": "pct", "ma%": "pct", "m%": "pct", "wt.%": "pct", "wt-%": "pct",
    "%w/w": "pct", "% w/w": "pct", "w/w%": "pct", "gew.%": "pct", "gew.-%": "pct",
    "ppm": "ppm", "mg/kg": "ppm", "мг/кг": "ppm", "ug/g": "ppm", "\u03bcg/g": "ppm",
    "mcg/g": "ppm", "мкг/г": "ppm",
    "g/t": "g_per_t", "gpt": "g_per_t", "gt": "g_per_t", "g_t": "g_per_t", "г/т": "g_per_t",
    "克/吨": "g_per_t",
    "fraction": "fraction",
}  # fmt: skip

FOREIGN_MASSES = frozenset({
    "lb", "lbs", "st", "short ton", "short tons", "short t", "long ton", "long tons", "long t",
    "us t", "us ton", "us tons", "ton us", "uk ton", "uk tons", "cwt", "oz", "q", "qx", "quintal",
    "dt",
})  # fmt: skip
"""Masses that a request has no name for: they have to be converted before."""

FOREIGN = FOREIGN_MASSES | {"oz/t", "opt", "ppb", "\u2030", "mol%", "at%", "vol%"}
"""All units that a request has no name for."""

UNCLEAR = frozenset({"ton", "tons"})
"""Units of a heading that are one thing here and another there: metric, short or long tons."""

_RATIO = re.compile(
    r"(?:[\u03bcumkn]|mc)?g/(?:[mk]?g|t|st|m?l|m3|dmt|wmt)|(?:lbs?|oz)/(?:s?t|tons?|dmt|wmt)"
)
"""Of a mass to a mass or volume, known or not: ``kg/t`` is no ``t``."""


@lru_cache(maxsize=8_192)
def plain(text: str) -> str:
    """Return a text as headings are compared: one form, lower case, single blanks."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip().casefold()


def unit_of(word: str) -> str | None:
    """Return our name of a unit, or None."""
    found = plain(word).strip(". ")
    return MASS_WORDS.get(found) or CONCENTRATION_WORDS.get(found)


def is_foreign(word: str) -> bool:
    """Tell whether a word is a unit that a request has no name for, or that needs a question."""
    found = plain(word).strip(". ")
    if found in CONCENTRATION_WORDS:
        return False
    return found in FOREIGN or found in UNCLEAR or _RATIO.fullmatch(found) is not None


def is_mass(unit: str) -> bool:
    """Tell whether a unit, ours or foreign, is one of a mass."""
    found = plain(unit).strip(". ")
    return found in MASS_WORDS or found in FOREIGN_MASSES or found in UNCLEAR

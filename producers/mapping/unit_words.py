"""Units as columns and cells write them, and the names they have here."""

import re
import unicodedata
from functools import lru_cache

MASS_WORDS = {
    "kg": "kg", "kgs": "kg", "kilo": "kg", "kilos": "kg", "kilogram": "kg", "kilograms": "kg",
    "kilogramme": "kg", "кг": "kg", "公斤": "kg", "千克": "kg",
    "t": "t", "to": "t", "ton": "t", "tonne": "t", "tonnes": "t", "tonnen": "t", "toneladas": "t",
    "tm": "t", "mt": "t", "т": "t", "吨": "t", "噸": "t",
    "g": "g", "gr": "g", "gram": "g", "grams": "g", "г": "g", "克": "g",
}  # fmt: skip

CONCENTRATION_WORDS = {
    "%": "pct", "pct": "pct", "percent": "pct", "wt%": "pct", "wt pct": "pct", "% m/m": "pct",
    "mass%": "pct", "masse%": "pct", "ma%": "pct",
    "ppm": "ppm", "mg/kg": "ppm", "мг/кг": "ppm",
    "g/t": "g_per_t", "gpt": "g_per_t", "gt": "g_per_t", "g_t": "g_per_t", "г/т": "g_per_t",
    "克/吨": "g_per_t",
    "fraction": "fraction",
}  # fmt: skip

FOREIGN = {
    "lb", "lbs", "st", "short ton", "short tons", "long ton", "cwt", "oz", "oz/t", "opt", "ppb",
    "q", "qx", "quintal",
}  # fmt: skip
"""Units that a request has no name for: they have to be converted before."""


@lru_cache(maxsize=8_192)
def plain(text: str) -> str:
    """Return a text as headings are compared: one form, lower case, single blanks."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip().casefold()


def unit_of(word: str) -> str | None:
    """Return our name of a unit, or None."""
    found = plain(word).strip(". ")
    return MASS_WORDS.get(found) or CONCENTRATION_WORDS.get(found)


def is_foreign(word: str) -> bool:
    """Tell whether a word is a unit that a request has no name for."""
    return plain(word).strip(". ") in FOREIGN

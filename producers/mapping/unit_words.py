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
    "pct": "pct", "percent": "pct", "wt pct": "pct",
    "ppm": "ppm", "mg/kg": "ppm", "мг/кг": "ppm", "ug/g": "ppm", "\u03bcg/g": "ppm",
    "mcg/g": "ppm", "мкг/г": "ppm",
    "毫克/千克": "ppm", "毫克/公斤": "ppm", "微克/克": "ppm",
    "g/t": "g_per_t", "gpt": "g_per_t", "gt": "g_per_t", "g_t": "g_per_t", "г/т": "g_per_t",
    "克/吨": "g_per_t", "g_per_t": "g_per_t", "kg_per_t": "kg_per_t",
    "kg/t": "kg_per_t", "g/kg": "kg_per_t", "mg/g": "kg_per_t", "кг/т": "kg_per_t",
    "г/кг": "kg_per_t", "мг/г": "kg_per_t", "千克/吨": "kg_per_t", "公斤/吨": "kg_per_t",
    "克/千克": "kg_per_t", "毫克/克": "kg_per_t",
    "fraction": "fraction",
}  # fmt: skip

_PER_CENT = frozenset({
    "%", "wt%", "%wt", "weight%", "%weight", "w/w%", "%w/w", "m%", "m/m%", "%m/m", "ma%", "mass%",
    "%mass", "masse%", "%masse", "massen%", "gew%", "%gew", "gewichts%", "p/p%", "%p/p", "peso%",
    "%peso", "poids%", "%poids", "pds%", "%pds", "massa%", "%massa", "masa%", "%masa", "мас%",
    "%мас", "масс%", "%масс", "вес%", "%вес",
})  # fmt: skip
"""Per cent by mass, without the blanks, points and hyphens that stand in it: ``Gew.-%``."""

FOREIGN_MASSES = frozenset({
    "lb", "lbs", "st", "short ton", "short tons", "short t", "long ton", "long tons", "long t",
    "us t", "us ton", "us tons", "ton us", "uk ton", "uk tons", "cwt", "oz", "q", "qx", "quintal",
    "dt",
})  # fmt: skip
"""Masses that a request has no name for: they have to be converted before."""

FOREIGN = FOREIGN_MASSES | {"oz/t", "opt", "ppb", "\u2030", "mol%", "at%", "vol%",
    "v/v%", "w/v%", "m/v%", "%v/v", "%w/v", "%m/v",
}  # fmt: skip
"""All units that a request has no name for."""

UNCLEAR = frozenset({"ton", "tons"})
"""Masses of a heading that are one thing here and another there: metric, short or long tons."""

TO_CONVERT = "has to be converted before"
"""What is to be done about a unit that a request has no name for."""

_RATIO = re.compile(
    r"(?:[\u03bcumkn]|mc)?g/(?:[mk]?g|t|st|tons?|m?l|m3|dmt|wmt)|(?:lbs?|oz)/(?:s?t|tons?|dmt|wmt)"
)
"""Of a mass to a mass or volume, known or not: ``kg/t`` is no ``t``."""


@lru_cache(maxsize=8_192)
def plain(text: str) -> str:
    """Return a text as headings are compared: one form, lower case, single blanks."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip().casefold()


def unit_of(word: str) -> str | None:
    """Return our name of a unit, or None."""
    found = plain(word).strip(". ")
    if re.sub(r"[\s.-]+", "", found) in _PER_CENT:
        return "pct"
    return MASS_WORDS.get(found) or CONCENTRATION_WORDS.get(found)


def ours(word: str) -> str:
    """Return our name of a unit that a mapping names, or the word where it is none or unclear."""
    found = None if is_unclear(word) else unit_of(word)
    return word if found is None else found


def is_unclear(word: str) -> bool:
    """Tell whether a unit of a heading is one thing here and another there: ``ton``, ``g/ton``."""
    mass, _, per = plain(word).strip(". ").rpartition("/")
    return per in UNCLEAR and mass not in FOREIGN_MASSES


def is_foreign(word: str) -> bool:
    """Tell whether a word is a unit that a request has no name for, or that needs a question."""
    found = plain(word).strip(". ")
    if found in CONCENTRATION_WORDS:
        return False
    if "%" in found:
        found = re.sub(r"[\s.-]+", "", found)
    return found in FOREIGN or found in UNCLEAR or _RATIO.fullmatch(found) is not None


def is_mass(unit: str) -> bool:
    """Tell whether a unit, ours or foreign, is one of a mass."""
    found = plain(unit).strip(". ")
    return found in MASS_WORDS or found in FOREIGN_MASSES or found in UNCLEAR

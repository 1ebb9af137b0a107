"""Addresses and short texts of pages that a reader of any language meets."""

import pytest

from tests.support.page_engine import Pages


@pytest.mark.parametrize(
    ("path", "name", "identity"),
    [
        ("/now", "now", ""),
        ("/lots/A%2F2", "lots", "A/2"),
        ("/lots/A/2", "lots", "A/2"),
        ("/lots/%", "lots", "%"),
        ("/lots/50%25", "lots", "50%"),
        ("/lots/", "", ""),
        ("/alerts/", "", ""),
        ("/alerts", "", ""),
        ("/sites/", "", ""),
        ("/", "", ""),
    ],
)
def test_an_address_is_of_a_page_and_an_id_or_of_none(path: str, name: str, identity: str) -> None:
    """``/lots/%`` and ``/alerts/`` were "The console does not answer", of a fault of a script."""
    told = Pages("en").run('moduleOf("links.js").placeOf(path)', path=path)
    assert told == {"name": name, "id": identity}


@pytest.mark.parametrize(("language", "days"), [("en", "271\u00a0d"), ("fr", "271\u00a0j")])
def test_a_time_of_days_is_in_the_readers_language(language: str, days: str) -> None:
    told = Pages(language).run('[271, 1].map((n) => moduleOf("numbers.js").duration(n * 86_400))')
    assert told == [days, "24\u00a0h"]

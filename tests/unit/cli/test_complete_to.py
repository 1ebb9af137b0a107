"""Which sites are behind the others, as the command line says it."""

from runtime.cli.complete_to import behind


def test_a_site_that_is_behind_is_named_with_how_far() -> None:
    sites = {
        "PORT": "2026-11-07T05:12:00Z",
        "DEPOT": "2026-11-07T05:10:00.500000Z",
        "MINE": "2026-11-07T03:02:00Z",
        "MILL": "2026-11-05T05:12:00Z",
    }
    said = "behind the other sites: MILL by 2 days, 0:00:00, MINE by 2:10:00 (v_watermark)"
    assert behind(sites) == said


def test_sites_that_are_a_minute_apart_are_not_behind() -> None:
    assert behind({}) == ""
    assert behind({"A": "2026-11-07T05:12:00Z"}) == ""
    assert behind({"A": "2026-11-07T05:12:00Z", "B": "2026-11-07T05:09:00Z"}) == ""


def test_of_many_that_are_behind_the_worst_are_named() -> None:
    late = {f"S-{no}": f"2026-11-07T0{no}:00:00Z" for no in range(8)}
    said = behind(late)
    assert "S-0 by 7:00:00, S-1 by 6:00:00" in said
    assert "S-4 by 3:00:00, 2 more" in said

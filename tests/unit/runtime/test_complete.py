"""What is complete: the earliest of what gateways, workers and the sink have let through."""

from collections.abc import Mapping, Sequence

import pytest

from custody.errors import Unavailable
from custody.events import Micros
from runtime.complete import Complete, Progress, by_site, complete
from runtime.moment import time_of
from runtime.watermark import Said, Watermark

TEN, NINE = "2026-11-03 10:00:00.000000", "2026-11-03 09:00:00.000000"
AT_TEN, AT_NINE = time_of("2026-11-03T10:00:00Z", ""), time_of("2026-11-03T09:00:00Z", "")
APPLIED = Progress({"custody.fact.v1": {0: 5}}, {"custody.transfer.v1": {0: 7}})


class Warehouse:
    """Answers by the first words that are in what is asked."""

    def __init__(
        self,
        heads: Sequence[tuple[str, str | None, int]],
        high: int = 7,
        pending: str | None = None,
    ) -> None:
        self.heads: list[dict[str, object]] = [
            {"gateway_id": g, "complete_to": at, "of_site": of_site, "standing": "known"}
            for g, at, of_site in heads
        ]
        self.high, self.pending = high, pending
        self.sites = [("MINE", "GW-1"), ("PORT", "GW-2"), ("OLD", "GW-GONE")]
        self.watermarks: list[dict[str, object]] = []
        self.alerts: list[dict[str, object]] = []
        self.never: list[str] = []

    def ask(self, statement: str, params: Mapping[str, str]) -> list[dict[str, object]]:
        del params
        answers: dict[str, list[dict[str, object]]] = {
            "kind = 'gateway'": [{"gateway_id": gateway} for gateway in self.never],
            "v_complete_to": list(self.heads),
            "FROM alert": list(self.alerts),
            "GROUP BY site_id": [{"site_id": site, "gateway_id": g} for site, g in self.sites],
            "v_watermark": list(self.watermarks),
            "ingest_batches": [{"topic": "custody.transfer.v1", "partition": 0, "high": self.high}],
        }
        for words, rows in answers.items():
            if words in statement:
                return rows
        assert "(topic = 'custody.fact.v1' AND partition = 0 AND offset >= 5)" in statement
        return [{"pending": self.pending}]

    def said(self, progress: Progress | None = APPLIED, site: str | None = None) -> Complete:
        return complete(self.ask, progress, site, lambda: False)


def test_the_slowest_gateway_decides_and_a_sites_own_are_said_beside() -> None:
    both = Warehouse([("GW-1", TEN, 1), ("GW-2", NINE, 0)])
    assert both.said(site="MINE") == Complete(AT_NINE, AT_TEN, "")
    assert both.said() == Complete(AT_NINE, None, "")


def test_a_gateway_that_said_no_head_leaves_it_open_by_name() -> None:
    found = Warehouse([("GW-1", TEN, 1), ("GW-2", None, 0)]).said()
    assert (found.to, found.why) == (None, "no head below which nothing is missing of GW-2")
    assert Warehouse([]).said().to is None


def test_a_gateway_that_is_registered_and_was_never_heard_is_named() -> None:
    found = Warehouse([("GW-1", TEN, 1)])
    found.never = ["GW-NEW", "GW-OLD"]
    assert found.said() == Complete(
        AT_TEN, None, "not counting GW-NEW, GW-OLD, registered and never heard"
    )


def test_a_gateway_nobody_has_registered_is_left_out_by_name() -> None:
    forged = Warehouse([("GW-1", TEN, 1), ("GW-GHOST", None, 1)])
    forged.heads[1]["standing"] = "unknown"
    forged.sites.append(("MINE", "GW-GHOST"))
    found = forged.said(site="MINE")
    assert (found.to, found.site_to) == (AT_TEN, AT_TEN)
    assert "GW-GHOST" in found.why
    assert by_site(forged.ask, APPLIED) == {"": AT_TEN, "MINE": AT_TEN}
    forged.heads[0]["standing"] = "unknown"
    found = forged.said()
    assert found.to is None
    assert found.why.startswith("no gateway is known; not counting GW-1, GW-GHOST")


def test_what_no_worker_has_applied_holds_it_back_to_just_before() -> None:
    found = Warehouse([("GW-1", TEN, 1)], pending=NINE).said(site="MINE")
    assert found.to == AT_NINE - 1
    assert found.site_to == AT_NINE - 1


def test_what_is_newer_than_the_heads_and_not_applied_does_not_matter() -> None:
    assert Warehouse([("GW-1", NINE, 1)], pending=TEN).said() == Complete(AT_NINE, None, "")


def test_what_workers_said_and_nobody_stored_leaves_it_open() -> None:
    found = Warehouse([("GW-1", TEN, 1)], high=5).said()
    assert (found.to, found.why) == (None, "2 records of the workers are not stored yet")


def test_it_waits_for_the_sink_as_long_as_it_may() -> None:
    slow = Warehouse([("GW-1", TEN, 1)], high=5)

    def wait() -> bool:
        slow.high += 1
        return True

    assert complete(slow.ask, APPLIED, None, wait).to == AT_TEN


def test_without_a_broker_it_speaks_of_facts_and_says_so() -> None:
    found = Warehouse([("GW-1", TEN, 1)]).said(progress=None)
    assert found.to == AT_TEN
    assert "workers" in found.why


def test_each_site_is_as_complete_as_its_own_gateways() -> None:
    both = Warehouse([("GW-1", TEN, 0), ("GW-2", NINE, 0)])
    assert by_site(both.ask, APPLIED) == {"": AT_NINE, "MINE": AT_TEN, "PORT": AT_NINE}
    half = Warehouse([("GW-1", TEN, 0), ("GW-2", None, 0)])
    assert by_site(half.ask, APPLIED) == {"MINE": AT_TEN}
    # What was said of all is beyond what one of them has: a row of it is gone.
    later = {"": Micros(AT_TEN + 1), "PORT": Micros(AT_TEN)}
    assert by_site(half.ask, APPLIED, later) == {"": AT_TEN, "MINE": AT_TEN}
    assert by_site(half.ask, APPLIED, {"": Micros(AT_TEN)}) == {"MINE": AT_TEN}


def test_no_site_is_more_complete_than_workers_and_sink_have_come() -> None:
    behind = Warehouse([("GW-1", TEN, 0), ("GW-2", TEN, 0)], pending=NINE)
    assert set(by_site(behind.ask, APPLIED).values()) == {AT_NINE - 1}
    assert by_site(Warehouse([("GW-1", TEN, 0)], high=6).ask, APPLIED) == {}


def test_an_answer_names_the_gateways_whose_integrity_is_in_doubt() -> None:
    doubted = Warehouse([("GW-1", TEN, 1), ("GW-2", TEN, 0)])
    doubted.alerts = [
        {"subject": "gateway/GW-2", "rule": "sequence_gap"},
        {"subject": "gateway/GW-2", "rule": "signature_invalid"},
    ]
    found = doubted.said()
    assert found.to == AT_TEN
    assert "GW-2 (sequence_gap, signature_invalid)" in found.why
    assert "custody alerts --open --family integrity" in found.why


def test_a_watermark_says_what_moved_and_keeps_what_is_not_known_now() -> None:
    warehouse = Warehouse([("GW-1", TEN, 0), ("GW-2", NINE, 0)])
    warehouse.watermarks = [{"site_id": "PORT", "complete_to": NINE, "said_at": NINE}]
    said: list[Said] = []
    mark = Watermark(warehouse.ask, said.extend, lambda: APPLIED, lambda: Micros(7))
    mark.go_over()
    first = AT_NINE + 1
    assert said == [("", AT_NINE, first), ("MINE", AT_TEN, first)], "behind what was said before"
    assert mark.complete_to == AT_NINE
    assert mark.sites == {"MINE": AT_TEN, "PORT": AT_NINE}
    mark.go_over()
    assert len(said) == 2
    warehouse.heads[1]["complete_to"] = None
    mark.go_over()
    assert (mark.complete_to, len(said)) == (AT_NINE, 2)


def test_what_was_said_before_a_start_is_known_also_where_the_broker_is_away() -> None:
    warehouse = Warehouse([("GW-1", TEN, 0)])
    warehouse.watermarks = [{"site_id": "", "complete_to": NINE, "said_at": NINE}]

    def away() -> Progress:
        raise Unavailable("the broker does not answer")

    mark = Watermark(warehouse.ask, list[Said]().extend, away, lambda: Micros(7))
    with pytest.raises(Unavailable):
        mark.go_over()
    assert mark.complete_to == AT_NINE


def test_a_watermark_is_taken_back_where_a_row_below_it_is_gone() -> None:
    """It stood where it had been, beyond what the view of its own gateways said."""
    warehouse = Warehouse([("GW-1", TEN, 0), ("GW-2", TEN, 0)])
    said: list[Said] = []
    mark = Watermark(warehouse.ask, said.extend, lambda: APPLIED, lambda: Micros(7))
    mark.go_over()
    warehouse.heads[1]["complete_to"] = NINE
    said.clear()
    mark.go_over()
    assert said == [("", AT_NINE, 8), ("PORT", AT_NINE, 8)]
    assert mark.complete_to == AT_NINE

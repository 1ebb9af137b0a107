"""How answers are counted, and how requests are cut into lists."""

from demo.publish import LIST_REQUESTS, Answers, lists
from demo.requests import Request


def test_a_process_counts_once_per_side_and_a_duplicate_not_at_all() -> None:
    answers = Answers()
    answers.add({"result": "accepted", "event_id": "a", "warnings": [{"code": "old_date"}]})
    parts = [{"event_id": "b"}, {"event_id": "c"}]
    answers.add({"result": "accepted", "event_id": "b", "parts": parts, "warnings": []})
    answers.add({"result": "duplicate", "event_id": "a"})
    answers.add({"result": "refused", "code": "net_mismatch"})
    assert (answers.accepted, answers.duplicates, answers.processes) == (3, 1, 1)
    assert answers.event_ids == {"a", "b", "c"}
    assert answers.refused == {"net_mismatch": 1}
    assert answers.warnings == {"old_date": 1}


def test_reference_records_travel_in_lists_of_their_own_and_order_is_kept() -> None:
    requests: list[Request] = [{"type": "reference", "n": n} for n in range(3)]
    requests += [{"type": "lot", "n": n} for n in range(LIST_REQUESTS + 1)]
    found = list(lists(requests))
    assert [len(part) for part in found] == [3, LIST_REQUESTS, 1]
    assert [request for part in found for request in part] == requests

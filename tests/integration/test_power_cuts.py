"""A power cut at any moment: what was answered is on the disk, whatever was not synced.

The calls of a gateway are traced as it works; then the disk is made anew as it may stand after a
cut (``power_disk``), a gateway is started on it, and it knows all that had been answered. Each
way in is also traced with its sync taken away: then this must fail, or it proves nothing. Messages
are in ``test_mqtt.py``, where the broker is.
"""

import json
from pathlib import Path

import pytest

from tests.support import inlets, power_programs
from tests.support.gateway import ticket
from tests.support.power_cuts import (
    TRACEABLE,
    answers_drop,
    answers_http,
    event_id,
    place,
    trial,
)
from tests.support.power_programs import (
    FILES,
    LINES,
    LIST,
    LISTS,
    NO_COMMIT,
    NO_FOLDER,
    NO_RESULT,
    SINGLES,
)

pytestmark = [pytest.mark.integration, TRACEABLE]


def test_whatever_was_answered_202_outlives_a_power_cut(tmp_path: Path) -> None:
    directory = place(tmp_path)
    run = trial("http", directory, "", str(directory), str(LISTS))
    said = answers_http(run.calls)
    assert sum(len(one.event_ids) for one in said) == SINGLES + LISTS * LIST
    assert len(run.syncs()) > LISTS
    assert run.written_back(), "the log was never written back: too few events"
    assert run.faults(said, tmp_path) == []


@pytest.mark.parametrize("bent", [NO_COMMIT, NO_FOLDER])
def test_an_outbox_that_syncs_too_little_is_found_out(tmp_path: Path, bent: str) -> None:
    directory = place(tmp_path)
    run = trial("http", directory, bent, str(directory), "1")
    assert any("are gone" in one for one in run.faults(answers_http(run.calls), tmp_path))


def drop_files(directory: Path) -> dict[str, list[dict[str, object]]]:
    """Files of tickets in the folder of a gateway to come, by name."""
    where = power_programs.folder(directory)
    where.mkdir()
    files = {f"{no}.ndjson": [ticket(no * LINES + k) for k in range(LINES)] for no in range(FILES)}
    for name, tickets in files.items():
        (where / name).write_text(inlets.ndjson(tickets))
    return files


def torn(directory: Path, into: Path) -> str:
    """Return what is wrong with the dropped files that survived in a directory, or nothing."""
    dropped, before = power_programs.folder(into), power_programs.folder(directory)
    for no in range(FILES):
        name = f"{no}.ndjson"
        places = [p for p in (dropped, dropped / "taking", dropped / "done") if (p / name).exists()]
        if len(places) != 1:
            return f"{name} stands in {len(places)} places"
        if (places[0] / name).read_bytes() != (before / "done" / name).read_bytes():
            return f"{name} is not whole"
        if places[0].name == "done":
            try:
                result = json.loads((places[0] / f"{name}.result.json").read_text())
            except (OSError, ValueError) as error:
                return f"the result of {name}: {error}"
            if len(result["requests"]) != LINES:
                return f"the result of {name} is not whole"
    return ""


def drop_faults(directory: Path, scratch: Path, bent: str) -> list[str]:
    tickets = drop_files(directory)
    run = trial("drop", directory, bent, str(directory))
    ids = {name: frozenset(map(event_id, lines)) for name, lines in tickets.items()}
    said = answers_drop(run.calls, ids)
    assert len(said) == FILES
    return run.faults(said, scratch, torn)


def test_a_file_that_was_moved_to_done_outlives_a_power_cut_with_all_its_events(
    tmp_path: Path,
) -> None:
    assert drop_faults(place(tmp_path), tmp_path, "") == []


@pytest.mark.parametrize("bent", [NO_COMMIT, NO_RESULT])
def test_a_drop_that_syncs_too_little_is_found_out(tmp_path: Path, bent: str) -> None:
    assert drop_faults(place(tmp_path), tmp_path, bent)

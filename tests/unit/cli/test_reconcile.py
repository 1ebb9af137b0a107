"""``custody reconcile``: what it prints, writes and refuses, and the page that shows it."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from runtime import network_file
from runtime.cli import main as edge
from tests.support import tree

EXAMPLE = tree.ROOT / "examples/network.json"
PAGE = tree.text(Path("docs/detection/network.md"))
MILL = re.findall(r"```json\n(.*?)\n```", PAGE, flags=re.DOTALL)[0]


def balanced() -> dict[str, Any]:
    """Two masses that agree."""
    return {
        "nodes": ["mill"],
        "streams": [
            {"id": "in", "from": None, "to": "mill", "mass": {"value": 100, "u_random": 1}},
            {"id": "out", "from": "mill", "to": None, "mass": {"value": 99.5, "u_random": 1}},
        ],
    }


Run = Callable[..., tuple[int, str, str]]
"""Of the text of a network and options: exit code, standard output and standard error."""


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    path = tmp_path / "network.json"

    def call(text: str, *options: str) -> tuple[int, str, str]:
        path.write_text(text)
        code = edge.run(["reconcile", str(path), *options])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_the_page_shows_what_is_printed(run: Run) -> None:
    outputs = re.findall(r"```\n(stream .*?)\n```", PAGE, flags=re.DOTALL)
    for text, shown in zip([MILL, EXAMPLE.read_text()], outputs, strict=True):
        code, out, _ = run(text)
        assert (code, out.rstrip()) == (1, shown)


def test_figures_that_agree_exit_with_0(run: Run) -> None:
    code, out, err = run(json.dumps(balanced()))
    assert (code, err) == (0, "")
    assert out.splitlines()[-1].endswith("the figures agree")
    assert "best fault" not in out
    assert "metal" not in out


def test_alpha_decides(run: Run) -> None:
    """z of the mill is 2.43: p 0.015."""
    assert run(MILL, "--alpha", "0.02")[0] == 1
    code, out, _ = run(MILL, "--alpha", "0.01")
    assert code == 0
    assert "limit 6.635 at alpha 0.01" in out
    assert run(MILL, "--alpha", "0")[0] == 2


def test_json_is_one_object_per_line(run: Run) -> None:
    code, out, _ = run(EXAMPLE.read_text(), "--json")
    assert code == 1
    lines = [json.loads(line) for line in out.splitlines()]
    records = [line["record"] for line in lines]
    assert records[0] == "network"
    assert records == sorted(records, key=["network", "stream", "node", "fault", "unseen"].index)
    assert records.count("stream") == 15
    network, ore, *_ = lines
    assert network["global"]["degrees_of_freedom"] == 4
    assert (ore["stream"], ore["quantity"], ore["class"]) == ("ore", "mass", "redundant")
    tailings = next(one for one in lines if one.get("stream") == "tailings")
    assert (tailings["measured"], tailings["class"]) == (None, "observable")
    best = next(one for one in lines if one.get("rank") == 1)
    assert best["found"]
    assert best["told_apart"] is False
    assert best["hypotheses"][0]["at"] == "cobalt concentrate"
    # Copper of the ore: 11,984 t of 2.493 %.
    [copper] = [one for one in lines if one.get("stream") == "ore" and one["quantity"] == "Cu"]
    assert copper["metal"] == pytest.approx(ore["reconciled"] * copper["reconciled"] / 100)


def test_without_a_unit_metal_is_the_product(run: Run) -> None:
    text = json.loads(EXAMPLE.read_text())
    del text["grade_units"], text["mass_unit"]
    _, out, _ = run(json.dumps(text), "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    of_ore = {one["quantity"]: one for one in lines if one.get("stream") == "ore"}
    product = of_ore["mass"]["reconciled"] * of_ore["Cu"]["reconciled"]
    assert of_ore["Cu"]["metal"] == pytest.approx(product)


def test_out_holds_the_whole_result(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    code, out, _ = run(MILL, "--out", str(path), "--json")
    assert code == 1
    whole = json.loads(path.read_text())
    assert [one["stream"] for one in whole["streams"]] == ["ore", "concentrate", "tailings"]
    assert whole["nodes"][0]["out_minus_in"] == pytest.approx(-1.0)
    lines = [json.loads(line) for line in out.splitlines()]
    assert {"record": "stream", **whole["streams"][0]} in lines


def test_out_that_cannot_be_written_is_said(run: Run, tmp_path: Path) -> None:
    code, _, err = run(MILL, "--out", str(tmp_path / "nowhere" / "result.json"))
    assert code == 3
    assert "not written" in err


def test_only_the_best_faults_are_shown_and_the_rest_counted(run: Run) -> None:
    _, out, err = run(EXAMPLE.read_text())
    assert "   8  " in out
    assert "   9  " not in out
    assert re.search(r"and \d+ tests of other faults; --json shows all", err)


def test_a_feed_of_100_without_u_makes_yields_of_masses(run: Run) -> None:
    """C/F = (f - t) / (c - t) = 2.3 / 27.8 = 8.27 %; one assay each, so nothing is tested."""
    flow = {"ore": (None, "mill", 2.5), "concentrate": ("mill", None, 28.0)}
    flow["tailings"] = ("mill", None, 0.2)
    streams: list[dict[str, object]] = [
        {"id": name, "from": start, "to": end, "grades": {"Cu": {"value": grade, "u": 0.01}}}
        for name, (start, end, grade) in flow.items()
    ]
    streams[0]["mass"] = {"value": 100, "u_random": 0}
    code, out, _ = run(json.dumps({"nodes": ["mill"], "streams": streams}))
    assert code == 0
    ore, concentrate, tailings, *_ = out.splitlines()[1:]
    assert ore.split()[2:6] == ["100", "0", "100", "0"]
    assert concentrate.split()[4] == "8.273"
    assert tailings.split()[4] == "91.727"


def test_a_fault_like_no_other_is_named_alone(run: Run) -> None:
    """Two nodes, and the stream between them reads 10 too much."""
    network = balanced()
    network["nodes"].append("kiln")
    network["streams"][1]["to"] = "kiln"
    network["streams"][1]["mass"]["value"] = 110
    end = {"id": "end", "from": "kiln", "to": None, "mass": {"value": 100, "u_random": 1}}
    network["streams"].append(end)
    code, out, _ = run(json.dumps(network))
    assert code == 1
    assert "best fault: bias of out mass: 10.0 (u 1.2); it explains the rest (p 1)" in out


def test_nothing_to_test_is_said(run: Run) -> None:
    text = balanced()
    del text["streams"][0]["mass"], text["streams"][1]["mass"]
    code, out, _ = run(json.dumps(text))
    assert code == 0
    assert "nothing can be tested" in out
    assert "no test here sees: leak at mill" in out


def changed(*path: str | int, to: object) -> str:
    """Return the balanced network with another value at a path."""
    network = balanced()
    place: Any = network
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return json.dumps(network)


MASS = ("streams", 1, "mass")


@pytest.mark.parametrize(
    ("text", "what", "expected"),
    [
        (changed(*MASS, "u_random", to=-1),
         "network.json: streams.1.mass.u_random (stream out): found -1", "a number from 0"),
        (changed(*MASS, "value", to=float("nan")), "network.json: NaN is no number of JSON",
         "digits"),
        (changed(*MASS, "value", to=1e400), "Infinity is no number of JSON", "digits"),
        (changed(*MASS, "value", to=2e15), "(stream out): found 2000000000000000", "to 1e+15"),
        (changed(*MASS, "value", to=7).replace("7", "1e400"), "found a number too large", "1e+15"),
        (changed(*MASS, "value", to="99"), '(stream out): found "99"', "a number"),
        (changed(*MASS, "value", to=True), "(stream out): found true", "a number"),
        (changed(*MASS, "sigma", to=1), "streams.1.mass.sigma (stream out): found 1",
         "no such field"),
        (changed(*MASS, to={"value": 1}), "streams.1.mass.u_random (stream out): missing",
         "this field"),
        (changed("streams", 1, to={"id": "out", "from": "mill"}),
         "streams.1.to (stream out): missing", "this field"),
        (changed("streams", 1, "id", to=""), "streams.1.id (stream )", "at least 1 character"),
        (changed("nodes", to=[]), "network.json: nodes: found []", "at least one"),
        (changed("nodes", to=["mill", "mill"]), "node mill: 2 have this id", "one of each"),
        (changed("nodes", to=["mill", "kiln"]), "node kiln: no stream", "streams into it"),
        (changed("streams", 1, "id", to="in"), "stream in: 2 have this id", "one of each"),
        (changed("streams", 1, "to", to="mill"), "leads from node mill to node mill",
         "two different ends"),
        (changed("streams", 1, "from", to="kiln"), "stream out: from kiln is no node",
         "one of mill, or null"),
        (changed("streams", 1, to={"id": "b", "from": None, "to": "mill"}),
         "node mill: only streams into it (in, b)", "streams into it and out of it"),
        (changed("streams", 1, "grades", to={"mass": {"value": 1, "u": 1}}),
         "do not fit together", "another name for the analyte in streams.1.grades.mass"),
        (changed("grade_units", to={"Cu": "pct"}), "do not fit together", "a grade of Cu"),
        (changed("grade_units", to={"Cu": "percent"}), "found \"percent\"", "'pct'"),
        ("{", "network.json: the text ends too early", "one JSON value"),
        ("[" * 100_000, "more than 100 deep within each other, line 1, column 101",
         "no request needs more"),
        ("[]", "network.json: the whole: found []", "an object"),
        ('{"nodes": ["a"], "nodes": ["b"], "streams": []}', 'the field "nodes" stands twice',
         "each name once"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_place_bound_and_next_step(
    run: Run, text: str, what: str, expected: str
) -> None:
    code, out, err = run(text)
    lines = err.splitlines()
    assert (code, out, len(lines)) == (2, "", 3)
    assert lines[0].startswith("error: /")
    assert what in lines[0]
    assert lines[1].startswith("  expected: ")
    assert expected in lines[1]
    assert lines[2].startswith("  next: ")


def test_a_grade_above_one_is_refused(run: Run) -> None:
    text = json.loads(EXAMPLE.read_text())
    text["streams"][0]["grades"]["Cu"]["value"] = 101
    assert "at most 100 pct in streams.0.grades.Cu.value" in run(json.dumps(text))[2]


def test_exact_figures_that_miss_a_balance_are_refused(run: Run) -> None:
    text = balanced()
    for stream in text["streams"]:
        stream["mass"]["u_random"] = 0
    code, _, err = run(json.dumps(text))
    assert code == 2
    assert "node mill (mass): figures with u 0 miss the balance by 0.5" in err


def stream(name: str, ends: tuple[str | None, str | None], **said: Any) -> dict[str, Any]:  # noqa: ANN401  parts of a stream
    return {"id": name, "from": ends[0], "to": ends[1], **said}


def test_a_fault_that_explains_everything_is_said_to(run: Run, tmp_path: Path) -> None:
    """Three nodes in a row, 5 t leaving the middle one: what is left is a rounding error."""
    ends = [(None, "A"), ("A", "B"), ("B", "C"), ("C", None)]
    masses = [100, 100, 95, 95]
    streams = [
        stream(f"s{no}", ends[no], mass={"value": masses[no], "u_random": 0.3}) for no in range(4)
    ]
    leak = json.dumps({"nodes": ["A", "B", "C"], "streams": streams})
    written = tmp_path / "out.json"
    _, out, _ = run(leak, "--out", str(written))
    assert "leak at B: 5.00 (u 0.30); it explains the rest (p 1)" in out
    assert "NaN" not in written.read_text()


@pytest.mark.parametrize(
    ("masses", "grades", "what"),
    [
        ([10.0, 12.0, 0.5], None, "s2 mass -2.000 is below zero, which cannot be"),
        ([100.0, None, None], [25.0, 20.0, 1.0], "s2 mass -26.32 is below zero"),
    ],
)
def test_what_cannot_be_is_said(
    run: Run, masses: list[float | None], grades: list[float] | None, what: str
) -> None:
    """More out than in, and a feed that is richer than both products."""
    u = [0.01, 0.01, 1.0] if grades is None else [0.0, 0.0, 0.0]
    streams = []
    for no, ends in enumerate([(None, "M"), ("M", None), ("M", None)]):
        said: dict[str, Any] = {}
        if masses[no] is not None:
            said["mass"] = {"value": masses[no], "u_random": u[no]}
        if grades is not None:
            said["grades"] = {"Cu": {"value": grades[no], "u": (0.02, 0.1, 0.01)[no]}}
        streams.append(stream(f"s{no}", ends, **said))
    code, out, _ = run(json.dumps({"nodes": ["M"], "streams": streams}))
    assert code == 1
    assert what in out


def test_a_grade_beyond_the_whole_is_none_that_can_be(run: Run) -> None:
    """5 of copper went in and 0.6 out with the tailings: 4.4 in 4 of concentrate."""
    u, masses, grades = 0.001, (10.0, 4.0, 6.0), (50.0, 99.0, 10.0)
    streams = [
        stream(
            f"s{no}",
            (None, "M") if no == 0 else ("M", None),
            mass={"value": masses[no], "u_random": u},
            grades={"Cu": {"value": grades[no], "u": 5.0 if no == 1 else 0.01}},
        )
        for no in range(3)
    ]
    network = {"nodes": ["M"], "streams": streams}
    code, out, _ = run(json.dumps(network | {"grade_units": {"Cu": "pct"}}))
    assert code == 1
    assert "s1 Cu 109.999 is more than all there is, which cannot be" in out
    assert run(json.dumps(network))[0] == 0, "without a unit nobody knows what the whole is"


def test_a_mass_that_chance_brings_below_zero_is_none_that_cannot_be(run: Run) -> None:
    masses = [(10.0, 0.1), (10.1, 0.1), (0.0, 1.0)]
    streams = [
        stream(f"s{no}", (None, "M") if no == 0 else ("M", None), mass={"value": m, "u_random": u})
        for no, (m, u) in enumerate(masses)
    ]
    code, out, _ = run(json.dumps({"nodes": ["M"], "streams": streams}))
    assert (code, "below zero" in out) == (0, False)


def test_figures_whose_u_is_all_shared_are_refused_with_that(run: Run) -> None:
    whole = balanced()
    for one in whole["streams"]:
        one["mass"] = {**one["mass"], "u_random": 0, "u_systematic": {"WB": 1.0}}
    code, _, err = run(json.dumps(whole))
    assert code == 2
    assert "figures whose u is all shared, and cancels, miss the balance by 0.5" in err
    assert "state the random uncertainty of the figures" in err


def test_exact_figures_that_agree_are_said_to(run: Run) -> None:
    whole = balanced()
    for one in whole["streams"]:
        one["mass"] = {"value": 10, "u_random": 0}
    code, out, _ = run(json.dumps(whole))
    assert code == 0
    assert "what follows from two measurements is exact and agrees" in out
    assert "nothing follows" not in out


def test_what_is_no_text_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "network.json"
    path.write_bytes(b"\xff\xfe")
    assert edge.run(["reconcile", str(path)]) == 2
    assert "no text" in capsys.readouterr().err


def test_minus_is_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with EXAMPLE.open() as example:
        monkeypatch.setattr(sys, "stdin", example)
        assert edge.run(["reconcile", "-", "--json"]) == 1
    assert '"record": "network"' in capsys.readouterr().out


def test_a_file_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_file, "FILE_BYTES_MAX", 10)
    with pytest.raises(network_file.BadNetwork, match="at most 10"):
        network_file.read(MILL, "mill.json")


def test_examples_satisfy_the_published_schema_and_bad_files_do_not() -> None:
    schema = json.loads(tree.text(Path("schemas/json/network.json")))
    validator = jsonschema.Draft202012Validator
    validator.check_schema(schema)
    for text in (EXAMPLE.read_text(), MILL, json.dumps(balanced())):
        validator(schema).validate(json.loads(text))
    for bad in (changed(*MASS, "u_random", to=-1), changed(*MASS, "sigma", to=1), "[]"):
        with pytest.raises(jsonschema.ValidationError):
            validator(schema).validate(json.loads(bad))


def test_the_schema_describes_every_figure() -> None:
    definitions = json.loads(network_file.schema_text())["$defs"]
    for name in ("Mass", "Grade"):
        for field, what in definitions[name]["properties"].items():
            assert what.get("description"), field

"""``custody reference``: load, show and diff of reference records."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import IO

import click

from custody.reference_versions import version_at
from custody.rows import RefVersion
from producers import json_schemas
from producers.judge import parse
from producers.outcome import Refusal
from producers.requests import REFERENCE_KINDS, ReferenceRequest
from runtime.cli import complete_to, connect, output, texts
from runtime.cli.events import LIST_REQUESTS_MAX, Line, Run, each_fault, lines_of, refused, send
from runtime.cli.main import FOUND
from runtime.client import JsonObject
from runtime.json_schema import faults
from runtime.moment import now, time_of
from runtime.reference_plan import (
    CONFLICT,
    SAME,
    WITHDRAWAL,
    Change,
    Wanted,
    known,
    lots_that_used,
    plan,
)
from schemas.present import rfc3339


@click.group()
def reference() -> None:
    """Reference data: sites, devices, laboratories, routes and the like.

    \b
    Examples:
      custody reference diff plant.ndjson      what loading it would change
      custody reference load plant.ndjson
      custody reference show device WB-KOV-1
      custody schema reference.device
    """


@reference.command("load")
@click.argument("file", type=texts.LINES)
@click.option("--plan", "only_plan", is_flag=True, help="Send nothing; show what would change.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line of the file.")
def reference_load(file: IO[str], *, only_plan: bool, as_json: bool) -> int:
    """Load FILE, one reference record per line of JSON; - is standard input.

    Each record reaches every worker in order with the facts. Loading it again is harmless. A body
    that breaks the published schema of its kind is refused here, with line, each field that is
    wrong and its bound, and not sent: with --json the first as of any refusal, the others in also.
    Exit 1 where a line was refused.

    \b
    Examples:
      custody reference load plant.ndjson
      custody reference load --plan plant.ndjson
      custody schema reference.device        what a device's body looks like
    """
    if only_plan:
        return _diff(file, as_json=as_json)
    with connect.gateway() as gateway:
        run = Run(as_json=as_json)
        with output.progress(f"loading {file.name}", None) as advance:
            send(gateway, judged(lines_of(file)), run, {}, LIST_REQUESTS_MAX, advance)
    return run.finish()


@reference.command("diff")
@click.argument("file", type=texts.LINES)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line of the file.")
def reference_diff(file: IO[str], *, as_json: bool) -> int:
    """Show what loading FILE would change; sends nothing. - is standard input.

    Per record: new, new version, correction, withdrawal or same, and each field that differs from
    the version in force at its start; of a withdrawal, from what it withdraws to the version that
    is then in force (with --json, in_force is its start). A record valid from before now reaches
    into the past: lots that used it are read anew. conflict: another statement for the same start
    stands, and only a record that names it in corrects replaces it. Exit 1 where a line is refused
    or in conflict.

    \b
    Examples:
      custody reference diff plant.ndjson
      custody reference diff --json plant.ndjson | jq 'select(.what != "same")'
    """
    return _diff(file, as_json=as_json)


@reference.command("show")
@click.argument("kind", type=click.Choice(REFERENCE_KINDS))
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--at", "at", metavar="TIME", help="The version in force then.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per version.")
def reference_show(kind: str, id_: str | None, *, at: str | None, as_json: bool) -> int:
    """Show reference records of KIND: the versions of ID, or of all what is in force.

    Without --at, ID shows every version and which one is in force now. TIME is a date (its first
    instant, UTC) or RFC 3339. Exit 1 where there is none.

    \b
    Examples:
      custody reference show device
      custody reference show device WB-KOV-1 --at 2026-11-03 --json | jq .body
    """
    moment = now() if at is None else time_of(at, "--at")
    with connect.warehouse() as warehouse:
        rows = known(warehouse.rows, [kind], id_ or "")
        complete_to.say(warehouse)
    shown = [
        (key[1], version, version is version_at(row, moment))
        for key, row in sorted(rows.items())
        for version in row.versions
    ]
    if id_ is None or at is not None:
        shown = [one for one in shown if one[2]]
    for name, version, in_force in shown if as_json else []:
        output.line_json({"kind": kind, "id": name, "in_force": in_force, **_cells(version)})
    if not as_json:
        cells = [
            {"id": n, "in": "*" if f else "", "what": _what(v), **_cells(v)} for n, v, f in shown
        ]
        output.table(_VERSION_COLUMNS, cells)
        output.result(f"{len(shown)} versions of {kind}; * is in force {output.utc(moment)}")
    return 0 if shown else FOUND


_VERSION_COLUMNS = (
    output.text("id", "id"),
    output.text("", "in"),
    output.text("valid from", "valid_from"),
    output.text("valid to", "valid_to"),
    output.text("recorded", "recorded_at"),
    output.text("what", "what"),
    output.Column("body", lambda row: json.dumps(row["body"], ensure_ascii=False)),
)


def _what(version: RefVersion) -> str:
    if version.corrects is None:
        return ""
    return f"{'withdraws' if version.void else 'corrects'} {version.corrects}"


def _cells(version: RefVersion) -> JsonObject:
    return {
        "valid_from": rfc3339(version.valid_from),
        "valid_to": None if version.valid_to is None else rfc3339(version.valid_to),
        "recorded_at": rfc3339(version.known),
        "event_id": version.event_id,
        "corrects": version.corrects,
        "void": version.void,
        "body": json.loads(version.body),
    }


def judged(lines: Iterator[Line]) -> Iterator[Line]:
    """Yield lines, those that are no reference record or break its schema with their refusal."""
    for line in lines:
        refusal = line.refusal if line.refusal is not None else refusal_of(line.request)
        yield replace(line, refusal=refusal)


def refusal_of(request: object) -> JsonObject | None:
    """Return why a request must not be loaded; None where it may.

    A withdrawal says nothing, so its body may be empty.
    """
    if not isinstance(request, dict) or request.get("type") != "reference":
        found = 'type must be "reference"; facts go by custody publish'
        return refused("unknown_type", None, found, "one JSON object per line")
    kind, body = request.get("kind"), request.get("body")
    schema = json_schemas.published(f"reference-{kind}.json")
    if schema is None or not isinstance(body, dict) or request.get("void") is True:
        # The gateway has the words for what is no request at all.
        return None
    wrong = list(faults(json.loads(schema), body))
    if not wrong:
        return None
    first, *others = wrong
    refusal = refused("bad_body", f"body.{first.field}", first.found, first.allowed)
    also: list[object] = [
        {"field": f"body.{one.field}", "found": one.found, "allowed": one.allowed} for one in others
    ]
    return {**refusal, "also": also} if also else refusal


def _diff(file: IO[str], *, as_json: bool) -> int:
    wanted: list[Wanted] = []
    problems: list[JsonObject] = []
    for line in judged(lines_of(file)):
        found = line.refusal if line.refusal is not None else _wanted(line)
        if isinstance(found, Wanted):
            wanted.append(found)
        else:
            problems.append({"line": line.no, **found})
    with connect.warehouse() as warehouse:
        rows = known(warehouse.rows, {one.kind for one in wanted})
        changes = [
            (change, lots_that_used(warehouse.rows, change)) for change in plan(wanted, rows, now())
        ]
        complete_to.say(warehouse)
    for problem in problems:
        output.line_json(problem) if as_json else output.result(_problem(problem))
    for change, lots in changes:
        if as_json:
            output.line_json(change_line(change, lots))
        else:
            show(change, lots)
    counts = {
        what: sum(c.what == what for c, _ in changes) for what in (c.what for c, _ in changes)
    }
    totals = ", ".join(f"{what} {count}" for what, count in counts.items()) or "nothing"
    said = f"{totals}; refused {len(problems)}; nothing was sent"
    output.talk(said) if as_json else output.result(said)
    return FOUND if problems or CONFLICT in counts else 0


def _wanted(line: Line) -> Wanted | JsonObject:
    request = parse(line.request)
    if isinstance(request, Refusal):
        return refused(str(request.code.value), request.field, request.found, str(request.allowed))
    assert isinstance(request, ReferenceRequest), "judged lets nothing else through"
    body = json.dumps(request.body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    version = RefVersion(
        request.event_id or f"line {line.no}",
        request.valid_from.at,
        None if request.valid_to is None else request.valid_to.at,
        now(),
        request.corrects,
        request.void,
        body,
    )
    return Wanted(line.no, request.kind, request.id, version)


def _problem(row: JsonObject) -> str:
    return "\n".join(
        f"line {one['line']}: {one['code']} at {one['field']}: {one['found']!r},"
        f" allowed: {one['allowed']}"
        for one in each_fault(row)
    )


def change_line(change: Change, lots: int | None) -> JsonObject:
    """Return a change as one JSON object."""
    wanted = change.wanted
    return {
        "line": wanted.line,
        "kind": wanted.kind,
        "id": wanted.id,
        "valid_from": rfc3339(wanted.version.valid_from),
        "what": change.what,
        "past": change.past,
        "lots": lots,
        "fields": [{"field": f, "before": b, "after": a} for f, b, a in change.fields],
        "in_force": None if change.again is None else rfc3339(change.again.valid_from),
    }


def show(change: Change, lots: int | None) -> None:
    """Print a change, with the lots that have used what it changes; nothing where it is none."""
    if change.what == SAME:
        return
    wanted = change.wanted
    since = output.utc(wanted.version.valid_from)
    output.result(f"line {wanted.line}: {wanted.kind} {wanted.id} from {since}: {change.what}")
    for field, before, after in change.fields:
        output.result(f"    {field}: {_text(before)} -> {_text(after)}")
    if change.what == WITHDRAWAL and change.again is None:
        output.result("    nothing is in force then")
    elif change.again is not None:
        output.result(
            f"    the version from {output.utc(change.again.valid_from)} is in force then"
        )
    if change.past:
        used = "" if lots is None else f"; {lots} lots have used it in that time"
        output.result(f"    reaches into the past{used}")


def _text(value: object) -> str:
    return "absent" if value is None else json.dumps(value, ensure_ascii=False)

"""``custody audit | prove | verify-proof``: whether anybody has changed what was sent."""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, NamedTuple

import click

from custody import heads
from custody.audit import Fault
from custody.errors import Refused
from runtime import wiring
from runtime.audit.letters import DeadLetter
from runtime.audit.proof_check import NotProved, Proved, check
from runtime.cli import connect, output, proof_text, texts
from runtime.cli.main import FOUND
from runtime.client import JsonObject, Warehouse
from runtime.moment import now
from runtime.settings import Settings, load
from schemas.present import rfc3339
from schemas.registry import RegistryCatalog
from schemas.routes import BY_TYPE

Advance = Callable[[int], None]


class NoKey(Refused):
    """What was given is no public key."""

    def __init__(self, given: str) -> None:
        super().__init__(
            f"--key {given[:60]}: not a public key",
            expected="an Ed25519 key in base64 as in reference data, or a file that holds one",
            next_step="custody reference show gateway",
        )


class Found(NamedTuple):
    """One finding of an audit.

    Attributes:
        rule: What kind of fault.
        about: Gateway and number, or place.
        detail: A sentence.
        harmless: Only to be known: it does not count as a fault.
    """

    rule: str
    about: str
    detail: str
    harmless: bool = False


@click.command()
@click.option("--no-kafka", is_flag=True, help="Leave out the comparison with Kafka.")
@click.option("--no-rows", is_flag=True, help="Leave out columns and what is made of them.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per finding, a sum last.")
def audit(*, no_kafka: bool, no_rows: bool, as_json: bool) -> int:
    """Hold all that is stored against what gateways have signed, and Kafka against the tables.

    Reads only, all of it: heads and their signatures; every gateway's chain, record by record; the
    heads that gateways have signed of each other; then each row's columns against the record's
    bytes, what views and lineage are made of against the rows, the numbers of workers' outputs,
    each view, table and function against what the migrations make, and each record in Kafka
    against its row. Names each record that was changed, dropped, inserted, exchanged or put in
    another order. Exit 1 where something was found. What a gateway has sent twice after a broken
    line is named, and is no fault. What workers should have said is not asked: custody backtest
    --from-warehouse --against live.

    \b
    Examples:
      custody audit
      custody audit --no-kafka --no-rows       chains and heads only: the quick part
      custody audit --json | jq 'select(.harmless | not)'
    """
    if not no_rows:
        # First of all: without the extra it needs nothing is begun.
        import runtime.audit.rows  # noqa: F401
    settings = load(os.environ)
    with (
        connect.warehouse() as warehouse,
        RegistryCatalog(wiring.registry_url(settings)) as catalog,
    ):
        found, counts = _chains(warehouse, catalog)
        if not no_rows:
            found += _rows(settings, warehouse, catalog, counts)
            found += _beside(warehouse, counts)
            found += _outputs(warehouse)
            found += _defined(settings, warehouse, counts)
        if not no_kafka:
            found += _kafka(settings, warehouse, catalog, counts)
    _show(found, counts, as_json=as_json)
    return FOUND if any(not one.harmless for one in found) else 0


def _chains(warehouse: Warehouse, catalog: RegistryCatalog) -> tuple[list[Found], dict[str, int]]:
    from runtime.audit.standing import Standing, fingerprints_of
    from schemas import avro

    def text(number: int) -> str | None:
        writer = catalog.writer(number)
        return None if writer is None else writer.text

    ask = warehouse.rows
    standing = Standing(ask, lambda: fingerprints_of(ask, text, avro.fingerprint_of))
    with output.progress("chains", None) as advance:
        faults = standing.go_over(now(), unsigned=True, advance=advance)
    found = [_of_fault(one) for one in faults]
    found += [_of_letter(one) for one in standing.letters()]
    return found, {"chains": standing.records, "heads": standing.heads}


def _of_fault(fault: Fault) -> Found:
    return Found(fault.rule, f"{fault.gateway} {fault.about}", fault.detail)


def _of_letter(letter: DeadLetter) -> Found:
    (gateway, epoch), detail = letter.log, f"stood at {letter.place}, {letter.reason}"
    return Found("number_dead_letter", f"{gateway} {epoch}/{letter.seq}", detail, harmless=True)


def _rows(
    settings: Settings, warehouse: Warehouse, catalog: RegistryCatalog, counts: dict[str, int]
) -> list[Found]:
    from runtime.audit.rows import edited

    def arrow(statement: str) -> bytes:
        return warehouse.sql(statement, "ArrowStream")

    with _counted("rows", counts) as advance:
        partitions = settings.kafka.partitions
        return [
            Found("row_edited", one.place, f"{one.table}: {', '.join(one.columns)}")
            for one in edited(warehouse.rows, arrow, catalog, partitions, advance)
        ]


def _beside(warehouse: Warehouse, counts: dict[str, int]) -> list[Found]:
    """Return what differs from its base in the tables that views and lineage are made of."""
    from runtime import rollups

    with _counted("beside", counts) as advance:
        checks = rollups.lasting(warehouse.rows)
        advance(sum(one.examined for one in checks))
    return [
        Found("derived_edited", f"{one.name}: {what.subject}", f"a row {what.detail}")
        for one in checks
        for what in one.violations
    ]


def _outputs(warehouse: Warehouse) -> list[Found]:
    """Return what workers cannot have numbered as it stands."""
    from runtime.audit.outputs import odd

    return [
        Found("output_jump", one.about, one.detail)
        if one.jumps
        else Found("output_reused", one.about, one.detail)
        for one in odd(warehouse.rows)
    ]


def _defined(settings: Settings, warehouse: Warehouse, counts: dict[str, int]) -> list[Found]:
    """Return the views, tables and functions that are not what the migrations make."""
    from runtime import definitions

    if settings.sink.clickhouse_cluster:
        return []
    with _counted("definitions", counts) as advance:
        checked = definitions.check(warehouse.rows, definitions.made())
        advance(checked.examined)
    return [Found("definition_changed", one.subject, one.detail) for one in checked.violations]


def _kafka(
    settings: Settings, warehouse: Warehouse, catalog: RegistryCatalog, counts: dict[str, int]
) -> list[Found]:
    from runtime.audit.broker import differences

    kafka = wiring.kafka_options(settings, wiring.bootstrap(settings))
    with _counted("kafka", counts) as advance:
        return [
            Found(f"record_{one.kind}".replace(" ", "_"), one.place, one.detail, one.harmless)
            for one in differences(kafka, warehouse.rows, catalog, advance)
        ]


@contextmanager
def _counted(title: str, counts: dict[str, int]) -> Iterator[Advance]:
    """Count and show what is done, for the length of a block."""
    counts[title] = 0
    with output.progress(title, None) as advance:

        def count(done: int) -> None:
            counts[title] += done
            advance(done)

        yield count


def _show(found: Sequence[Found], counts: Mapping[str, int], *, as_json: bool) -> None:
    faults = sum(not one.harmless for one in found)
    if as_json:
        for one in found:
            output.line_json(one._asdict())
        output.line_json({"faults": faults, "examined": counts})
        return
    for one in found:
        if not one.harmless:
            output.result(f"FAULT  {one.rule}  {one.about}\n       {one.detail}")
    notes = Counter(one.rule for one in found if one.harmless)
    for rule, count in sorted(notes.items()):
        output.result(f" note  {rule}  {count:,} times, no fault; --json names each")
    examined = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    output.result(f"{faults or 'no'} fault{'' if faults == 1 else 's'}; examined: {examined}")
    if faults:
        output.talk("next: docs/runbooks/TamperFound.md says of each who has to be asked")


@click.command()
@click.argument("event_id")
@click.option("--out", type=click.File("w", encoding="utf-8"), help="Where to; else on the screen.")
def prove(event_id: str, out: IO[str] | None) -> None:
    """Write a proof that EVENT_ID stood in its gateway's history when a head of it was signed.

    The file holds all that is needed to check it without us: record, schema, path of hashes (RFC
    6962), head and signature. Its reader needs the gateway's public key from somebody he trusts.
    Exit 3 where no signed head speaks of it yet (wait a minute), it is not stored, or the records
    below its head are not those that were signed.

    \b
    Examples:
      custody prove 5d0c1e7a-0d4b-8c55-b7a5-2f1f6a1c9d10 --out weighing.proof.json
      custody verify-proof weighing.proof.json --key gateway.pub
    """
    from runtime.audit.proof import prove as proof_of

    settings = load(os.environ)
    registry = RegistryCatalog(wiring.registry_url(settings))
    with connect.warehouse() as warehouse, closing(registry):
        proof = proof_of(warehouse.rows, registry, event_id.lower())
    text = json.dumps(proof, indent=1, ensure_ascii=False)
    if out is None:
        output.result(text)
    else:
        out.write(text + "\n")


@click.command("verify-proof")
@click.argument("file", type=texts.TEXT)
@click.option("--key", help="Public key of the gateway in base64, or a file that holds it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def verify_proof(file: IO[str], *, key: str | None, as_json: bool) -> int:
    """Check a proof, offline: no network, no warehouse, nothing but FILE and the public key.

    Without --key the key in the file is used: then the file agrees with itself, and whose key it is
    remains to be asked. Exit 1 where it proves nothing.

    \b
    Examples:
      custody verify-proof weighing.proof.json --key MCowBQYDK2VwAyEA...
      custody verify-proof weighing.proof.json --key gateway.pub --json
    """
    public = None if key is None else _key(key)
    try:
        proof = json.load(file)
        proved = check(proof if isinstance(proof, dict) else {}, public)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        problem: Refused = NotProved(f"no JSON: {error}", "a file of custody prove")
    except NotProved as error:
        problem = error
    else:
        _tell(proved, trusted=public is not None, as_json=as_json)
        return 0
    if as_json:
        output.line_json({"proved": False, "why": problem.what})
    else:
        output.result(str(problem))
    return FOUND


def _key(given: str) -> bytes:
    """Return a public key from an option: the key itself, or a file that holds it."""
    found = heads.key_of(given)
    if found is None and Path(given).is_file():
        found = heads.key_of(Path(given).read_text(encoding="utf-8", errors="replace").strip())
    if found is None:
        raise NoKey(given)
    return found


def _tell(proved: Proved, *, trusted: bool, as_json: bool) -> None:
    head, record = proved.head, proved.record
    if as_json:
        said: JsonObject = {
            "proved": True,
            "key_given": trusted,
            "gateway_id": head.gateway_id,
            "gateway_epoch": head.gateway_epoch,
            "gateway_seq": proved.seq,
            "signed_at": rfc3339(head.at),
            "size": head.size,
            "key_id": proved.key_id,
            "type": BY_TYPE[type(record)].stem,
            "record": asdict(record),
        }
        output.line_json(said)
        return
    output.result(
        f"proved: record {proved.seq} of {head.gateway_id}, epoch {head.gateway_epoch}, stood in"
        f" its history of {head.size} records when that was signed with key {proved.key_id}"
        f" at {rfc3339(head.at)}"
    )
    if not trusted:
        output.result("the key is the file's own: compare it with one from whom you trust (--key)")
    output.result(f"{BY_TYPE[type(record)].stem}")
    for line in proof_text.lines(record):
        output.result(line)

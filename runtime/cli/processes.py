"""``custody gateway | worker | warehouse``: one long-running process, in the foreground.

The supervisor, a container or a person starts these; they end cleanly on SIGTERM and Ctrl-C.
"""

import json
import os

import click

from runtime import processes
from runtime.cli.main import FOUND
from runtime.settings import load


@click.command()
def gateway() -> None:
    """Run the site gateway: requests in, durable events out.

    \b
    Example:
      CUSTODY_GATEWAY__PORT=8401 custody gateway
    """
    processes.gateway(load(os.environ))


@click.command()
@click.option("--no", type=click.IntRange(min=1), default=1, show_default=True, help="Its number.")
def worker(*, no: int) -> None:
    """Run one stream worker: facts in, transfers, balances and alerts out.

    \b
    Example:
      custody worker --no 2
    """
    processes.worker(load(os.environ), no)


@click.group("warehouse", invoke_without_command=True)
@click.pass_context
def warehouse(context: click.Context) -> None:
    """Run the sink: records in, rows out; it also answers SQL over HTTP.

    check and rebuild are about what is stored beside its base (edges, corrections, repeats, daily
    sums), and about what views and tables are by the migrations.
    rewind is for a warehouse that was lost, or an offset that somebody has moved.

    \b
    Examples:
      custody warehouse
      custody warehouse check
    """
    if context.invoked_subcommand is None:
        processes.warehouse(load(os.environ))


@warehouse.command("check")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per check.")
def warehouse_check(*, as_json: bool) -> int:
    """Hold edges, corrections, repeats and daily sums against what makes them. Exit 1: they differ.

    Likewise each view, table and function against what the migrations make, by an engine in an
    empty directory.

    \b
    Example:
      custody warehouse check
    """
    from runtime import definitions, rollups
    from runtime.cli import complete_to, connect
    from runtime.cli.verify import shown

    with connect.warehouse() as opened:
        found = rollups.check(opened.rows)
        if not load(os.environ).sink.clickhouse_cluster:
            found.append(definitions.check(opened.rows, definitions.made()))
        complete_to.say(opened)
    shown(found, as_json=as_json, complete=True)
    return 0 if all(one.clean for one in found) else FOUND


@warehouse.command("rebuild")
def warehouse_rebuild() -> None:
    """Make edges, corrections, repeats, daily sums and views anew from what they are made from.

    With the stack or the warehouse process stopped: what is stored meanwhile would be missing. The
    embedded engine refuses a second process; on a server nobody does. Refused where a migration was
    changed after it was applied. custody warehouse check afterwards.

    \b
    Example:
      custody down && custody warehouse rebuild && custody up && custody warehouse check
    """
    from contextlib import closing

    from runtime import definitions, rollups, wiring
    from runtime.cli import output
    from sinks.client import open_warehouse
    from sinks.migrate import check_unchanged

    settings = load(os.environ)
    with closing(open_warehouse(wiring.warehouse(settings))) as opened:
        check_unchanged(opened)
        rollups.rebuild(opened.command)
        if not settings.sink.clickhouse_cluster:
            definitions.put_back(opened.command)
    output.result(f"made anew: {', '.join(rollups.ROLLUPS)}, views")


@warehouse.command("rewind")
@click.option("--send", is_flag=True, help="Do it. Without it, only say what stands.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def warehouse_rewind(*, send: bool, as_json: bool) -> None:
    """Let the sink go on from what the tables have, whatever its offsets in Kafka say.

    For a warehouse that was lost or begins in an empty directory, and for an offset that somebody
    has moved. The offsets of the sink's group are forgotten: its next start begins behind the last
    batch that is stored, and where there is none at the first record the broker has. No row is
    stored twice. The warehouse has to be stopped, Kafka not; waits until the broker has let go of
    the one that was stopped last.

    \b
    Examples:
      custody warehouse rewind                           # what is committed
      custody warehouse rewind --send && custody up      # after the warehouse has stopped
    """
    from runtime import ends, wiring
    from runtime.cli import output
    from schemas import topics
    from sinks.config import GROUP
    from sinks.rewind import forget

    settings = load(os.environ)
    kafka = wiring.kafka_options(settings, wiring.bootstrap(settings))
    stored = [topic.name for topic in topics.TOPICS]
    found = ends.committed(kafka, GROUP, stored)
    places = {f"{t}/{p}": at for t, some in found.items() for p, at in sorted(some.items()) if at}
    forgotten = send and forget(
        kafka,
        GROUP,
        settings.sink.session_timeout_s + 5.0,
        lambda: output.talk(f"waiting until the broker has let go of the last {GROUP}"),
    )
    if as_json:
        output.result(json.dumps({"group": GROUP, "committed": places, "forgotten": forgotten}))
        return
    for place, at in places.items():
        output.result(f"{place}  committed up to {at}")
    if send:
        output.result(f"forgotten: the next start of {GROUP} goes on from what the tables have")
    else:
        output.result(f"{len(places)} offsets of {GROUP}; --send forgets them")

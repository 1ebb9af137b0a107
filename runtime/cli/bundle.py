"""``custody bundle gateway``: one archive that installs a gateway where there is no network."""

import tempfile
from pathlib import Path

import click

from runtime.bundle import archive
from runtime.bundle.fetch import fetch
from runtime.bundle.wheels import PLATFORMS, PYTHONS, this_platform
from runtime.cli import output


@click.group()
def bundle() -> None:
    """Archives to carry to a plant that has no line.

    \b
    Example:
      custody bundle gateway --platform windows-amd64
    """


@bundle.command("gateway")
@click.option(
    "--platform",
    "platform_name",
    type=click.Choice(list(PLATFORMS)),
    help="Of the plant's machine; this machine's by default.",
)
@click.option(
    "--python",
    "pythons",
    type=click.Choice(PYTHONS),
    multiple=True,
    help="Version of Python there; may be given again. All of these by default.",
)
@click.option("--out", type=click.Path(path_type=Path), help="The archive; named by default.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def bundle_gateway(
    *, platform_name: str | None, pythons: tuple[str, ...], out: Path | None, as_json: bool
) -> None:
    """Write an archive with all that a gateway needs but Python itself.

    In it: the wheels of the locked packages, hashes checked, and of custody; a script that
    installs them without a network; what runs it as a service. The same code gives the same
    bytes. Needs the index of pip's settings, and pip.

    \b
    Examples:
      custody bundle gateway
      custody bundle gateway --platform linux-aarch64 --python 3.11 --out gateway.tar.gz
    """
    chosen = platform_name or this_platform()
    ends = archive.suffixes(chosen)
    if out is not None and not out.name.endswith(ends):
        message = f"the archive for {chosen} is named *{' or *'.join(ends)}, not {out.name}"
        raise click.BadParameter(message, param_hint="--out")
    path = out or Path(archive.default_name(chosen))
    with tempfile.TemporaryDirectory(prefix="custody-bundle-") as scratch:
        wanted = [one for one in PYTHONS if one in pythons] or PYTHONS
        wheels = fetch(chosen, wanted, Path(scratch))
        written = archive.write(chosen, wheels, Path(scratch), path, wanted)
    if as_json:
        row = {
            "path": str(written.path),
            "platform": chosen,
            "sha256": written.sha256,
            "size_bytes": written.size_bytes,
            "files": written.files,
        }
        output.line_json(row)
        return
    output.result(f"{written.sha256}  {written.path}")
    output.talk(f"{written.files} files, {written.size_bytes / 1e6:.1f} MB, for {chosen}")

"""The files of the project, for tests that read it. Generated and untracked files are left out."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PACKAGES = (
    "custody",
    "schemas",
    "telemetry",
    "producers",
    "streams",
    "sinks",
    "console",
    "web",
    "runtime",
)

_BESIDE = ("demo", "bench", "dashboards")


def modules(*, with_tests: bool = False) -> list[Path]:
    """Return every Python module, relative to the root, in order."""
    folders = (*PACKAGES, *_BESIDE, *(("tests",) if with_tests else ()))
    return sorted(
        path.relative_to(ROOT)
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if "__pycache__" not in path.parts
    )


def pages() -> list[Path]:
    """Return every document, relative to the root, in order."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "bench").glob("*.md")]
    return sorted(path.relative_to(ROOT) for path in found)


def text(path: Path) -> str:
    """Return the text of a file named from the root."""
    return (ROOT / path).read_text("utf-8")


def dotted(path: Path) -> str:
    """Return a module's name as it is imported."""
    return ".".join(path.with_suffix("").parts)

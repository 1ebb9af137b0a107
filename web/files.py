"""Files of a package, such as pages and their scripts, answered from memory.

Read once at the start and looked up by name, never opened by it: there is no path to escape from.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response

TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}

_PACK_BYTES = 64 * 1024
"""Smaller files gain nothing that anybody sees."""


@dataclass(frozen=True)
class File:
    """A file: its bytes, media type and the tag of its content."""

    body: bytes
    media_type: str
    tag: str

    def answer(self, request: Request, headers: Mapping[str, str]) -> Response:
        """Return it with some headers, or 304 where the asker has it."""
        headers = {**headers, "ETag": self.tag}
        if self.tag in request.headers.get("if-none-match", ""):
            return Response(None, 304, headers)
        if len(self.body) < _PACK_BYTES or "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(self.body, 200, headers, self.media_type)
        packed = {**headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        return Response(self._packed, 200, packed, self.media_type)

    @cached_property
    def _packed(self) -> bytes:
        return gzip.compress(self.body, 6, mtime=0)


def file_of(name: str, body: bytes) -> File:
    """Return a file of some bytes; its name has one of the endings of ``TYPES``."""
    _, dot, ending = name.rpartition(".")
    return File(body, TYPES[dot + ending], f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def files_of(folder: Traversable, prefix: str = "") -> dict[str, File]:
    """Return the files of a folder and of those in it, by name such as ``words/fr.json``."""
    found: dict[str, File] = {}
    for item in folder.iterdir():
        name = prefix + item.name
        if item.is_dir():
            found |= files_of(item, f"{name}/")
        elif any(name.endswith(ending) for ending in TYPES):
            found[name] = file_of(name, item.read_bytes())
    return found

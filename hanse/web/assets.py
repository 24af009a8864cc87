"""Static files under an address that holds a hash of their content, so that browsers may keep them for a year."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

FOLDER = Path(__file__).parent / "static"
TYPES = {
    ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml",
    ".json": "application/json", ".txt": "text/plain", ".md": "text/plain",
}  # fmt: skip
YEAR = "public, max-age=31536000, immutable"


@cache
def names() -> dict[str, Path]:
    """The shell's static files by name below the folder."""
    return {str(p.relative_to(FOLDER)): p for p in sorted(FOLDER.rglob("*")) if p.is_file() and p.suffix in TYPES}


@cache
def mark(name: str) -> str:
    """The first 12 hex digits of a file's SHA-256."""
    return hashlib.sha256(names()[name].read_bytes()).hexdigest()[:12]


@cache
def packed(name: str) -> tuple[bytes, bytes]:
    """A file's bytes, plain and compressed by gzip."""
    plain = names()[name].read_bytes()
    return plain, gzip.compress(plain, 9, mtime=0)


def asset(name: str) -> str:
    """The address of a static file, for templates: `asset("hanse.css")`. Raises KeyError when there is none."""
    return f"/static/{mark(name)}/{name}"


@get("/static/{path:path}", opt={"static": True, "public": True}, sync_to_thread=False, include_in_schema=False)
def static_file(request: Request[Any, Any, Any], path: FromPath[Path]) -> Response[bytes]:
    """A static file; under its hash for a year, under its plain name or an older hash for a minute."""
    name = str(path).lstrip("/")
    head, _, rest = name.partition("/")
    hashed = rest in names() and head == mark(rest)
    if rest in names() and len(head) == 12:
        name = rest
    if name not in names():
        raise NotFoundException
    plain, small = packed(name)
    wants = "gzip" in request.headers.get("accept-encoding", "")
    headers = {"Cache-Control": YEAR if hashed else "public, max-age=60", "Vary": "Accept-Encoding"}
    if wants:
        headers["Content-Encoding"] = "gzip"
    return Response(small if wants else plain, media_type=TYPES[Path(name).suffix], headers=headers)

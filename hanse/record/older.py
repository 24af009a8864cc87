"""Older partial tiles: what a wider tile has replaced lies on until the full one does, and must begin it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from .merkle import HASH_BYTES, TILE_WIDTH
from .tiles import ENTRIES, Level, parse_tile_path, tile_path, unpack_bundle


def wrong_older_tiles(public: Path, size: int) -> Iterator[tuple[str, str]]:
    """(path, what is wrong) of each partial tile that no tree of `size` entries needs any more.

    Args:
        size: of the tree whose own tiles were checked; what reaches beyond it is not looked at.
    """
    for path in sorted((public / "tile").rglob("*.p/*")):
        name = str(path.relative_to(public))
        found = parse_tile_path(name)
        if found is None:
            continue
        level, number, width = found
        hashes = size >> (0 if level == ENTRIES else 8 * int(level))
        wider = min(TILE_WIDTH, hashes - number * TILE_WIDTH)
        if width >= wider:
            continue
        with suppress(FileNotFoundError):  # another has taken it away meanwhile
            data = path.read_bytes()
            if not _begins(data, width, level, _wider(public, level, number, wider)):
                yield name, "it does not begin the wider tile that has replaced it"


def _wider(public: Path, level: Level, number: int, width: int) -> bytes:
    """A tile's bytes; where a partial one is gone, those of the full one that replaced it."""
    try:
        return (public / tile_path(level, number, width)).read_bytes()
    except FileNotFoundError:
        return (public / tile_path(level, number)).read_bytes()


def _begins(data: bytes, width: int, level: Level, wider: bytes) -> bool:
    if not wider.startswith(data):
        return False
    if level != ENTRIES:
        return len(data) == HASH_BYTES * width
    entries, whole = unpack_bundle(data)
    return whole and len(entries) == width

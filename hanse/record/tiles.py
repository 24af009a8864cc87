"""The published tree: hash tiles, entry bundles and a checkpoint as plain files (C2SP tlog-tiles).

``tile/<level>/<number>[.p/<width>]`` holds up to 256 hashes; ``tile/entries/<number>[.p/<width>]`` the entries behind a
tile of level 0. A tile that is not full is *partial*, and its width is part of its name: no file ever changes. Whoever
reads takes the checkpoint first; so it is published last, when everything that it needs is on the disk.
"""

from __future__ import annotations

import re
import struct
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from .damage import damaged
from .files import REAL_FILES, Files
from .merkle import HASH_BYTES, TILE_WIDTH

ENTRIES = "entries"
CHECKPOINT = "checkpoint"
TEMPORARY = ".new"
_BATCH = 32
_THREADS = 4
Level = int | str
"""A tile level, 0 to 63, or `ENTRIES`."""
Fetch = Callable[[str], bytes]
"""``fetch(path)``: the bytes of a published file; raises FileNotFoundError where there is none."""
_TILE_PATH = re.compile(
    r"tile/(entries|0|[1-5]?[0-9]|6[0-3])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII
)


def tile_path(level: Level, number: int, width: int = TILE_WIDTH) -> str:
    """The path of a tile or entry bundle (tlog-tiles, "Merkle Tree" and "Log entries").

    >>> tile_path(0, 1234067), tile_path("entries", 273, 112)
    ('tile/0/x001/x234/067', 'tile/entries/273.p/112')
    """
    path = f"{number % 1000:03}"
    while number >= 1000:
        number //= 1000
        path = f"x{number % 1000:03}/{path}"
    return f"tile/{level}/{path}" + ("" if width == TILE_WIDTH else f".p/{width}")


def parse_tile_path(path: str) -> tuple[Level, int, int] | None:
    """(level, number, width) of a path that `tile_path` can give; None for any other text.

    >>> parse_tile_path("tile/0/x001/x234/067"), parse_tile_path("tile/0/../../key")
    ((0, 1234067, 256), None)
    """
    match = _TILE_PATH.fullmatch(path)
    if match is None:
        return None
    level: Level = match[1] if match[1] == ENTRIES else int(match[1])
    found = level, int(match[2].replace("x", "").replace("/", "")), int(match[3] or TILE_WIDTH)
    return found if tile_path(*found) == path else None


def tiles_of(size: int) -> Iterator[tuple[int, int, int]]:
    """(level, full tiles, width of the partial tile or 0) of each level of a tree (tlog-tiles, "Partial Tiles").

    >>> list(tiles_of(70_000))
    [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    """
    level = 0
    while size:
        yield level, size // TILE_WIDTH, size % TILE_WIDTH
        size //= TILE_WIDTH
        level += 1


def pack_bundle(entries: Iterable[bytes]) -> bytes:
    """An entry bundle: each entry behind its length, uint16 big-endian (tlog-tiles, "Log entries")."""
    parts: list[bytes] = []
    for entry in entries:
        parts += (struct.pack(">H", len(entry)), entry)
    return b"".join(parts)


def unpack_bundle(data: bytes) -> tuple[list[bytes], bool]:
    """The entries of a bundle as far as its lengths tell them apart, and whether that is to its end.

    >>> unpack_bundle(pack_bundle([b"a", b""])), unpack_bundle(b"\\x00\\x01a\\x00\\x09b")
    (([b'a', b''], True), ([b'a'], False))
    """
    entries: list[bytes] = []
    at = 0
    while at < len(data):
        stop = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if stop > len(data) or at + 2 > len(data):
            return entries, False
        entries.append(data[at + 2 : stop])
        at = stop
    return entries, True


def first_wrong(leaves: Sequence[bytes], whole: bool, expected: Sequence[bytes]) -> int | None:
    """The place of the first leaf hash that is wrong, missing, or too many; None where all is right."""
    for at, pair in enumerate(zip(leaves, expected, strict=False)):
        if pair[0] != pair[1]:
            return at
    if len(leaves) == len(expected) and whole:
        return None
    return min(len(leaves), len(expected) - 1)


class TileReader:
    """Tiles and bundles of a tree of a given size, each checked for its length; full tiles are kept in a small
    cache.
    """

    def __init__(self, fetch: Fetch, cache_tiles: int = 512) -> None:
        self._fetch = fetch
        self._cache: OrderedDict[str, bytes] = OrderedDict()
        self._cache_tiles = cache_tiles

    def _get(self, level: Level, number: int, width: int) -> tuple[str, bytes, int]:
        """(path, bytes, width) of a tile; where a partial one is gone, the full one that replaced it."""
        path = tile_path(level, number, width)
        try:
            return path, self._fetch(path), width
        except FileNotFoundError:
            if width == TILE_WIDTH:
                raise damaged(path, None, "the file is missing") from None
        full = tile_path(level, number)
        try:
            return full, self._fetch(full), TILE_WIDTH
        except FileNotFoundError:
            raise damaged(path, None, "the file is missing") from None

    def tile(self, level: int, number: int, width: int) -> bytes:
        """The first `width` hashes of a tile, concatenated. Raises: `Damaged` (missing, or of another length)."""
        key = tile_path(level, number)
        known = self._cache.get(key)
        if known is None:
            path, known, stored = self._get(level, number, width)
            if len(known) != HASH_BYTES * stored:
                raise damaged(path, None, f"{len(known)} bytes, not {HASH_BYTES * stored}")
            if stored == TILE_WIDTH:
                self._cache[key] = known
                if len(self._cache) > self._cache_tiles:
                    self._cache.popitem(last=False)
        return known[: HASH_BYTES * width]

    def bundle(self, number: int, width: int) -> tuple[str, list[bytes], bool]:
        """(path, entries, whole) of a bundle that should hold `width` entries; nothing is proven yet.

        Raises: `Damaged` (missing).
        """
        path, data, stored = self._get(ENTRIES, number, width)
        entries, whole = unpack_bundle(data)
        return path, (entries[:width] if stored > width else entries), whole or stored > width

    def hashes(self, size: int) -> Callable[[int, int, int], bytes]:
        """`merkle.StoredHashes` of the tree of `size` entries: never reads what such a tree does not have."""

        def read(level: int, first: int, count: int) -> bytes:
            number, at = divmod(first, TILE_WIDTH)
            width = min(TILE_WIDTH, (size >> 8 * level) - number * TILE_WIDTH)
            return self.tile(level, number, width)[HASH_BYTES * at : HASH_BYTES * (at + count)]

        return read


class TileWriter:
    """Writes published files so that a crash at any point leaves the old checkpoint with all that it needs."""

    def __init__(self, directory: Path, files: Files = REAL_FILES) -> None:
        self.directory = directory
        self._files = files
        self._unsynced: set[Path] = set()  # directories in which names are new
        self._made: set[Path] = set()

    def write(self, path: str, data: bytes) -> None:
        """Write one file under its name; the name is on the disk only after `sync`. Writing it again is harmless."""
        self._prepare(path)
        self._write(path, data, TEMPORARY)

    def write_all(self, items: Iterable[tuple[str, bytes]]) -> None:
        """`write` of many (path, bytes); where they are many, several wait for the disk at a time."""
        items = iter(items)
        while batch := list(islice(items, _BATCH)):
            for path, _ in batch:
                self._prepare(path)
            if len(batch) < _BATCH:
                for path, data in batch:
                    self._write(path, data, TEMPORARY)
            else:
                with ThreadPoolExecutor(_THREADS) as threads:
                    paths, contents = zip(*batch, strict=True)
                    list(threads.map(self._write, paths, contents, [f"{TEMPORARY}{n}" for n in range(len(batch))]))

    def clean(self) -> None:
        """Remove what a crash left half-written."""
        for left in sorted(self.directory.glob(f"{TEMPORARY}*")):
            self._files.remove(left)

    def _prepare(self, path: str) -> None:
        """Make the directories of a file, and note that its name will be new."""
        parent = (self.directory / path).parent
        if parent not in self._made:
            parent.mkdir(parents=True, exist_ok=True)
            self._made.add(parent)
            self._unsynced.update(self._up_from(parent))
        self._unsynced.add(parent)

    def _write(self, path: str, data: bytes, temporary: str) -> None:
        self._files.write_new(self.directory / temporary, data)
        self._files.rename(self.directory / temporary, self.directory / path)

    def _up_from(self, directory: Path) -> Iterator[Path]:
        while directory != self.directory:
            yield directory
            directory = directory.parent
        yield directory

    def sync(self) -> None:
        """Return when all names are on the disk."""
        for directory in sorted(self._unsynced):
            self._files.sync_directory(directory)
        self._unsynced.clear()

    def publish(self, checkpoint: bytes) -> None:
        """1. All names of tiles on the disk. 2. The checkpoint, 3. renamed into place, 4. its name on the disk."""
        self.sync()
        self.write(CHECKPOINT, checkpoint)
        self.sync()

    def remove_partial(self, level: Level, number: int) -> None:
        """Remove the partial tiles of a tile that is now published in full."""
        folder = self.directory / f"{tile_path(level, number)}.p"
        if folder.is_dir():
            for partial in sorted(folder.iterdir()):
                self._files.remove(partial)
            folder.rmdir()
            self._made.discard(folder)
            self._unsynced.discard(folder)


def fetch_from(directory: Path) -> Fetch:
    """`Fetch` from a directory."""
    return lambda path: (directory / path).read_bytes()

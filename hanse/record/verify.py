"""Verifying a log offline: from a copy of its directory, without a running node and without private keys.

Everything is recomputed, and each file is held against the others, so that a finding names the file that is wrong:

1. the checkpoint's form and signature; 2. the partial tiles at the right edge against its root; 3. each full tile
against its hash in the tile above; 4. each entry of each bundle against its hash in the tile; 5. each entry of the
segment, where there is one, against the same hash, and its checksums; 6. what spares work and is never believed:
partial tiles that wider ones replaced, and the segment's index.

What is proven by the root is right, and what differs from it is wrong. Where the checkpoint cannot be used, the tiles
at the right edge are taken as they are, which shows damage below them but no forgery. Where a tile is wrong, its hashes
are computed from what lies below; if these are proven, checking goes on with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, product
from pathlib import Path

from . import merkle
from .damage import Damaged, Finding
from .frames import SEGMENT
from .log import KEY, read_keys
from .merkle import HASH_BYTES, TILE_WIDTH
from .note import Checkpoint, Note, NoteError, VerifierKey
from .older import wrong_older_tiles
from .segment import INDEX, Segment
from .tiles import CHECKPOINT, TileReader, fetch_from, first_wrong, parse_tile_path, tile_path, tiles_of

Progress = Callable[[int, int], None]
"""``on_progress(entries checked, entries in all)``"""


@dataclass
class Report:
    """What was checked and what is wrong.

    size: entries that the checkpoint covers; None where it cannot be used. root: its root, 32 bytes.
    signed_by: names of the keys whose signature on it holds. own_key: no key was given, and the one in the record was
    used: that shows damage, not forgery. unpublished: whole entries in the segment that no checkpoint covers yet.
    segment_checked: whether there was a segment.
    """

    size: int | None = None
    root: bytes = b""
    signed_by: list[str] = field(default_factory=list)
    own_key: bool = False
    unpublished: int = 0
    segment_checked: bool = False
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def verify(
    directory: Path | str,
    keys: Sequence[VerifierKey] = (),
    origin: str | None = None,
    on_progress: Progress | None = None,
) -> Report:
    """Check a log's directory, or a copy of its published part; nothing is changed.

    Args:
        keys: the log's keys, as known from elsewhere; without them the key in the record is used.
        origin: the origin that the checkpoint must have; None takes any.
    """
    return _Verifier(Path(directory), keys, origin, on_progress or (lambda done, total: None)).run()


class _Verifier:
    def __init__(self, directory: Path, keys: Sequence[VerifierKey], origin: str | None, progress: Progress) -> None:
        self.directory, self.keys, self.origin, self.progress = directory, list(keys), origin, progress
        self.prefix = "public/" if (directory / "public").is_dir() else ""
        self.report = Report()
        self.tiles = TileReader(fetch_from(directory / self.prefix))
        self.size = 0
        self.done = 0
        self.segment: Iterator[bytes] | None = None

    def run(self) -> Report:
        """All steps of the module's docstring."""
        checkpoint = self.read_checkpoint()
        if checkpoint is not None:
            self.report.size, self.report.root = checkpoint.size, checkpoint.root
        self.size, root = (checkpoint.size, checkpoint.root) if checkpoint else (self.size_of_tiles(), None)
        segment = self.open_segment(checkpoint.size if checkpoint else 0)
        try:
            self.check_tree(root)
            if self.segment is not None:
                self.check_rest()
            for path, what in wrong_older_tiles(self.directory / self.prefix, self.size):
                self.found(self.prefix + path, None, what)
            if segment is not None and (fault := segment.index_fault()):
                self.found(INDEX, None, fault)
        finally:
            if segment is not None:
                segment.abandon()
        return self.report

    def size_of_tiles(self) -> int:
        """The size of the tree by the names of its tiles: what is left to go by when the checkpoint cannot be used."""
        size = 0
        public = self.directory / self.prefix
        for path in (public / "tile" / "0").rglob("*"):
            tile = parse_tile_path(str(path.relative_to(public)))
            if tile is not None and path.is_file():
                size = max(size, tile[1] * TILE_WIDTH + tile[2])
        return size

    def found(self, path: str, entry: int | None, what: str) -> None:
        """Take down a finding."""
        self.report.findings.append(Finding(path, entry, what))

    def found_published(self, error: Damaged) -> None:
        """Take down what reading a published file raised."""
        finding = error.finding
        self.found(self.prefix + finding.file, finding.entry, finding.what)

    # 1. checkpoint

    def read_checkpoint(self) -> Checkpoint | None:
        """The checkpoint; None, and reported, where it cannot be read or no signature of the log holds."""
        path = self.prefix + CHECKPOINT
        self.read_own_keys()
        try:
            note = Note.parse((self.directory / path).read_bytes())
            checkpoint = Checkpoint.parse(note.text)
        except FileNotFoundError:
            if (
                self.prefix == ""
                or not (self.directory / SEGMENT).exists()
                or (self.directory / "public/tile").exists()
            ):
                self.found(path, None, "the file is missing")
            return None
        except NoteError as error:
            self.found(path, None, str(error))
            return None
        try:
            if self.keys:
                self.report.signed_by = [key.name for key in note.verified(self.keys)]
        except NoteError as error:
            self.found(path, None, str(error))
            return None
        if self.origin is not None and checkpoint.origin != self.origin:
            self.found(path, None, f"a checkpoint of {checkpoint.origin!r}, not of {self.origin!r}")
        return checkpoint

    def read_own_keys(self) -> None:
        """Read the keys that lie in the record; use them where no other was given."""
        try:
            own = read_keys((self.directory / self.prefix / KEY).read_bytes())
        except FileNotFoundError:
            if not self.keys and (self.directory / self.prefix / CHECKPOINT).exists():
                self.found(self.prefix + KEY, None, "the file is missing, and no other key was given")
            return
        except NoteError as error:
            self.found(self.prefix + KEY, None, str(error))
            return
        if not self.keys:
            self.keys, self.report.own_key = own, True

    def open_segment(self, keep: int) -> Segment | None:
        """The segment, scanned to its end, if there is one."""
        try:
            segment = Segment.open(self.directory, read_only=True, scan=True, keep=keep)
        except FileNotFoundError:
            return None
        except Damaged as error:
            self.report.segment_checked = True
            self.report.findings.append(error.finding)
            return None
        self.report.segment_checked = True
        if segment.cut_bytes:
            what = f"the last {segment.cut_bytes} bytes are no whole group: a write that a crash cut short, or damage"
            self.found(SEGMENT, segment.size, what)
        self.report.unpublished = max(0, segment.size - self.size)
        self.segment = segment.iterate()
        return segment

    # 2. the right edge

    def check_tree(self, root: bytes | None) -> None:
        """Walk the tree from left to right, below each hash of the partial tiles; a root of None is not known."""
        levels = [step for step in tiles_of(self.size) if step[2]][::-1]
        edge = self.edge_of(root, levels)
        for (level, number, width), hashes in zip(levels, edge, strict=True):
            if level == 0:
                self.check_bundle(number, width, hashes)
                continue
            for at in range(width):
                expected = hashes[HASH_BYTES * at : HASH_BYTES * (at + 1)] if hashes else None
                self.walk(level - 1, number * TILE_WIDTH + at, expected)

    def edge_of(self, root: bytes | None, levels: Sequence[tuple[int, int, int]]) -> list[bytes | None]:
        """The hashes of the partial tiles that lead to the root; what differs from them is reported."""
        stored = [self.stored(*step) for step in levels]
        if root is None or _root_of_edge(stored) == root:
            return stored
        computed = [self.computed(*step) for step in levels]
        choices = sorted(product((False, True), repeat=len(levels)), key=sum)
        for choice in choices:
            edge = [computed[i] if use else stored[i] for i, use in enumerate(choice)]
            if _root_of_edge(edge) != root:
                continue
            for i, use in enumerate(choice):
                if use and stored[i] is not None:
                    self.found_tile(levels[i], stored[i], edge[i])
            return edge
        if not self.report.findings:
            what = "its root follows neither from the tiles at the right edge nor from what lies below them"
            self.found(self.prefix + CHECKPOINT, None, what)
        return [mine if mine is not None else other for mine, other in zip(stored, computed, strict=True)]

    def stored(self, level: int, number: int, width: int) -> bytes | None:
        """The hashes of a tile as they are stored; None, and reported, where they cannot be read."""
        try:
            return self.tiles.tile(level, number, width)
        except Damaged as error:
            self.found_published(error)
            return None

    def computed(self, level: int, number: int, width: int) -> bytes | None:
        """The hashes of a tile from what is stored one level below; None where that cannot be read."""
        try:
            if level == 0:
                leaves = merkle.leaf_hashes(self.tiles.bundle(number, width)[1])
                return b"".join(leaves) if len(leaves) == width else None
            first = number * TILE_WIDTH
            below = (self.tiles.tile(level - 1, first + at, TILE_WIDTH) for at in range(width))
            return b"".join(map(merkle.fold_perfect, below))
        except Damaged:
            return None

    def found_tile(self, step: tuple[int, int, int], stored: bytes | None, right: bytes | None) -> None:
        """Report a wrong tile, with the first entry below its first wrong hash."""
        level, number, width = step
        at = 0
        if stored is not None and right is not None:
            pairs = zip(merkle.split_hashes(stored), merkle.split_hashes(right), strict=True)
            at = next((at for at, (mine, other) in enumerate(pairs) if mine != other), 0)
        entry = (number * TILE_WIDTH + at) * TILE_WIDTH**level
        path = self.prefix + self.stored_path(level, number, width)
        self.found(path, entry, "the tile's hash of it is not the one that the checkpoint proves")

    def stored_path(self, level: int, number: int, width: int) -> str:
        """Where a tile was read: a partial one may have been replaced by the full one."""
        path = tile_path(level, number, width)
        return path if (self.directory / self.prefix / path).exists() else tile_path(level, number)

    # 3. full tiles

    def walk(self, level: int, number: int, expected: bytes | None) -> None:
        """Check a full tile against its hash in the tile above (None: not known), and all below it."""
        hashes = self.stored(level, number, TILE_WIDTH)
        if expected is not None and (hashes is None or merkle.fold_perfect(hashes) != expected):
            below = self.computed(level, number, TILE_WIDTH)
            if below is not None and merkle.fold_perfect(below) != expected:
                below = None
            if hashes is not None:
                self.found_tile((level, number, TILE_WIDTH), hashes, below)
            hashes = below
        if level == 0:
            self.check_bundle(number, TILE_WIDTH, hashes)
            return
        for at in range(TILE_WIDTH):
            proven = hashes[HASH_BYTES * at : HASH_BYTES * (at + 1)] if hashes else None
            self.walk(level - 1, number * TILE_WIDTH + at, proven)

    # 4. and 5. entries

    def check_bundle(self, number: int, width: int, hashes: bytes | None) -> None:
        """Check a bundle, and as many entries of the segment, against the hashes of its tile (None: not known)."""
        first = number * TILE_WIDTH
        expected = merkle.split_hashes(hashes) if hashes else None
        proven: list[bytes] = []
        try:
            path, entries, whole = self.tiles.bundle(number, width)
            if expected is not None and self.compare(self.prefix + path, first, entries, whole, expected):
                proven = entries
        except Damaged as error:
            self.found_published(error)
        mine = self.from_segment(width)
        if mine is not None and expected is not None and mine != proven:
            self.compare(SEGMENT, first, mine, True, expected)
        self.done += width
        self.progress(self.done, self.size)

    def compare(self, path: str, first: int, entries: list[bytes], whole: bool, expected: list[bytes]) -> bool:
        """Report the first entry whose hash is not the expected one; whether there is none."""
        wrong = first_wrong(merkle.leaf_hashes(entries), whole, expected)
        if wrong is not None:
            self.found(path, first + wrong, "the entry does not have its hash in the tree")
        return wrong is None

    def from_segment(self, count: int) -> list[bytes] | None:
        """The next entries of the segment; None where there is none, or no longer."""
        if self.segment is None:
            return None
        try:
            return list(islice(self.segment, count))
        except Damaged as error:
            self.report.findings.append(error.finding)
            self.segment = None
            return None

    def check_rest(self) -> None:
        """The entries of the segment behind the checkpoint: their checksums."""
        while self.from_segment(TILE_WIDTH):
            pass


def _root_of_edge(edge: Sequence[bytes | None]) -> bytes | None:
    """The root over the partial tiles, highest level first; None where one is not known."""
    parts: list[bytes] = []
    for hashes in edge:
        if hashes is None:
            return None
        parts += merkle.perfect_parts(hashes)
    return merkle.fold_right(parts) if parts else merkle.empty_root()

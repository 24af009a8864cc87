"""The log: a segment, the tree over it, its published tiles and signed checkpoints, kept in step.

Order of trust: the segment is what happened. Tiles are computed from it and can be computed again. A checkpoint is
what was promised to others: the log never signs one that does not extend the last, and does not open on fewer entries
than it covers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from threading import Lock
from types import TracebackType

from . import merkle
from .damage import Damaged, damaged
from .files import REAL_FILES, Files
from .merkle import HASH_BYTES, TILE_WIDTH, Frontier
from .note import Checkpoint, Note, NoteError, SignatureLine, Signer, VerifierKey, open_checkpoint
from .segment import Segment
from .tiles import CHECKPOINT, ENTRIES, TileReader, TileWriter, fetch_from, pack_bundle, tile_path, tiles_of

PUBLIC = "public"
KEY = "key"
_REBUILD_ENTRIES = 1 << 18


class Log:
    """An append-only log in a directory. One thread appends; `publish`, `sync` and reading may run in others."""

    def __init__(self, segment: Segment, origin: str, signer: Signer | None, files: Files) -> None:
        self.origin = origin
        self.repaired = False
        """Whether `open` found published tiles wrong or missing and will write them anew at the next `publish`."""
        self._segment, self._signer, self._files = segment, signer, files
        self._public = segment.directory / PUBLIC
        self._tiles = TileReader(fetch_from(self._public))
        self._writer = TileWriter(self._public, files)
        self._edge = Frontier()
        self._recent: list[bytearray] = []  # by tile level: the hashes from the start of the last published tile on
        self._published = 0
        self._checkpoint: bytes | None = None
        self._keys: list[VerifierKey] = []  # every key that ever signed here, as on file
        self._memory = Lock()
        self._publishing = Lock()

    @classmethod
    def open(cls, directory: Path | str, origin: str, signer: Signer | None = None, files: Files = REAL_FILES) -> Log:
        """Open the log in a directory, making it where there is none, and recover from a crash.

        Args:
            origin: the log's name in its checkpoints; it cannot change.
            signer: a log key whose name should be the origin; without it nothing can be published.
        Raises, in order: `Damaged` (the key file or checkpoint is not readable, the checkpoint not signed by the signer
            or a key on file, or of another origin), `Locked`, `UnknownVersion`, `Damaged` (segment; or a checkpoint
            that the entries do not lead to).
        """
        directory = Path(directory)
        (directory / PUBLIC).mkdir(parents=True, exist_ok=True)
        keys = _keys_on_file(directory / PUBLIC / KEY)
        checkpoint, data = _last_checkpoint(directory / PUBLIC, origin, [*keys, signer.key] if signer else keys)
        segment = Segment.open(directory, keep=checkpoint.size if checkpoint else 0, files=files)
        log = cls(segment, origin, signer, files)
        try:
            log._writer.clean()
            log._recover(checkpoint)
        except BaseException:
            segment.abandon()
            raise
        log._checkpoint, log._keys = data, keys
        return log

    # --- writing ---

    def append(self, entries: Sequence[bytes]) -> int:
        """Append one group; return the index of its first entry. Acknowledge it only after `sync`.

        Raises: as `Segment.append`; the log is then as it was.
        """
        hashes = merkle.leaf_hashes(entries)
        with self._memory:
            first = self._segment.append(entries)
            self._take(hashes)
        return first

    def sync(self) -> int:
        """Put what was appended on the disk; return the number of entries that are there. Raises: as `Segment.sync`."""
        return self._segment.sync()

    def publish(self) -> Checkpoint:
        """Bring tiles and bundles up to date and sign a checkpoint over all entries that there are now.

        Steps: 1. take size and root; 2. sync the segment; 3. write tiles and bundles; 4. write the checkpoint, last.
        A crash anywhere leaves the former checkpoint with its tiles; running it again writes the same files.
        Raises: ValueError without a signer; OSError, `Unusable`.
        """
        if self._signer is None:
            raise ValueError("a log without a signer cannot publish")
        with self._publishing:
            with self._memory:
                checkpoint = Checkpoint(self.origin, self._edge.size, self._edge.root())
            self._segment.sync()
            if self._signer.key not in self._keys:
                self._keys.append(self._signer.key)
                self._writer.write(KEY, write_keys(self._keys))
            self._write_tiles(checkpoint.size)
            data = checkpoint.signed([self._signer])
            self._writer.publish(data)
            before, self._checkpoint = self._published, data
            self._settle(checkpoint.size)
            self._remove_partials(before, checkpoint.size)
            if self._segment.index_due:
                self._segment.save_index()
            return checkpoint

    def add_cosignatures(self, lines: Sequence[SignatureLine], keys: Sequence[VerifierKey]) -> list[VerifierKey]:
        """Put witnesses' signatures under the published checkpoint; return the keys, of those given, that signed.

        Raises: ValueError where nothing is published; `NoteError` where a signature by one of the keys does not hold
            (also where it is of an older checkpoint), or none is by any of them. Lines by other keys are left out.
        """
        with self._publishing:
            if self._checkpoint is None:
                raise ValueError("no checkpoint is published yet")
            note = Note.parse(self._checkpoint)
            found = Note(note.text, tuple(lines)).verified(keys)
            named = {(key.name, key.key_id) for key in found}
            kept = [line for line in note.signatures if (line.name, line.key_id) not in named]
            new = {(line.name, line.key_id): line for line in lines if (line.name, line.key_id) in named}
            data = bytes(Note(note.text, (*kept, *new.values())))
            self._writer.publish(data)
            self._checkpoint = data
            return found

    def close(self) -> None:
        """Sync and close. Nothing is published."""
        self._segment.close()

    def abandon(self) -> None:
        """Close the files as a crash would."""
        self._segment.abandon()

    def __enter__(self) -> Log:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # --- reading ---

    @property
    def size(self) -> int:
        """How many entries there are, synced or not."""
        return self._edge.size

    @property
    def published_size(self) -> int:
        """How many entries the last published checkpoint covers."""
        return self._published

    @property
    def root(self) -> bytes:
        """The root of the tree of all entries (32 bytes)."""
        with self._memory:
            return self._edge.root()

    @property
    def checkpoint(self) -> bytes | None:
        """The last published checkpoint as a signed note, with its cosignatures."""
        return self._checkpoint

    @property
    def segment(self) -> Segment:
        """The segment, for reading entries in bulk."""
        return self._segment

    def entry(self, index: int) -> bytes:
        """One entry. Raises: IndexError, `Damaged`."""
        return self._segment.read(index)

    def root_at(self, size: int) -> bytes:
        """The root of the tree of the first `size` entries. Raises: IndexError where there are fewer."""
        if not 0 <= size <= self.size:
            raise IndexError(f"no tree of {size} in a log of {self.size}")
        return merkle.root_of(size, self._hashes)

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """The proof that entry `index` is in the tree of the first `size` entries (default: of all).

        Raises: ValueError unless 0 <= index < size <= the log's size; `Damaged` (a tile).
        """
        return merkle.inclusion_proof(index, self._within(size), self._hashes)

    def consistency(self, old: int, new: int | None = None) -> list[bytes]:
        """The proof that the tree of `new` entries (default: all) extends that of `old`.

        Raises: ValueError unless 0 <= old <= new <= the log's size; `Damaged` (a tile).
        """
        return merkle.consistency_proof(old, self._within(new), self._hashes)

    # --- inside ---

    def _within(self, size: int | None) -> int:
        if size is not None and size > self.size:
            raise ValueError(f"no tree of {size} in a log of {self.size}")
        return self.size if size is None else size

    def _take(self, hashes: Sequence[bytes]) -> None:
        """Add leaf hashes to the tree; keep what is not published."""
        for level, new in enumerate(self._edge.append(hashes)):
            if level == len(self._recent):
                self._recent.append(bytearray())
            self._recent[level] += b"".join(new)

    def _recent_first(self, level: int) -> int:
        """The first hash of a tile level that is kept in memory: where the tile after the last full published one
        starts.
        """
        return self._published >> 8 * (level + 1) << 8

    def _hashes(self, level: int, first: int, count: int) -> bytes:
        """`merkle.StoredHashes` of the whole log: the recent ones from memory, all others from full tiles."""
        with self._memory:
            start = self._recent_first(level)
            if first >= start:
                return bytes(self._recent[level][HASH_BYTES * (first - start) : HASH_BYTES * (first - start + count)])
        number, at = divmod(first, TILE_WIDTH)
        return self._tiles.tile(level, number, TILE_WIDTH)[HASH_BYTES * at : HASH_BYTES * (at + count)]

    def _write_tiles(self, size: int, *, partial: bool = True) -> None:
        """Write what a tree of `size` entries has and that of the published size has not."""
        self._writer.write_all(self._new_tiles(size, partial))
        self._writer.write_all(self._new_bundles(size, partial))

    def _new_tiles(self, size: int, partial: bool) -> Iterator[tuple[str, bytes]]:
        for level, full, rest in tiles_of(size):
            if size >> 8 * level == self._published >> 8 * level:
                continue
            for number in range(self._recent_first(level) // TILE_WIDTH, full + bool(rest and partial)):
                width = TILE_WIDTH if number < full else rest
                yield tile_path(level, number, width), self._hashes(level, number * TILE_WIDTH, width)

    def _new_bundles(self, size: int, partial: bool) -> Iterator[tuple[str, bytes]]:
        start = self._recent_first(0)
        stop = size if partial else size // TILE_WIDTH * TILE_WIDTH
        if stop <= self._published:
            return
        entries = self._segment.iterate(start, stop)
        while chunk := list(islice(entries, TILE_WIDTH)):
            yield tile_path(ENTRIES, start // TILE_WIDTH, len(chunk)), pack_bundle(chunk)
            start += len(chunk)

    def _settle(self, size: int) -> None:
        """Forget the hashes that now are in full tiles."""
        with self._memory:
            starts = [self._recent_first(level) for level in range(len(self._recent))]
            self._published = size
            for level, start in enumerate(starts):
                del self._recent[level][: HASH_BYTES * (self._recent_first(level) - start)]

    def _remove_partials(self, before: int, size: int) -> None:
        """Remove partial tiles that a full one replaces."""
        for level, full, rest in tiles_of(before):
            if rest and size >> 8 * (level + 1) > full:
                self._writer.remove_partial(level, full)
                if level == 0:
                    self._writer.remove_partial(ENTRIES, full)

    def _recover(self, checkpoint: Checkpoint | None) -> None:
        """Bring the tree up to the segment: from tiles as far as the checkpoint proves them, else from all entries."""
        if checkpoint is not None:
            try:
                self._load(checkpoint)
            except Damaged:
                self.repaired = True
                self._edge, self._recent, self._published = Frontier(), [], 0
                self._rebuild(checkpoint)
        self._read_entries(self._segment.size)

    def _load(self, checkpoint: Checkpoint) -> None:
        """Take the right edge of the tree from tiles. Raises: `Damaged` where it does not have the checkpoint's
        root.
        """
        read = self._tiles.hashes(checkpoint.size)
        edge = Frontier.load(checkpoint.size, read)
        if edge.root() != checkpoint.root:
            raise damaged("tile", None, "the tiles at the right edge do not lead to the checkpoint's root")
        first = max(0, checkpoint.size - 1) // TILE_WIDTH * TILE_WIDTH
        leaves = merkle.leaf_hashes(self._segment.iterate(first, checkpoint.size))
        if leaves and b"".join(leaves) != read(0, first, len(leaves)):
            raise damaged("tile", first, "the last tile is not that of the entries")
        recent = [
            bytearray(read(level, full * TILE_WIDTH, rest) if rest else b"")
            for level, full, rest in tiles_of(checkpoint.size)
        ]
        self._edge, self._recent, self._published = edge, recent, checkpoint.size

    def _rebuild(self, checkpoint: Checkpoint) -> None:
        """Compute the tree of the checkpoint from the entries and write its full tiles anew."""
        while self._edge.size < checkpoint.size:
            self._read_entries(min(checkpoint.size, self._edge.size + _REBUILD_ENTRIES))
            if self._edge.size < checkpoint.size:
                self._write_tiles(self._edge.size, partial=False)
                self._settle(self._edge.size // TILE_WIDTH * TILE_WIDTH)
        if self._edge.root() != checkpoint.root:
            raise damaged(CHECKPOINT, None, f"the first {checkpoint.size} entries do not lead to its root")
        self._write_tiles(checkpoint.size)
        self._writer.sync()
        self._settle(checkpoint.size)

    def _read_entries(self, stop: int) -> None:
        """Add the segment's entries up to `stop` to the tree."""
        entries = self._segment.iterate(self._edge.size, stop)
        while hashes := merkle.leaf_hashes(islice(entries, 1 << 14)):
            self._take(hashes)


def write_keys(keys: Sequence[VerifierKey]) -> bytes:
    """The key file: a vkey on each line, the one that signs now last."""
    return "".join(f"{key}\n" for key in keys).encode()


def read_keys(data: bytes) -> list[VerifierKey]:
    """The keys of a key file. Raises: `NoteError`."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise NoteError("the key file is not UTF-8") from None
    if not text.endswith("\n"):
        raise NoteError("the key file does not end in a newline")
    return [VerifierKey.parse(line) for line in text[:-1].split("\n")]


def _keys_on_file(path: Path) -> list[VerifierKey]:
    """The keys that signed here before. Raises: `Damaged`."""
    try:
        return read_keys(path.read_bytes())
    except FileNotFoundError:
        return []
    except NoteError as error:
        raise damaged(f"{PUBLIC}/{KEY}", None, str(error)) from error


def _last_checkpoint(
    public: Path, origin: str, keys: Sequence[VerifierKey]
) -> tuple[Checkpoint, bytes] | tuple[None, None]:
    """The published checkpoint, signed by one of the keys; (None, None) where there is none."""
    try:
        data = (public / CHECKPOINT).read_bytes()
    except FileNotFoundError:
        return None, None
    try:
        return open_checkpoint(data, keys, origin)[0], data
    except NoteError as error:
        raise damaged(f"{PUBLIC}/{CHECKPOINT}", None, str(error)) from error

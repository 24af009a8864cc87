"""Reading a published log without trusting who serves it: from a copied directory, or over HTTP with another `Fetch`.

Everything is proven from the signed checkpoint downwards: the partial tiles at the right edge must lead to its root,
each full tile to its hash in the tile above, each entry to its hash in a tile. What is not proven is not returned.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import merkle
from .damage import damaged
from .merkle import HASH_BYTES, TILE_WIDTH
from .note import Checkpoint, NoteError, VerifierKey, open_checkpoint
from .tiles import CHECKPOINT, Fetch, TileReader, fetch_from, first_wrong, tile_path, tiles_of

_PROVEN_TILES = 512


class LogReader:
    """A log as its last fetched checkpoint has it."""

    def __init__(self, fetch: Fetch, origin: str, keys: Sequence[VerifierKey]) -> None:
        """Fetch the checkpoint. Raises: as `refresh`."""
        self._fetch, self._origin, self._keys = fetch, origin, keys
        self.checkpoint = Checkpoint(origin, 0, merkle.empty_root())
        self.signed_by: list[VerifierKey] = []
        """The keys, of those given, that signed the checkpoint."""
        self._tiles = TileReader(fetch)
        self._proven: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self.refresh()

    @classmethod
    def open(cls, directory: Path | str, origin: str, keys: Sequence[VerifierKey]) -> LogReader:
        """Read a log's directory, or a copy of its published part. Raises: as `refresh`."""
        directory = Path(directory)
        public = directory / "public"
        return cls(fetch_from(public if public.is_dir() else directory), origin, keys)

    def refresh(self) -> Checkpoint:
        """Fetch the checkpoint anew and take it over if it extends the one before.

        Raises, in order: `Damaged` (no checkpoint, its form, signature or origin), `ProofError` (the log forked or
            shrank; `checkpoint` stays what it was), `Damaged` (the tiles at the right edge do not have its root).
        """
        try:
            checkpoint, signed_by = open_checkpoint(self._fetch(CHECKPOINT), self._keys, self._origin)
        except FileNotFoundError:
            raise damaged(CHECKPOINT, None, "the file is missing") from None
        except NoteError as error:
            raise damaged(CHECKPOINT, None, str(error)) from error
        edge = self._edge_of(checkpoint)
        old = self.checkpoint
        if old.size > checkpoint.size:
            raise merkle.ProofError(f"the log shrank from {old.size} to {checkpoint.size} entries")
        proof = merkle.consistency_proof(old.size, checkpoint.size, self._tiles.hashes(checkpoint.size))
        merkle.verify_consistency(old.size, checkpoint.size, old.root, checkpoint.root, proof)
        self.checkpoint, self.signed_by = checkpoint, signed_by
        self._proven = edge
        return checkpoint

    def _edge_of(self, checkpoint: Checkpoint) -> OrderedDict[tuple[int, int], bytes]:
        """The partial tiles at the right edge, which together must have the checkpoint's root."""
        edge = OrderedDict(
            ((level, full), self._tiles.tile(level, full, rest))
            for level, full, rest in tiles_of(checkpoint.size)
            if rest
        )
        parts = [part for (level, _), hashes in edge.items() for part in reversed(merkle.perfect_parts(hashes))]
        root = merkle.fold_right(parts[::-1]) if parts else merkle.empty_root()
        if root != checkpoint.root:
            raise damaged(CHECKPOINT, None, "the tiles at the right edge do not lead to its root")
        return edge

    def tile(self, level: int, number: int) -> bytes:
        """The hashes of a tile, proven. Raises: ValueError (no such tile), `Damaged` naming the file that is wrong."""
        known = self._proven.get((level, number))
        if known is not None:
            return known
        if number < 0 or number >= self.checkpoint.size >> 8 * (level + 1):
            raise ValueError(f"no tile {number} at level {level}")
        expected = self.tile(level + 1, number // TILE_WIDTH)
        at = HASH_BYTES * (number % TILE_WIDTH)
        hashes = self._tiles.tile(level, number, TILE_WIDTH)
        if merkle.fold_perfect(hashes) != expected[at : at + HASH_BYTES]:
            raise damaged(tile_path(level, number), None, "the tile does not lead to its hash in the tile above")
        self._proven[level, number] = hashes
        if len(self._proven) > _PROVEN_TILES:
            self._proven.pop(next(key for key in self._proven if key[1] < self._full_tiles(key[0])))
        return hashes

    def _full_tiles(self, level: int) -> int:
        return self.checkpoint.size >> 8 * (level + 1)

    def entry(self, index: int) -> bytes:
        """One entry, proven. Raises: IndexError outside the checkpoint, `Damaged`."""
        if not 0 <= index < self.checkpoint.size:
            raise IndexError(f"no entry {index} in a log of {self.checkpoint.size}")
        return self.bundle(index // TILE_WIDTH)[index % TILE_WIDTH]

    def bundle(self, number: int) -> list[bytes]:
        """The entries of one bundle, each proven. Raises: `Damaged` naming the file, and the entry if it is one."""
        expected = merkle.split_hashes(self.tile(0, number))
        path, entries, whole = self._tiles.bundle(number, len(expected))
        wrong = first_wrong(merkle.leaf_hashes(entries), whole, expected)
        if wrong is not None:
            raise damaged(path, number * TILE_WIDTH + wrong, "the entry does not have its hash in the tree")
        return entries

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The entries from `start` to before `stop` (default: all), each proven. Raises: `Damaged`."""
        stop = self.checkpoint.size if stop is None else min(stop, self.checkpoint.size)
        while start < stop:
            number, at = divmod(start, TILE_WIDTH)
            chunk = self.bundle(number)[at : at + stop - start]
            yield from chunk
            start += len(chunk)

    def inclusion(self, index: int) -> list[bytes]:
        """The proof that entry `index` is in the checkpoint's tree. Raises: ValueError, `Damaged`."""
        return merkle.inclusion_proof(index, self.checkpoint.size, self._hashes)

    def _hashes(self, level: int, first: int, count: int) -> bytes:
        number, at = divmod(first, TILE_WIDTH)
        return self.tile(level, number)[HASH_BYTES * at : HASH_BYTES * (at + count)]

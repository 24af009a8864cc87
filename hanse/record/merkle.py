"""The Merkle tree of RFC 6962, section 2.1, with SHA-256.

A *leaf hash* is ``SHA-256(0x00 || entry)``; a *node hash* is ``SHA-256(0x01 || left || right)``. Hashes are 32 bytes.
Two parts: `Frontier`, which grows, and functions that compute proofs from hashes somebody else stores (`StoredHashes`).

Words: a *perfect subtree* covers ``2**k`` leaves, and starts at a multiple of that. A *tile level* L holds the hashes
    of
perfect subtrees of ``256**L`` leaves (C2SP tlog-tiles): proofs read nothing else, and hash up what lies between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256

HASH_BYTES = 32
TILE_WIDTH = 256
_LEVELS_PER_TILE = 8

StoredHashes = Callable[[int, int, int], bytes]
"""``read(tile_level, first, count)``: the hashes ``first .. first + count`` of a tile level, concatenated."""


class ProofError(ValueError):
    """A proof does not lead from what it starts with to the root that it claims."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry as a leaf (RFC 6962, 2.1).

    >>> leaf_hash(b"").hex()[:16]
    '6e340b9cffb37a98'
    """
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two neighbouring subtrees (RFC 6962, 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """`leaf_hash` of many entries, in order."""
    return [sha256(b"\x00" + entry).digest() for entry in entries]


def empty_root() -> bytes:
    """The root of a tree without leaves: SHA-256 of nothing."""
    return sha256(b"").digest()


def _pair_up(hashes: Sequence[bytes]) -> list[bytes]:
    """Hash neighbours two by two; a last one without neighbour is left out."""
    halves = iter(hashes)
    return [sha256(b"\x01" + left + right).digest() for left, right in zip(halves, halves, strict=False)]


def fold_perfect(hashes: bytes) -> bytes:
    """The root of a perfect subtree from the concatenated hashes below it; their number is a power of two."""
    level = split_hashes(hashes)
    while len(level) > 1:
        level = _pair_up(level)
    return level[0]


def split_hashes(hashes: bytes) -> list[bytes]:
    """Cut concatenated hashes apart."""
    return [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]


def fold_right(parts: Sequence[bytes]) -> bytes:
    """The root over perfect subtrees of falling size, left to right."""
    root = parts[-1]
    for part in reversed(parts[:-1]):
        root = sha256(b"\x01" + part + root).digest()
    return root


def perfect_parts(hashes: bytes) -> list[bytes]:
    """The roots of the perfect subtrees, largest first, over concatenated hashes; fewer than a tile, or one tile."""
    parts = []
    while hashes:
        count = 1 << (len(hashes) // HASH_BYTES).bit_length() - 1
        parts.append(fold_perfect(hashes[: HASH_BYTES * count]))
        hashes = hashes[HASH_BYTES * count :]
    return parts


class Frontier:
    """The right edge of a growing tree: one hash for each set bit of its size, so that appending never reads back.

    `append` returns the hashes that became final at each tile level, which is all that tiles are made of.

    >>> edge = Frontier()
    >>> [len(level) for level in edge.append([leaf_hash(b"%d" % i) for i in range(300)])]
    [300, 1]
    >>> edge.size
    300
    """

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes | None] = []  # _edge[k]: the perfect subtree of 2**k leaves, where bit k of size is set

    def append(self, hashes: Sequence[bytes]) -> list[list[bytes]]:
        """Add leaf hashes; return the new hashes of tile levels 0, 1, 2, ... as far as there are any."""
        finished: list[list[bytes]] = []
        self.size += len(hashes)
        new, k = list(hashes), 0
        while new:
            if k % _LEVELS_PER_TILE == 0:
                finished.append(new)
            if k == len(self._edge):
                self._edge.append(None)
            waiting = self._edge[k]
            if waiting is not None:
                new = [waiting, *new]
            self._edge[k] = new[-1] if len(new) % 2 else None
            new, k = _pair_up(new), k + 1
        return finished

    def root(self) -> bytes:
        """The root hash of the whole tree (RFC 6962, 2.1), in at most one hash for each level."""
        parts = [part for part in reversed(self._edge) if part is not None]
        return fold_right(parts) if parts else empty_root()

    @classmethod
    def load(cls, size: int, read: StoredHashes) -> Frontier:
        """The frontier of a tree that is already stored: reads the right edge of each tile level only."""
        edge = cls()
        edge.size = size
        edge._edge = [None] * size.bit_length()
        for k in range(size.bit_length()):
            if size >> k & 1:
                edge._edge[k] = _perfect(read, k, (size >> k) - 1)
        return edge


def _perfect(read: StoredHashes, k: int, number: int) -> bytes:
    """The hash of the perfect subtree of ``2**k`` leaves that starts at leaf ``number * 2**k``."""
    level, height = divmod(k, _LEVELS_PER_TILE)
    return fold_perfect(read(level, number << height, 1 << height))


def _subtree(read: StoredHashes, first: int, stop: int) -> bytes:
    """The Merkle tree hash of leaves ``first .. stop``; `first` is a multiple of the largest perfect subtree inside."""
    parts = []
    while first < stop:
        k = (stop - first).bit_length() - 1
        parts.append(_perfect(read, k, first >> k))
        first += 1 << k
    return fold_right(parts)


def root_of(size: int, read: StoredHashes) -> bytes:
    """The root of the first `size` leaves of a stored tree."""
    return _subtree(read, 0, size) if size else empty_root()


def _split(count: int) -> int:
    """The largest power of two smaller than `count` (RFC 6962, 2.1); `count` > 1."""
    return 1 << (count - 1).bit_length() - 1


def inclusion_proof(index: int, size: int, read: StoredHashes) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `size` leaves (RFC 6962, 2.1.1), lowest neighbour first.

    Raises: ValueError unless 0 <= index < size.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    path = []
    first, stop = 0, size
    while stop - first > 1:
        middle = first + _split(stop - first)
        if index < middle:
            path.append(_subtree(read, middle, stop))
            stop = middle
        else:
            path.append(_subtree(read, first, middle))
            first = middle
    return path[::-1]


def consistency_proof(old: int, new: int, read: StoredHashes) -> list[bytes]:
    """The proof that the tree of `new` leaves extends the tree of `old` leaves (RFC 6962, 2.1.2).

    It is empty where `old` is 0 (nothing to extend) or equals `new` (nothing was added).
    Raises: ValueError unless 0 <= old <= new.
    """
    if not 0 <= old <= new:
        raise ValueError(f"no tree of {old} before a tree of {new}")
    if old in (0, new):
        return []
    path = []
    first, stop, whole = 0, new, True
    while stop != old:
        middle = first + _split(stop - first)
        if old <= middle:
            path.append(_subtree(read, middle, stop))
            stop = middle
        else:
            path.append(_subtree(read, first, middle))
            first, whole = middle, False
    if not whole:
        path.append(_subtree(read, first, stop))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf hash `leaf` stands at `index` in the tree of `size` leaves with this root.

    Raises: `ProofError` where index is outside the tree, the proof has the wrong length, or the root differs.
    Source: RFC 9162, 2.1.3.2 (the algorithm for the same trees that RFC 6962 leaves to the reader).
    """
    if not 0 <= index < size:
        raise ProofError(f"no leaf {index} in a tree of {size}")
    node, last, have = index, size - 1, leaf
    for step in _hashes_of(proof):
        if last == 0:
            raise ProofError("the proof is too long")
        if node & 1 or node == last:
            have = node_hash(step, have)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            have = node_hash(have, step)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise ProofError("the proof is too short")
    if have != root:
        raise ProofError(f"the proof of leaf {index} leads to another root")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree (`new`, `new_root`) extends the tree (`old`, `old_root`).

    Raises: `ProofError` where the sizes are out of order, the proof has the wrong length, or either root differs.
    Source: RFC 9162, 2.1.4.2.
    """
    if not 0 <= old <= new:
        raise ProofError(f"a tree of {new} cannot extend a tree of {old}")
    if old in (0, new):
        if proof:
            raise ProofError("the proof is too long")
        if old_root != (new_root if old else empty_root()):
            raise ProofError("two roots for one size")
        return
    steps = _hashes_of(proof)
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    have_old = have_new = old_root if node == 0 else next(steps, b"")
    for step in steps:
        if last == 0:
            raise ProofError("the proof is too long")
        if node & 1 or node == last:
            have_old, have_new = node_hash(step, have_old), node_hash(step, have_new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            have_new = node_hash(have_new, step)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise ProofError("the proof is too short")
    if have_old != old_root or have_new != new_root:
        raise ProofError(f"the tree of {new} does not extend the tree of {old}")


def _hashes_of(proof: Sequence[bytes]) -> Iterator[bytes]:
    """The steps of a proof, each exactly 32 bytes."""
    for step in proof:
        if len(step) != HASH_BYTES:
            raise ProofError("a step of the proof is not 32 bytes")
        yield step

"""Replay: the record, read block by block and applied again; every leaf must come out the same."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct

from hanse.kernel.apply import Applier, Block
from hanse.kernel.entries import Entry, Header, read_entry, read_header
from hanse.kernel.facts import Signed, read
from hanse.kernel.refusal import Refused
from hanse.kernel.rules import Rulebook
from hanse.kernel.state import State, connect
from hanse.node.disclosures import Disclosures
from hanse.record.log import Log

CHUNK_ENTRIES = 16_384
Progress = Callable[[int, int], None]
"""Told (entries applied, in all)."""
OnBad = Callable[[int, str], None]
"""Told (position, why) of disclosures that do not fit."""


class ReplayFault(Exception):
    """The record does not replay. `position`: the first entry that fails."""

    def __init__(self, position: int, why: str) -> None:
        super().__init__(f"entry {position}: {why}")
        self.position, self.why = position, why


class StoredBlock(Struct):
    """A block as stored. `first`: the position of its header's leaf."""

    first: int
    header: Header
    leaves: list[bytes]
    facts: list[Signed]

    @property
    def stop(self) -> int:
        """The position behind its last leaf."""
        return self.first + len(self.leaves)


BLOCK_ENTRIES_MAX = 3_000


def header_of(log: Log, position: int) -> Header:
    """The header of the block that an entry is in: the nearest one at or before it. Raises: ReplayFault."""
    for at in range(position, max(-1, position - BLOCK_ENTRIES_MAX), -1):
        leaf = log.entry(at)
        if leaf.startswith(b"hanse/1 block\n"):
            return read_header(read_entry(leaf))
    raise ReplayFault(position, "the entry's block has no header")


def blocks(
    entries: Iterator[bytes],
    first: int,
    applier: Applier,
    disclosures: Disclosures | None,
    on_bad: OnBad | None = None,
) -> Iterator[StoredBlock]:
    """The blocks of a stretch of entries that starts at a header.

    Args:
        on_bad: told of disclosures that do not fit; the fact is then read without. Else they raise.
    Raises: ReplayFault where an entry does not read, or a block is not as its header says.
    """
    position = first
    for leaf in entries:
        header = _header(leaf, position)
        leaves, facts = [leaf], []
        private = _Private(disclosures, position, position + 1 + header.facts + header.timers, on_bad)
        for i in range(header.facts + header.timers):
            at = position + 1 + i
            inner = next(entries, None)
            if inner is None:
                raise ReplayFault(at, "the block ends early")
            leaves.append(inner)
            if i < header.facts:
                facts.append(_fact(_entry(inner, at, "fact", "batched"), at, applier, private))
        private.finish()
        yield StoredBlock(position, header, leaves, facts)
        position += len(leaves)


class _Private:
    """The stored disclosures of one block's positions; what no fact of it takes is reported."""

    def __init__(self, disclosures: Disclosures | None, start: int, stop: int, on_bad: OnBad | None) -> None:
        self.rows = (
            {at: (circle, found) for at, circle, found in disclosures.iterate(start, stop)} if disclosures else {}
        )
        self.on_bad = on_bad

    def take(self, position: int) -> tuple[str | None, list[bytes]]:
        """(circle, disclosures) of one entry."""
        return self.rows.pop(position, (None, [])) if self.rows else (None, [])

    def bad(self, position: int, why: str) -> None:
        if self.on_bad is None:
            raise ReplayFault(position, f"its disclosures are damaged: {why}")
        self.on_bad(position, why)

    def finish(self) -> None:
        for position in self.rows:
            self.bad(position, "disclosures of an entry that has no private field")


def _header(leaf: bytes, position: int) -> Header:
    entry = _entry(leaf, position, "block")
    try:
        return read_header(entry)
    except ValueError as error:
        raise ReplayFault(position, f"the block's header does not read: {error}") from None


def _entry(leaf: bytes, position: int, *forms: str) -> Entry:
    try:
        entry = read_entry(leaf)
    except ValueError as error:
        raise ReplayFault(position, str(error)) from None
    if entry.form not in forms:
        raise ReplayFault(position, f"a {entry.form} stands where a {' or '.join(forms)} belongs")
    return entry


def _fact(entry: Entry, position: int, applier: Applier, private: _Private) -> Signed:
    circle, disclosed = private.take(position)
    try:
        signed = read(applier.book.kinds, entry.body, disclosed, entry.batch)
    except Refused as refused:
        if refused.code != "fact.bad_disclosure":
            raise ReplayFault(position, str(refused)) from None
        private.bad(position, refused.message)
        return read(applier.book.kinds, entry.body, (), entry.batch)
    if circle is not None and circle != getattr(signed.fact, "circle", ""):
        private.bad(position, f"they are filed under circle {circle!r:.80}")
    return signed


def apply_stored(applier: Applier, stored: StoredBlock) -> Block:
    """Apply a stored block; raises ReplayFault at the first leaf that comes out otherwise."""
    header = stored.header
    if header.rules != applier.book.version:
        raise ReplayFault(stored.first, f"rules version {header.rules} is not known here")
    if header.time < applier.meta.time:
        raise ReplayFault(stored.first, "ledger time falls")
    block = applier.block(stored.facts, header.time)
    if block.leaves != stored.leaves:
        at = next((i for i, (a, b) in enumerate(zip(block.leaves, stored.leaves, strict=False)) if a != b), 0)
        ours, theirs = block.leaves[at][:160], stored.leaves[at][:160]
        raise ReplayFault(stored.first + at, f"replay gives {ours!r}, the record has {theirs!r}")
    return block


def pass_on_broken_storage(error: BaseException) -> None:
    """What an applier does with a rule's exception: the storage's is not the rule's, and must not become an outcome.

    Raises: the error, where it says that state could not be read or written, or that memory ran out.
    """
    wrong_use = isinstance(error, sqlite3.ProgrammingError | sqlite3.InterfaceError)  # a value that no column takes
    if isinstance(error, sqlite3.Error | OSError | MemoryError) and not wrong_use:
        raise error


def replay(
    applier: Applier,
    log: Log,
    disclosures: Disclosures | None,
    progress: Progress = lambda done, all: None,
) -> int:
    """Bring a state up to its record; how many entries were applied. Raises: ReplayFault."""
    start, size, pending = applier.meta.size, log.size, 0
    for stored in blocks(log.segment.iterate(start, size), start, applier, disclosures):
        apply_stored(applier, stored)
        pending += len(stored.leaves)
        if pending >= CHUNK_ENTRIES:
            applier.state.commit()
            progress(stored.stop, size)
            pending = 0
    applier.state.commit()
    return size - start


def build(path: Path, book: Rulebook, log: Log, disclosures: Disclosures, progress: Progress) -> int:
    """A state from nothing but the record, beside its place and put there when it is whole; how many entries.

    Raises: ReplayFault.
    """
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    conn = connect(str(beside), scratch=True)
    try:
        applier = Applier(State(conn, book.tables), book, on_bug=pass_on_broken_storage)
        applier.start(log.origin)
        applied = replay(applier, log, disclosures, progress)
    finally:
        conn.close()
    with beside.open("rb+") as file:
        os.fsync(file.fileno())
    beside.replace(path)
    return applied

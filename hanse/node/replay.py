"""Replay: the record's blocks, applied again; every leaf must come out the same."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from hanse.kernel.apply import Applier
from hanse.kernel.entries import Header
from hanse.kernel.facts import Signed
from hanse.kernel.leaves import read_entry, read_header
from hanse.kernel.outcome import Block
from hanse.kernel.rules import Rulebook
from hanse.kernel.state import State
from hanse.kernel.writer import connect
from hanse.node.ahead import READ_AHEAD_FROM, ReadAhead, Request
from hanse.node.behind import writing_behind
from hanse.node.collecting import without_collecting
from hanse.node.disclosures import Disclosures
from hanse.node.stored import ReplayFault, StoredBlock, blocks
from hanse.record.log import Log

CHUNK_ENTRIES = 8_192
BLOCK_ENTRIES_MAX = 3_000
Progress = Callable[[int, int], None]
"""Told (entries applied, in all)."""


def header_of(log: Log, position: int) -> Header:
    """The header of the block that an entry is in: the nearest one at or before it. Raises: ReplayFault."""
    for at in range(position, max(-1, position - BLOCK_ENTRIES_MAX), -1):
        leaf = log.entry(at)
        if leaf.startswith(b"hanse/1 block\n"):
            return read_header(read_entry(leaf))
    raise ReplayFault(position, "the entry's block has no header")


def apply_stored(applier: Applier, stored: StoredBlock[Signed]) -> Block:
    """Apply a stored block; raises ReplayFault at the first leaf that comes out otherwise."""
    header = stored.header
    if header.rules != applier.book.version:
        raise ReplayFault(stored.first, f"rules version {header.rules} is not known here")
    if header.time < applier.meta.time:
        raise ReplayFault(stored.first, "ledger time falls")
    block = applier.block(stored.facts, header.time, keep=())
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
    disclosures: Disclosures,
    progress: Progress = lambda done, all: None,
    *,
    scratch: bool = False,
) -> int:
    """Bring a state up to its record; how many entries were applied. Raises: ReplayFault, `Damaged`.

    Args:
        scratch: a state that is thrown away where this does not end well.
    """
    start, size, pending = applier.meta.size, log.size, 0
    with without_collecting(), ExitStack() as held:
        if size - start >= READ_AHEAD_FROM:
            held.enter_context(writing_behind(applier.state, scratch=scratch))
            ahead = held.enter_context(ReadAhead(Request(str(disclosures.directory), start, size), applier.book.kinds))
            stored: Iterator[StoredBlock[Signed]] = (part.block for part in ahead.parts())
        else:
            stored = blocks(log.segment.iterate(start, size), start, applier.book.kinds, disclosures)
        for block in stored:
            apply_stored(applier, block)
            pending += len(block.leaves)
            if pending >= CHUNK_ENTRIES:
                applier.state.commit(wait=False)
                progress(block.stop, size)
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
        applier = Applier(State(conn, book.tables, scratch=True), book, on_bug=pass_on_broken_storage)
        applier.start(log.origin)
        applied = replay(applier, log, disclosures, progress, scratch=True)
        applier.state.index()
    finally:
        conn.close()
    with beside.open("rb+") as file:
        os.fsync(file.fileno())
    beside.replace(path)
    return applied

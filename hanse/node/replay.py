"""Replay: the record, read block by block and applied again; every leaf must come out the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from hanse.kernel.apply import Applier, Block
from hanse.kernel.entries import Entry, Header, read_entry, read_header
from hanse.kernel.facts import Signed, read
from hanse.kernel.refusal import Refused
from hanse.node.disclosures import Disclosures
from hanse.record.log import Log

CHUNK_ENTRIES = 4_096


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


def blocks(
    entries: Iterator[bytes],
    first: int,
    applier: Applier,
    disclosures: Disclosures | None,
    on_bad: Callable[[int, str], None] | None = None,
) -> Iterator[StoredBlock]:
    """The blocks of a stretch of entries that starts at a header.

    Args:
        on_bad: told (position, why) of disclosures that do not fit; the fact is then read without. Else they raise.
    Raises: ReplayFault where an entry does not read, or a block is not as its header says.
    """
    position = first
    for leaf in entries:
        header = read_header(_entry(leaf, position, "block"))
        leaves, facts = [leaf], []
        private = (
            dict(disclosures.iterate(position, position + 1 + header.facts)) if disclosures and header.facts else {}
        )
        for i in range(header.facts + header.timers):
            at = position + 1 + i
            inner = next(entries, None)
            if inner is None:
                raise ReplayFault(at, "the block ends early")
            leaves.append(inner)
            if i < header.facts:
                entry = _entry(inner, at, "fact", "batched")
                facts.append(_fact(entry, at, applier, private.get(at, []), on_bad))
        yield StoredBlock(position, header, leaves, facts)
        position += len(leaves)


def _entry(leaf: bytes, position: int, *forms: str) -> Entry:
    try:
        entry = read_entry(leaf)
    except ValueError as error:
        raise ReplayFault(position, str(error)) from None
    if entry.form not in forms:
        raise ReplayFault(position, f"a {entry.form} stands where a {' or '.join(forms)} belongs")
    return entry


def _fact(
    entry: Entry, position: int, applier: Applier, disclosed: list[bytes], on_bad: Callable[[int, str], None] | None
) -> Signed:
    try:
        return read(applier.book.kinds, entry.body, disclosed, entry.batch)
    except Refused as refused:
        if refused.code == "fact.bad_disclosure" and on_bad is not None:
            on_bad(position, refused.refusal.message)
            return _fact(entry, position, applier, [], None)
        raise ReplayFault(position, str(refused)) from None


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


def replay(
    applier: Applier,
    log: Log,
    disclosures: Disclosures | None,
    progress: Callable[[int, int], None] = lambda done, all: None,
) -> int:
    """Bring a state up to its record; how many entries were applied. Raises: ReplayFault."""
    start, size, pending = applier.meta.size, log.size, 0
    for stored in blocks(log.segment.iterate(start, size), start, applier, disclosures):
        apply_stored(applier, stored)
        pending += len(stored.leaves)
        if pending >= CHUNK_ENTRIES:
            applier.state.commit()
            progress(stored.first + len(stored.leaves), size)
            pending = 0
    applier.state.commit()
    return size - start

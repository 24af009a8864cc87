"""Stored blocks: the record's entries, read block by block with the disclosures that are kept of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from msgspec import Struct

from hanse.kernel.entries import Entry, Header
from hanse.kernel.facts import Fact, Signed
from hanse.kernel.leaves import read_entry, read_header
from hanse.kernel.reading import read
from hanse.kernel.refusal import Refused
from hanse.node.disclosures import Disclosures

RECORD = "record"
"""The record's folder in a data directory."""
T = TypeVar("T")
Kinds = dict[str, type[Fact]]
OnBad = Callable[[int, str], None]
"""Told (position, why) of disclosures that do not fit."""


class ReplayFault(Exception):
    """The record does not replay. `position`: the first entry that fails."""

    def __init__(self, position: int, why: str) -> None:
        super().__init__(f"entry {position}: {why}")
        self.position, self.why = position, why


class StoredBlock(Struct, Generic[T]):
    """A block as stored. `first`: the position of its header's leaf. `facts`: in order, as whoever read them keeps
    them."""

    first: int
    header: Header
    leaves: list[bytes]
    facts: Sequence[T]

    @property
    def stop(self) -> int:
        """The position behind its last leaf."""
        return self.first + len(self.leaves)


def blocks(
    entries: Iterator[bytes],
    first: int,
    kinds: Kinds,
    disclosures: Disclosures | None,
    on_bad: OnBad | None = None,
    *,
    keep: Callable[[bytes, Signed], Any] = lambda leaf, signed: signed,
) -> Iterator[StoredBlock[Any]]:
    """The blocks of a stretch of entries that starts at a header.

    Args:
        kinds: kind -> fact type. on_bad: told of disclosures that do not fit; the fact is then read without. Else they
            raise. keep: of each leaf and its fact, as soon as it is read, what stands among `StoredBlock.facts`.
    Raises: ReplayFault where an entry does not read, or a block is not as its header says.
    """
    position = first
    for leaf in entries:
        header = _header(leaf, position)
        leaves, facts = [leaf], list[Any]()
        private = _Private(disclosures, position, position + 1 + header.facts + header.timers, on_bad)
        for i in range(header.facts + header.timers):
            at = position + 1 + i
            inner = next(entries, None)
            if inner is None:
                raise ReplayFault(at, "the block ends early")
            leaves.append(inner)
            if i < header.facts:
                facts.append(keep(inner, _fact(_entry(inner, at, "fact", "batched"), at, kinds, private)))
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
    except (ValueError, RecursionError) as error:
        raise ReplayFault(position, f"the block's header does not read: {error}") from None


def _entry(leaf: bytes, position: int, *forms: str) -> Entry:
    try:
        entry = read_entry(leaf)
    except ValueError as error:
        raise ReplayFault(position, str(error)) from None
    if entry.form not in forms:
        raise ReplayFault(position, f"a {entry.form} stands where a {' or '.join(forms)} belongs")
    return entry


def _fact(entry: Entry, position: int, kinds: Kinds, private: _Private) -> Signed:
    circle, disclosed = private.take(position)
    try:
        signed = read(kinds, entry.body, disclosed, entry.batch)
    except RecursionError:
        raise ReplayFault(position, "it nests too deeply") from None
    except Refused as refused:
        if refused.code != "fact.bad_disclosure":
            raise ReplayFault(position, str(refused)) from None
        private.bad(position, refused.message)
        return read(kinds, entry.body, (), entry.batch)
    if circle is not None and circle != getattr(signed.fact, "circle", ""):
        private.bad(position, f"they are filed under circle {circle!r:.80}")
    return signed

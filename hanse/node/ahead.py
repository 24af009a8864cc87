"""Reading ahead: a process beside a replay reads stored blocks, and verifies their signatures where asked.

Who replays applies one block while the next is read. What crosses over is what `hanse.kernel.opened` carries.
"""

from __future__ import annotations

import gc
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from itertools import islice, repeat
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Literal, TypeVar, overload

import msgspec
from msgspec import Raw, Struct

from hanse.kernel.facts import Signed
from hanse.kernel.leaves import read_entry, read_header
from hanse.kernel.opened import pack_stored, take_up_stored
from hanse.node.checking import Checked, Checking
from hanse.node.collecting import COLLECT_AFTER
from hanse.node.disclosures import FILE as DISCLOSED
from hanse.node.disclosures import Disclosures
from hanse.node.pipes import Beside, read_frame, write_ahead
from hanse.node.stored import RECORD, Kinds, ReplayFault, StoredBlock, blocks
from hanse.record.damage import Damaged, Finding, UnknownVersion
from hanse.record.frames import SEGMENT
from hanse.record.note import VerifierKey
from hanse.record.reader import LogReader
from hanse.record.segment import Segment

READ_AHEAD_FROM = 4_000
"""Entries from which a process of its own pays."""
FRAME_ENTRIES = 1_000
AHEAD_BYTES_MAX = 64 << 20
"""Of frames that wait until the replay takes them: it is slower than the reader at times, and faster at others."""
SILENT_SECONDS = 120.0
"""How long a frame may take: before the first one a copy's tree may have to be looked through."""
T = TypeVar("T")
Wrong = list[tuple[int, str]]
"""(position, why)"""


class Request(Struct, frozen=True):
    """What is to be read.

    Attributes:
        directory: of a node, or a copy. start, stop: entries; `start` opens a block.
        net, keys: of the log, for a copy without a segment, which is read from 0 on.
        check: verify signatures, count, and go on where disclosures do not fit. live: a node may be writing.
    """

    directory: str
    start: int
    stop: int
    net: str = ""
    keys: tuple[str, ...] = ()
    check: bool = False
    live: bool = True


class Part(Struct, Generic[T]):
    """One block and what its reader found.

    Attributes:
        bad_disclosures: (position, why). checked: where it was asked to check.
    """

    block: StoredBlock[T]
    bad_disclosures: Wrong
    checked: Checked | None


def read_parts(
    request: Request, kinds: Kinds, keep: Callable[[Signed], Any] = lambda signed: signed
) -> Iterator[Part[Any]]:
    """In order, in this process. keep: of each fact, when it is read and checked, what its block has of it.

    Raises, in place of the rest: ReplayFault, `Damaged`, FileNotFoundError, `UnknownVersion`, `sqlite3.DatabaseError`
        (the disclosures).
    """
    directory, checking = Path(request.directory), Checking() if request.check else None
    bad: Wrong = []

    def check_and_keep(leaf: bytes, signed: Signed) -> Any:
        if checking:
            checking.fact(leaf, signed)
        return keep(signed)

    with ExitStack() as held:
        if (directory / RECORD / SEGMENT).exists():
            segment = Segment.open(directory / RECORD, read_only=True)
            held.callback(segment.abandon)
            entries = segment.iterate(request.start, request.stop)
        else:
            keys = [VerifierKey.parse(key) for key in request.keys]
            entries = LogReader.open(directory / RECORD, request.net, keys).entries()
        private = None
        if (directory / DISCLOSED).exists():
            private = held.enter_context(closing(Disclosures(directory, read_only=True, live=request.live)))
        on_bad = (lambda position, why: bad.append((position, why))) if request.check else None
        for block in blocks(entries, request.start, kinds, private, on_bad, keep=check_and_keep):
            yield Part(block, bad, checking.block(block) if checking else None)
            bad = []


class _Carried(Struct, array_like=True, gc=False):
    first: int
    leaves: list[bytes]
    facts: list[Raw]
    bad_disclosures: Wrong
    checked: Checked | None


class _Facts(Sequence[Signed]):
    """A carried block's facts, each taken up when it is asked for: whoever goes through them has one at hand, and the
    processor's memory is not filled with all."""

    def __init__(self, kinds: Kinds, leaves: list[bytes], packed: list[Raw]) -> None:
        self._kinds, self._leaves, self._packed = kinds, leaves, packed

    def __iter__(self) -> Iterator[Signed]:
        return map(take_up_stored, repeat(self._kinds), islice(self._leaves, 1, None), self._packed)

    def __len__(self) -> int:
        return len(self._packed)

    @overload
    def __getitem__(self, place: int) -> Signed: ...
    @overload
    def __getitem__(self, place: slice) -> list[Signed]: ...
    def __getitem__(self, place: int | slice) -> Signed | list[Signed]:
        if isinstance(place, slice):
            return list(self)[place]
        return take_up_stored(self._kinds, self._leaves[1 + place], self._packed[place])


class _Ended(Struct, array_like=True):
    """Why the reading ended: behind the last entry, or what was raised there."""

    what: Literal["whole", "replay", "damaged", "missing", "version", "disclosures"]
    position: int | None = None
    why: str = ""
    file: str = ""


class ReadAhead:
    """Stored blocks, read by a process of their own. Use as a context manager."""

    def __init__(self, request: Request, kinds: Kinds) -> None:
        self._kinds, self._decode = kinds, msgspec.msgpack.Decoder(tuple[list[_Carried], _Ended | None]).decode
        self._beside = Beside("hanse.node.ahead", silent_seconds=SILENT_SECONDS)
        self._beside.send(msgspec.json.encode(request))

    def parts(self) -> Iterator[Part[Signed]]:
        """As `read_parts`. Raises also: OSError where the process has died, or had to be killed."""
        ended = None
        while ended is None:
            carried, ended = self._frame()
            for one in carried:
                yield self._part(one)
        _raise(ended)

    def _frame(self) -> tuple[list[_Carried], _Ended | None]:
        return self._decode(self._beside.receive())

    def _part(self, one: _Carried) -> Part[Signed]:
        facts = _Facts(self._kinds, one.leaves, one.facts)
        block = StoredBlock(one.first, read_header(read_entry(one.leaves[0])), one.leaves, facts)
        return Part(block, one.bad_disclosures, one.checked)

    def __enter__(self) -> ReadAhead:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._beside.close()


def _raise(ended: _Ended) -> None:
    if ended.what == "replay":
        raise ReplayFault(ended.position or 0, ended.why)
    if ended.what == "damaged":
        raise Damaged(Finding(ended.file, ended.position, ended.why))
    if ended.what == "missing":
        raise FileNotFoundError(ended.why)
    if ended.what == "version":
        raise UnknownVersion(ended.why)
    if ended.what == "disclosures":
        raise sqlite3.DatabaseError(ended.why)


def _frames(request: Request, kinds: Kinds) -> Iterator[tuple[list[Raw], _Ended | None]]:
    """Of `_Carried`. Each is packed at once, and each fact of it before: what was read of it can go."""
    encode = msgspec.msgpack.Encoder().encode
    frame: list[Raw] = []
    count = 0
    try:
        for part in read_parts(request, kinds, lambda signed: Raw(pack_stored(signed))):
            block = part.block
            carried = _Carried(block.first, block.leaves, list(block.facts), part.bad_disclosures, part.checked)
            frame.append(Raw(encode(carried)))
            count += len(block.leaves)
            if count >= FRAME_ENTRIES:
                yield frame, None
                frame, count = [], 0
        ended = _Ended("whole")
    except ReplayFault as fault:
        ended = _Ended("replay", fault.position, fault.why)
    except Damaged as damaged:
        ended = _Ended("damaged", damaged.finding.entry, damaged.finding.what, damaged.finding.file)
    except FileNotFoundError as error:
        ended = _Ended("missing", None, str(error))
    except UnknownVersion as error:
        ended = _Ended("version", None, str(error))
    except sqlite3.DatabaseError as error:
        ended = _Ended("disclosures", None, str(error))
    yield frame, ended


def main() -> None:
    """The process: a `Request` in, frames out."""
    from hanse.node.parts import rulebook

    gc.set_threshold(*COLLECT_AFTER)
    request = msgspec.json.decode(read_frame(sys.stdin.buffer) or b"", type=Request)
    encode = msgspec.msgpack.Encoder().encode
    with suppress(BrokenPipeError):
        write_ahead(sys.stdout.buffer, map(encode, _frames(request, rulebook().kinds)), AHEAD_BYTES_MAX)


if __name__ == "__main__":
    main()

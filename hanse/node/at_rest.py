"""What is checked of a directory at rest, without a replay: the record's tree, the form of both databases, the files.

Of a long record a process of its own does it beside the replay; of a short one each is done in place, when it is asked
for. What it finds is the same, and who asks decides in which order findings stand.
"""

from __future__ import annotations

import hashlib
import math
import os
import sqlite3
import sys
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct

from hanse.node.disclosures import open_unchanged
from hanse.node.pipes import Beside, read_frame, write_frame
from hanse.record.note import VerifierKey
from hanse.record.verify import Report, verify

T = TypeVar("T")
UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
"""What a damaged database raises; the second where the damage stands in SQLite's own message."""
_STATE_LINES, _DISCLOSED_LINES = 5, 1
BEHIND_OTHERS = 5
"""How nice its process is (nice(2)): what it finds is asked for last, and the replay waits for the others."""


class Request(Struct, frozen=True):
    """What is to be checked.

    Attributes:
        record, disclosures, files, state: paths of a directory's parts; "" for none to look at.
        net: the network, which is the origin of the record's checkpoints. keys: of its log, as known from elsewhere.
        live: a node may be writing.
    """

    record: str
    disclosures: str
    files: str
    state: str
    net: str
    keys: tuple[str, ...] = ()
    live: bool = False


class Form(Struct, frozen=True):
    """Of a database. wrong: what SQLite finds, a line each. unreadable: why it does not read, or ""."""

    wrong: list[str]
    unreadable: str = ""


class Files(Struct, frozen=True):
    """Of the attachments. count: how many. wrong: names of those with other bytes than their names say."""

    count: int
    wrong: list[str]


def check_record(request: Request) -> Report:
    """Raises: OSError."""
    keys = [VerifierKey.parse(key) for key in request.keys]
    return verify(request.record, keys, request.net)


def check_disclosures(request: Request) -> Form:
    """Their database's form."""
    return _form_of(request.disclosures, _DISCLOSED_LINES, live=request.live)


def check_files(request: Request) -> Files:
    """Raises: OSError where one cannot be read."""
    folder, count, wrong = Path(request.files), 0, []
    for path in sorted(folder.iterdir()) if request.files and folder.is_dir() else ():
        if path.suffix == ".new":
            continue
        count += 1
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != path.name:
                wrong.append(path.name)
    return Files(count, wrong)


def check_state(request: Request) -> Form:
    """Its database's form, not its rows."""
    return _form_of(request.state, _STATE_LINES, live=request.live)


def _form_of(path: str, lines_max: int, *, live: bool) -> Form:
    if not path:
        return Form([])
    wrong: list[str] = []
    try:
        with closing(open_unchanged(Path(path), live=live)) as conn:
            for (line,) in conn.execute(f"PRAGMA integrity_check({lines_max})"):
                if line != "ok":
                    wrong.append(line)
    except UNREADABLE as error:
        return Form(wrong, str(error))
    return Form(wrong)


CHECKS: tuple[Callable[[Request], object], ...] = (check_record, check_disclosures, check_files, check_state)
"""In the order in which the process does them: what takes longest, and may not be asked for, last."""


class _Said(Struct, array_like=True):
    """What one check gave, or the OSError that it raised: (errno, text, file name)."""

    told: Raw
    failed: tuple[int, str, str | None] | None = None


class AtRest:
    """The checks of one directory. Use as a context manager.

    Args:
        beside: in a process of its own, which begins at once. It ends with this, done or not.
    """

    def __init__(self, request: Request, *, beside: bool) -> None:
        self._request, self._said = request, list[bytes]()
        self._beside = Beside("hanse.node.at_rest", silent_seconds=math.inf) if beside else None
        if self._beside:
            self._beside.send(msgspec.json.encode(request))

    def record(self) -> Report:
        """Raises, as all here: OSError as the check does, or where its process has died, or was stopped and killed."""
        return self._told(check_record, Report)

    def disclosures(self) -> Form:
        return self._told(check_disclosures, Form)

    def files(self) -> Files:
        return self._told(check_files, Files)

    def state(self) -> Form:
        return self._told(check_state, Form)

    def _told(self, check: Callable[[Request], T], kind: type[T]) -> T:
        """What a check found; waits for it."""
        if self._beside is None:
            return check(self._request)
        place = CHECKS.index(check)
        while len(self._said) <= place:
            self._said.append(self._beside.receive())
        said = msgspec.msgpack.decode(self._said[place], type=_Said)
        if said.failed:
            raise OSError(*said.failed)
        return msgspec.msgpack.decode(said.told, type=kind)

    def __enter__(self) -> AtRest:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._beside:
            self._beside.process.kill()  # it changes nothing, and what was not asked for is not waited for
            self._beside.close()


def _said_of(check: Callable[[Request], object], request: Request) -> _Said:
    try:
        return _Said(Raw(msgspec.msgpack.encode(check(request))))
    except OSError as error:
        return _Said(Raw(b"\xc0"), (error.errno or 0, error.strerror or str(error), error.filename))


def serve(request: Request, checks: Sequence[Callable[[Request], object]] = CHECKS) -> None:
    """The process: each check's frame, in order."""
    for check in checks:
        write_frame(sys.stdout.buffer, msgspec.msgpack.encode(_said_of(check, request)))


def main() -> None:
    """A `Request` in, a frame for each check out."""
    os.nice(BEHIND_OTHERS)
    request = msgspec.json.decode(read_frame(sys.stdin.buffer) or b"", type=Request)
    with suppress(BrokenPipeError):
        serve(request)


if __name__ == "__main__":
    main()

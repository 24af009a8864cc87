"""Checking the record in a process of its own, beside a replay: see `hanse.record.verify`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import msgspec
from msgspec import Struct

from hanse.node.pipes import Beside, read_frame, write_frame
from hanse.record.note import VerifierKey
from hanse.record.verify import Report, verify


class Request(Struct, frozen=True):
    """directory: of a record. keys: of its log, as known from elsewhere. origin: of its checkpoints."""

    directory: str
    keys: tuple[str, ...]
    origin: str


class RecordCheck:
    """Begins at once. Use as a context manager."""

    def __init__(self, directory: Path, keys: Sequence[VerifierKey], origin: str) -> None:
        self._beside = Beside("hanse.node.record_check")
        request = Request(str(directory), tuple(str(key) for key in keys), origin)
        self._beside.send(msgspec.json.encode(request))

    def report(self) -> Report:
        """Waits for it. Raises: OSError where the process has died."""
        return msgspec.msgpack.decode(self._beside.receive(), type=Report)

    def __enter__(self) -> RecordCheck:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._beside.close()


def main() -> None:
    """The process: a `Request` in, a `Report` out."""
    request = msgspec.json.decode(read_frame(sys.stdin.buffer) or b"", type=Request)
    keys = [VerifierKey.parse(key) for key in request.keys]
    write_frame(sys.stdout.buffer, msgspec.msgpack.encode(verify(Path(request.directory), keys, request.origin)))


if __name__ == "__main__":
    main()

"""What is wrong with a record, and in which file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    file: the path inside the record's directory that is wrong.
    entry: the first entry (0-based) that it concerns, or None where no single entry can be named.
    what: one sentence.
    """

    file: str
    entry: int | None
    what: str

    def __str__(self) -> str:
        return f"{self.file}: {self.what}" if self.entry is None else f"{self.file}: entry {self.entry}: {self.what}"


class Damaged(Exception):
    """Stored bytes are not what was written. `finding` names the file and the first entry."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


def damaged(file: str, entry: int | None, what: str) -> Damaged:
    """The exception for one finding."""
    return Damaged(Finding(file, entry, what))


class UnknownVersion(Exception):
    """A file says that it has a format which this version does not know; nothing was read or changed."""

"""Refusals as data: what is recorded, carried and shown of them."""

from __future__ import annotations

from msgspec import Struct


class Refusal(Struct, frozen=True, omit_defaults=True):
    """What a person or a program is told, in API, CLI and page alike.

    Attributes:
        code: `room.reason`; the contract. Sentences may improve, codes stay.
        got, expected: the offending value and what would have been right, as short text.
        next: what to do now.
        retry: whether the same request may succeed later without a change.
    """

    code: str
    message: str
    got: str = ""
    expected: str = ""
    next: str = ""
    retry: bool = False

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" + (f"; {self.next}" if self.next else "")

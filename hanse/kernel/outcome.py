"""What a block adds, and what became of each of its facts."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from hanse.kernel.entries import Header
from hanse.kernel.facts import Signed
from hanse.kernel.refusals import Refusal


class Outcome(Struct, gc=False):
    """What became of one fact.

    Attributes:
        position: its entry; for a repeated fact the first one. code: "ok", or the refusal's code, as recorded.
        refusal: the sentence for the submitter. private: circle -> its refusal, where a private rule refused.
        repeated: the same bytes stood already; nothing happened again.
    """

    position: int
    code: str
    refusal: Refusal | None = None
    private: dict[str, Refusal] = msgspec.field(default_factory=dict)
    repeated: bool = False


class Block(Struct, gc=False):
    """What a block adds: its header, its leaves in order (header first), the outcome of each submitted fact in the
    order given, and, of the kinds that are kept, the facts that were recorded with their positions."""

    header: Header
    leaves: list[bytes]
    outcomes: list[Outcome]
    recorded: list[tuple[int, Signed]]
    state: bytes

"""Checking stored facts as they are read, each while it is at hand: its signature, and what can be counted."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from hanse.kernel.facts import Signed
from hanse.node.signed_by import Signatures
from hanse.node.stored import StoredBlock
from hanse.node.tally import Counting, Tally


class Checked(Struct, array_like=True, gc=False):
    """What was found of one block's facts, each named by its place in the block.

    Attributes:
        wrong: place -> why its signature does not hold. unknown: those whose key no former block names.
        signers: kid -> the facts that it signed, but for those that bring their own key.
    """

    tally: Tally
    wrong: dict[int, str] = msgspec.field(default_factory=dict)
    unknown: list[int] = msgspec.field(default_factory=list)
    signers: dict[str, list[int]] = msgspec.field(default_factory=dict)


class Checking:
    """Checks a record's facts in order, block by block."""

    def __init__(self) -> None:
        self._signatures = Signatures()
        self._start()

    def _start(self) -> None:
        self._counting, self._checked, self._place = Counting(), Checked(Tally()), 0

    def fact(self, leaf: bytes, signed: Signed) -> None:
        """The next fact of the block under way."""
        checked, place = self._checked, self._place
        why = self._signatures.fault(signed)
        if why is None:
            checked.unknown.append(place)
        elif why:
            checked.wrong[place] = why
        if not signed.fact.introduces:
            kid = signed.envelope.kid
            if kid in checked.signers:
                checked.signers[kid].append(place)
            else:
                checked.signers[kid] = [place]
        self._counting.fact(leaf, signed)
        self._place = place + 1

    def block(self, stored: StoredBlock[object]) -> Checked:
        """The block is read to its end."""
        checked = self._checked
        checked.tally = self._counting.block(stored.leaves)
        self._signatures.end_block()
        self._start()
        return checked

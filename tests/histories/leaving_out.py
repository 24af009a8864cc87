"""What becomes of facts whose signer leaves private fields out, at every place of a history, line by line.

`python leaving_out.py SEED STEPS` prints it, so that processes which run the rules differently can be compared.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import msgspec
from fair import Fair, Hand
from fair_goods import STEPS
from fair_play import drawn_by
from msgspec import UNSET, Struct
from msgspec.structs import replace

from hanse.kernel.facts import Fact, Layout, Signed, layout
from hanse.kernel.kept import CHAIN
from hanse.kernel.outcome import Outcome


def without(one: Struct, fields: Layout) -> Iterator[tuple[str, Any]]:
    """(what is left out, the struct without it): one private field at a time at any depth, and all of its own."""
    own = [name for name in fields.private if getattr(one, name) is not UNSET]
    for left in [[name] for name in own] + ([own] if len(own) > 1 else []):
        yield ",".join(left), replace(one, **dict.fromkeys(left, UNSET))
    for field, many, inner in fields.children:
        value = getattr(one, field)
        for at, part in enumerate(value[-1:] if many else [value] if isinstance(value, Struct) else []):
            for left_out, variant in without(part, inner):
                changed = [*value[:-1], variant] if many else variant
                yield f"{field}[{at}].{left_out}", replace(one, **{field: changed})


class Sparing(Fair):
    """A fair at which each fact is tried with private fields left out, and taken back, before it is taken whole."""

    def __init__(self) -> None:
        self.told: list[str] = []
        super().__init__()

    def block(self, *facts: Signed) -> list[Outcome]:
        for signed in facts:
            if signed.full is not None:
                for left, variant in without(signed.full, layout(type(signed.full))):
                    self.told.append(f"{len(self.blocks)} {signed.full.kind} -{left}: {self._try(signed, variant)}")
        outcomes = super().block(*facts)
        self.told.append(f"{len(self.blocks)} {[_of(outcome) for outcome in outcomes]} {self.blocks[-1].state.hex()}")
        return outcomes

    def _try(self, signed: Signed, variant: Fact) -> str:
        """The outcome, the public state's hash and the circles' running hashes, had this been the next block."""
        envelope = signed.envelope
        nonce = 10**9 + len(self.told)
        self.applier.strict = False
        try:
            tried = self.sign(envelope.iss, variant, nonce=nonce, exp=envelope.exp)
            block = self.applier.block([tried], self.now)
            chains = {key: row.hash.hex() for key, row in self.state.held[CHAIN.name].dirty.items()}
            return f"{_of(block.outcomes[0])} {block.state.hex()} {sorted(chains.items())}"
        finally:
            self.state.rollback()
            self.applier.strict = True


def _of(outcome: Outcome) -> str:
    return msgspec.json.encode((outcome.position, outcome.code, outcome.refusal, outcome.private)).decode()


def told(seed: int, steps: int) -> list[str]:
    fair = Sparing()
    for name, numbers, wild in drawn_by(seed, steps):
        STEPS[name](fair, Hand(numbers, wild == 0))
    return fair.told


if __name__ == "__main__":
    print("\n".join(told(int(sys.argv[1]), int(sys.argv[2]))))

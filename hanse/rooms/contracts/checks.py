"""What `hanse verify` computes again of contracts: every clause result, from the facts of its record."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from hanse.kernel.view import View
from hanse.rooms.checked import Check, Checked
from hanse.rooms.contracts.private_rows import RESULTS
from hanse.rooms.contracts.recompute import recompute_all


class _Fact(msgspec.Struct):
    """A fact of a result's record, as far as asked here."""

    position: int = -1


class _Record(msgspec.Struct):
    facts: dict[str, _Fact]


def results(view: View) -> Iterator[Checked]:
    """Each clause result that has a record, run again; its entries are those that its facts came from."""
    for one in recompute_all(view):
        row = view.get(RESULTS, one.circle, one.agreement, one.clause, one.key)
        assert row is not None, "it was just read"
        facts = msgspec.json.decode(row.record, type=_Record).facts.values()
        yield Checked(
            what="clause result",
            circle=one.circle,
            group=one.agreement,
            name=f"{one.clause} {one.key}",
            amount_minor=one.amount_minor,
            currency=one.currency,
            entries=tuple(sorted({fact.position for fact in facts if fact.position >= 0})),
            why=one.why,
        )


RECOMPUTED: tuple[Check, ...] = (results,)

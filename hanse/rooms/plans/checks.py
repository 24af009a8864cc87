"""What `hanse verify` computes again of plans: feasibility, cost, bound, gap and certificate, and who attested what."""

from __future__ import annotations

from collections.abc import Iterator

from hanse.kernel.view import View
from hanse.rooms.checked import Check, Checked
from hanse.rooms.plans.private_rows import QUESTIONS
from hanse.rooms.plans.rows import PLANS


def certificates(view: View) -> Iterator[Checked]:
    """Every complete plan whose costs can be read here; the figure is its cost.

    Wrong is a plan that somebody attested good and that does not hold, and one that somebody attested bad and that
    holds. One that does not hold and that nobody attested good was never chosen: the record says so itself.
    """
    if not view.count(PLANS, "parts_in = parts"):
        return
    from hanse.rooms.plans.checking import recheck_all

    for checked in recheck_all(view):
        row = view.get(PLANS, checked.plan)
        asked = view.get(QUESTIONS, row.circle, row.window) if row else None
        if row is None or asked is None:
            continue
        trusted = row.good or row.bad
        yield Checked(
            what="plan",
            circle=row.circle,
            group=f"window {row.window}",
            name=f"{row.plan}, within {row.gap_ppm / 10_000:.2f}% of the best"
            if checked.ok
            else f"{row.plan}, attested by {row.good}",
            amount_minor=row.cost_minor,
            currency=asked.currency,
            entries=(row.position,),
            why="; ".join(checked.faults) if trusted and not _rightly_bad(checked.faults, row.good, row.bad) else "",
        )


def _rightly_bad(faults: tuple[str, ...], good: int, bad: int) -> bool:
    """Whether the plan does not hold, and whoever attested it said so."""
    return bool(faults) and not good and bad > 0 and "attested bad what holds" not in faults[0]


ALWAYS: tuple[Check, ...] = (certificates,)

"""What agreements in force add to a delivery: `python -m bench.contracts --deliveries N`.

A delivery is the buyer's signed receipt of one shipped line, applied by the rules to state: orders, stock of both
sides, agreements, books. Signatures, disclosures' digests and the disk are not in it (`bench.commit` measures those).
Blocks of 50 receipts. The parts come from a profile of one further run, which is slower than the others: shares, not
times, are read from it.
"""

from __future__ import annotations

import cProfile
import pstats
import time
from collections.abc import Iterator
from typing import Any

from hanse.rooms.accounts.testing import Ledgers
from hanse.rooms.contracts.testing import LATE, Trade
from hanse.rooms.orders.delivery_facts import Receive
from hanse.rooms.orders.testing import DAY

BLOCK = 50
REBATE: dict[str, Any] = {
    "currency": "EUR",
    "rebate_period": "month",
    "scheme": "incremental",
    "tiers": [["0.00", "5%"]],
}
UNITS: dict[str, Any] = {"currency": "EUR", "amounts": [[0, "1.00"]]}
MORE = (("volume-rebate", REBATE), ("unit-rebate", UNITS))
PARTS = ("rooms/contracts/terms", "rooms/contracts", "rooms/accounts", "rooms/orders", "rooms/inventory",
         "rooms/parties", "kernel")  # fmt: skip


class Agreed(Trade, Ledgers):
    """The tests' market with agreements and books."""


def market(agreements: int) -> Agreed:
    """A market with so many agreements in force between its buyer and its seller: late delivery first, then rebates."""
    trade = Agreed()
    if agreements:
        trade.agree(params=LATE)
    for n in range(1, agreements):
        name, params = MORE[(n - 1) % len(MORE)]
        trade.agree(name, params, agreement=f"A{n + 1}", proposal=f"P{n + 1}")
    return trade


def receipts(trade: Agreed, count: int, days_late: int) -> Iterator[Receive]:
    """Receipts of `count` shipped orders, each ready to be applied."""
    for n in range(count):
        order = f"po-{n}"
        trade.must("ann", trade.order_fact(order, trade.line(each=1)))
        trade.must("bob", trade.confirm_fact(order, (1, 1)))
    trade.now += (4 + days_late) * DAY
    for n in range(count):
        trade.must("bob", trade.ship_fact(f"po-{n}", f"s-{n}", (1, 1), stock="bob-6205"))
    yield from (trade.receive_fact(f"s-{n}") for n in range(count))


def deliver(trade: Agreed, facts: list[Receive]) -> float:
    """Seconds of one delivery."""
    signed = [trade.sign_as("ann", fact) for fact in facts]
    begun = time.perf_counter()
    for start in range(0, len(signed), BLOCK):
        outcomes = trade.applier.block(signed[start : start + BLOCK], trade.now).outcomes
        trade.state.commit()
        assert all(outcome.code == "ok" and not outcome.private for outcome in outcomes)
    return (time.perf_counter() - begun) / len(signed)


def measure(agreements: int, days_late: int, count: int, repeat: int) -> list[float]:
    """Seconds a delivery of repeated runs, each on a market of its own."""
    found = []
    for _ in range(repeat):
        trade = market(agreements)
        found.append(deliver(trade, list(receipts(trade, count, days_late))))
        damages = sum(award.agreement == "A1" for award in trade.awards())
        assert damages == (count if agreements and days_late > 0 else 0)
    return sorted(found)


def shares(agreements: int, days_late: int, count: int) -> dict[str, float]:
    """Part of the time spent in each of `PARTS`, the rest under "other": own time of their functions, profiled."""
    trade = market(agreements)
    facts = list(receipts(trade, count, days_late))
    profile = cProfile.Profile()
    profile.enable()
    deliver(trade, facts)
    profile.disable()
    sums: dict[str, float] = {}
    for (file, _, _), (_, _, own, _, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        part = next((part for part in PARTS if f"hanse/{part}/" in file), "other (SQLite, JSON, hashes, signing)")
        sums[part] = sums.get(part, 0.0) + own
    total = sum(sums.values())
    return {part: own / total for part, own in sorted(sums.items(), key=lambda pair: -pair[1])}


def table(count: int, repeat: int = 3) -> None:
    """Print what a delivery costs under no, one and three agreements, in time and late, and where the time goes."""
    print(f"\na delivery applied to state, {count} a run, median of {repeat} runs (least to most), microseconds")
    base = 0.0
    for agreements, days_late, what in (
        (0, 0, "no agreement in force"),
        (1, -1, "late-delivery, in time"),
        (1, 12, "late-delivery, late: a result and its accrual"),
        (3, -1, "and two rebates, in time"),
        (3, 12, "and two rebates, late"),
    ):
        runs = [seconds * 1e6 for seconds in measure(agreements, days_late, count, repeat)]
        median = runs[len(runs) // 2]
        base = base or median
        added = f"  adds {median - base:,.0f}" if agreements else ""
        print(f"{what:48} {median:>8,.0f}  ({runs[0]:,.0f} to {runs[-1]:,.0f}){added}")
    print("\nwhere the last one's time goes:")
    for part, share in shares(3, 12, count).items():
        print(f"  {part:42} {share:>5.0%}")

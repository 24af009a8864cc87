"""The same history under several hash seeds, in processes of their own: the same state and the same outcomes."""

from __future__ import annotations

import hashlib
import subprocess
import sys

from hanse.compiled import elsewhere
from hanse.rooms.orders.delivery_facts import (
    AcceptedLine,
    AcceptReturn,
    HandOver,
    Rate,
    ReceiveLine,
    ReturnGoods,
    ReturnLineAsked,
    SendMessage,
)
from hanse.rooms.orders.facts import AcceptChange, AnswerLine, CancelOrder, ConfirmLine
from hanse.rooms.orders.testing import DAY, SECRET, Market


def story() -> Market:
    """A history with every kind of fact, refusals and every timer in it."""
    market = Market()
    for n in range(4):
        market.offer(f"o{n}", each=20, circle=market.POOL if n == 3 else market.AB, days=10)
    for n in range(6):
        lines = [market.line(k + 1, 3 + k, f"o{(n + k) % 3}") for k in range(4)]
        market.do("ann", market.order_fact(f"p{n}", *lines, cancel_after_at=market.now + 20 * DAY))
    market.do("ann", market.hold_fact("h1", "o3", 8))
    market.do("ann", market.order_fact("held", market.line(each=5, hold="h1", secret=SECRET)))
    market.do("ann", market.order_fact("wrong", market.line(each=5, hold="h1", secret=SECRET)))
    for n in range(4):
        lines = [ConfirmLine(line=k, each=2, changed=k == 4, promised_at=market.now + DAY) for k in (1, 2, 4)]
        market.do("bob", market.confirm_fact(f"p{n}", lines=lines, answer_by=market.now + 2 * DAY))
    market.do("ann", AcceptChange(circle=market.AB, order="p0", lines=[AnswerLine(line=4, accept=True)]))
    market.do("bob", market.confirm_fact("p1", (1, 99)))
    for n in range(3):
        market.do("bob", market.ship_fact(f"p{n}", f"s{n}", (1, 2), (2, 1 + n)))
    market.do("bob", HandOver(circle=market.AB, shipment="s0", taken_by="K. F."))
    market.do("ann", market.receive_fact("s0", ReceiveLine(line=1, received=1, damaged=1, reason="bent")))
    market.do("ann", Rate(circle=market.AB, shipment="s0", score=3))
    market.do("ann", SendMessage(circle=market.AB, message="m1", order="p0", text="hello"))
    market.do(
        "ann",
        ReturnGoods(
            circle=market.AB,
            shipment="s0",
            return_id="r0",
            answer_by=market.now + DAY,
            lines=[ReturnLineAsked(line=1, each=1)],
        ),
    )
    market.do("bob", AcceptReturn(circle=market.AB, return_id="r0", lines=[AcceptedLine(line=1, each=1)]))
    market.do("bob", CancelOrder(circle=market.AB, order="p2"))
    market.do("ann", CancelOrder(circle=market.AB, order="p3"))
    for _ in range(4):
        market.tick(8 * DAY)
    return market


def fingerprint(market: Market) -> str:
    """A hash over all rows of all tables and all leaves, outcomes included."""
    running = hashlib.sha256()
    for name, rows in sorted(market.dump().items()):
        running.update(repr((name, rows)).encode())
    for block in market.blocks:
        running.update(repr((block.leaves, block.outcomes)).encode())
    return running.hexdigest()


def test_replay_does_not_depend_on_the_hash_seed() -> None:
    code = "from hanse.rooms.orders.test_replay import fingerprint, story; print(fingerprint(story()))"
    seen = set()
    for seed in ("0", "1", "4711"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=elsewhere(seed),
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        seen.add(done.stdout.strip())
    assert seen == {fingerprint(story())}


def test_every_partys_own_node_agrees_with_the_node_that_holds_all() -> None:
    market = story()
    codes = [outcome.code for block in market.blocks for outcome in block.outcomes]
    assert {"ok", "orders.hold_ended", "orders.more_than_open"} <= set(codes)
    assert market.both_sides_agree()

"""Questions about goods lent by order: they stay the lender's, and are owed until they are back."""

from __future__ import annotations

from msgspec import Struct

from hanse.kernel.view import View
from hanse.rooms.orders.private_rows import MINE
from hanse.rooms.orders.rows import ORDERS

LOANS_READ_MAX = 5_000


class Lent(Struct, frozen=True):
    """One line of a loan of the reader's goods, each. out: received and not given back. on_way: shipped, unsigned.

    unit_price_minor: what the order says that one is worth. position: of the entry that changed the order last.
    """

    order: str
    line: int
    borrower: str
    item: str
    out: int
    on_way: int
    unit_price_minor: int
    currency: str
    position: int


def lent_out(view: View, *, limit: int = 500) -> tuple[Lent, ...]:
    """What the reader lends by order and has not back, the newest order first; damaged goods count as out."""
    where = "circle = ? AND side = 'sell' AND loan = 1"
    found: list[Lent] = []
    for mine in view.rows(MINE, where, (view.home,), order="placed_at DESC, order_id", limit=LOANS_READ_MAX):
        order = view.get(ORDERS, mine.order_id)
        for known, line in zip(mine.lines, order.lines, strict=True) if order is not None else ():
            out, on_way = line.received + line.damaged - line.returned, line.in_transit
            if order is not None and (out > 0 or on_way > 0):
                found.append(Lent(
                    mine.order_id, line.line, mine.partner, known.item, max(0, out), on_way, known.unit_price_minor,
                    mine.currency, order.position,
                ))  # fmt: skip
        if len(found) >= limit:
            break
    return tuple(found[:limit])

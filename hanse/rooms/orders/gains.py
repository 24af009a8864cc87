"""What a member gains by the pool: computed from its own orders, shown to it alone."""

from __future__ import annotations

from msgspec import Struct

from hanse.kernel.view import View
from hanse.rooms.catalog.facts import NUMBER_OF_ITEM, OWN_ITEMS
from hanse.rooms.inventory.offer_facts import OFFERS
from hanse.rooms.orders.private_rows import DOCUMENT_ORDERS, DOCUMENTS, MINE, Mine
from hanse.rooms.orders.rows import ORDERS
from hanse.rooms.parties.facts import CIRCLES


class Gain(Struct, frozen=True):
    """A member's gain in one currency, minor units, of what was shipped.

    Attributes:
        lent_minor: sold to members from offers to a group; lent_margin_minor: above what it cost; lent_lines.
        borrowed_minor: bought so; borrowed_margin_minor: its customers' price less that, for what stands in its
            documents (sales that its own shelves could not serve); borrowed_lines.
    """

    currency: str
    lent_minor: int = 0
    lent_margin_minor: int = 0
    lent_lines: int = 0
    borrowed_minor: int = 0
    borrowed_margin_minor: int = 0
    borrowed_lines: int = 0

    @property
    def total_minor(self) -> int:
        return self.lent_margin_minor + self.borrowed_margin_minor


def pool_gains(view: View, *, since: int = 0, limit: int = 5_000) -> list[Gain]:
    """The reader's gains by trade over offers to groups, by currency; since an order's time, UTC seconds."""
    found = view.sql(
        "SELECT DISTINCT m.order_id FROM {orders_mine} m JOIN {orders_order} o ON o.order_id = m.order_id,"
        " json_each(o.lines) l JOIN {inventory_offer} f ON f.offer = json_extract(l.value, '$[1]')"
        " JOIN {parties_circle} c ON c.circle = f.circle"
        " WHERE m.circle = ? AND m.placed_at >= ? AND c.purpose = 'group' ORDER BY m.order_id LIMIT ?",
        (view.home, since, limit),
        tables=(MINE, ORDERS, OFFERS, CIRCLES),
    )
    sums: dict[str, dict[str, int]] = {}
    for (order_id,) in found:
        mine = view.get(MINE, view.home, order_id)
        if mine is not None:
            _add(view, mine, sums.setdefault(mine.currency, {}))
    return [Gain(currency, **sums[currency]) for currency in sorted(sums)]


def _add(view: View, mine: Mine, into: dict[str, int]) -> None:
    order = view.get(ORDERS, mine.order_id)
    if order is None:
        return
    for row, line in zip(order.lines, mine.lines, strict=True):
        if not row.offer or not row.shipped:
            continue
        name, amount = ("lent" if mine.side == "sell" else "borrowed"), row.shipped * line.unit_price_minor
        other = _cost_minor(view, line.item) if mine.side == "sell" else _customer_price_minor(view, mine, line.line)
        margin = amount - row.shipped * other if mine.side == "sell" else row.shipped * other - amount
        into[f"{name}_minor"] = into.get(f"{name}_minor", 0) + amount
        into[f"{name}_lines"] = into.get(f"{name}_lines", 0) + 1
        if other:
            into[f"{name}_margin_minor"] = into.get(f"{name}_margin_minor", 0) + margin


def _cost_minor(view: View, item: str) -> int:
    """What one each of an item costs the reader, or 0."""
    number = view.get(NUMBER_OF_ITEM, view.home, item)
    own = view.get(OWN_ITEMS, view.home, number.own_number) if number else None
    return own.cost_minor if own else 0


def _customer_price_minor(view: View, mine: Mine, line: int) -> int:
    """What the reader's customer pays for one each of an order's line, as its document says, or 0."""
    cover = view.get(DOCUMENT_ORDERS, view.home, mine.order_id)
    document = view.get(DOCUMENTS, view.home, cover.document) if cover else None
    if document is None:
        return 0
    for covered in document.orders:
        if covered.order == mine.order_id:
            served = dict(covered.lines).get(line)
            return next((part.unit_price_minor for part in document.lines if part.line == served), 0)
    return 0

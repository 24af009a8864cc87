"""Questions about messages: those on an order, those about an item, and whether a file may be read."""

from __future__ import annotations

from collections.abc import Sequence

from hanse.kernel.view import View
from hanse.rooms.orders.private_rows import FILES, MESSAGES, Message
from hanse.rooms.orders.rows import Order


def messages_of(view: View, order: Order, shipments: Sequence[str], *, limit: int = 500) -> tuple[Message, ...]:
    """The messages on an order, and those that name one of its shipments alone, oldest first."""
    on_order = view.rows(
        MESSAGES, "circle = ? AND order_id = ?", (order.circle, order.order_id), order="entry", limit=limit
    )
    where = f"circle = ? AND order_id = '' AND shipment IN ({', '.join('?' * len(shipments))})"
    alone = view.rows(MESSAGES, where, (order.circle, *shipments), order="entry", limit=limit) if shipments else []
    return tuple(sorted([*on_order, *alone], key=lambda message: message.entry)[:limit])


def messages_about(view: View, item: str, *, limit: int = 200) -> tuple[Message, ...]:
    """What the reader and its partners wrote about an item apart from any order, newest first; own notes included."""
    found = [
        message
        for circle in view.circles
        for message in view.rows(
            MESSAGES, "circle = ? AND order_id = '' AND item = ?", (circle, item), order="entry DESC", limit=limit
        )
    ]
    return tuple(sorted(found, key=lambda message: -message.entry)[:limit])


def may_read_file(view: View, file_hash: str) -> bool:
    """Whether a message or receipt of one of the reader's circles names this file (hex SHA-256)."""
    return view.count(FILES, "file_hash = ?", (file_hash,)) > 0

"""Questions about messages: those about an item, and whether a file may be read."""

from __future__ import annotations

from hanse.kernel.view import View
from hanse.rooms.orders.private_rows import FILES, MESSAGES, Message


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

"""Purchases above their buyer's limit: a request stands in the firm's home as a message with a file that holds what
would be ordered; a second person's decision (`orders.approve`) names the message."""

from __future__ import annotations

from msgspec import Struct

from hanse.kernel.view import View
from hanse.rooms.orders.private_rows import APPROVALS, MESSAGES, Message

REQUEST_ITEM = "purchase-request"
"""What the message's `item` says, by which requests are known."""


class Request(Struct, frozen=True):
    """A purchase that was asked for.

    request: the message's id, which a decision names as its subject. file_hash: of what would be ordered.
    asked_by: the person. amount_minor, currency: of all its orders. about: one sentence. state: asked, approved,
    declined. decided_by: who did, "" where nobody has. entry: the message's position. at: UTC seconds.
    """

    request: str
    file_hash: str
    asked_by: str
    amount_minor: int
    currency: str
    about: str
    state: str
    decided_by: str
    entry: int
    at: int


def about_text(asked_by: str, amount_minor: int, currency: str, about: str) -> str:
    """The message's text, which `requests` reads again: three words that count, and a sentence.

    >>> about_text("7", 1200, "EUR", "20 each")
    '7 1200 EUR\\n20 each'
    """
    return f"{asked_by} {amount_minor} {currency}\n{about}"


def _read(view: View, message: Message) -> Request | None:
    head, _, about = message.text.partition("\n")
    words = head.split(" ")
    if len(words) != 3 or not words[1].isdigit():
        return None
    decided = view.rows(APPROVALS, "circle = ? AND subject = ?", (view.home, message.message), limit=1)
    state = ("approved" if decided[0].approved else "declined") if decided else "asked"
    return Request(
        request=message.message,
        file_hash=message.file_hash,
        asked_by=words[0],
        amount_minor=int(words[1]),
        currency=words[2],
        about=about,
        state=state,
        decided_by=decided[0].decided_by if decided else "",
        entry=message.entry,
        at=message.at,
    )


def requests(view: View, *, limit: int = 200) -> list[Request]:
    """The firm's purchase requests, newest first."""
    where = "circle = ? AND order_id = '' AND item = ?"
    rows = view.rows(MESSAGES, where, (view.home, REQUEST_ITEM), order="entry DESC", limit=limit) if view.home else []
    return [found for found in (_read(view, row) for row in rows) if found is not None]


def request(view: View, name: str) -> Request | None:
    """One request of the reader's firm."""
    row = view.get(MESSAGES, view.home, name)
    return _read(view, row) if row is not None and row.item == REQUEST_ITEM else None


def pending_requests(view: View) -> list[Request]:
    """Requests that nobody has decided, newest first."""
    return [found for found in requests(view) if found.state == "asked"]

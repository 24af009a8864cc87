"""What is above a person's limit: a request stands in the firm's home as a message with a file that holds what would be
signed (a purchase, an order that accepts a quote, a quote); a second person's decision (`orders.approve`) names it."""

from __future__ import annotations

from msgspec import Struct

from hanse.kernel.view import View
from hanse.rooms.orders.private_rows import APPROVALS, DOCUMENTS, MESSAGES, MINE, QUOTE_TERMS, Message
from hanse.rooms.orders.rows import QUOTES

REQUEST_ITEM = "purchase-request"
"""What the message's `item` says, by which requests are known."""


class Request(Struct, frozen=True):
    """What was asked for.

    request: the message's id, which a decision names as its subject. file_hash: of what would be signed.
    what: purchase, order (it accepts a quote) or quote. name: of the document, order or quote that comes of it.
    done: whether it has come of it.
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
    what: str = "purchase"
    name: str = ""
    done: bool = False


def file_name(what: str, name: str) -> str:
    """What the message calls the request's file; `requests` reads it again.

    >>> file_name("purchase", ""), file_name("quote", "Q-17")
    ('purchase.json', 'quote-Q-17.json')
    """
    return f"{what}-{name}.json" if name else f"{what}.json"


def _done(view: View, what: str, name: str, approved_at: int) -> bool:
    """Whether what was approved at an entry has been signed."""
    if what == "purchase":
        return view.get(DOCUMENTS, view.home, name) is not None
    if what == "order":
        return view.get(MINE, view.home, name) is not None
    row = view.get(QUOTES, name)
    terms = view.get(QUOTE_TERMS, row.circle, name) if row else None
    return terms is not None and bool(terms.quoted) and terms.position > approved_at


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
    what, _, name = message.file_name.removesuffix(".json").partition("-")
    name = name or message.message
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
        what=what,
        name=name,
        done=state == "approved" and _done(view, what, name, decided[0].position),
    )


def requests(view: View, *, limit: int = 200) -> list[Request]:
    """The firm's requests, newest first."""
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

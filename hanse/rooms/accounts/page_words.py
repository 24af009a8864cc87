"""What the pages of accounts share: tabs, addresses, the trade's words, and a partner's name as a link."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote, urlencode

from litestar import Request

from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.accounts.ledger import OUTSIDE
from hanse.rooms.accounts.rows import (
    ACCRUALS,
    ANNOUNCED,
    ASSIGNED,
    AWARD,
    CLAIMED,
    CREDIT_NOTE,
    INVOICE,
    NETTED,
    ON_ACCOUNT,
    PENDING,
    SETTLED,
    STANDS,
    UNCONFIRMED,
    USED,
    VOID,
    Item,
)
from hanse.rooms.contracts.page_parts import key_words
from hanse.rooms.contracts.private_rows import AWARDS
from hanse.rooms.orders.naming import MADE_UP_ID
from hanse.rooms.parties.queries import party_name
from hanse.site.desks import desk
from hanse.web import Badge, Link, Session, needs_role, not_here
from hanse.web.formats import DECIMALS

ROLES = ("owner", "buyer", "seller", "viewer")
"""Who sees money. What they may sign, the desk decides."""
CRUMBS = (("Today", "/"), ("Accounts", "/accounts"))
TABS = [
    ("Accounts", "/accounts"),
    ("To bill", "/accounts/to-bill"),
    ("Documents", "/accounts/documents"),
    ("Payments", "/accounts/payments"),
    ("Accruals", "/accounts/accruals"),
    ("Credit", "/accounts/credit"),
    ("Netting", "/accounts/netting"),
    ("Escrow", "/accounts/escrow"),
    ("Journal", "/accounts/journal"),
]
ENTRY_WORDS = {
    "opening": "Opening", "closing": "Closing", "invoice": "Invoices", "credit_note": "Credit notes",
    "award": "Credits that stand", "payment": "Payments", "booked": "Brought in", "debt leaves": "Debts handed over",
    "debt arrives": "Debts taken over", "netted": "Netting", "release": "Out of escrow", "delivery": "Delivered",
    "return": "Returned", "accrual": "Accrued", "decision": "Lowered", "reversal": "Reversed", "escrow": "In escrow",
    "refund": "Refunded", "provision used": "Accrual used",
}  # fmt: skip
"""Kinds of entries, as the bars of a statement."""
ENTRY_ONE = {
    **ENTRY_WORDS, "invoice": "Invoice", "credit_note": "Credit note", "award": "Credit that stands",
    "payment": "Payment", "debt leaves": "Debt handed over", "debt arrives": "Debt taken over",
}  # fmt: skip
"""The same of one entry."""
ITEM_WORDS = {
    INVOICE: "Invoice", CREDIT_NOTE: "Credit note", ON_ACCOUNT: "On account", AWARD: "Credit", ASSIGNED: "Debt taken",
    NETTED: "Netting",
}  # fmt: skip
PAYMENT_WORDS = {
    ANNOUNCED: Badge("announced by the payer", "warn"), CLAIMED: Badge("received, says the payee", "warn"),
    SETTLED: Badge("settled", "good"), UNCONFIRMED: Badge("not confirmed in time", "bad"),
}  # fmt: skip
ACCRUAL_WORDS = {
    PENDING: Badge("may be objected to", "warn"), STANDS: Badge("stands", "good"), USED: Badge("credited", "info"),
    VOID: Badge("reversed", "quiet"),
}  # fmt: skip
ACCRUAL_KINDS = {
    "return": "Return", "pay": "Clause result", "post": "Accrued rebate", "hold": "Into escrow",
    "release": "Out of escrow", "refund": "Back from escrow",
}  # fmt: skip


def at_desk(read: Any, session: Session) -> Desk:
    """The reader's desk. Raises: 404 for roles that see no money, and for who has no books."""
    needs_role(session, *ROLES)
    found = desk(read, session)
    if not found.view.home:
        raise not_here()
    return found


def name_of(view: View, party: str) -> str:
    """A partner's name; an outsider's is the firm's own word for it."""
    return party_name(view, party).removeprefix(OUTSIDE)


def two(prefix: str, first: str, second: str) -> str:
    """The address of a thing of a circle.

    >>> two("/accounts/d/", "home-a", "R/1")
    '/accounts/d/home-a/R%2F1'
    """
    return f"{prefix}{quote(first, safe='')}/{quote(second, safe='')}"


def named(request: Request[Any, Any, Any], prefix: str) -> tuple[str, str]:
    """Circle and name out of an address that `two` made. Raises: 404."""
    raw = request.scope.get("raw_path") or quote(request.scope["path"]).encode()
    rest = raw.decode("ascii", "replace").partition("?")[0].removeprefix(prefix)
    circle, slash, name = rest.partition("/")
    if not (slash and circle and name):
        raise not_here()
    return unquote(circle), unquote(name)


def item_address(item: Item) -> str:
    """The page of an invoice, credit note or other item."""
    return two("/accounts/d/", item.circle, item.item)


def item_link(item: Item, view: View | None = None) -> Link:
    """A document by its issuer's number; what a clause gave by what it is for, where a reader's view is there."""
    words = item.reference if item.item_kind == INVOICE and item.reference else item.item
    if view is not None and words == item.item:
        words = accrual_words(view, item.circle, words.rstrip("+"), words)
    return Link(words, item_address(item))


def accrual_words(view: View, circle: str, name: str, otherwise: str = "") -> str:
    """An accrual by its reason and what it is for, where a program named it: "Liquidated damages for TT-881, line 1".

    Args:
        otherwise: said of what is no accrual of the circle, or was named by people; its name where that is "".
    """
    row, award = view.get(ACCRUALS, circle, name), view.get(AWARDS, circle, name)
    if row is None or not MADE_UP_ID.fullmatch(name.partition(":")[0]):
        return otherwise or name
    label = row.label.replace("_", " ")
    words = label[:1].upper() + label[1:]
    return f"{words} for {key_words(view, award.key, award.circle)}" if award and award.key.strip("[]") else words


def statement_address(circle: str, partner: str, currency: str, side: str) -> str:
    """The statement of one direction."""
    given = {"circle": circle, "partner": partner, "currency": currency, "side": side}
    return f"/accounts/statement?{urlencode(given)}"


def key_of(circle: str, name: str) -> str:
    """What names a thing of a circle in a form's tick box.

    >>> apart(key_of("a--b", "i 1"))
    ('a--b', 'i 1')
    """
    return f"{circle} {name}"


def apart(key: str) -> tuple[str, str]:
    """Circle and name of a tick box. Refuses: form.nothing_chosen."""
    circle, blank, name = key.partition(" ")
    if not blank:
        raise Refused("form.nothing_chosen", "tick rows of the list", got=key[:80])
    return circle, name


def major(minor: int, currency: str) -> float:
    """Minor units as the figure that a chart shows.

    >>> major(12345, "EUR"), major(500, "JPY")
    (123.45, 500.0)
    """
    return float(minor / 10 ** DECIMALS.get(currency, 2))


def proven(unproven: bool) -> Badge:
    """Whether both sides stand behind it."""
    return Badge("unproven: own books", "unproven") if unproven else Badge("both sides", "proven")

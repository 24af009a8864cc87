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
    ITEMS,
    NETTED,
    ON_ACCOUNT,
    PENDING,
    SETTLED,
    STANDS,
    UNCONFIRMED,
    USED,
    VOID,
    Item,
    Payment,
)
from hanse.rooms.contracts.page_parts import award_words
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
    words = item.reference if item.item_kind in (INVOICE, CREDIT_NOTE) and item.reference else item.item
    if view is not None and words == item.item:
        words = accrual_words(view, item.circle, words.rstrip("+"), "") or _item_words(view, item)
    return Link(words, item_address(item))


def _item_words(view: View, item: Item) -> str:
    """An item that no clause named: by its number; where a program gave that, by its invoice or its kind."""
    if item.item_kind == NETTED:
        return cycle_words(item.item.partition("/")[0])
    if not MADE_UP_ID.fullmatch(item.item):
        return item.item
    first = view.get(ITEMS, item.circle, item.subject) if item.item_kind == CREDIT_NOTE else None
    return f"Credit note for {item_link(first, view).text}" if first else ITEM_WORDS[item.item_kind]


def cycle_words(cycle: str) -> str:
    """A netting cycle by its number, where people gave it.

    >>> cycle_words("netting-year-end"), cycle_words("2026-11"), cycle_words("net-0a1b2c3d4e5f")
    ('Netting year-end', 'Netting 2026-11', 'Netting')
    """
    return "Netting" if MADE_UP_ID.fullmatch(cycle) else f"Netting {cycle.removeprefix('netting-')}"


def payment_words(view: View, row: Payment) -> str:
    """A payment by its number; by what it settles, where a program numbered it: "Payment of R-17 and 2 more"."""
    if not MADE_UP_ID.fullmatch(row.payment):
        return f"Payment {row.payment}"
    if row.cycle:
        return cycle_words(row.cycle)
    items = [view.get(ITEMS, row.circle, part.item) for part in row.allocations]
    found = [item_link(item, view).text for item in items if item]
    what = "Refund" if row.refund else "Payment"
    if not found:
        return f"{what} on account"
    first = found[0].replace("Netting", "netting", 1) if found[0].startswith("Netting") else found[0]
    return f"{what} of {first}" + (f" and {len(found) - 1} more" if len(found) > 1 else "")


def reference_words(view: View, row: Payment) -> str:
    """What a payment is referred to by; an item's name by what people call it."""
    item = view.get(ITEMS, row.circle, row.reference) if row.reference else None
    return item_link(item, view).text if item else row.reference


def accrual_words(view: View, circle: str, name: str, otherwise: str | None = None) -> str:
    """An accrual by its reason and what it is for, where a program named it: "Liquidated damages for TT-881, line 1".

    Args:
        otherwise: said of what is no accrual of the circle, or was named by people; its name where that is None.
    """
    row, award = view.get(ACCRUALS, circle, name), view.get(AWARDS, circle, name)
    if row is None or not MADE_UP_ID.fullmatch(name.partition(":")[0]):
        return name if otherwise is None else otherwise
    label = row.label.replace("_", " ")
    return award_words(view, award) if award else label[:1].upper() + label[1:]


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

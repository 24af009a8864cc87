"""What people call the things that entries of the record name by ids, as far as the reader may know.

Names come out of rows that are public or of circles that the reader is in, and of those circles alone: whoever is in
none reads the id that stands on the record. A number that a person gave stays; one that a program made is told by what
the thing is about. See docs/decisions/0028.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from hanse.kernel.rows import Row
from hanse.kernel.view import View
from hanse.rooms.accounts.page_words import item_link
from hanse.rooms.accounts.rows import ASSIGNMENTS, CYCLES, ESCROW_WAITS
from hanse.rooms.accounts.rows import ITEMS as OPEN_ITEMS
from hanse.rooms.catalog.queries import short_name
from hanse.rooms.group.rows import GROUP_TERMS, REBATES, ROUND_TERMS, ROUNDS
from hanse.rooms.inventory.offer_facts import OFFERS, TRANSFER_TERMS, TRANSFERS, WANT_TERMS, WANTS
from hanse.rooms.inventory.offer_queries import offer as offer_card
from hanse.rooms.orders.naming import MADE_UP_ID, document_name, order_name
from hanse.rooms.orders.private_rows import DOCUMENTS, QUOTE_TERMS
from hanse.rooms.orders.rows import HOLDS, ORDERS, QUOTES, RETURNS
from hanse.rooms.parties.queries import circle_card, party_behind, party_name
from hanse.rooms.plans.rows import PLANS, WINDOWS
from hanse.web.formats import money, quantity

MADE_UP = re.compile(
    rf"{MADE_UP_ID.pattern}|[PW]-[0-9a-f]{{12}}|(offer|move|want|round|group|net|debt|esc)-[0-9a-f]{{10,12}}"
)
"""How a program numbers what people give no number."""


def made_up(name: str) -> bool:
    """Whether a program gave this number.

    >>> made_up("move-0a1b2c3d4e5"), made_up("R-0a1b2c3d4e5f"), made_up("T-17"), made_up("round-spring")
    (True, True, False, False)
    """
    return MADE_UP.fullmatch(name) is not None


def plain(name: str, what: str) -> str:
    """A number that a person gave, behind the word for what it numbers, which is not said twice.

    >>> plain("round-spring", "round"), plain("netting-year-end", "netting"), plain("2026/1", "round")
    ('spring', 'year-end', '2026/1')
    """
    return name.removeprefix(f"{what}-") or name


def item_words(view: View, item: str) -> str:
    """As `catalog.queries.short_name`; the word itself where the catalogue has no such item."""
    return short_name(view, item) or item


def circle_words(view: View, circle: str) -> str:
    """Whose lines a circle's are: "the group X", "its own orders"; "" for those outside."""
    card = circle_card(view, circle)
    if card is None or card.purpose == "relationship":
        return ""
    return "its own orders" if card.purpose == "home" else f"the group {card.name}"


def _mine(view: View, row: Row | None) -> bool:
    return row is not None and getattr(row, "circle", "") in view.circles


# -- stock ---------------------------------------------------------------------------------------------------------


def offer(view: View, circle: str, name: str) -> str:
    """The offer by its item."""
    row = view.get(OFFERS, name) if made_up(name) else None
    card = offer_card(view, row.circle, name) if row else None
    return f"the offer of {item_words(view, card.item)}" if card else ""


def transfer(view: View, circle: str, name: str) -> str:
    """The transfer by how much of what it moves."""
    row = view.get(TRANSFERS, name) if made_up(name) else None
    terms = view.get(TRANSFER_TERMS, row.circle, name) if row else None
    return f"the transfer of {quantity(terms.each)} of {item_words(view, terms.item)}" if terms else ""


def wanted(view: View, name: str) -> str:
    """How much of what somebody asks for: "4 each of SKF 6205"."""
    row = view.get(WANTS, name)
    terms = view.get(WANT_TERMS, row.circle, name) if row else None
    return f"{quantity(terms.each)} of {item_words(view, terms.item)}" if terms else ""


def want(view: View, circle: str, name: str) -> str:
    """What was asked for, within a sentence."""
    words = wanted(view, name) if made_up(name) else ""
    return f"what was asked for, {words}," if words else ""


# -- orders --------------------------------------------------------------------------------------------------------


def hold(view: View, circle: str, name: str) -> str:
    """The reservation by how much of which offer it keeps."""
    row = view.get(HOLDS, name) if made_up(name) else None
    words = offer(view, row.circle, row.offer) if row else ""
    return f"the reservation of {quantity(row.each)} of {words}" if row and words else ""


def quote(view: View, circle: str, name: str) -> str:
    """The quote by the first of its items."""
    row = view.get(QUOTES, name) if made_up(name) else None
    terms = view.get(QUOTE_TERMS, row.circle, name) if row else None
    lines = (terms.quoted or terms.asked) if terms else ()
    if not lines:
        return ""
    more = f" and {len(lines) - 1} more" if len(lines) > 1 else ""
    return f"the quote for {item_words(view, lines[0].item)}{more}"


def goods_back(view: View, circle: str, name: str) -> str:
    """The return by its order, as the reader's firm calls that."""
    row = view.get(RETURNS, name) if made_up(name) else None
    return f"the return of goods of order {order_name(view, row.order_id)}" if row and _mine(view, row) else ""


def purchase(view: View, circle: str, name: str) -> str:
    """What somebody approves in the reader's own books: an order, or a customer's document."""
    row = view.get(DOCUMENTS, circle, name)
    if row is not None:
        words = document_name(view, row.document, row.customer, row.customer_po_number)
        return f"the purchase of {words[:1].lower()}{words[1:]}"
    order = view.get(ORDERS, name)
    return f"the purchase of order {order_name(view, name)}" if order and _mine(view, order) else ""


# -- money ---------------------------------------------------------------------------------------------------------


def escrow(view: View, circle: str, name: str) -> str:
    """The escrow by its order."""
    row = view.get(ESCROW_WAITS, name)
    return f"the escrow for order {order_name(view, row.order_id)}" if row and _mine(view, row) else ""


def debt(view: View, circle: str, name: str) -> str:
    """The debt that passes, by what its sides call it, else by the document, else by the amount."""
    rows = view.rows(ASSIGNMENTS, "assignment = ?", (name,), limit=1)
    if not rows:
        return ""
    row = rows[0]
    item = view.get(OPEN_ITEMS, row.circle, row.item) if row.item else None
    words = row.reference or (item_link(item, view).text if item else "")
    return f"the debt of {money(row.amount_minor, row.currency)}" + (f" for {words}" if words else "")


def cycle(view: View, circle: str, name: str) -> str:
    """The netting cycle by its group, where a program numbered it."""
    row = view.get(CYCLES, name) if made_up(name) else None
    whose = circle_words(view, row.circle) if row else ""
    return f"the netting cycle of {whose}" if whose else ""


# -- groups and plans ----------------------------------------------------------------------------------------------


def group(view: View, circle: str, name: str) -> str:
    """The buying group by its name."""
    terms = view.get(GROUP_TERMS, circle, name)
    return f"the group {terms.name}" if terms and terms.name else ""


def round_words(view: View, circle: str, name: str) -> str:
    """The purchasing round by its item, as its page has it; behind the number that a person gave."""
    row = view.get(ROUNDS, name)
    terms = view.get(ROUND_TERMS, row.circle, name) if row else None
    if terms is None:
        return ""
    number = "the purchasing round" if made_up(name) else f"purchasing round {plain(name, 'round')}"
    return f"{number} for {item_words(view, terms.item)}"


def rebate(view: View, circle: str, name: str) -> str:
    """The rebate by its number and supplier; without the supplier where two groups of the reader's use one number."""
    here = view.get(REBATES, circle, name)
    rows = [here] if here else view.rows(REBATES, "rebate = ?", (name,), limit=2)
    number = "the rebate" if made_up(name) else f"rebate {plain(name, 'rebate')}"
    return f"{number} of {party_name(view, rows[0].supplier)}" if len(rows) == 1 else ""


def plan(view: View, circle: str, name: str) -> str:
    """The plan by its planner and whose lines it serves."""
    row = view.get(PLANS, name) if made_up(name) else None
    whose = circle_words(view, row.circle) if row else ""
    by = party_name(view, party_behind(view, row.circle, row.planner)) if row and whose else ""
    return f"the plan of {by} for {whose}" if by else ""


def window(view: View, circle: str, name: str) -> str:
    """The time for plans by whose lines they serve."""
    row = view.get(WINDOWS, name) if made_up(name) else None
    whose = circle_words(view, row.circle) if row else ""
    return f"the window for plans for {whose}" if whose else ""


Name = Callable[[View, str, str], str]
NAMES: dict[str, tuple[str, Name]] = {
    "offer": ("offer", offer), "transfer": ("transfer", transfer), "want": ("what was asked for in", want),
    "hold": ("reservation", hold), "quote": ("quote", quote), "return_id": ("return", goods_back),
    "subject": ("the purchase of", purchase), "escrow": ("escrow", escrow), "assignment": ("hand-over of a debt", debt),
    "cycle": ("netting cycle", cycle), "group": ("group", group), "round": ("purchasing round", round_words),
    "rebate": ("rebate", rebate), "plan": ("plan", plan), "window": ("window", window),
}  # fmt: skip
"""A figure's name -> the trade's word for what it numbers; what the reader calls it, "" where that is the id."""


def known(view: View, circle: str, field: str, name: str) -> str:
    """What the reader calls what a figure names, "" where that is nothing but its number. As `called`."""
    return NAMES[field][1](view, circle, name)


def called(view: View, circle: str, field: str, name: str) -> str:
    """What a figure names, within a sentence: by the reader's name for it, else by its number.

    Args:
        circle: the entry's, "" where it is not known. field: a figure of `NAMES`. name: its value, not empty.
    """
    number = name if made_up(name) else plain(name, "netting" if field == "cycle" else field)
    return known(view, circle, field, name) or f"{NAMES[field][0]} {number}"

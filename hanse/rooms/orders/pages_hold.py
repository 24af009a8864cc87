"""Why an order waits for a person's answer though everything is there: the buyer's credit with the seller."""

from __future__ import annotations

from hanse.node.desk import Desk
from hanse.rooms.accounts.page_words import ROLES
from hanse.rooms.accounts.queries import Credit
from hanse.rooms.accounts.responding import held
from hanse.rooms.orders.queries import OrderPage
from hanse.rooms.orders.rows import PLACED
from hanse.web.formats import money, number

WHY = {
    "on hold": "You sell nothing more to {buyer} on credit for now.",
    "overdue": "{buyer}’s oldest bill is {days} overdue.",
    "limit": "This order goes beyond {buyer}’s credit.",
}
"""What is held -> the words for the seller."""


def hold_of(at: Desk, found: OrderPage) -> tuple[str, str] | None:
    """(why, figures) where nobody answers a placed order by itself for want of credit; None for who sees no money.

    It is the seller's alone: the buyer's page says nothing of limits.
    """
    if at.who.role not in ROLES or found.order.state != PLACED or found.terms.seller != at.who.party:
        return None
    credit = held(at.view, found.order.order_id)
    if credit is None:
        return None
    days = f"{number(credit.overdue_days)} {'day' if credit.overdue_days == 1 else 'days'}"
    return WHY[credit.held].format(buyer=found.buyer_name, days=days), figures(credit, found.terms.amount_minor)


def figures(credit: Credit, order_minor: int) -> str:
    """The credit beside the order, in words.

    >>> figures(Credit("ann", "EUR", 50_000, 45_000, 0, 1_000, 4_000, 0, "limit"), 10_000)
    'Credit 500.00 EUR: 460.00 EUR are used, 40.00 EUR are free, this order is 100.00 EUR.'
    >>> figures(Credit("ann", "EUR", -1, 45_000, 0, 0, -1, 24, "overdue"), 10_000)
    '450.00 EUR are open, without a limit; this order is 100.00 EUR.'
    """
    used, asked = money(credit.exposure_minor, credit.currency), money(order_minor, credit.currency)
    if credit.limit_minor < 0:
        return f"{used} are open, without a limit; this order is {asked}."
    limit, free = money(credit.limit_minor, credit.currency), money(credit.free_minor, credit.currency)
    return f"Credit {limit}: {used} are used, {free} are free, this order is {asked}."

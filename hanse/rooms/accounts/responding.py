"""What an owner's node answers to an order once its books are asked: nothing is confirmed beyond the buyer's credit.

The agreements and the stock are asked before (`contracts.responding`). How much credit a buyer has stays in the owner's
home; the buyer is told, in the circle of both, that and why it is held. A firm offer binds its price and quantity; it
grants no credit.
"""

from __future__ import annotations

from hanse.kernel.view import View
from hanse.rooms.accounts.queries import Credit, credit
from hanse.rooms.contracts import responding
from hanse.rooms.orders.facts import ConfirmOrder, DeclineOrder
from hanse.rooms.orders.private_rows import ORDER_TERMS
from hanse.rooms.orders.responder import DECLINED
from hanse.rooms.orders.rows import LIVE_STATES, ORDERS

SENTENCES = {
    "on hold": "credit: we do not sell to you on credit at present; please speak to us",
    "overdue": "credit: invoices of ours are overdue; please settle them, then order again",
    "limit": "credit: this order goes beyond your credit with us; please settle open items, then order again",
}
"""What is held -> what the buyer is told."""


def held(view: View, order_id: str) -> Credit | None:
    """The buyer's credit where it does not suffice for what is open of an order, else None; for the seller alone.

    Lent goods and orders of outsiders need none.
    """
    order = view.get(ORDERS, order_id)
    terms = view.get(ORDER_TERMS, order.circle, order_id) if order else None
    if order is None or terms is None or order.one_sided or terms.seller != view.party or terms.loan:
        return None
    prices = {line.line: line.unit_price_minor for line in terms.lines}
    more = sum(line.open * prices[line.line] for line in order.lines)
    found = credit(view, terms.buyer, terms.currency, more)
    return found if found.held and more else None


def respond(view: View, order_id: str) -> ConfirmOrder | DeclineOrder | None:
    """As `contracts.responding.respond`; an order beyond the buyer's credit is declined, and told why.

    What the agreements decline is told the credit's sentence beside theirs. What people have to answer is left to
    them: they see the hold.
    """
    answer = responding.respond(view, order_id)
    order = view.get(ORDERS, order_id)
    if answer is None or order is None or order.state not in LIVE_STATES:
        return answer
    found = held(view, order_id)
    if found is None:
        return answer
    told = SENTENCES[found.held]
    if isinstance(answer, DeclineOrder):
        if answer.reason == DECLINED:
            return answer
        told = f"{answer.reason}; {told}"
    return DeclineOrder(circle=answer.circle, order=order_id, reason=told[:400])

"""The pages of orders."""

from __future__ import annotations

from typing import Any

from hanse.kernel.view import View
from hanse.rooms.orders.pages_approvals import approvals_page, decide
from hanse.rooms.orders.pages_documents import confirmation, customer_document, note, pod_link, slip_page
from hanse.rooms.orders.pages_find import find, place
from hanse.rooms.orders.pages_list import order_list
from hanse.rooms.orders.pages_messages import PAGES as MESSAGES_PAGES
from hanse.rooms.orders.pages_order import do, one_order
from hanse.rooms.orders.pages_outside import PAGES as OUTSIDE_PAGES
from hanse.rooms.orders.pages_pod import pod, sign
from hanse.rooms.orders.pages_quotes import NAV as QUOTES_NAV
from hanse.rooms.orders.pages_quotes import PAGES as QUOTES_PAGES
from hanse.rooms.orders.pages_take import PAGES as TAKE_PAGES
from hanse.rooms.orders.purchases import pending_requests
from hanse.rooms.orders.waiting import orders_waiting
from hanse.site.menu import EVERYBODY, TRADE, Entry


def _to_decide(view: View) -> int:
    return len(pending_requests(view))


NAV = [
    Entry("Find and order", "/find", "", TRADE),
    Entry("Orders", "/orders", "Trade", EVERYBODY, orders_waiting),
    *QUOTES_NAV,
    Entry("Approvals", "/orders/approvals", "Trade", ("owner", "buyer", "seller"), _to_decide),
]
PAGES: list[Any] = [
    order_list,
    one_order,
    do,
    slip_page,
    pod_link,
    confirmation,
    note,
    customer_document,
    pod,
    sign,
    find,
    place,
    approvals_page,
    decide,
    *QUOTES_PAGES,
    *MESSAGES_PAGES,
    *TAKE_PAGES,
    *OUTSIDE_PAGES,
]

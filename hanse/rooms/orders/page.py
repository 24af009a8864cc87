"""The pages of orders."""

from __future__ import annotations

from typing import Any

from hanse.rooms.orders.pages_documents import confirmation, customer_document, note, pod_link, slip_page
from hanse.rooms.orders.pages_list import order_list
from hanse.rooms.orders.pages_order import do, file, message, one_order
from hanse.rooms.orders.waiting import orders_waiting
from hanse.site.menu import EVERYBODY, Entry

NAV = [Entry("Orders", "/orders", "Trade", EVERYBODY, orders_waiting)]
PAGES: list[Any] = [
    order_list,
    one_order,
    do,
    message,
    file,
    slip_page,
    pod_link,
    confirmation,
    note,
    customer_document,
]

"""For tests of this room's pages: what a visitor does on an order's page, and what an answer says."""

from __future__ import annotations

import base64
import re
from typing import Any

from hanse.rooms.orders.pages_forms import day_text
from hanse.rooms.orders.queries import order_page
from hanse.site.testing import DAY, SmallTown, Visitor

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()


def code_of(answer: Any) -> str:
    found = re.search(r'class="code">([^<]+)<', answer.text)
    return found.group(1) if found else ""


def act(who: Visitor, action: str, order: str, **fields: Any) -> Any:
    return who.post(f"/orders/do/{action}", {"order": order, **{k.replace("__", "."): v for k, v in fields.items()}})


def day(town: SmallTown, days: int) -> str:
    return day_text(town.now() + days * DAY)


def shipped(town: SmallTown, bob: Visitor, order: str, each: int = 10) -> str:
    """An order that was placed, confirmed and shipped; the shipment."""
    town.order(order, each=each)
    town.confirm(order, each)
    stock = '["bob-6205","store-bob",""]'
    assert act(bob, "ship", order, each__1=each, stock__1=stock, carrier="DHL").status_code == 303
    page = order_page(town.node.view("bob"), order)
    assert page is not None
    return page.shipments[-1].shipment.shipment


def link_of(answer: Any) -> str:
    found = re.search(r'href="https://[^/]+(/pod/[^"]+)"', answer.text)
    assert found is not None, answer.text[-3000:]
    return found.group(1)

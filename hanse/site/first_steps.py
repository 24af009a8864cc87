"""What a firm that has just begun does first; nothing of it is shown once all of it is done."""

from __future__ import annotations

from msgspec import Struct

from hanse.node.desk import Desk
from hanse.rooms.catalog.facts import OWN_ITEMS
from hanse.rooms.inventory.facts import STOCK
from hanse.rooms.orders.private_rows import MINE
from hanse.rooms.parties.facts import PARTIES

OWNER = "owner"


class Step(Struct, frozen=True):
    """One of the first steps. next: the first that is not done."""

    title: str
    words: str
    button: str
    href: str
    done: bool
    next: bool = False


def first_steps(at: Desk) -> list[Step]:
    """The steps of a firm's owner, done ones among them; none for others, and none when all are done."""
    view = at.view
    if at.who.role != OWNER or not view.home:
        return []
    stock = bool(view.rows(STOCK, "circle = ?", (view.home,), limit=1))
    items = stock or bool(view.rows(OWN_ITEMS, "circle = ?", (view.home,), limit=1))
    traded = bool(view.rows(MINE, "circle = ?", (view.home,), limit=1))
    company = len(view.rows(PARTIES, limit=2)) > 1
    steps = [
        ("Bring your stock", "The list that your own system exports, as it is: what you keep, where, and at what cost.",
         "Import stock", "/import", stock),
        ("Bring your open orders", "Sales and purchases. Today then says what is late, and what money lies in it.",
         "Import orders", "/import", traded),
        ("Invite a firm that you trade with", "It gets its own account and its own keys. It sees what you offer it, "
         "and nothing else.", "Invite a firm", "/invite-a-firm", company),
    ]  # fmt: skip
    if all(done for *_, done in steps) or (items and traded and company):
        return []
    first = next(n for n, step in enumerate(steps) if not step[-1])
    return [Step(*step, next=n == first) for n, step in enumerate(steps)]

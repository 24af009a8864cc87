"""What pages call a plan, what its lines are for, and what its cost is made of."""

from __future__ import annotations

from typing import Any

from hanse.kernel.view import View
from hanse.node.planning_orders import Done
from hanse.rooms.inventory.offer_facts import WANT_TERMS
from hanse.rooms.orders.naming import MADE_UP_ID, order_name
from hanse.rooms.parties.queries import party_name
from hanse.rooms.plans.queries import PlanPage, Served
from hanse.site.places import Places
from hanse.web import Link, Money
from hanse.web.formats import money

STAGES = {
    "first plan": "A first plan stands",
    "prices": "Looking for the prices that prove it",
    "columns": "Putting whole orders together",
    "polishing": "Bettering the plan, line by line",
    "search": "Searching for better plans",
}
"""What a solver says of how far it is, in words."""


def lines_words(view: View, circle: str, name: str) -> str:
    """Whose lines a plan serves."""
    return "own orders" if circle == view.home else name


def gap_words(ppm: int) -> str:
    """How far above the best a plan is at most: no gap reads as none that is there.

    >>> gap_words(0), gap_words(173), gap_words(20), gap_words(52_000)
    ('0 %', '0.017 %', '0.002 %', '5.2 %')
    """
    return f"{ppm / 10_000:.{1 if ppm >= 10_000 else 3}f}".rstrip("0").rstrip(".") + " %"


def next_words(line: Served, currency: str) -> str:
    """The best other source of a served line, and what it would cost more."""
    other = line.next_best
    if other is None:
        return "nobody has it all" if line.parts else ""
    extra = f"{money(abs(other.extra_minor), currency)} {'more' if other.extra_minor >= 0 else 'less'}"
    return f"{other.place}, for {extra}" if other.extra_minor else f"{other.place}, for the same"


def reference_link(view: View, circle: str, reference: str, places: Places) -> Link:
    """What a line is for, with its page: an order by its number, a want by whose it is."""
    kind, _, rest = reference.partition(":")
    if kind == "order":
        order, _, line = rest.rpartition("/")
        return Link(f"{order_name(view, order)}, line {line}", places.of("order", order))
    return Link(subject_words(view, circle, reference), "/borrow")


def subject_words(view: View, circle: str, reference: str) -> str:
    """A want by whose it is; an order by its number."""
    kind, _, rest = reference.partition(":")
    if kind == "order":
        return f"Order {order_name(view, rest)}"
    terms = view.get(WANT_TERMS, circle, rest)
    own = "" if MADE_UP_ID.fullmatch(rest) else f" ({rest})"
    return f"{party_name(view, terms.party) if terms else 'wanted'}{own}"


def done_rows(view: View, circle: str, done: list[Done], places: Places) -> list[dict[str, Any]]:
    """What became of each customer's order or want of a plan."""
    return [
        {
            "name": subject_words(view, circle, one.reference),
            "confirmed_each": one.confirmed_each,
            "orders": [Link(order_name(view, order), places.of("order", order)) for order in one.orders],
            "failed": one.failed,
        }
        for one in done
    ]


def cost_rows(shown: PlanPage) -> list[list[Any]]:
    """(what, how many, amount): what a plan's cost is made of; the last row is the sum, and the plan's cost."""
    made, unit = shown.cost, shown.question.currency
    rows: list[list[Any]] = [
        ["Goods, freight by weight, lateness", f"{shown.served_each:,} each", Money(made.goods_minor, unit)],
        ["Shipments", f"{made.shipments:,}", Money(made.shipments_minor, unit)],
        ["Reckoned for what stays unserved", f"{shown.asked_each - shown.served_each:,} each",
         Money(made.unserved_minor, unit)],
    ]  # fmt: skip
    total = made.goods_minor + made.shipments_minor + made.unserved_minor
    return [*rows, ["Cost of the plan", "", Money(total, unit)]]

"""`hanse stock`: a firm's stock, listed, looked at and counted. The node must be stopped."""

from __future__ import annotations

from cyclopts import App

from hanse.cli._desk import Party, desk_of
from hanse.cli.shell import HERE, Answer, Data, NotNegative, Positive, table
from hanse.kernel.refusal import Refused
from hanse.node.node import Node
from hanse.rooms.inventory import queries
from hanse.rooms.inventory.facts import Count, CountLine
from hanse.web.formats import money


def mount(app: App) -> None:
    """Add this file's commands."""
    group = App(name="stock", help="Stock: listed, looked at, counted; what has not moved.")
    group.command(show, name="list")
    group.command(card)
    group.command(count)
    group.command(dead)
    app.command(group)


def show(*, search: str = "", party: Party = "", limit: Positive = 100, data: Data = HERE) -> Answer:
    """List own numbers with what is on hand and free.

    Parameters
    ----------
    search
        Part of a number or a description.
    """
    with Node(data, helper=False) as node:
        found = queries.stock_list(desk_of(node, party).view, search=search, limit=limit)
    rows = [(r.own_number, r.description, r.on_hand_each, r.free_each, r.item or "not matched") for r in found]
    return Answer(found, table("number", "description", "on hand", "free", "item", rows=rows))


def card(own_number: str, *, party: Party = "", data: Data = HERE) -> Answer:
    """Show the stock card of one own number: where it lies, what holds it, how it moved."""
    with Node(data, helper=False) as node:
        found = queries.stock_card(desk_of(node, party).view, own_number)
    if found is None:
        raise Refused(
            "stock.unknown_number", "this firm has no such number", got=own_number, next="see `hanse stock list`"
        )
    return Answer(found)


def count(
    own_number: str, each: NotNegative, *, site: str, lot: str = "", party: Party = "", data: Data = HERE
) -> Answer:
    """Record a count of one own number at one site.

    Parameters
    ----------
    each
        What stands there, in base units.
    site
        The site's id.
    """
    with Node(data, helper=False) as node:
        desk = desk_of(node, party)
        line = CountLine(site=site, own_number=own_number, each=each, lot=lot)
        receipt = desk.do(Count(circle=desk.view.home, lines=[line], counted_at=0))
    return Answer(receipt, f"counted, entry {receipt.position:,}")


def dead(*, idle_days: Positive = 180, party: Party = "", limit: Positive = 50, data: Data = HERE) -> Answer:
    """List stock that has not moved for so many days, the most money first."""
    with Node(data, helper=False) as node:
        found = queries.dead_stock(desk_of(node, party).view, idle_days, limit=limit)
    rows = [(r.own_number, r.site, r.idle_days, money(r.value_minor, r.currency)) for r in found]
    return Answer(found, table("number", "site", "days", "value", rows=rows))

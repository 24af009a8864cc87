"""`hanse order`: a firm's orders; found, placed, looked at, and what is done to them. The node must be stopped."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from cyclopts import App, Parameter
from msgspec.structs import replace

from hanse.cli._desk import Party, desk_of
from hanse.cli._order_acts import ACTS
from hanse.cli._order_forms import Key, Placed, buy_once, the_order
from hanse.cli.shell import HERE, Answer, Data, Positive, table
from hanse.gazetteer import find as find_city
from hanse.kernel.refusal import Refused
from hanse.node.answering import Answering
from hanse.node.buying import Keep, buy
from hanse.node.desk import Desk
from hanse.node.freight import tariff_for
from hanse.node.node import Node
from hanse.node.placing import Bought
from hanse.node.proposing import Proposal, Wish, WishLine, choices, propose
from hanse.planning.promise.explain import sentence
from hanse.rooms.catalog.queries import item_by_any, search
from hanse.rooms.orders import queries
from hanse.rooms.orders.facts import DeliverTo
from hanse.rooms.orders.pages_forms import state_badge
from hanse.rooms.orders.pages_terms import order_terms
from hanse.web.formats import money

Item = Annotated[str, Parameter(help="By GTIN, by brand and part number, or by an own number.")]
City = Annotated[str, Parameter(help="Where to.")]
Currency = Annotated[str, Parameter(help="Of the prices, ISO 4217; offers in another are left out.")]


def mount(app: App) -> None:
    """Add this file's commands."""
    group = App(name="order", help="Orders: listed, looked at, found, placed, confirmed, shipped, received.")
    group.command(show, name="list")
    group.command(one, name="show")
    group.command(find)
    group.command(place)
    for name, act in ACTS.items():
        group.command(act, name=name)
    app.command(group)


def show(
    *,
    party: Party = "",
    side: Literal["buy", "sell", ""] = "",
    late: bool = False,
    limit: Positive = 50,
    data: Data = HERE,
) -> Answer:
    """List a firm's orders, the newest first.

    Parameters
    ----------
    side
        What it buys, or what it sells.
    late
        Only those with something unshipped that was due before now.
    """
    with Node(data, helper=False) as node:
        found = queries.orders(desk_of(node, party).view, side=side, late=late, limit=limit)
    rows = [
        (
            r.order,
            r.side,
            r.partner_name,
            r.state,
            r.ordered_each,
            r.received_each,
            money(r.amount_minor, r.currency),
        )
        for r in found.rows
    ]
    return Answer(found.rows, table("order", "side", "partner", "state", "ordered", "received", "amount", rows=rows))


def one(order: str, *, party: Party = "", data: Data = HERE) -> Answer:
    """Show one order with its lines and its history.

    Parameters
    ----------
    order
        Its number, or a PO number that one order alone has.
    """
    with Node(data, helper=False) as node:
        return Answer(the_order(desk_of(node, party).view, order))


def _wish(desk: Desk, number: str, each: int, city: str, country: str, currency: str) -> Wish:
    code = currency.upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise Refused("order.bad_currency", "this is no currency", got=currency, expected="three letters, such as EUR")
    item = item_by_any(desk.view, number)
    named = item.item if item else ""
    if not named:
        hits = [hit.item for hit in search(desk.view, number, limit=20) if hit.part_number.lower() == number.lower()]
        named = hits[0] if len(set(hits)) == 1 else ""
    if not named:
        raise Refused("order.unknown_item", "no one item has this number", got=number, next="try its GTIN")
    place = find_city(city, country)
    if place is None:
        raise Refused(
            "order.unknown_city", "the gazetteer does not know this city", got=city, next="name a larger one near it"
        )
    to = DeliverTo(
        mark=desk.who.party,
        country=place.country,
        city=place.city,
        latitude_microdeg=place.latitude_microdeg,
        longitude_microdeg=place.longitude_microdeg,
    )
    return Wish(lines=(WishLine(1, named, each),), to=to, currency=code)


def _told(proposal: Proposal) -> str:
    said = [
        sentence(line.line, line.parts, line.reason, line.next_best, lambda minor: money(minor, proposal.currency))
        for line in proposal.plan.lines
    ]
    return "\n".join(said) or "nothing that you may see serves this"


def find(
    item: Item,
    each: Positive,
    *,
    city: City,
    country: str = "",
    currency: Currency = "EUR",
    party: Party = "",
    data: Data = HERE,
) -> Answer:
    """Find the cheapest way to get so many of an item to a city: price, freight, dates, and the next best source."""
    with Node(data, helper=False) as node:
        desk = desk_of(node, party)
        wish = _wish(desk, item, each, city, country, currency)
        proposal = propose(desk.view, wish, tariff=tariff_for(desk, wish.currency))
    return Answer(proposal, _told(proposal))


def place(
    item: Item,
    each: Positive,
    *,
    city: City,
    country: str = "",
    currency: Currency = "EUR",
    po: str = "",
    rest: Literal["later", "complete", "cancel"] = "later",
    cancel_after: str = "",
    key: Key = "",
    party: Party = "",
    data: Data = HERE,
) -> Answer:
    """Find, and place the orders at once; owners' nodes here answer them.

    Parameters
    ----------
    po
        Your own PO number.
    rest
        What cannot ship at once: ships later (backorder), waits until all of it ships complete, or is cancelled.
    cancel_after
        The cancel date, YYYY-MM-DD: what is unshipped then is cancelled.
    """
    request = msgspec.json.encode(("place", item, each, city, country, currency, po, rest, cancel_after))
    with Node(data, helper=False) as node:
        desk = desk_of(node, party)

        def first(keep: Keep) -> Bought:
            terms = order_terms({"rest": rest, "cancel_after": cancel_after}, desk.view.now)
            wish = replace(
                _wish(desk, item, each, city, country, currency), po_number=po, ship_complete=terms.ship_complete,
                backorder=terms.backorder, cancel_after_at=terms.cancel_after_at,
            )  # fmt: skip
            proposal = propose(desk.view, wish, tariff=tariff_for(desk, wish.currency))
            told.append(_told(proposal))
            return buy(desk, wish, choices(proposal), keep=keep)

        told: list[str] = []
        answering = Answering(node)
        try:
            placed = buy_once(desk, key, request, first)
        finally:
            answering.close()
        return Answer(placed, "\n".join([*told, _placed(desk, placed)]))


def _placed(desk: Desk, placed: Placed) -> str:
    """What became of each seller's order, a line each."""
    lines = []
    for done in placed.orders:
        page = queries.order_page(desk.view, done.order)
        assert page is not None, "it stands"
        said = f"{'placed before' if placed.repeated else 'placed'} {done.order} with {done.seller}"
        lines.append(
            f"{said} for {money(done.amount_minor, page.terms.currency)}: {state_badge(page.order.state).text}"
        )
    lines += [f"not placed: {one.seller}: {one.code}: {one.message}" for one in placed.failed]
    return "\n".join(lines)

"""What a firm should do today: actions with the money in them, late ones first, then by money."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from hanse.kernel.view import View
from hanse.node import planning_stock
from hanse.node.desk import Desk
from hanse.node.planning_replenish import proposals
from hanse.rooms.catalog import queries as catalog
from hanse.rooms.inventory import offer_queries as offering
from hanse.rooms.inventory import queries as inventory
from hanse.rooms.orders import worklists
from hanse.rooms.orders.naming import known_as
from hanse.rooms.orders.private_rows import ORDER_TERMS, OrderTerms
from hanse.rooms.orders.purchases import pending_requests
from hanse.rooms.orders.queries import orders
from hanse.rooms.orders.quote_queries import quotes_to_answer, quotes_to_order
from hanse.rooms.orders.recent import Recent, recent
from hanse.rooms.orders.rows import ORDERS
from hanse.rooms.orders.waiting import changes_to_answer, returns_to_answer, to_receive
from hanse.rooms.plans.queries import plans
from hanse.rooms.plans.rows import STANDING
from hanse.site.places import Places
from hanse.site.today_money import waiting_in_money
from hanse.web.formats import Money, quantity, time_text

DAY = 86_400
ACTIONS_MAX = 40
LINES_MAX = 200
ENDING_DAYS = 7
DEAD_DAYS = 180
FIGURES_DAYS = 90
REORDER_SHOWN = 5
LEND_SHOWN = 5
COVERS_MAX = 40


class Action(Struct, frozen=True):
    """One thing to do.

    what: one word. title, detail: plain sentences. money: what is at stake, None where it has no price.
    due_at: UTC seconds, 0 for none. late: it is past. href: where to do it. kind: the fact that does it.
    """

    what: str
    title: str
    detail: str
    money: Money | None
    due_at: int
    late: bool
    href: str
    kind: str


class Today(Struct, frozen=True):
    """`actions`: the first of them, in order; `actions_n`: of all. Figures are of the last 90 days; None: no side."""

    actions: list[Action]
    actions_n: int
    sell: Recent
    buy: Recent
    stock_value: list[inventory.Money]
    dead_value: list[inventory.Money]


def today(desk: Desk, places: Places) -> Today:
    """Everything that waits for a desk. A role sees what it may do; a viewer sees all."""
    view = desk.view
    offered = [*_all(view, places), *_planned(desk, view, places)]
    found = [action for action in offered if desk.who.role == "viewer" or desk.may(action.kind)]
    found.sort(key=lambda a: (not a.late, -(a.money.minor if a.money else 0), a.due_at or 2**62, a.title))
    return Today(
        actions=found[:ACTIONS_MAX],
        actions_n=len(found),
        sell=recent(view, "sell", FIGURES_DAYS),
        buy=recent(view, "buy", FIGURES_DAYS),
        stock_value=inventory.stock_value(view),
        dead_value=inventory.dead_stock_value(view, DEAD_DAYS),
    )


def _all(view: View, places: Places) -> Iterator[Action]:
    if not view.home:
        return
    yield from _shipping(view, places)
    yield from _answering(view, places)
    yield from _quoting(view, places)
    yield from _receiving(view, places)
    yield from _approving(view)
    yield from _stock(view, places)
    for found in waiting_in_money(view):
        yield Action(*found)


def _terms(view: View, order: str, known: dict[str, OrderTerms | None]) -> OrderTerms | None:
    if order not in known:
        row = view.get(ORDERS, order)
        known[order] = view.get(ORDER_TERMS, row.circle, order) if row else None
    return known[order]


def _shipping(view: View, places: Places) -> Iterator[Action]:
    """One action an order: what is confirmed, and due within a day or without a date."""
    known: dict[str, OrderTerms | None] = {}
    by: dict[str, list[worklists.WorkLine]] = {}
    for line in worklists.to_ship(view, view.now + DAY, limit=LINES_MAX):
        by.setdefault(line.order, []).append(line)
    for order, lines in by.items():
        terms = _terms(view, order, known)
        prices = {line.line: line.unit_price_minor for line in terms.lines} if terms else {}
        money = Money(sum(w.each * prices.get(w.line, 0) for w in lines), terms.currency) if terms else None
        each = sum(line.each for line in lines)
        due = min((line.due_at for line in lines if line.due_at), default=0)
        yield Action(
            "Ship", f"Ship {quantity(each)} to {lines[0].partner_name}",
            f"Order {known_as(order, terms.po_number if terms else '')}, {_lines(len(lines))}",
            money, due, any(line.late for line in lines), places.of("order", order), "orders.ship",
        )  # fmt: skip


def _called(view: View, order: str) -> str:
    terms = _terms(view, order, {})
    return known_as(order, terms.po_number if terms else "")


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count} lines"


def _answering(view: View, places: Places) -> Iterator[Action]:
    for row in orders(view, side="sell", states=("placed",), sort="oldest", limit=50).rows:
        yield Action(
            "Answer", f"Answer an order of {row.partner_name}",
            f"Order {known_as(row.order, row.po_number)}, {quantity(row.open_each)}",
            Money(row.amount_minor, row.currency), row.due_at, row.late, places.of("order", row.order),
            "orders.confirm",
        )  # fmt: skip
    for change in changes_to_answer(view):
        yield Action(
            "Decide", f"{change.partner_name} proposes a change",
            f"Order {_called(view, change.order)}, {quantity(change.each)}; without an answer it lapses",
            Money(change.amount_minor, change.currency), change.answer_by, False,
            places.of("order", change.order), "orders.accept_change",
        )  # fmt: skip
    for back in returns_to_answer(view):
        yield Action(
            "Answer", f"{back.partner_name} asks to return {quantity(back.each)}", f"Order {_called(view, back.order)}",
            None, back.answer_by, False, places.of("order", back.order), "orders.accept_return",
        )  # fmt: skip


def _quoting(view: View, places: Places) -> Iterator[Action]:
    """Prices that partners ask for, and prices of theirs that end."""
    for asked in quotes_to_answer(view, limit=LINES_MAX):
        lines = len(asked.terms.asked)
        yield Action(
            "Quote", f"{asked.partner_name} asks for a price", f"Quote {asked.quote.quote}, {_lines(lines)}", None,
            asked.quote.answer_by, False, places.of("quote", asked.quote.quote), "orders.quote",
        )  # fmt: skip
    for open_one in quotes_to_order(view, limit=LINES_MAX):
        amount = sum(line.each * line.unit_price_minor for line in open_one.terms.quoted)
        yield Action(
            "Decide", f"{open_one.partner_name} quotes you a price", f"Quote {open_one.quote.quote}; then it ends",
            Money(amount, open_one.terms.currency), open_one.quote.valid_until_at, False,
            places.of("quote", open_one.quote.quote), "orders.place",
        )  # fmt: skip


def _receiving(view: View, places: Places) -> Iterator[Action]:
    for parcel in to_receive(view):
        late = 0 < parcel.arrive_by < view.now
        silent_from = time_text(parcel.deemed_at, with_time=False)
        yield Action(
            "Receive", f"Receive {quantity(parcel.each)} from {parcel.partner_name}",
            f"Order {_called(view, parcel.order)}; from {silent_from} it counts as received",
            Money(parcel.amount_minor, parcel.currency), parcel.arrive_by, late,
            places.of("order", parcel.order), "orders.receive",
        )  # fmt: skip


ABOVE_LIMIT = {
    "purchase": "Approve a purchase above its buyer's limit", "order": "Approve an order above its buyer's limit",
    "quote": "Approve a quote above its seller's limit",
}  # fmt: skip


def _approving(view: View) -> Iterator[Action]:
    for request in pending_requests(view):
        yield Action(
            "Approve", ABOVE_LIMIT.get(request.what, ABOVE_LIMIT["purchase"]), request.about,
            Money(request.amount_minor, request.currency), 0, False, f"/orders/approvals#{request.request}",
            "orders.approve",
        )  # fmt: skip


def _stock(view: View, places: Places) -> Iterator[Action]:
    yield from _covering(view)
    for money in inventory.dead_stock_value(view, DEAD_DAYS):
        yield Action(
            "Sell", f"Offer stock that has not moved for {DEAD_DAYS} days", _lines(money.lines),
            Money(money.value_minor, money.currency), 0, False, places.of("dead"), "inventory.offer",
        )  # fmt: skip
    for card in offering.offers(view, mine=True, limit=LINES_MAX):
        if card.expires_at <= view.now + ENDING_DAYS * DAY and card.open_each:
            yield Action(
                "Renew", f"Your offer of {card.description or card.item} ends",
                f"{quantity(card.open_each)} not drawn", Money(card.open_each * card.unit_price_minor, card.currency),
                card.expires_at, False, places.of("offer", card.offer, otherwise=places.of("offers")),
                "inventory.offer",
            )  # fmt: skip
    yield from _matching(view, places)


def _covering(view: View) -> Iterator[Action]:
    """One action an item that is short: who offers it, and what the cheapest of it would cost, in one currency."""
    by: dict[tuple[str, str], list[offering.BorrowMatch]] = {}
    for match in offering.borrow_matches(view, limit=COVERS_MAX):
        by.setdefault((match.offer.item, match.own_number), []).append(match)
    for (item, own_number), matches in by.items():
        short, offers = matches[0].short_each, sorted((m.offer for m in matches), key=lambda o: o.unit_price_minor)
        same = [offer for offer in offers if offer.currency == offers[0].currency]
        left, cost = short, 0
        for offer in same:
            taken = min(left, offer.open_each)
            left, cost = left - taken, cost + taken * offer.unit_price_minor
        firms = sorted({offer.party_name for offer in offers})
        who = f"{firms[0]} offers" if len(firms) == 1 else f"{len(firms)} firms, {offers[0].party_name} first, offer"
        yield Action(
            "Cover", f"Short {quantity(short)} of {_named(own_number, offers[0].description)}",
            f"{who} up to {quantity(sum(offer.open_each for offer in offers))} to you",
            Money(cost, offers[0].currency), 0, True, f"/find?i={item}&n={short}", "orders.place",
        )  # fmt: skip


def _named(own_number: str, description: str) -> str:
    return " ".join(part for part in (own_number, description) if part)


def _planned(desk: Desk, view: View, places: Places) -> Iterator[Action]:
    """What the forecast and the plans ask for: order again, lend what is wanted, recompute others' plans."""
    if not view.home:
        return
    yield from _reordering(desk, view, places)
    for match in offering.lend_matches(view)[:LEND_SHOWN]:
        own = catalog.own_item(view, match.own_number)
        each = min(match.want.each, match.free_each)
        money = Money(each * own.cost_minor, own.currency) if own and own.currency else None
        yield Action(
            "Lend" if match.want.borrow else "Sell", f"{match.want.party_name} wants {quantity(match.want.each)} of "
            f"{_named(match.own_number, own.description if own else '')}",
            f"You have {quantity(match.free_each)} free", money, 0, False, "/borrow#can-lend",
            "inventory.offer",
        )  # fmt: skip
    for plan in plans(view):
        if plan.state == STANDING and not plan.mine and not (plan.good or plan.bad) and plan.ends_at > view.now:
            yield Action(
                "Check", f"Recompute the plan of {plan.planner_name}", f"{plan.circle_name}, {_lines(plan.lines)}; a "
                "plan that nobody recomputed is not chosen", Money(plan.cost_minor, plan.currency), plan.ends_at, False,
                f"/plans/p/{plan.plan}", "plans.attest",
            )  # fmt: skip


def _reordering(desk: Desk, view: View, places: Places) -> Iterator[Action]:
    """What has fallen to its level: the dearest lines one by one, the others together."""
    found = planning_stock.found_or_begun(desk.node, desk.who.party)
    due = proposals(view, found) if found else []
    for one in due[:REORDER_SHOWN]:
        shelf, best = one.shelf, one.sources[0] if one.sources else None
        out = one.position_each <= 0
        where = f" from {best.name}" if best else ""
        each = best.each if best else one.order_each
        title = f"Order {quantity(each)} of {shelf.own_number}{where}" if one.order_each else (
            f"Move {quantity(sum(t.each for t in one.transfers))} of {shelf.own_number} between your sites"
        )  # fmt: skip
        yield Action(
            "Order" if one.order_each else "Move", title, f"Free and coming {quantity(one.position_each)}, order at "
            f"{quantity(shelf.reorder_each)}", Money(one.value_minor, shelf.currency), 0, out, "/plans/replenish",
            "orders.place" if one.order_each else "inventory.move",
        )  # fmt: skip
    rest: dict[str, list[int]] = {}
    for one in due[REORDER_SHOWN:]:
        rest.setdefault(one.shelf.currency, []).append(one.value_minor)
    for currency, values in sorted(rest.items()):
        yield Action(
            "Order", f"Order {'one more item' if len(values) == 1 else f'{len(values)} more items'} again",
            "Fallen to the level at which to order", Money(sum(values), currency), 0, False, "/plans/replenish",
            "orders.place",
        )  # fmt: skip


def _matching(view: View, places: Places) -> Iterator[Action]:
    matching = catalog.matching(view)
    missing = matching.lines - matching.lines_matched
    for money in inventory.money_matched(view):
        left = money.value_minor - money.matched_minor
        if missing and left:
            yield Action(
                "Match", "Link own numbers to items, so that others can find them", f"{_lines(missing)} unmatched",
                Money(left, money.currency), 0, False, places.of("work"), "catalog.link_item",
            )  # fmt: skip

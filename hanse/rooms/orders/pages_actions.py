"""What can be done to an order, by role and state, and how a form becomes the fact that does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from hanse.kernel.facts import Fact
from hanse.kernel.refusal import Refused
from hanse.node.desk import Desk
from hanse.rooms.catalog.queries import item_by_any
from hanse.rooms.orders.delivery_facts import (
    AcceptedLine,
    AcceptReturn,
    Contest,
    HandOver,
    Rate,
    Receive,
    ReceiveLine,
    ReturnGoods,
    ReturnLineAsked,
    SendMessage,
    Ship,
    ShipLine,
    ShippedLot,
)
from hanse.rooms.orders.facts import (
    AcceptChange,
    AnswerLine,
    CancelOrder,
    ConfirmLine,
    ConfirmOrder,
    DeclineOrder,
    EachLine,
    StockKey,
)
from hanse.rooms.orders.pages_forms import DAY, day_end, line_numbers, minor, text, whole
from hanse.rooms.orders.queries import OrderPage, PageShipment
from hanse.rooms.orders.rows import DEEMED, LIVE_STATES, UNSIGNED_BY_BUYER

Values = Mapping[str, Any]
ANSWER_SECONDS = 3 * DAY
RETURN_SECONDS = 14 * DAY
CONTEST_SECONDS = 30 * DAY


def sides_of(page: OrderPage) -> tuple[bool, bool]:
    """(is the buyer, is the seller); of an order that one firm keeps for both sides it is both."""
    return page.order.one_sided or page.side == "buy", page.order.one_sided or page.side == "sell"


def actions_of(desk: Desk, page: OrderPage) -> set[str]:
    """What this desk may do to the order as it stands."""
    buyer, seller = sides_of(page)
    live = page.order.state in LIVE_STATES
    lines = [shown.balance for shown in page.lines]
    open_each = sum(line.open - line.proposed for line in lines)
    can = {
        "confirm": seller and live and open_each > 0 and desk.may(ConfirmOrder),
        "decline": seller and live and any(line.open for line in lines) and desk.may(DeclineOrder),
        "answer": buyer and any(line.proposed for line in lines) and desk.may(AcceptChange),
        "cancel": live
        and desk.may(CancelOrder)
        and any((line.open and buyer) or (line.open + line.to_ship and seller) for line in lines),
        "ship": seller and live and any(line.to_ship for line in lines) and desk.may(Ship),
        "message": desk.may(SendMessage),
    }
    return {name for name, yes in can.items() if yes}


def holds_buyer(desk: Desk, page: OrderPage) -> bool:
    """Whether this node can sign an order's receipt: it holds the buyer's key, or the firm signs for both sides."""
    return page.order.one_sided or desk.node.wallet.alias_of(page.order.circle, page.terms.buyer) is not None


def shipment_actions(desk: Desk, page: OrderPage, shown: PageShipment, now: int) -> set[str]:
    """What this desk may do to one of the order's shipments."""
    buyer, seller = sides_of(page)
    row = shown.shipment
    lacks = any(line.damaged or line.short or line.over for line in row.lines)
    signed = row.method not in ("", DEEMED)
    held = holds_buyer(desk, page)
    can = {
        "hand_over": seller and not row.handed_over_at and not signed and desk.may(HandOver),
        "receive": buyer and not row.method and desk.may(Receive),
        "pod": not row.method
        and (held or not row.handed_over_at)
        and ((seller and desk.may(HandOver)) or (buyer and desk.may(Receive))),
        "contest": not row.contested_by
        and now <= row.received_at + CONTEST_SECONDS
        and ((buyer and row.method in UNSIGNED_BY_BUYER) or (seller and lacks))
        and desk.may(Contest),
        "return": buyer and bool(row.method) and any(line.returnable for line in row.lines) and desk.may(ReturnGoods),
        "rate": buyer and not page.order.one_sided and signed and not row.rated and desk.may(Rate),
    }
    return {name for name, yes in can.items() if yes}


def _confirm(desk: Desk, page: OrderPage, form: Values) -> ConfirmOrder:
    lines = []
    for shown in page.lines:
        number, terms = shown.balance.line, shown.terms
        each = whole(form, f"each.{number}", f"Quantity of line {number}", 0)
        if not each:
            continue
        price = minor(form, f"price.{number}", f"Price of line {number}", page.terms.currency, terms.unit_price_minor)
        promised = day_end(form, f"promised.{number}", f"Promised day of line {number}")
        substitute = _substitute(desk, text(form, f"substitute.{number}"), terms.item)
        if terms.requested_at <= promised <= _end_of_day(terms.requested_at):
            promised = terms.requested_at  # the day that was asked for, by its hour
        later = 0 < terms.requested_at < promised
        changed = bool(substitute) or price > terms.unit_price_minor or later
        given: dict[str, Any] = {"unit_price_minor": price} if price != terms.unit_price_minor else {}
        if substitute:
            given["substitute"] = substitute
        lines.append(ConfirmLine(line=number, each=each, changed=changed, promised_at=promised, **given))
    if not lines:
        raise Refused("orders.nothing_confirmed", "no line has a quantity", next="decline the order instead")
    waits = any(line.changed for line in lines)
    note = text(form, "note", 4000)
    return ConfirmOrder(
        circle=page.order.circle,
        order=page.order.order_id,
        answer_by=desk.view.now + ANSWER_SECONDS if waits else 0,
        lines=lines,
        **({"note": note} if note else {}),
    )


def _substitute(desk: Desk, given: str, ordered: str) -> str:
    """The item that a form names by any of its numbers, "" for none. Refuses: catalog.unknown_item."""
    found = item_by_any(desk.view, given) if given else None
    if given and found is None:
        raise Refused(
            "catalog.unknown_item", "the catalogue has no such item", got=given,
            next="give your own number, a GTIN, or brand and part number",
        )  # fmt: skip
    return found.item if found is not None and found.item != ordered else ""


def _end_of_day(at: int) -> int:
    return at - at % DAY + DAY - 1


def _decline(desk: Desk, page: OrderPage, form: Values) -> DeclineOrder:
    return DeclineOrder(circle=page.order.circle, order=page.order.order_id, reason=text(form, "reason"))


def _answer(desk: Desk, page: OrderPage, form: Values) -> AcceptChange:
    lines = [
        AnswerLine(line=number, accept=text(form, f"accept.{number}") == "yes")
        for number in line_numbers(form, ["accept"])
    ]
    if not lines:
        raise Refused("form.nothing_chosen", "say yes or no to each change")
    return AcceptChange(circle=page.order.circle, order=page.order.order_id, lines=lines)


def _cancel(desk: Desk, page: OrderPage, form: Values) -> CancelOrder:
    asked = [(n, whole(form, f"each.{n}", f"Quantity of line {n}", 0)) for n in line_numbers(form, ["each"])]
    lines = [EachLine(line=number, each=each) for number, each in asked if each]
    if asked and not lines:
        raise Refused("orders.nothing_to_cancel", "no line has a quantity")
    return CancelOrder(circle=page.order.circle, order=page.order.order_id, lines=lines, reason=text(form, "reason"))


def stock_of_form(form: Values, name: str) -> StockKey | None:
    """The stock that a list named: JSON of own number, site, lot. Refuses: form.unknown_stock."""
    given = text(form, name, 400)
    if not given:
        return None
    try:
        own_number, site, lot = msgspec.json.decode(given, type=tuple[str, str, str])
    except msgspec.MsgspecError:
        raise Refused("form.unknown_stock", "choose the stock from the list", got=given[:80]) from None
    return StockKey(own_number=own_number, site=site, lot=lot)


def _ship(desk: Desk, page: OrderPage, form: Values) -> Ship:
    lines = []
    for number in line_numbers(form, ["each"]):
        each = whole(form, f"each.{number}", f"Quantity of line {number}", 0)
        if not each:
            continue
        lot, serials = text(form, f"lot.{number}", 80), text(form, f"serials.{number}", 4000).split()
        lots = [ShippedLot(lot=lot, each=each, serials=serials)] if lot or serials else []
        stock = stock_of_form(form, f"stock.{number}")
        lines.append(ShipLine(line=number, each=each, lots=lots, **({"from_stock": stock} if stock else {})))
    if not lines:
        raise Refused("orders.nothing_shipped", "no line has a quantity", next="say how many leave")
    return Ship(
        circle=page.order.circle,
        order=page.order.order_id,
        shipment=desk.node.wallet.new_id("S")[:14],
        arrive_by=day_end(form, "arrive_by", "Expected arrival", 0),
        lines=lines,
        carrier=text(form, "carrier"),
        tracking=text(form, "tracking"),
        packages=whole(form, "packages", "Packages", 1),
        weight_g=whole(form, "weight_g", "Weight", 0),
        neutral_slip=text(form, "neutral") != "no",
    )


def shown_shipment(page: OrderPage, form: Values) -> PageShipment:
    """The shipment that a form names. Refuses: orders.unknown_shipment."""
    name = text(form, "shipment")
    for shown in page.shipments:
        if shown.shipment.shipment == name:
            return shown
    raise Refused("orders.unknown_shipment", "the order has no such shipment", got=name[:80])


def _hand_over(desk: Desk, page: OrderPage, form: Values) -> HandOver:
    shown = shown_shipment(page, form)
    taken = text(form, "taken_by")
    return HandOver(
        circle=page.order.circle,
        shipment=shown.shipment.shipment,
        carrier=text(form, "carrier") or (shown.terms.carrier if shown.terms else ""),
        taken_by=taken,
    )


def receive_lines(shown: PageShipment, form: Values) -> list[ReceiveLine]:
    """What a form says of each line of a shipment: good, damaged, over; what is missing is short."""
    lines = []
    for row in shown.shipment.lines:
        n = row.line
        over = whole(form, f"over.{n}", f"Over of line {n}", 0)
        damaged = whole(form, f"damaged.{n}", f"Damaged of line {n}", 0)
        received = whole(form, f"received.{n}", f"Received of line {n}", max(0, row.each - damaged))
        reason = text(form, f"reason.{n}")
        lines.append(ReceiveLine(line=n, received=received, damaged=damaged, over=over, reason=reason))
    return lines


def _receive(desk: Desk, page: OrderPage, form: Values) -> Receive:
    shown = shown_shipment(page, form)
    site, name = text(form, "site"), text(form, "received_by")
    given: dict[str, Any] = {"site": site} if site else {}
    if name:
        given["received_by"] = name
    return Receive(
        circle=page.order.circle,
        shipment=shown.shipment.shipment,
        lines=receive_lines(shown, form),
        **given,
    )


def _contest(desk: Desk, page: OrderPage, form: Values) -> Contest:
    shown = shown_shipment(page, form)
    return Contest(circle=page.order.circle, shipment=shown.shipment.shipment, reason=text(form, "reason", 4000))


def _return(desk: Desk, page: OrderPage, form: Values) -> ReturnGoods:
    shown = shown_shipment(page, form)
    lines = []
    for number in line_numbers(form, ["each"]):
        each = whole(form, f"each.{number}", f"Quantity of line {number}", 0)
        stock = stock_of_form(form, f"stock.{number}")
        if each:
            lines.append(ReturnLineAsked(line=number, each=each, **({"from_stock": stock} if stock else {})))
    if not lines:
        raise Refused("form.nothing_chosen", "no line has a quantity", next="say how many go back")
    return ReturnGoods(
        circle=page.order.circle,
        shipment=shown.shipment.shipment,
        return_id=desk.node.wallet.new_id("R")[:14],
        answer_by=desk.view.now + RETURN_SECONDS,
        lines=lines,
        reason=text(form, "reason"),
    )


def _accept_return(desk: Desk, page: OrderPage, form: Values) -> AcceptReturn:
    name = text(form, "return_id")
    if name not in {back.return_id for back in page.returns}:
        raise Refused("orders.unknown_return", "the order has no such return", got=name[:80])
    lines = []
    for number in line_numbers(form, ["each"]):
        stock = stock_of_form(form, f"stock.{number}")
        each = whole(form, f"each.{number}", f"Quantity of line {number}", 0)
        lines.append(AcceptedLine(line=number, each=each, **({"to_stock": stock} if stock else {})))
    return AcceptReturn(circle=page.order.circle, return_id=name, lines=lines, note=text(form, "note"))


def _rate(desk: Desk, page: OrderPage, form: Values) -> Rate:
    shown = shown_shipment(page, form)
    score = whole(form, "score", "Score")
    if not 1 <= score <= 5:
        raise Refused("form.not_a_score", "a score is 1 (bad) to 5 (good)", got=score, expected="1 .. 5")
    comment = text(form, "comment", 4000)
    return Rate(
        circle=page.order.circle,
        shipment=shown.shipment.shipment,
        score=score,
        **({"comment": comment} if comment else {}),
    )


DO: dict[str, tuple[Callable[[Desk, OrderPage, Values], Fact], str]] = {
    "confirm": (_confirm, "Confirmed."),
    "decline": (_decline, "Declined."),
    "answer": (_answer, "Answered."),
    "cancel": (_cancel, "Cancelled."),
    "ship": (_ship, "Shipped."),
    "hand_over": (_hand_over, "Handed over."),
    "receive": (_receive, "Received. The proof of delivery is signed."),
    "contest": (_contest, "Contested."),
    "return": (_return, "Return asked."),
    "accept_return": (_accept_return, "Return answered."),
    "rate": (_rate, "Rated."),
}
"""action -> how its form becomes a fact, and what the page says then."""

__all__ = ["DO", "actions_of", "holds_buyer", "receive_lines", "shipment_actions", "shown_shipment", "sides_of"]

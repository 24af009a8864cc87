"""Steps of a history: quotes, holds, orders, deliveries, returns, ratings, messages, and what answers by itself."""

from __future__ import annotations

import hashlib
from typing import Any

from fair import FIRMS, ITEMS, PAIRS, POOL, Fair, Hand
from fair_goods import step, where

from hanse.rooms.inventory.offer_facts import OFFER_TERMS, OFFERS
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
    Approve,
    CancelOrder,
    ConfirmLine,
    ConfirmOrder,
    Covered,
    DeclineOrder,
    DeliverTo,
    DocumentLine,
    EachLine,
    Hold,
    KeepDocument,
    PlaceLine,
    PlaceOrder,
    Quote,
    QuoteAskLine,
    QuoteLine,
    RequestQuote,
    StockKey,
)
from hanse.rooms.orders.responder import respond
from hanse.rooms.orders.rows import HOLDS as KEPT
from hanse.rooms.orders.rows import LIVE_STATES, ORDERS, QUOTES, RETURNS, SHIPMENTS, Order
from hanse.rooms.parties.facts import KEYS
from hanse.rooms.testing import home, kid

SECRET = "the secret of a hold"
CLAIM = hashlib.sha256(SECRET.encode()).hexdigest()


# -- quotes and holds --


@step()
def ask_quote(fair: Fair, hand: Hand) -> None:
    circle, buyer, _ = fair.rel(hand)
    line = QuoteAskLine(line=1, each=hand.each(9), item=fair.word(circle, "Asked"), own_number="A")
    fact = RequestQuote(circle=circle, quote=fair.name("quote"), answer_by=fair.ahead(hand), lines=[line],
                        currency="EUR", note=fair.word(circle, "Note"))  # fmt: skip
    fair.say(hand.who(buyer), fact)


@step()
def quote(fair: Fair, hand: Hand) -> None:
    circle, seller, _ = fair.rel(hand)
    row = hand.like(fair.rows(QUOTES), lambda q: q.state in ("asked", "quoted"))
    name = fair.name("quote")
    if row is not None and hand.n(4):
        circle, name, seller = row.circle, row.quote, fair.behind(row.seller)
    line = QuoteLine(line=1, each=hand.each(9), item=hand.of(ITEMS), unit_price_minor=fair.price(circle, hand),
                     lead_time_days=1)  # fmt: skip
    fact = Quote(circle=circle, quote=name, valid_until_at=fair.ahead(hand), lines=[line], currency="EUR", note="")
    fair.say(hand.who(seller), fact)


@step(3)
def hold(fair: Fair, hand: Hand) -> None:
    row = hand.like(fair.rows(OFFERS), lambda o: o.open_each and not o.withdrawn and o.expires_at > fair.now)
    if row is not None:
        circle = POOL if hand.wild and hand.n(2) else row.circle
        fact = Hold(circle=circle, hold=fair.name("hold"), offer=row.offer, each=hand.each(row.open_each),
                    until_at=fair.ahead(hand), claim=CLAIM)  # fmt: skip
        fair.say(hand.of(FIRMS) if circle == POOL else hand.who(hand.of(circle.split("--"))), fact)


# -- orders --


@step(7)
def place(fair: Fair, hand: Hand) -> None:
    """Of a relationship: on an offer of the seller's, on a hold, on a quote, or on nothing at all."""
    circle, buyer, seller = fair.rel(hand)
    one = _line(fair, hand, circle, buyer, seller, 1)
    lines = [one] + ([_line(fair, hand, circle, buyer, seller, 2)] if hand.n(3) == 0 else [])
    quoted = hand.like(fair.rows(QUOTES, "circle = ?", circle), lambda q: q.state == "quoted")
    _place(fair, hand, lines, circle, buyer, seller, quoted.quote if quoted and hand.n(3) == 0 else "")


def _place(
    fair: Fair, hand: Hand, lines: list[PlaceLine], circle: str, buyer: str, seller: str, quote: str = ""
) -> None:
    confirm_by = fair.ahead(hand, 3)
    fact = PlaceOrder(
        circle=circle, order=fair.name("order"), confirm_by=confirm_by, lines=lines, buyer_party=buyer,
        seller_party=hand.of((seller, buyer, "")) if hand.wild and hand.n(3) == 0 else seller, quote=quote,
        cancel_after_at=hand.of((0, 0, confirm_by, confirm_by + 86_400 * hand.n(5))),
        receive_within_seconds=hand.of((14 * 86_400, 86_400, 0, 2**40 if hand.wild else 1)),
        backorder=bool(hand.n(3)), ship_complete=hand.n(5) == 0, po_number=fair.word(circle, "PO"),
        currency=hand.of(("EUR", "EUR", "EUR", "USD")), drop_ship=hand.n(6) == 0, loan=hand.n(7) == 0,
        deliver_to=DeliverTo(site=f"store-{buyer}", mark=fair.word(circle, "Mark")), note=fair.word(circle, "Note"),
    )  # fmt: skip
    fair.say(hand.who(buyer), fact)


def _line(fair: Fair, hand: Hand, circle: str, buyer: str, seller: str, line: int) -> PlaceLine:
    item, price = hand.of(ITEMS), fair.price(circle, hand)
    drawn: dict[str, Any] = {}
    source, most = hand.n(4), 9
    if source < 2:
        rows = [row for row in fair.rows(OFFERS) if hand.wild or fair.behind(row.alias) == seller]
        offer = hand.like(rows, lambda o: o.circle == circle and o.open_each and o.expires_at > fair.now)
        if offer is not None and (offer.circle == circle or hand.wild):
            drawn, most = {"offer": offer.offer}, offer.open_each
            for terms in fair.rows(OFFER_TERMS, "circle = ? AND offer = ?", offer.circle, offer.offer):
                item, price = terms.item, terms.unit_price_minor - (hand.n(9) == 0)
    elif source == 2:
        kept = hand.like(fair.rows(KEPT), lambda h: not h.ended)
        if kept is not None:
            secret = SECRET if not hand.wild else hand.of((SECRET, "x"))
            drawn, most = {"hold": kept.hold, "secret": secret}, kept.each
    return PlaceLine(
        line=line, each=hand.each(most), item=item, own_number=hand.of((f"{buyer}-{item}", f"{buyer}-x", "")),
        unit_price_minor=max(0, price), requested_at=hand.of((0, 0, fair.now + 5 * 86_400)), **drawn,
    )  # fmt: skip


@step(3)
def place_on_hold(fair: Fair, hand: Hand) -> None:
    """In a relationship with the owner of a pool's offer, on a hold of it."""
    kept = hand.like(fair.rows(KEPT), lambda h: not h.ended)
    if kept is None:
        return
    seller = fair.behind(fair.rows(OFFERS, "offer = ?", kept.offer)[0].alias)
    buyers = [firm for firm in FIRMS if (firm, seller) in PAIRS or (seller, firm) in PAIRS]
    buyer = fair.behind(kept.alias) if fair.behind(kept.alias) in buyers else hand.of(buyers)
    circle = f"{buyer}--{seller}" if (buyer, seller) in PAIRS else f"{seller}--{buyer}"
    line = PlaceLine(line=1, each=hand.each(kept.each), hold=kept.hold, secret=SECRET, item=hand.of(ITEMS),
                     own_number=f"{buyer}-x", unit_price_minor=fair.price(circle, hand), requested_at=0)  # fmt: skip
    _place(fair, hand, [line], circle, buyer, seller)


@step(2)
def place_at_home(fair: Fair, hand: Hand) -> None:
    """One-sided: the partner is not in the network."""
    party, side = hand.of(FIRMS), hand.of(("buy", "sell"))
    circle, item = home(party), hand.of(ITEMS)
    line = PlaceLine(line=1, each=hand.each(9), item=item, own_number=f"{party}-{item}",
                     unit_price_minor=fair.price(circle, hand), requested_at=0)  # fmt: skip
    fact = PlaceOrder(
        circle=circle, order=fair.name("order"), lines=[line], side=side, counterparty=fair.word(circle, "Klinik"),
        confirm_by=hand.of((0, 0, fair.ahead(hand))), currency="EUR", backorder=bool(hand.n(2)),
        deliver_to=DeliverTo(site=f"store-{party}" if side == "buy" else ""), drop_ship=False, loan=hand.n(6) == 0,
        po_number=fair.word(circle, "PO"),
    )  # fmt: skip
    fair.say(hand.who(party), fact)


def _order(fair: Fair, hand: Hand, fits: Any) -> Order | None:
    return hand.like(fair.rows(ORDERS), fits)


@step(8)
def confirm(fair: Fair, hand: Hand) -> None:
    """In whole, in part, with a change, twice."""
    order = _order(fair, hand, lambda o: any(line.open - line.proposed for line in o.lines))
    if order is None:
        return
    lines, waits = [], False
    for line in order.lines:
        free = line.open - line.proposed
        each = hand.each(free) if hand.wild or hand.n(3) == 0 else free
        changed = hand.n(5) == 0
        waits = waits or changed
        terms: dict[str, Any] = {"promised_at": hand.of((fair.now + 1, fair.now + 1, fair.ahead(hand, 3)))}
        if changed:
            terms |= {"unit_price_minor": fair.price(order.circle, hand), "substitute": hand.of(ITEMS)}
        elif hand.n(6) == 0:
            terms |= {"unit_price_minor": 1}
        lines.append(ConfirmLine(line=line.line, each=each, changed=changed, **terms))
    fact = ConfirmOrder(circle=order.circle, order=order.order_id, lines=lines,
                        answer_by=fair.ahead(hand, 3) if waits or hand.wild else 0,
                        note=fair.word(order.circle, "Note"))  # fmt: skip
    fair.say(hand.who(fair.behind(order.seller)), fact)


@step(3)
def responder(fair: Fair, hand: Hand) -> None:
    """The seller's node answers by itself."""
    order = _order(fair, hand, lambda o: o.state == "placed")
    if order is not None:
        seller = fair.behind(order.seller)
        answer = respond(fair.view(seller), order.order_id)
        if answer is not None:
            outcome = fair.say(seller, answer)
            if not hand.wild and outcome is not None and _keys_stand(fair, order.seller):
                assert outcome.code == "ok" and not outcome.private, outcome


def _keys_stand(fair: Fair, alias: str) -> bool:
    current = kid(fair.keys.get(alias, alias))
    return any(k.kid == current and not k.compromised and k.from_at <= fair.now < k.until_at for k in fair.rows(KEYS))


@step(3)
def answer_change(fair: Fair, hand: Hand) -> None:
    order = _order(fair, hand, lambda o: any(line.proposed for line in o.lines))
    if order is not None:
        lines = [
            AnswerLine(line=line.line, accept=bool(hand.n(3))) for line in order.lines if line.proposed or hand.wild
        ]
        if lines:
            fair.say(hand.who(fair.behind(order.buyer)),
                     AcceptChange(circle=order.circle, order=order.order_id, lines=lines))  # fmt: skip


@step(2)
def decline(fair: Fair, hand: Hand) -> None:
    order = _order(fair, hand, lambda o: any(line.open for line in o.lines))
    if order is not None:
        fact = DeclineOrder(circle=order.circle, order=order.order_id, reason=fair.word(order.circle, "No"))
        fair.say(hand.who(fair.behind(order.seller)), fact)


@step(3)
def cancel(fair: Fair, hand: Hand) -> None:
    order = _order(fair, hand, lambda o: o.state in LIVE_STATES)
    if order is not None:
        line = hand.of(order.lines)
        part = [EachLine(line=line.line, each=max(1, hand.each(line.open + line.to_ship)))]
        fact = CancelOrder(circle=order.circle, order=order.order_id, lines=part if hand.n(2) else [],
                           reason=fair.word(order.circle, "Why"))  # fmt: skip
        fair.say(hand.who(fair.behind(hand.of((order.buyer, order.seller)))), fact)


# -- deliveries --


@step(9)
def ship(fair: Fair, hand: Hand) -> None:
    order = _order(fair, hand, lambda o: any(line.to_ship for line in o.lines))
    if order is None:
        return
    seller, lines = fair.behind(order.seller), []
    for line in order.lines:
        if line.to_ship or hand.wild:
            each = hand.each(line.to_ship) if hand.wild or hand.n(3) == 0 else line.to_ship
            named: dict[str, Any] = {}
            if (hand.n(6) and not line.offer) or hand.n(5) == 0:
                stock = where(fair, hand, seller)
                named["from_stock"] = StockKey(own_number=stock["own_number"], site=stock["site"], lot=stock["lot"])
            if hand.n(4) == 0:
                lot = ShippedLot(lot=hand.of(("L1", "L2", "")), each=max(0, each - hand.n(3)), serials=["S1"])
                named["lots"] = [lot]
            lines.append(ShipLine(line=line.line, each=max(1, each), **named))
    if lines:
        fact = Ship(
            circle=order.circle, order=order.order_id, shipment=fair.name("shipment"), lines=lines,
            arrive_by=hand.of((0, fair.ahead(hand))), carrier=fair.word(order.circle, "Carrier"),
            tracking=fair.word(order.circle, "T"), shipped_at=hand.of((0, fair.now - 3600, 1)),
        )  # fmt: skip
        fair.say(hand.who(seller), fact)


@step(2)
def hand_over(fair: Fair, hand: Hand) -> None:
    """By the seller or whoever carries for it."""
    shipment = hand.like(fair.rows(SHIPMENTS), lambda s: not s.handed_over_at)
    if shipment is not None:
        order = fair.rows(ORDERS, "order_id = ?", shipment.order_id)[0]
        over = HandOver(circle=shipment.circle, shipment=shipment.shipment, taken_by=fair.word(shipment.circle, "Jo"))
        fair.say(hand.who(fair.behind(order.seller)), over)


@step(2)
def contest(fair: Fair, hand: Hand) -> None:
    """A receipt that the buyer has not signed itself, by the buyer or by the seller."""
    shipment = hand.like(fair.rows(SHIPMENTS), lambda s: s.method in ("deemed", "link") and not s.contested_by)
    if shipment is not None:
        order = fair.rows(ORDERS, "order_id = ?", shipment.order_id)[0]
        fact = Contest(circle=shipment.circle, shipment=shipment.shipment, reason=fair.word(shipment.circle, "Not"))
        fair.say(hand.who(fair.behind(hand.of((order.buyer, order.buyer, order.seller)))), fact)


@step(8)
def receive(fair: Fair, hand: Hand) -> None:
    """Whole, short, over, damaged; at another site, under another number."""
    shipment = hand.like(fair.rows(SHIPMENTS), lambda s: not s.method)
    if shipment is None:
        return
    buyer = fair.behind(fair.rows(ORDERS, "order_id = ?", shipment.order_id)[0].buyer)
    lines = []
    for line in shipment.lines:
        if hand.n(2):
            got = hand.each(line.each) if hand.wild or hand.n(2) else line.each
            damaged = min(hand.n(3), max(0, line.each - got)) if not hand.wild else hand.n(3)
            named: dict[str, Any] = {}
            if hand.n(4) == 0:
                stock = where(fair, hand, buyer)
                named["stocked_as"] = StockKey(own_number=stock["own_number"], site=stock["site"], lot=stock["lot"])
            lines.append(ReceiveLine(line=line.line, received=max(0, got), damaged=damaged,
                                     over=hand.n(3) if hand.n(4) == 0 else 0,
                                     reason=fair.word(shipment.circle, "Bent"), **named))  # fmt: skip
    fact = Receive(
        circle=shipment.circle, shipment=shipment.shipment, lines=lines, method=hand.of(("account", "link", "paper")),
        site=hand.of(("", "", f"yard-{buyer}")), received_by=fair.word(shipment.circle, "By"),
        arrived_at=hand.of((0, fair.now - 86_400, fair.now + 86_400)),
    )  # fmt: skip
    fair.say(hand.who(buyer), fact)


@step(4)
def return_goods(fair: Fair, hand: Hand) -> None:
    shipment = hand.like(fair.rows(SHIPMENTS), lambda s: any(line.returnable for line in s.lines))
    if shipment is None:
        return
    buyer = fair.behind(fair.rows(ORDERS, "order_id = ?", shipment.order_id)[0].buyer)
    line, stock = hand.of(shipment.lines), where(fair, hand, buyer)
    named = {"from_stock": StockKey(own_number=stock["own_number"], site=stock["site"], lot=stock["lot"])}
    asked = ReturnLineAsked(line=line.line, each=max(1, hand.each(line.returnable)), **(named if hand.n(5) else {}))
    fact = ReturnGoods(circle=shipment.circle, shipment=shipment.shipment, return_id=fair.name("return"),
                       answer_by=fair.ahead(hand), lines=[asked],
                       reason=fair.word(shipment.circle, "Why"))  # fmt: skip
    fair.say(hand.who(buyer), fact)


@step(4)
def accept_return(fair: Fair, hand: Hand) -> None:
    row = hand.like(fair.rows(RETURNS), lambda r: r.state == "asked")
    if row is None:
        return
    seller = fair.behind(fair.rows(ORDERS, "order_id = ?", row.order_id)[0].seller)
    stock = where(fair, hand, seller)
    to = {"to_stock": StockKey(own_number=stock["own_number"], site=stock["site"], lot=stock["lot"])}
    lines = [
        AcceptedLine(line=line.line, each=hand.each(line.each) if hand.n(2) else hand.of((line.each, 0)),
                     **(to if hand.n(5) else {}))
        for line in row.lines
    ]  # fmt: skip
    fact = AcceptReturn(circle=row.circle, return_id=row.return_id, lines=lines, note=fair.word(row.circle, "Note"))
    fair.say(hand.who(seller), fact)


@step(2)
def rate_or_write(fair: Fair, hand: Hand) -> None:
    shipment = hand.like(fair.rows(SHIPMENTS), lambda s: s.method and not s.rated)
    if shipment is None:
        return
    buyer = fair.behind(fair.rows(ORDERS, "order_id = ?", shipment.order_id)[0].buyer)
    facts: list[Any] = [
        Rate(circle=shipment.circle, shipment=shipment.shipment, score=hand.of((1, 5, 6) if hand.wild else (1, 5)),
             comment=fair.word(shipment.circle, "Good")),
        SendMessage(circle=shipment.circle, message=fair.name("m"), order=shipment.order_id,
                    text=fair.word(shipment.circle, "Hello")),
    ]  # fmt: skip
    fair.say(hand.who(buyer), hand.of(facts))


@step()
def papers_at_home(fair: Fair, hand: Hand) -> None:
    """A customer's document over several owners' orders; a second person's yes."""
    party = hand.of(FIRMS)
    circle, orders = home(party), fair.rows(ORDERS)
    covers = [Covered(order=order.order_id, lines=[(1, 1)]) for order in orders[:2]]
    facts: list[Any] = [
        KeepDocument(circle=circle, document="d1", customer=fair.word(circle, "Klinik"), currency="EUR",
                     customer_po_number="", orders=covers,
                     lines=[DocumentLine(line=1, item="x", each=2, unit_price_minor=fair.price(circle, Hand([1])))]),
        Approve(circle=circle, approval=fair.name("a"), subject="s", amount_minor=10**hand.n(8), currency="EUR",
                asked_by=hand.of(("p1", "p2")), decided_by=hand.of(("p1", "p2")), approved=bool(hand.n(2))),
    ]  # fmt: skip
    for fact in facts[hand.n(2) :]:
        fair.say(hand.who(party), fact)

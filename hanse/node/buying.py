"""Buying: from a wish to orders. What every door (page, API, command line) does, it does through these procedures.

    proposing.propose   what is available to the reader, from whom, when, and at which total cost
    buy                 holds on group offers, one order a seller in its relationship, one document over all of them

What is above the buyer's own limit goes through `hanse.node.approving`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence

from msgspec import Struct

from hanse.kernel.refusal import Refused, require
from hanse.kernel.view import View
from hanse.node import joining
from hanse.node.agreed import agreed
from hanse.node.desk import Desk
from hanse.node.proposing import OWN, Choice, Wish, check, total_minor
from hanse.rooms.catalog.queries import own_number_of
from hanse.rooms.inventory.offer_facts import OFFERS
from hanse.rooms.inventory.offer_queries import OfferCard, offer
from hanse.rooms.orders.facts import (
    Covered,
    DocumentLine,
    Hold,
    KeepDocument,
    PlaceLine,
    PlaceOrder,
)
from hanse.rooms.parties.facts import CIRCLES, PARTIES
from hanse.rooms.parties.queries import relationship_with

DAY = 86_400
CONFIRM_SECONDS = 2 * DAY
HOLD_SECONDS = 3_600
"""A hold lives until its order is placed, seconds later; what fails in between is free again after this."""


class Ordered(Struct, frozen=True):
    order: str
    seller: str
    amount_minor: int


class Failed(Struct, frozen=True):
    """What one seller's order was refused for; the others stand."""

    seller: str
    code: str
    message: str


class Bought(Struct, frozen=True):
    """`document` "" where one order for own stock needs none."""

    document: str
    orders: tuple[Ordered, ...]
    failed: tuple[Failed, ...] = ()


def buy(desk: Desk, wish: Wish, chosen: Sequence[Choice], *, document: str = "") -> Bought:
    """Place what was chosen: every order in the relationship with its seller, group offers through a hold.

    What comes from an offer to lend is a loan: an order of its own, which is never billed; the goods stay the seller's.

    Refuses, before anything is signed, in order: desk.not_permitted, desk.over_limit (in sum over all sellers),
        as `propose`, buying.nothing_chosen, buying.offer_gone, buying.loan_to_others, buying.not_agreed,
        buying.price_changed, buying.not_enough, buying.no_relationship; then as the holds' rules. An order that is
        refused after that is told in `failed`.
    """
    view = desk.view
    permit(desk, total_minor(chosen))
    check(view, wish)
    by_seller = sorted_out(desk, view, wish, chosen)
    document = document or new_name(desk, "D")
    covers: list[Covered] = []
    orders: list[Ordered] = []
    failed: list[Failed] = []
    drafts = [
        _draft(desk, wish, seller, some)
        for seller, parts in by_seller.items()
        for some in ([part for part in parts if not part.lent], [part for part in parts if part.lent])
        if some
    ]
    for fact, cover, seller in drafts:
        try:
            desk.do(fact)
        except Refused as refused:
            failed.append(Failed(seller, refused.code, refused.message))
            continue
        covers.append(Covered(order=fact.order, lines=cover))
        amount = sum(line.each * (line.unit_price_minor or 0) for line in fact.lines)
        orders.append(Ordered(fact.order, seller, amount))
    kept = bool(covers) and (len(covers) > 1 or bool(wish.customer) or bool(failed) or document.startswith("A-"))
    if kept:
        _keep_document(desk, wish, document, covers)
    if failed and not orders:
        raise Refused(failed[0].code, failed[0].message, next="look for it again: what is available has changed")
    return Bought(document if kept else "", tuple(orders), tuple(failed))


def permit(desk: Desk, total: int) -> None:
    """The role, and the limit in sum: two orders of one purchase must not both pass under it."""
    require(
        desk.may(PlaceOrder), "desk.not_permitted", "your role does not sign this", got=desk.who.role,
        next="ask an owner of your firm",
    )  # fmt: skip
    limit = desk.who.approval_limit_minor
    require(
        limit is None or total <= limit, "desk.over_limit", "the purchase is larger than you may place alone",
        got=total, expected=f"<= {limit}", next="ask for approval",
    )  # fmt: skip


class _Part(Struct, frozen=True):
    """A choice with the offer it draws on as it stands now, and its price by offer or agreement; `card` None for own
    stock."""

    choice: Choice
    card: OfferCard | None
    group: bool = False
    unit_price_minor: int = 0

    @property
    def lent(self) -> bool:
        """Of an offer to lend: goods that stay the seller's."""
        return self.card is not None and self.card.offer_kind == "lend"


def sorted_out(desk: Desk, view: View, wish: Wish, chosen: Sequence[Choice]) -> dict[str, list[_Part]]:
    """seller -> its parts, "" for own stock; each checked, in sum, against what the offer says now."""
    require(chosen, "buying.nothing_chosen", "nothing is chosen", next="look for it again")
    numbers = {line.line for line in wish.lines}
    found: dict[str, list[_Part]] = {}
    drawn: dict[str, int] = {}
    for choice in chosen:
        require(
            choice.line in numbers and choice.each > 0, "buying.bad_quantity", "a part has a line and a quantity",
            got=choice.each,
        )  # fmt: skip
        if choice.offer.startswith(OWN):
            if wish.customer:
                found.setdefault("", []).append(_Part(choice, None))
            continue
        row = view.get(OFFERS, choice.offer)
        card = offer(view, row.circle, choice.offer) if row else None
        if card is None or card.ended:
            raise Refused("buying.offer_gone", "this offer has ended", got=choice.offer, next="look for it again")
        lent = card.offer_kind == "lend"
        require(not (lent and (wish.customer or not wish.to.site)), "buying.loan_to_others",
                "what is lent to you comes to a site of yours", got=choice.offer, next="buy it instead")  # fmt: skip
        terms = agreed(view, card, choice.each, wish.requested_at)
        require(not terms.refused, "buying.not_agreed", terms.refused, got=choice.offer, next="look for it again")
        cheap = terms.price_minor <= choice.unit_price_minor and card.currency == wish.currency
        require(cheap, "buying.price_changed", "the price has changed", got=terms.price_minor,
                expected=f"<= {choice.unit_price_minor}", next="look for it again")  # fmt: skip
        drawn[choice.offer] = drawn.get(choice.offer, 0) + choice.each
        enough = drawn[choice.offer] <= card.open_each
        require(enough, "buying.not_enough", "less is offered to you now", got=drawn[choice.offer],
                expected=f"<= {card.open_each}", next="look for it again")  # fmt: skip
        circle = view.get(CIRCLES, card.circle)
        group = circle is not None and circle.purpose == "group"
        found.setdefault(card.party, []).append(_Part(choice, card, group, terms.price_minor))
    require(found, "buying.nothing_chosen", "all of it is in your own stock", next="take it from there")
    for seller in found:
        _require_way(desk, view, seller)
    return found


def _require_way(desk: Desk, view: View, seller: str) -> None:
    """Refuses: buying.no_relationship, where there is none and this node cannot open one."""
    hosted = desk.node.wallet.key_of(seller) is not None
    require(
        not seller or relationship_with(view, seller) or hosted, "buying.no_relationship",
        "you do not trade with this seller yet", got=seller, next="open a relationship with it first",
    )  # fmt: skip


def _circle_with(desk: Desk, seller: str) -> str:
    """The relationship's circle, opened where both sides are hosted here."""
    buyer = desk.who.party
    return relationship_with(desk.view, seller) or joining.relationship(desk.node, buyer, seller)


def new_name(desk: Desk, prefix: str) -> str:
    """A number for people: 40 random bits."""
    return f"{prefix}-{desk.node.wallet.new_id('x')[2:12].upper()}"


def _draft(desk: Desk, wish: Wish, seller: str, parts: list[_Part]) -> tuple[PlaceOrder, list[tuple[int, int]], str]:
    """(the order or the loan of one seller, its lines against the document's, the seller's name), its holds made."""
    view = desk.view
    if not seller:
        return _own_order(desk, wish, parts)
    circle = _circle_with(desk, seller)
    wanted = {line.line: line for line in wish.lines}
    lines, cover = [], []
    for number, part in enumerate(parts, 1):
        assert part.card is not None
        direct = part.card.circle == circle
        hold, secret = ("", "") if direct else _hold(desk, part)
        lines.append(
            PlaceLine(
                line=number,
                each=part.choice.each,
                offer=part.choice.offer if direct else "",
                hold=hold,
                secret=secret,
                item=part.card.item,
                own_number=own_number_of(view, part.card.item),
                unit_price_minor=part.unit_price_minor,
                requested_at=wish.requested_at,
            )
        )
        cover.append((number, wanted[part.choice.line].line))
    fact = PlaceOrder(
        circle=circle,
        order=new_name(desk, "PO"),
        confirm_by=_confirm_by(desk, wish),
        cancel_after_at=wish.cancel_after_at,
        ship_complete=wish.ship_complete,
        backorder=wish.backorder,
        lines=lines,
        buyer_party=desk.who.party,
        seller_party=seller,
        po_number=wish.po_number,
        currency=wish.currency,
        deliver_to=wish.to,
        drop_ship=not wish.to.site,
        loan=any(part.lent for part in parts),
    )
    row = view.get(PARTIES, seller)
    return fact, cover, row.name if row else seller


def _confirm_by(desk: Desk, wish: Wish) -> int:
    """Two days from now, and not after the cancel date."""
    by = _now(desk) + CONFIRM_SECONDS
    return min(by, wish.cancel_after_at) if wish.cancel_after_at else by


def _now(desk: Desk) -> int:
    return max(desk.view.now, int(desk.node.clock()))


def _hold(desk: Desk, part: _Part) -> tuple[str, str]:
    """A hold on a group's offer and the secret that an order draws on it with. Refuses: as the hold's rules."""
    assert part.card is not None
    secret, name = secrets.token_urlsafe(24), desk.node.wallet.new_id("hold")
    desk.do(
        Hold(
            circle=part.card.circle,
            hold=name,
            offer=part.choice.offer,
            each=part.choice.each,
            until_at=_now(desk) + HOLD_SECONDS,
            claim=hashlib.sha256(secret.encode()).hexdigest(),
        )
    )
    return name, secret


def _own_order(desk: Desk, wish: Wish, parts: list[_Part]) -> tuple[PlaceOrder, list[tuple[int, int]], str]:
    """A sale to the customer from own stock, in the firm's own book: nobody else signs it."""
    wanted = {line.line: line for line in wish.lines}
    lines, cover = [], []
    for number, part in enumerate(parts, 1):
        line = wanted[part.choice.line]
        lines.append(
            PlaceLine(
                line=number,
                each=part.choice.each,
                item=line.item,
                own_number=part.choice.offer.removeprefix(OWN).partition("/")[0],
                unit_price_minor=line.price_minor or part.choice.unit_price_minor,
                requested_at=wish.requested_at,
            )
        )
        cover.append((number, line.line))
    fact = PlaceOrder(
        circle=desk.view.home,
        order=new_name(desk, "SO"),
        cancel_after_at=wish.cancel_after_at,
        ship_complete=wish.ship_complete,
        backorder=wish.backorder,
        lines=lines,
        side="sell",
        counterparty=wish.customer,
        po_number=wish.customer_po_number,
        currency=wish.currency,
        deliver_to=wish.to,
    )
    return fact, cover, "own stock"


def _keep_document(desk: Desk, wish: Wish, document: str, covers: list[Covered]) -> None:
    desk.do(
        KeepDocument(
            circle=desk.view.home,
            document=document,
            customer=wish.customer or _own_name(desk),
            customer_po_number=wish.customer_po_number,
            currency=wish.currency,
            lines=[
                DocumentLine(line=line.line, item=line.item, each=line.each, unit_price_minor=line.price_minor)
                for line in wish.lines
            ],
            orders=covers,
        )
    )


def _own_name(desk: Desk) -> str:
    row = desk.view.get(PARTIES, desk.who.party)
    return row.name if row else desk.who.party

"""Buying: from a wish to orders. What every door (page, API, command line) does, it does through these procedures.

    proposing.propose   what is available to the reader, from whom, when, and at which total cost
    buy                 holds on group offers, one order a seller in its relationship, one document over all of them

What is above the buyer's own limit goes through `hanse.node.approving`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence

from msgspec import Struct

from hanse.kernel.facts import Fact
from hanse.kernel.refusal import Refused, require
from hanse.kernel.view import View
from hanse.node import joining
from hanse.node.agreed import agreed
from hanse.node.desk import Desk
from hanse.node.placing import Bought, send
from hanse.node.proposing import OWN, Choice, Wish, check, total_minor
from hanse.node.wallet import Presentation
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
Keep = Callable[[list[Presentation]], list[Presentation]]


def buy(
    desk: Desk, wish: Wish, chosen: Sequence[Choice], *, document: str = "", keep: Keep = list
) -> Bought:  # fmt: skip
    """Place what was chosen: every order in the relationship with its seller, group offers through a hold.

    What comes from an offer to lend is a loan: an order of its own, which is never billed; the goods stay the seller's.

    Args:
        keep: gets all that was signed before any of it is sent; what it returns is sent. A door that makes a retry safe
            keeps it, and gives the same to `placing.send` when the call comes again.
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
    drafts = [
        _draft(desk, wish, seller, some)
        for seller, parts in by_seller.items()
        for some in ([part for part in parts if not part.lent], [part for part in parts if part.lent])
        if some
    ]
    facts: list[Fact] = [hold for draft in drafts for hold in draft.holds]
    facts += [draft.order for draft in drafts]
    if len(drafts) > 1 or wish.customer or document.startswith("A-"):
        facts.append(_document(desk, wish, document, drafts))
    return send(desk, keep([desk.sign([fact])[0] for fact in facts]))


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


class _Draft(Struct, frozen=True):
    """The order or the loan of one seller, its lines against the document's, and the holds that it draws on."""

    order: PlaceOrder
    cover: list[tuple[int, int]]
    holds: list[Hold] = []


def _draft(desk: Desk, wish: Wish, seller: str, parts: list[_Part]) -> _Draft:
    view = desk.view
    if not seller:
        return _own_order(desk, wish, parts)
    circle = _circle_with(desk, seller)
    wanted = {line.line: line for line in wish.lines}
    lines, cover = [], []
    holds: list[Hold] = []
    for number, part in enumerate(parts, 1):
        assert part.card is not None
        direct = part.card.circle == circle
        secret = "" if direct else secrets.token_urlsafe(24)
        holds += [] if direct else [_hold(desk, part, secret)]
        lines.append(
            PlaceLine(
                line=number,
                each=part.choice.each,
                offer=part.choice.offer if direct else "",
                hold="" if direct else holds[-1].hold,
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
    return _Draft(fact, cover, holds)


def _confirm_by(desk: Desk, wish: Wish) -> int:
    """Two days from now, and not after the cancel date."""
    by = _now(desk) + CONFIRM_SECONDS
    return min(by, wish.cancel_after_at) if wish.cancel_after_at else by


def _now(desk: Desk) -> int:
    return max(desk.view.now, int(desk.node.clock()))


def _hold(desk: Desk, part: _Part, secret: str) -> Hold:
    """A hold on a group's offer, which an order draws on with the secret."""
    assert part.card is not None
    return Hold(
        circle=part.card.circle,
        hold=desk.node.wallet.new_id("hold"),
        offer=part.choice.offer,
        each=part.choice.each,
        until_at=_now(desk) + HOLD_SECONDS,
        claim=hashlib.sha256(secret.encode()).hexdigest(),
    )


def _own_order(desk: Desk, wish: Wish, parts: list[_Part]) -> _Draft:
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
    return _Draft(fact, cover)


def _document(desk: Desk, wish: Wish, document: str, drafts: Sequence[_Draft]) -> KeepDocument:
    return KeepDocument(
        circle=desk.view.home,
        document=document,
        customer=wish.customer or _own_name(desk),
        customer_po_number=wish.customer_po_number,
        currency=wish.currency,
        lines=[
            DocumentLine(line=line.line, item=line.item, each=line.each, unit_price_minor=line.price_minor)
            for line in wish.lines
        ],
        orders=[Covered(order=draft.order.order, lines=draft.cover) for draft in drafts],
    )


def _own_name(desk: Desk) -> str:
    row = desk.view.get(PARTIES, desk.who.party)
    return row.name if row else desk.who.party

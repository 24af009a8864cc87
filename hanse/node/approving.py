"""Approving: what is above a person's limit waits in the firm's home until a second person decides.

ask            keep what would be ordered, and say so in the home
ask_to_sign    the same of an order that accepts a quote, or of a quote
decide         the second person's decision; approved, it is bought, or signed
buy_approved   do what was approved and could not be done at once
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hanse.kernel.facts import Fact
from hanse.kernel.refusal import Refused, require
from hanse.node.buying import CONFIRM_SECONDS, buy, new_name, permit, sorted_out
from hanse.node.desk import Desk, amount_minor
from hanse.node.placing import Bought, Ordered
from hanse.node.proposing import Choice, Wish, check, total_minor
from hanse.rooms.orders.delivery_facts import SendMessage
from hanse.rooms.orders.facts import Approve, PlaceOrder, Quote
from hanse.rooms.orders.purchases import REQUEST_ITEM, about_text, file_name, request
from hanse.rooms.parties.facts import STAFF, AppointStaff
from hanse.rooms.parties.queries import circle_card

LIMIT_MINOR_MAX = 10**15


class Kept(Struct, frozen=True, omit_defaults=True):
    """What a request's file holds: a purchase, or an order, or a quote."""

    wish: Wish | None = None
    chosen: tuple[Choice, ...] = ()
    order: PlaceOrder | None = None
    quote: Quote | None = None

    @property
    def fact(self) -> PlaceOrder | Quote | None:
        return self.order or self.quote

    @property
    def total_minor(self) -> int | None:
        """In minor units; None where it says no price."""
        return amount_minor(self.fact) if self.fact else total_minor(self.chosen)


def ask(desk: Desk, wish: Wish, chosen: Sequence[Choice]) -> str:
    """Ask for approval of a purchase; the request's name, which becomes its document's.

    Refuses, in order: desk.not_permitted, as `buy` before anything is signed, but for the limit.
    """
    require(desk.may(PlaceOrder), "desk.not_permitted", "your role does not sign this", got=desk.who.role)
    view = desk.view
    check(view, wish)
    sorted_out(desk, view, wish, chosen)
    about = ", ".join(f"{line.each} each of {line.item}" for line in wish.lines[:5])
    return _request(desk, Kept(wish, tuple(chosen)), about, wish.currency, file_name("purchase", ""))


def ask_to_sign(desk: Desk, fact: PlaceOrder | Quote) -> str:
    """Ask for approval of an order that accepts a quote, or of a quote; the request's name.

    Refuses, in order: desk.not_permitted, desk.over_limit (a line states no price), as the fact's rules as they stand.
    """
    require(desk.may(type(fact)), "desk.not_permitted", "your role does not sign this", got=desk.who.role)
    if amount_minor(fact) is None:
        raise Refused("desk.over_limit", "without prices it fits no limit", next="state each line's price")
    if refusal := desk.node.path.trial(desk.node.wallet.sign(desk.who.party, fact)):
        raise Refused.of(refusal)
    view = desk.view
    card = circle_card(view, fact.circle)
    partner = next((m.name for m in card.members if m.party != view.party), "") if card else ""
    lines = ", ".join(f"{line.each} each of {line.item}" for line in fact.lines[:5])
    if isinstance(fact, PlaceOrder):
        about, named = f"order of quote {fact.quote} from {partner}: {lines}", file_name("order", fact.order)
        return _request(desk, Kept(order=fact), about, fact.currency, named)
    about, named = f"quote {fact.quote} to {partner}: {lines}", file_name("quote", fact.quote)
    return _request(desk, Kept(quote=fact), about, fact.currency, named)


def _request(desk: Desk, kept: Kept, about: str, currency: str, named: str) -> str:
    """Keep the file and say so in the home; the request's name."""
    name, data = new_name(desk, "A"), msgspec.json.encode(kept)
    assert kept.total_minor is not None, "it was checked"
    message: Fact = SendMessage(
        circle=desk.view.home,
        message=name,
        item=REQUEST_ITEM,
        text=about_text(desk.who.person, kept.total_minor, currency, about),
        file_name=named,
        file_hash=desk.keep_file(data),
        file_bytes=len(data),
    )
    desk.do(message)
    return name


def decide(desk: Desk, name: str, approved: bool) -> Bought | None:
    """Decide on a request as a second person; what is approved is bought or signed, None where it is not approved.

    Refuses, in order: buying.unknown_request, buying.decided, buying.altered, desk.not_permitted, desk.over_limit, as
        `orders.rules.approve` (own_approval, unknown_staff, limit_exceeded), then as `buy` or the fact's rules: the
        approval then stands, and `buy_approved` tries again.
    """
    view = desk.view
    found = request(view, name)
    if found is None:
        raise Refused("buying.unknown_request", "there is no such request", got=name[:80])
    require(found.state == "asked", "buying.decided", "somebody has decided this", got=found.state)
    kept = kept_request(desk, name)
    require(kept.total_minor == found.amount_minor, "buying.altered", "the request is not what it says")
    if approved:
        permit(desk, found.amount_minor)
        _appoint(desk, found.currency)
    decision = Approve(
        circle=view.home,
        approval=desk.node.wallet.new_id("ap"),
        subject=name,
        amount_minor=found.amount_minor,
        currency=found.currency,
        asked_by=found.asked_by,
        decided_by=desk.who.person,
        approved=approved,
    )
    desk.do(decision)
    return buy_approved(desk, name) if approved else None


def buy_approved(desk: Desk, name: str) -> Bought:
    """Buy, or sign, what was approved and is not done yet; a quote that is sent buys nothing.

    Refuses, in order: buying.unknown_request, buying.not_approved, buying.bought, buying.altered, as `buy` or the
        fact's rules.
    """
    view = desk.view
    found = request(view, name)
    if found is None:
        raise Refused("buying.unknown_request", "there is no such request", got=name[:80])
    require(found.state == "approved", "buying.not_approved", "nobody has approved this", got=found.state)
    require(not found.done, "buying.bought", "this was done", got=name)
    kept = kept_request(desk, name)
    require(kept.total_minor == found.amount_minor, "buying.altered", "the request is not what it says")
    if kept.wish is not None:
        return buy(desk, kept.wish, kept.chosen, document=name)
    return _sign(desk, kept)


def _sign(desk: Desk, kept: Kept) -> Bought:
    """Sign the order or the quote that was approved; an order's time to be confirmed begins now."""
    if kept.order is None:
        assert kept.quote is not None, "a request's file holds something"
        desk.do(kept.quote)
        return Bought("", ())
    now = max(desk.view.now, int(desk.node.clock()))
    by = now + CONFIRM_SECONDS
    fact = replace(kept.order, confirm_by=min(by, kept.order.cancel_after_at or by))
    desk.do(fact)
    return Bought("", (Ordered(fact.order, fact.seller_party, amount_minor(fact) or 0),))


def kept_request(desk: Desk, name: str) -> Kept:
    """What a request would order, checked against the hash on the record.

    Refuses: buying.unknown_request, buying.altered.
    """
    found = request(desk.view, name)
    if found is None:
        raise Refused("buying.unknown_request", "there is no such request", got=name[:80])
    path = desk.node.files / found.file_hash
    data = path.read_bytes() if path.exists() else b""
    same = hashlib.sha256(data).hexdigest() == found.file_hash
    require(same, "buying.altered", "the request's file is missing, or is not what was asked for")
    try:
        kept = msgspec.json.decode(data, type=Kept)
    except msgspec.MsgspecError:
        raise Refused("buying.altered", "the request's file does not read") from None
    require(kept.wish or kept.fact, "buying.altered", "the request's file holds nothing")
    return kept


def _appoint(desk: Desk, currency: str) -> None:
    """An owner whom no staff list names yet enters himself: the rule asks the list who may approve how much."""
    if desk.who.role != "owner" or not desk.may(AppointStaff) or not desk.who.person:
        return
    limit = desk.who.approval_limit_minor
    limit = LIMIT_MINOR_MAX if limit is None else limit
    row = desk.view.get(STAFF, desk.view.home, desk.who.person)
    if row is None or not row.active or row.currency != currency or row.approval_limit_minor < limit:
        desk.do(
            AppointStaff(
                circle=desk.view.home,
                person=desk.who.person,
                role="owner",
                approval_limit_minor=limit,
                currency=currency,
                active=True,
                full_name="",
            )
        )

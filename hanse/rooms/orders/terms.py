"""What buyer and seller alone know of an order, kept in step with its public balance: the circle's rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.kept import Timer
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import circle_rule, circle_timer
from hanse.rooms.inventory.offer_facts import OFFER_TERMS
from hanse.rooms.orders.balance import CHANGE_UNANSWERED, UNANSWERED, UNSHIPPED
from hanse.rooms.orders.delivery_facts import SendMessage
from hanse.rooms.orders.facts import (
    AcceptChange,
    Approve,
    CancelOrder,
    ConfirmLine,
    ConfirmOrder,
    DeclineOrder,
    DeliverTo,
    KeepDocument,
    PlaceLine,
    PlaceOrder,
)
from hanse.rooms.orders.private_rows import (
    APPROVALS,
    DOCUMENT_ORDERS,
    DOCUMENTS,
    FILES,
    MESSAGES,
    ORDER_TERMS,
    Approval,
    Cover,
    Document,
    DocumentOrder,
    DocumentRowLine,
    FileNamed,
    Message,
    OrderTerms,
    Promise,
    TermsLine,
)
from hanse.rooms.orders.rows import LIVE_STATES, ORDERS, Line, Order
from hanse.rooms.orders.told import ConfirmedKnown, OrderKnown
from hanse.rooms.parties.facts import STAFF
from hanse.rooms.parties.rules import party_behind

_json = msgspec.json.Encoder(order="sorted").encode


def said(value: Any, default: Any) -> Any:
    """A commercial field's value, or the default where it was not sent or its disclosure was erased."""
    return default if value is msgspec.UNSET else value


def terms_of(draft: Draft, circle: str, order_id: str) -> OrderTerms:
    """Refuses: orders.no_terms, where the order itself was refused in the circle."""
    terms = draft.get(ORDER_TERMS, circle, order_id)
    if terms is None:
        raise Refused("orders.no_terms", "this order did not come to stand in this circle", got=order_id)
    return terms


def order_row(draft: Draft, order_id: str) -> Order:
    """The public order, as the public rule has just left it."""
    order = draft.get(ORDERS, order_id)
    assert order is not None, "the public rule has accepted it"
    return order


@circle_rule(PlaceOrder)
def keep_terms(draft: Draft, fact: PlaceOrder) -> None:
    """Refuses, in order: orders.missing_terms (item and price of each line, currency; side and counterparty of a
    one-sided order), orders.bad_price, orders.wrong_party."""
    complete = all(line.item and isinstance(line.unit_price_minor, int) for line in fact.lines)
    require(complete and fact.currency, "orders.missing_terms", "every line has item and price, the order a currency")
    good = all(line.unit_price_minor >= 0 for line in fact.lines)
    require(good, "orders.bad_price", "a price is not negative")
    order = order_row(draft, fact.order)
    buyer, seller = _parties(draft, fact, order)
    lines = tuple(_terms_line(draft, fact.circle, line) for line in fact.lines)
    terms = OrderTerms(
        circle=fact.circle,
        order_id=fact.order,
        buyer=buyer,
        seller=seller,
        counterparty=said(fact.counterparty, ""),
        side=said(fact.side, "") if order.one_sided else "",
        po_number=said(fact.po_number, ""),
        currency=fact.currency,
        amount_minor=sum(line.each * line.unit_price_minor for line in fact.lines),
        deliver_to=_json(said(fact.deliver_to, DeliverTo())).decode(),
        drop_ship=said(fact.drop_ship, False),
        loan=said(fact.loan, False),
        ordered_at=min(said(fact.ordered_at, 0) or draft.now, draft.now),
        due_at=0,
        note=said(fact.note, ""),
        lines=lines,
    )
    draft.put(ORDER_TERMS, replace(terms, due_at=due_at(order, lines)))
    draft.tell(OrderKnown(fact.circle, fact.order, buyer, seller, fact.currency, terms.ordered_at, lines))


def _parties(draft: Draft, fact: PlaceOrder, order: Order) -> tuple[str, str]:
    """The parties behind buyer and seller, "" for one outside the network.

    Refuses, in order: orders.missing_terms, orders.wrong_party.
    """
    if order.one_sided:
        own = party_behind(draft, draft.signer)
        told = fact.side in ("buy", "sell") and fact.counterparty
        require(told, "orders.missing_terms", "a one-sided order says the side and the counterparty")
        return (own, "") if fact.side == "buy" else ("", own)
    buyer, seller = party_behind(draft, order.buyer), party_behind(draft, order.seller)
    named = (said(fact.buyer_party, ""), said(fact.seller_party, ""))
    require(named == (buyer, seller), "orders.wrong_party", "other parties stand behind the aliases", got=named)
    return buyer, seller


def _terms_line(draft: Draft, circle: str, line: PlaceLine) -> TermsLine:
    """`firm`: the order meets a firm offer of this circle, price, smallest quantity and pack included."""
    firm = False
    offer = draft.get(OFFER_TERMS, circle, line.offer) if line.offer else None
    if offer is not None:
        fits = line.each >= offer.minimum_each and line.each % max(1, offer.pack_each) == 0
        firm = offer.firm and fits and line.item == offer.item and line.unit_price_minor >= offer.unit_price_minor
    return TermsLine(
        line.line, line.item, said(line.own_number, ""), line.unit_price_minor, said(line.requested_at, 0), firm
    )


def due_at(order: Order, lines: Sequence[TermsLine]) -> int:
    """When the next unshipped quantity is due: the earliest promise, or the request for what is open; 0 for none."""
    first = 0
    for n, line in enumerate(order.lines):
        terms = lines[n]
        dates = [promise.promised_at or terms.requested_at for promise in terms.promises]
        if line.open:
            dates.append(terms.requested_at)
        for at in dates:
            if at and (at < first or not first):
                first = at
    return first


def cut(promises: tuple[Promise, ...], each: int) -> tuple[Promise, ...]:
    """The earliest promises, `each` in all."""
    if sum([promise.each for promise in promises]) <= each:
        return promises
    out = []
    for promise in promises:
        take = min(promise.each, each)
        if take:
            out.append(replace(promise, each=take))
        each -= take
    return tuple(out)


def fit(order: Order, terms: OrderTerms) -> OrderTerms:
    """The terms cut to the public balance: promises to what is confirmed and unshipped, changes to what is proposed."""
    lines = tuple([_fit(line, terms.lines[n]) for n, line in enumerate(order.lines)])
    live = order.state in LIVE_STATES
    return replace(terms, lines=lines, due_at=due_at(order, lines) if live else 0)


def _fit(line: Line, known: TermsLine) -> TermsLine:
    promises, changes = cut(known.promises, line.to_ship), cut(known.changes, line.proposed)
    if promises is known.promises and changes is known.changes:
        return known
    return replace(known, promises=promises, changes=changes)


def merged(promises: tuple[Promise, ...]) -> tuple[Promise, ...]:
    """Promises in order of date, those without a date last."""
    if len(promises) < 2:
        return promises
    return tuple(sorted(promises, key=lambda p: (p.promised_at or 2**62, p.unit_price_minor, p.item, p.each)))


@circle_rule(ConfirmOrder)
def keep_promises(draft: Draft, fact: ConfirmOrder) -> None:
    """What was confirmed, by line: of what, for when, at what price.

    Refuses, in order: orders.no_terms, orders.bad_price, orders.undeclared_change (another item, a higher price, or a
        date after the requested one, in a line that is not marked as changed).
    """
    terms = terms_of(draft, fact.circle, fact.order)
    by = {line.line: line for line in terms.lines}
    kept: dict[int, list[Promise]] = {}
    changes: dict[int, list[Promise]] = {}
    for part in fact.lines:
        promise = _promise(by[part.line], part)
        require(promise.unit_price_minor >= 0, "orders.bad_price", "a price is not negative")
        if not part.changed:
            line = by[part.line]
            later = promise.promised_at > line.requested_at > 0 and not terms.side
            worse = promise.item != line.item or promise.unit_price_minor > line.unit_price_minor or later
            require(not worse, "orders.undeclared_change", "this differs from the order", got=part.line)
        if promise.each:
            (changes if part.changed else kept).setdefault(part.line, []).append(promise)
    lines = tuple(_promised(line, kept.get(line.line, ()), changes.get(line.line, ())) for line in terms.lines)
    _bind(draft, fact.order, replace(terms, lines=lines, answer=said(fact.note, terms.answer)))


def _bind(draft: Draft, order_id: str, terms: OrderTerms) -> None:
    """Write what the seller is bound to, and tell it."""
    after = fit(order_row(draft, order_id), terms)
    draft.put(ORDER_TERMS, after)
    if any(line.promises for line in after.lines):
        draft.tell(ConfirmedKnown(after.circle, order_id, after.buyer, after.seller, after.currency, after.lines))


def _promise(line: TermsLine, part: ConfirmLine) -> Promise:
    return Promise(
        part.each,
        said(part.substitute, "") or line.item,
        said(part.unit_price_minor, line.unit_price_minor),
        said(part.promised_at, 0),
    )


def _promised(line: TermsLine, kept: Iterable[Promise], changes: Iterable[Promise]) -> TermsLine:
    promises, first = merged((*line.promises, *kept)), line.first_promised_at
    if not first:
        first = min([p.promised_at for p in promises if p.promised_at], default=0)
    return replace(line, promises=promises, changes=merged((*line.changes, *changes)), first_promised_at=first)


@circle_rule(AcceptChange)
def keep_changes(draft: Draft, fact: AcceptChange) -> None:
    """Accepted changes become promises. Refuses: orders.no_terms."""
    terms = terms_of(draft, fact.circle, fact.order)
    accepted = {part.line for part in fact.lines if part.accept}
    lines = tuple(
        replace(_promised(line, line.changes, ()), changes=()) if line.line in accepted else line
        for line in terms.lines
    )
    _bind(draft, fact.order, replace(terms, lines=lines))


@circle_rule(DeclineOrder)
@circle_rule(CancelOrder)
def keep_reason(draft: Draft, fact: DeclineOrder | CancelOrder) -> None:
    """Refuses: orders.no_terms."""
    terms = terms_of(draft, fact.circle, fact.order)
    draft.put(
        ORDER_TERMS, fit(order_row(draft, fact.order), replace(terms, answer=said(fact.reason, "") or terms.answer))
    )


@circle_timer(UNANSWERED)
@circle_timer(UNSHIPPED)
@circle_timer(CHANGE_UNANSWERED)
def fit_after_wait(draft: Draft, due: Timer) -> None:
    """What a timer ended publicly ends in the terms."""
    order, terms = draft.get(ORDERS, due.args[0]), draft.get(ORDER_TERMS, due.circle, due.args[0])
    if order is not None and terms is not None:
        draft.put(ORDER_TERMS, fit(order, terms))


@circle_rule(SendMessage)
def keep_message(draft: Draft, fact: SendMessage) -> None:
    """Refuses, in order: orders.message_taken, orders.empty_message."""
    taken = draft.get(MESSAGES, fact.circle, fact.message)
    require(taken is None, "orders.message_taken", "this number is taken", got=fact.message)
    require(fact.text or fact.file_hash, "orders.empty_message", "a message has a text or a file")
    if fact.file_hash:
        draft.put(FILES, FileNamed(circle=fact.circle, file_hash=fact.file_hash, order_id=fact.order))
    row = Message(
        circle=fact.circle,
        message=fact.message,
        entry=draft.position,
        author=party_behind(draft, draft.signer),
        order_id=fact.order,
        shipment=fact.shipment,
        item=said(fact.item, ""),
        text=said(fact.text, ""),
        file_name=said(fact.file_name, ""),
        file_hash=said(fact.file_hash, ""),
        file_bytes=said(fact.file_bytes, 0),
        at=draft.now,
    )
    draft.put(MESSAGES, row)


@circle_rule(KeepDocument)
def keep_document(draft: Draft, fact: KeepDocument) -> None:
    """Refuses, in order: orders.missing_terms, orders.unknown_order."""
    require(fact.customer and fact.currency, "orders.missing_terms", "a document names its customer and currency")
    for cover in said(fact.orders, []):
        require(draft.get(ORDERS, cover.order), "orders.unknown_order", "no such order", got=cover.order)
        draft.put(DOCUMENT_ORDERS, DocumentOrder(circle=fact.circle, order_id=cover.order, document=fact.document))
    row = Document(
        circle=fact.circle,
        document=fact.document,
        customer=fact.customer,
        customer_po_number=said(fact.customer_po_number, ""),
        currency=fact.currency,
        lines=tuple(
            DocumentRowLine(line.line, line.item, line.each, line.unit_price_minor) for line in said(fact.lines, [])
        ),
        orders=tuple(Cover(cover.order, tuple(cover.lines)) for cover in said(fact.orders, [])),
    )
    draft.put(DOCUMENTS, row)


@circle_rule(Approve)
def approve(draft: Draft, fact: Approve) -> None:
    """A second person's decision.

    Refuses, in order: orders.approval_taken, orders.missing_terms, orders.own_approval, orders.unknown_staff,
        orders.limit_exceeded (of the one who approves).
    """
    taken = draft.get(APPROVALS, fact.circle, fact.approval)
    require(taken is None, "orders.approval_taken", "this number is taken", got=fact.approval)
    whole = fact.subject and fact.asked_by and fact.decided_by and fact.currency
    require(whole and isinstance(fact.amount_minor, int), "orders.missing_terms", "say who, what and how much")
    require(fact.asked_by != fact.decided_by, "orders.own_approval", "nobody approves what they asked for themselves")
    person = draft.get(STAFF, fact.circle, fact.decided_by)
    require(person and person.active, "orders.unknown_staff", "this person does not act for you", got=fact.decided_by)
    assert person is not None
    may = person.currency == fact.currency and person.approval_limit_minor >= fact.amount_minor
    approved = said(fact.approved, False)
    require(may or not approved, "orders.limit_exceeded", "this is above the approver's own limit")
    row = Approval(
        circle=fact.circle,
        approval=fact.approval,
        subject=fact.subject,
        amount_minor=fact.amount_minor,
        currency=fact.currency,
        asked_by=fact.asked_by,
        decided_by=fact.decided_by,
        approved=approved,
    )
    draft.put(APPROVALS, row)

"""Quotes: asking one partner for a price, and a price that binds until a date."""

from __future__ import annotations

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.kept import Timer
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import circle_rule, rule, timer
from hanse.rooms.orders.balance import deadline, partner_in
from hanse.rooms.orders.facts import Quote, RequestQuote
from hanse.rooms.orders.private_rows import QUOTE_TERMS, QuotedLine, QuoteTerms
from hanse.rooms.orders.rows import QUOTES, QuoteRow
from hanse.rooms.parties.rules import require_member

ASKED, UNANSWERED, QUOTED, EXPIRED, ORDERED = "asked", "unanswered", "quoted", "expired", "ordered"
QUOTE_OVER = "orders.quote_over"


@rule(RequestQuote)
def request_quote(draft: Draft, fact: RequestQuote) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, orders.unknown_partner, orders.quote_taken,
    orders.bad_deadline."""
    circle = require_member(draft, fact.circle)
    seller = partner_in(draft, circle, fact.seller)
    require(draft.get(QUOTES, fact.quote) is None, "orders.quote_taken", "this number is taken", got=fact.quote)
    deadline(draft, fact.answer_by, "the time to answer")
    row = QuoteRow(
        quote=fact.quote,
        circle=fact.circle,
        buyer=draft.signer,
        seller=seller,
        state=ASKED,
        answer_by=fact.answer_by,
    )
    draft.put(QUOTES, row)
    _wait(draft, fact.quote, fact.answer_by)


def _wait(draft: Draft, quote: str, due: int) -> None:
    draft.timer(QUOTE_OVER, f"{QUOTE_OVER}/{quote}", due, args=(quote,))


@rule(Quote)
def quote(draft: Draft, fact: Quote) -> None:
    """Answer a request, improve a standing quote, or offer a price unasked.

    Refuses, in order: parties.unknown_circle, parties.not_in_circle, orders.quote_taken (in another circle),
        orders.not_seller, orders.quote_ended, orders.unknown_partner (unasked), orders.bad_deadline.
    """
    circle = require_member(draft, fact.circle)
    had = draft.get(QUOTES, fact.quote)
    if had is not None:
        require(had.circle == fact.circle, "orders.quote_taken", "this number is taken", got=fact.quote)
        require(had.seller == draft.signer, "orders.not_seller", "it was asked of another", got=draft.signer)
        require(had.state in (ASKED, QUOTED), "orders.quote_ended", "this quote is over", got=had.state)
        row = had
    else:
        buyer = partner_in(draft, circle, fact.buyer)
        row = QuoteRow(quote=fact.quote, circle=fact.circle, buyer=buyer, seller=draft.signer, state=QUOTED)
    deadline(draft, fact.valid_until_at, "the quote's end")
    if had is not None:
        draft.drop_timer(f"{QUOTE_OVER}/{fact.quote}", had.valid_until_at if had.state == QUOTED else had.answer_by)
    draft.put(QUOTES, replace(row, state=QUOTED, valid_until_at=fact.valid_until_at))
    _wait(draft, fact.quote, fact.valid_until_at)


@timer(QUOTE_OVER)
def quote_over(draft: Draft, due: Timer) -> None:
    """A request that nobody answered ends, and so does a quote that nobody used."""
    row = draft.get(QUOTES, due.args[0])
    if row is not None and row.state in (ASKED, QUOTED):
        draft.put(QUOTES, replace(row, state=UNANSWERED if row.state == ASKED else EXPIRED))


def use_quote(draft: Draft, quote_id: str, circle: str, buyer: str, seller: str, order_id: str) -> None:
    """An order accepts a quote, which is then used. Refuses, in order: orders.unknown_quote, orders.quote_ended."""
    row = draft.get(QUOTES, quote_id)
    if row is None or (row.circle, row.buyer, row.seller) != (circle, buyer, seller):
        raise Refused("orders.unknown_quote", "no such quote between you two", got=quote_id)
    require(row.state == QUOTED, "orders.quote_ended", "this quote is not open", got=row.state, next="ask again")
    draft.drop_timer(f"{QUOTE_OVER}/{quote_id}", row.valid_until_at)
    draft.put(QUOTES, replace(row, state=ORDERED, order_id=order_id))


@circle_rule(RequestQuote)
def keep_request(draft: Draft, fact: RequestQuote) -> None:
    """Refuses: orders.missing_terms, where a line does not say the item."""
    require(all(line.item for line in fact.lines), "orders.missing_terms", "every line names its item")
    asked = tuple(QuotedLine(line.line, line.each, line.item, line.own_number or "") for line in fact.lines)
    row = QuoteTerms(
        circle=fact.circle,
        quote=fact.quote,
        currency=fact.currency or "",
        asked=asked,
        quoted=(),
        note=fact.note or "",
        answer="",
    )
    draft.put(QUOTE_TERMS, row)


@circle_rule(Quote)
def keep_quote(draft: Draft, fact: Quote) -> None:
    """Refuses, in order: orders.missing_terms (item, price, currency), orders.bad_price."""
    complete = all(line.item and isinstance(line.unit_price_minor, int) for line in fact.lines)
    require(complete and fact.currency, "orders.missing_terms", "every line names its item and price")
    good = all(line.unit_price_minor >= 0 for line in fact.lines)
    require(good, "orders.bad_price", "a price is not negative")
    quoted = tuple(
        QuotedLine(line.line, line.each, line.item, "", line.unit_price_minor, line.lead_time_days or 0)
        for line in fact.lines
    )
    had = draft.get(QUOTE_TERMS, fact.circle, fact.quote)
    row = QuoteTerms(
        circle=fact.circle,
        quote=fact.quote,
        currency=fact.currency,
        asked=had.asked if had else (),
        quoted=quoted,
        note=had.note if had else "",
        answer=fact.note or "",
    )
    draft.put(QUOTE_TERMS, row)

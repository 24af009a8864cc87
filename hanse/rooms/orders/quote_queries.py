"""Questions about quotes: what was asked, what is quoted, and what waits for the reader's price."""

from __future__ import annotations

from msgspec import Struct

from hanse.kernel.view import View
from hanse.rooms.orders.private_rows import QUOTE_TERMS, QuoteTerms
from hanse.rooms.orders.rows import QUOTES, QuoteRow
from hanse.rooms.parties.facts import MEMBERS
from hanse.rooms.parties.queries import party_name


class QuoteView(Struct, frozen=True):
    """A quote as one of its two sides sees it. `side`: buy, where the reader asked for it or was offered it.

    The reader's own note of a supplier's terms, in its home, has the reader as its partner: see `own_note`.
    """

    quote: QuoteRow
    terms: QuoteTerms
    side: str
    partner: str
    partner_name: str
    own_note: bool = False


def _seen(view: View, row: QuoteRow, terms: QuoteTerms) -> QuoteView:
    buyer, seller = (view.get(MEMBERS, row.circle, alias) for alias in (row.buyer, row.seller))
    bought = buyer is not None and buyer.party == view.party
    partner = (seller if bought else buyer) or None
    name = partner.party if partner else ""
    own = row.circle == view.home
    return QuoteView(row, terms, "buy" if bought else "sell", name, party_name(view, name), own)


def quotes(view: View, *, states: tuple[str, ...] = (), limit: int = 200) -> tuple[QuoteView, ...]:
    """The reader's quotes, by number. states: asked, unanswered, quoted, expired, ordered; () all."""
    out = []
    for terms in view.rows(QUOTE_TERMS, limit=10 * limit):
        row = view.get(QUOTES, terms.quote)
        if row is not None and row.circle == terms.circle and (not states or row.state in states):
            out.append(_seen(view, row, terms))
    return tuple(out[:limit])


def the_quote(view: View, quote: str) -> QuoteView | None:
    """One quote; None for those outside its circle, as if there were none."""
    row = view.get(QUOTES, quote)
    terms = view.get(QUOTE_TERMS, row.circle, quote) if row else None
    return _seen(view, row, terms) if row is not None and terms is not None else None


def quotes_to_answer(view: View, *, limit: int = 100) -> tuple[QuoteView, ...]:
    """Requests that wait for the reader's price, the first to end first."""
    return _waiting(view, "asked", "sell", limit)


def quotes_to_order(view: View, *, limit: int = 100) -> tuple[QuoteView, ...]:
    """Prices that bind a partner now and that the reader may accept, the first to end first; without own notes."""
    return _waiting(view, "quoted", "buy", limit)


def _waiting(view: View, state: str, side: str, limit: int) -> tuple[QuoteView, ...]:
    circles = [circle for circle in view.circles if circle != view.home]
    if not circles:
        return ()
    found = view.sql(
        f"SELECT quote FROM {{orders_quote}} WHERE circle IN ({', '.join('?' * len(circles))}) AND state = ?"
        " ORDER BY MAX(answer_by, valid_until_at), quote LIMIT ?",
        [*circles, state, 4 * limit],
        tables=(QUOTES,),
    )
    seen = (the_quote(view, quote) for (quote,) in found)
    return tuple(one for one in seen if one is not None and one.side == side)[:limit]

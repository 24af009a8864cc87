"""A firm's own books: its terms for partners, and documents of its own system, in its home."""

from __future__ import annotations

from hanse.kernel.draft import Draft
from hanse.kernel.refusal import require
from hanse.kernel.rules import circle_rule, rule
from hanse.rooms.accounts.facts import BookItems, BookLine, SetTerms
from hanse.rooms.accounts.ledger import MONEY_MAX, open_item, outsider, post
from hanse.rooms.accounts.rows import CREDIT_NOTE, INVOICE, ITEMS, TERMS, Terms, Way
from hanse.rooms.orders.terms import said
from hanse.rooms.parties.rules import party_behind, require_home


@rule(SetTerms)
@rule(BookItems)
def at_home(draft: Draft, fact: SetTerms | BookItems) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, parties.not_a_home."""
    require_home(draft, fact.circle)


@circle_rule(SetTerms)
def keep_terms(draft: Draft, fact: SetTerms) -> None:
    """Refuses: accounts.missing_terms."""
    whole = said(fact.partner, "") and said(fact.currency, "")
    require(whole, "accounts.missing_terms", "terms name a partner and a currency")
    row = Terms(
        circle=fact.circle,
        partner=fact.partner,
        currency=fact.currency,
        payment_days=said(fact.payment_days, 30),
        discount_ppm=said(fact.discount_ppm, 0),
        discount_days=said(fact.discount_days, 0),
        tax_ppm=said(fact.tax_ppm, 0),
        credit_limit_minor=said(fact.credit_limit_minor, -1),
        overdue_days_max=said(fact.overdue_days_max, 730),
        hold=said(fact.hold, False),
    )
    draft.put(TERMS, row)


@circle_rule(BookItems)
def keep_books(draft: Draft, fact: BookItems) -> None:
    """Documents of one's own system: wholly or partly open ones against goods, tax and what was settled before.

    Refuses, in order: accounts.missing_terms, accounts.item_taken, accounts.too_much, accounts.more_than_open,
        accounts.bad_time.
    """
    lines = said(fact.lines, [])
    require(lines, "accounts.missing_terms", "there is nothing to book")
    named = {line.item for line in lines}
    taken = sorted(item for item in named if draft.get(ITEMS, fact.circle, item) is not None)
    once = len(named) == len(lines) and not taken
    require(once, "accounts.item_taken", "a number is taken, or stands twice", got=taken[:1])
    for line in lines:
        gross = line.net_minor + line.tax_minor
        require(gross <= MONEY_MAX, "accounts.too_much", "no document is so large", got=gross)
        require(line.open_minor <= gross, "accounts.more_than_open", f"{line.item}: more is open than it comes to")
        past = line.issued_at <= draft.now and line.settled_at <= draft.now
        require(
            past, "accounts.bad_time", f"{line.item}: it lies ahead", got=line.issued_at, expected=f"<= {draft.now}"
        )
    own = party_behind(draft, draft.signer)
    for line in lines:
        _book(draft, line, own)


def _book(draft: Draft, line: BookLine, own: str) -> None:
    other = outsider(line.partner)
    way = Way(line.currency, own, other, True) if line.side == "sell" else Way(line.currency, other, own, True)
    sign = 1 if line.book_kind == INVOICE else -1
    gross = line.net_minor + line.tax_minor
    open_item(
        draft,
        way,
        line.item,
        INVOICE if line.book_kind == INVOICE else CREDIT_NOTE,
        sign * gross,
        open_minor=sign * line.open_minor,
        net_minor=sign * line.net_minor,
        tax_minor=sign * line.tax_minor,
        issued_at=line.issued_at,
        due_at=line.due_at or line.issued_at,
        settled_at=0 if line.open_minor else line.settled_at or line.due_at or line.issued_at or draft.now,
        reference=line.number,
        category=line.category,
    )
    post(
        draft,
        way,
        "booked",
        line.item,
        ("due", sign * line.open_minor),
        ("opening", sign * (gross - line.open_minor)),
        ("goods", -sign * line.net_minor),
        ("tax", -sign * line.tax_minor),
        reason=line.number,
    )

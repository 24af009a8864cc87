"""Payments: announced by the payer, confirmed by the payee, or the other way round; only then do they count."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.kept import Timer
from hanse.kernel.refusal import require
from hanse.kernel.rules import circle_rule, circle_timer, rule, timer
from hanse.rooms.accounts.facts import Allocation, Pay, ReceivePayment
from hanse.rooms.accounts.ledger import PPM, find_item, open_item, part_of, post, settle_item
from hanse.rooms.accounts.papers import ahead, find_paper, paper
from hanse.rooms.accounts.rows import (
    ANNOUNCED,
    CLAIMED,
    CYCLES,
    ITEMS,
    NETTED_DONE,
    ON_ACCOUNT,
    PAPERS,
    PAYMENTS,
    SETTLED,
    UNCONFIRMED,
    Allocated,
    Item,
    Payment,
    Way,
)
from hanse.rooms.contracts.terms.runtime import muldiv
from hanse.rooms.orders.terms import said
from hanse.rooms.parties.facts import CIRCLES, MEMBERS
from hanse.rooms.parties.rules import party_behind

UNANSWERED = "accounts.payment_unanswered"


@rule(Pay)
@rule(ReceivePayment)
def number_payment(draft: Draft, fact: Pay | ReceivePayment) -> None:
    """The first of both sides takes the number and sets the wait; the other side answers under the same number.

    Refuses, in order: parties.unknown_circle, parties.not_in_circle, accounts.number_taken (by another document, or by
        the signer's own payment), accounts.bad_deadline, accounts.not_netted (a cycle that is not settled).
    """
    known = draft.get(PAPERS, fact.payment)
    if known is not None:
        find_paper(draft, fact.circle, fact.payment, "payment")
        other = known.alias != draft.signer
        require(other, "accounts.number_taken", "this payment waits for the other side", got=fact.payment)
        return
    circle = paper(draft, fact.circle, fact.payment, "payment", fact.answer_by)
    cycle = draft.get(CYCLES, fact.cycle) if isinstance(fact, Pay) and fact.cycle else None
    if circle.purpose != "home":
        ahead(draft, fact.answer_by, "the other side's answer")
        draft.timer(
            UNANSWERED, f"{UNANSWERED}/{fact.payment}", fact.answer_by, circle=fact.circle, args=(fact.payment,)
        )
    done = not (isinstance(fact, Pay) and fact.cycle) or (cycle is not None and cycle.state == NETTED_DONE)
    require(done, "accounts.not_netted", "that cycle is not settled", got=getattr(fact, "cycle", ""))


@circle_rule(Pay)
def keep_payment(draft: Draft, fact: Pay) -> None:
    """Announce a payment, or answer one that the payee has claimed.

    Refuses, in order: accounts.not_payer, accounts.missing_terms, then as `_lay_out`; of an answer:
        accounts.payment_ended, accounts.not_payer, accounts.other_amount.
    """
    had = draft.get(PAYMENTS, fact.circle, fact.payment)
    if had is not None:
        _answer(draft, had, CLAIMED, had.payer, said(fact.amount_minor, had.amount_minor))
        _count(draft, had)
        return
    alone, mine = _home(draft), party_behind(draft, draft.signer)
    payer, payee = _sides(draft, said(fact.payer, ""), said(fact.payee, ""), mine, alone)
    require(alone or payer == mine, "accounts.not_payer", "the payer announces a payment", got=payer)
    row = _lay_out(draft, fact, payer, payee, refund=said(fact.refund, False), at=_paid_at(draft, fact, alone))
    if alone:
        _count(draft, replace(row, unproven=True))
    else:
        draft.put(PAYMENTS, replace(row, state=ANNOUNCED))
        _announce(draft, row, 1)


@circle_rule(ReceivePayment)
def keep_receipt_of_money(draft: Draft, fact: ReceivePayment) -> None:
    """Confirm a payment, late or not; or claim one that nobody announced.

    Another amount than announced goes on account whole. So does, after the payment's wait, one whose items were settled
    otherwise meanwhile, or whose discount has run out.
    Refuses, in order: accounts.payment_ended, accounts.not_payee; of a claim: accounts.not_payee,
        accounts.missing_terms, then as `_lay_out`.
    """
    had = draft.get(PAYMENTS, fact.circle, fact.payment)
    if had is None:
        mine = party_behind(draft, draft.signer)
        payer, payee = _sides(draft, said(fact.payer, ""), "", mine, False, payee_signs=True)
        require(payee == mine, "accounts.not_payee", "the payee says what it has", got=payee)
        row = _lay_out(draft, fact, payer, payee, refund=False, at=draft.now, grant=said(fact.grant_discount, False))
        draft.put(PAYMENTS, replace(row, state=CLAIMED))
        _announce(draft, row, 1)
        return
    open_ = had.state in (ANNOUNCED, UNCONFIRMED)
    require(open_, "accounts.payment_ended", "this payment is settled, or waits for its payer", got=had.state)
    mine = party_behind(draft, draft.signer)
    require(mine == had.payee, "accounts.not_payee", "the payee confirms a payment", got=mine)
    amount = said(fact.amount_minor, had.amount_minor)
    if had.state == ANNOUNCED:
        _announce(draft, had, -1)
    late = had.state == UNCONFIRMED and not said(fact.grant_discount, False)
    fits = all(_still(draft, part, late) for part in had.allocations)
    if amount != had.amount_minor or not fits:
        had = replace(had, amount_minor=amount, allocations=())
    _count(draft, had, announced=False)


def _answer(draft: Draft, row: Payment, state: str, party: str, amount: int) -> None:
    """Refuses, in order: accounts.payment_ended, accounts.not_payer, accounts.other_amount."""
    require(row.state == state, "accounts.payment_ended", "this payment waits for nothing of yours", got=row.state)
    mine = party_behind(draft, draft.signer)
    require(mine == party, "accounts.not_payer", "the payer answers this", got=mine)
    same = amount == row.amount_minor
    require(same, "accounts.other_amount", "the payee has another amount", got=amount, expected=row.amount_minor)


def _home(draft: Draft) -> bool:
    circle = draft.get(CIRCLES, draft.circle)
    return circle is not None and circle.purpose == "home"


def _paid_at(draft: Draft, fact: Pay, alone: bool) -> int:
    """When it was paid: the ledger time of the payer's word; in one-sided books as stated, not after now."""
    return min(said(fact.paid_at, 0) or draft.now, draft.now) if alone else draft.now


def _sides(draft: Draft, payer: str, payee: str, mine: str, alone: bool, payee_signs: bool = False) -> tuple[str, str]:
    """Payer and payee: as named; in a relationship the one left out is the other member.

    Refuses: accounts.unknown_partner.
    """
    members = sorted(member.party for member in draft.scan(MEMBERS, circle=draft.circle))
    others = [party for party in members if party != mine]
    other = others[0] if len(others) == 1 else ""
    payer = payer or (other if payee_signs else mine)
    payee = payee or (mine if payee_signs else other)
    named = (payer in members and payee in members and payer != payee) or (
        alone and mine in (payer, payee) and any(side.startswith("~") for side in (payer, payee))
    )
    require(named, "accounts.unknown_partner", "name both sides of the payment", got=f"{payer} -> {payee}")
    return payer, payee


def _lay_out(
    draft: Draft,
    fact: Pay | ReceivePayment,
    payer: str,
    payee: str,
    *,
    refund: bool,
    at: int,
    grant: bool = False,
) -> Payment:
    """How a payment settles items; what they leave of it goes on account.

    Refuses, in order: accounts.missing_terms, accounts.repeated_item, accounts.unknown_item, accounts.other_books,
        accounts.more_than_open, accounts.nothing_paid, accounts.wrong_amount.
    """
    whole = said(fact.currency, "") and isinstance(fact.amount_minor, int)
    require(whole, "accounts.missing_terms", "a payment has an amount and a currency")
    way = _way(fact.currency, payer, payee, refund)
    asked = said(fact.allocations, [])
    parts = tuple(_allocate(draft, way, part, at, refund, grant) for part in asked)
    require(len({part.item for part in parts}) == len(parts), "accounts.repeated_item", "an item stands twice")
    sign = -1 if refund else 1
    settled = sign * sum(part.amount_minor - part.discount_minor for part in parts)
    rest = fact.amount_minor - settled
    require(parts or fact.amount_minor, "accounts.nothing_paid", "this pays and settles nothing")
    fits = rest >= 0 and not (refund and rest)
    require(
        fits,
        "accounts.wrong_amount",
        "the amount differs from what the items come to, less the discount that is earned",
        got=fact.amount_minor,
        expected=settled if refund else f">= {settled}",
    )
    return Payment(
        circle=fact.circle,
        payment=fact.payment,
        state=SETTLED,
        payer=payer,
        payee=payee,
        refund=refund,
        currency=fact.currency,
        amount_minor=fact.amount_minor,
        allocations=parts,
        paid_at=at,
        method=said(fact.method, "bank"),
        cycle=fact.cycle if isinstance(fact, Pay) else "",
        reference=said(fact.reference, ""),
    )


def _way(currency: str, payer: str, payee: str, refund: bool) -> Way:
    return Way(currency, payer, payee) if refund else Way(currency, payee, payer)


def _free(item: Item, amount: int) -> bool:
    """Whether so much of an item, of its own sign, is open and in no other payment."""
    free = item.open_minor - item.announced_minor
    return 0 < amount <= free or free <= amount < 0


def _still(draft: Draft, part: Allocated, late: bool) -> bool:
    """Whether an announced part can settle its item now."""
    item = find_item(draft, part.item)
    return _free(item, part.amount_minor) and not (late and part.discount_minor and draft.now > item.discount_until)


def _allocate(draft: Draft, way: Way, part: Allocation, at: int, refund: bool, grant: bool) -> Allocated:
    """One item's part, with the discount that a payment in time earns, rounded down once.

    Refuses, in order: accounts.unknown_item, accounts.other_books, accounts.more_than_open.
    """
    item = find_item(draft, part.item)
    same = (item.currency, item.supplier, item.customer) == (way.currency, way.supplier, way.customer)
    require(same, "accounts.other_books", "this item is of another direction or currency", got=part.item)
    require(
        _free(item, part.amount_minor),
        "accounts.more_than_open",
        "less is open, and not in another payment",
        got=part.amount_minor,
        expected=item.open_minor - item.announced_minor,
    )
    return Allocated(part.item, part.amount_minor, 0 if refund else discount(item, part.amount_minor, at, grant))


def discount(item: Item, amount_minor: int, at: int, grant: bool = False) -> int:
    """The cash discount that settling `amount_minor` at a time earns, minor units, rounded towards zero once.

    A credit note bears its invoice's discount, negative: goods that went back earn none. Once the invoice was paid with
    its discount, its supplier credits accordingly, by amount.
    """
    in_time = grant or at <= item.discount_until
    return muldiv(amount_minor, item.discount_ppm, PPM, "down") if in_time else 0


def _announce(draft: Draft, row: Payment, sign: int) -> None:
    """Reserve what a payment will settle, or free it again."""
    for part in row.allocations:
        item = find_item(draft, part.item)
        draft.put(ITEMS, replace(item, announced_minor=item.announced_minor + sign * part.amount_minor))


def _count(draft: Draft, row: Payment, *, announced: bool = True) -> None:
    """A payment counts: its items are settled, the rest is on account, the money is where it went.

    A discount takes its share of the tax with it (a price reduction reduces the taxable amount: Directive 2006/112/EC,
    article 90).
    """
    way = replace(_way(row.currency, row.payer, row.payee, row.refund), unproven=row.unproven)
    reserved = announced and row.state == CLAIMED
    given = tax = 0
    for part in row.allocations:
        held = part.amount_minor if reserved else 0
        item = settle_item(draft, part.item, part.amount_minor, at=row.paid_at, announced=held)
        given += part.discount_minor
        tax += part_of(part.discount_minor, item.tax_minor, item.amount_minor)
    sign = -1 if row.refund else 1
    settled = sum(part.amount_minor for part in row.allocations)
    rest = row.amount_minor - sign * (settled - given)
    _on_account(draft, way, row, rest)
    money = "netting" if row.method == "netting" else "bank"
    lines = (
        (money, sign * row.amount_minor),
        ("discount", given - tax),
        ("tax", tax),
        ("due", -settled - sign * rest),
    )
    post(draft, way, "payment", row.payment, *lines, reason=row.reference)
    draft.put(PAYMENTS, replace(row, state=SETTLED, settled_at=draft.now))


def _on_account(draft: Draft, way: Way, row: Payment, rest: int) -> None:
    """What a payment leaves over: the customer's credit, or, of a refund, its debt."""
    if not rest:
        return
    number = row.payment
    while draft.get(ITEMS, draft.circle, number) is not None:
        number += "+"
    amount = rest if row.refund else -rest
    open_item(draft, way, number, ON_ACCOUNT, amount, issued_at=row.paid_at, reference=row.reference)


@timer(UNANSWERED)
def payment_waited(draft: Draft, due: Timer) -> None:
    """Nothing of a payment is public but its number."""


@circle_timer(UNANSWERED)
def end_wait(draft: Draft, due: Timer) -> None:
    """Nobody answered: an announcement frees its items and stays unconfirmed; a payee's claim stands."""
    row = draft.get(PAYMENTS, due.circle, due.args[0])
    if row is None:
        return
    if row.state == ANNOUNCED:
        _announce(draft, row, -1)
        draft.put(PAYMENTS, replace(row, state=UNCONFIRMED))
    elif row.state == CLAIMED:
        _count(draft, row)


def allocations_of(items: Sequence[Item]) -> list[Allocation]:
    """Pay all that is open and free of these items."""
    return [Allocation(item=item.item, amount_minor=item.open_minor - item.announced_minor) for item in items]

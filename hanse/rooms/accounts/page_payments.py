"""Payments: what is to be paid, what others say that they paid, what was announced, and all there were."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath, FromQuery

from hanse.kernel.facts import Fact
from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.accounts.facts import DAY, Pay, ReceivePayment
from hanse.rooms.accounts.page_overview import open_row
from hanse.rooms.accounts.page_words import (
    CRUMBS,
    PAYMENT_WORDS,
    TABS,
    apart,
    at_desk,
    item_link,
    key_of,
    name_of,
    named,
    payment_words,
    proven,
    reference_words,
    two,
)
from hanse.rooms.accounts.paying import allocations_of, discount
from hanse.rooms.accounts.queries import open_items, payments, to_accept
from hanse.rooms.accounts.rows import (
    ANNOUNCED,
    CLAIMED,
    ITEMS,
    PAPERS,
    PAYMENTS,
    UNCONFIRMED,
    Item,
    Payment,
)
from hanse.rooms.accounts.standards import account_of
from hanse.site.pages_forms import Fields, Given, attempt, exported, table_view
from hanse.web import Bulk, Column, Link, Money, Read, Reader, Refusal, Table, go, not_here, page

ANSWER_SECONDS = 14 * DAY
SHOWS = {
    "pay": "To pay", "answer": "To confirm", "due": "Expected", "sent": "Announced by us", "all": "All payments",
}  # fmt: skip
_ITEM_COLUMNS = (
    Column("item", "Document", "link", sortable=True, wide=True),
    Column("kind", "Kind", "badge", filterable=True),
    Column("partner", "Partner", sortable=True, filterable=True),
    Column("due_at", "Due", "day", sortable=True),
    Column("late", "Days over", "number", sortable=True),
    Column("open", "Open", "money", sortable=True, filterable=True),
    Column("discount", "Discount now", "money"),
)
_PAYMENT_COLUMNS = (
    Column("payment", "Payment", "link", wide=True),
    Column("partner", "Partner", sortable=True, filterable=True),
    Column("state", "State", "badge", filterable=True),
    Column("amount", "Amount", "money", sortable=True, filterable=True),
    Column("settles", "Settles"),
    Column("until", "Answer by", "day", sortable=True),
    Column("paid_at", "Said", "time", sortable=True, filterable=True, shown=False),
    Column("way", "Way", sortable=True, shown=False),
    Column("account", "To account", shown=False),
    Column("proof", "Books", "badge", shown=False),
    Column("number", "Number on the record", shown=False),
    Column("entry", "Entry", "proof"),
)


ALL_SHOWN = ("payment", "partner", "way", "state", "amount", "settles", "paid_at", "entry")


def _table(id: str, columns: Sequence[Column], sort: str, *bulk: Bulk) -> Table:
    return Table(id, tuple(columns), sort=sort, row_key="key", search="Document or partner", bulk=bulk)


def item_row(view: View, item: Item) -> dict[str, Any]:
    """An item to settle, with the discount that settling it now earns."""
    free = item.open_minor - item.announced_minor
    earned = discount(item, free, view.now)
    given = {"discount": Money(earned, item.currency) if earned else None, "key": key_of(item.circle, item.item)}
    return {**open_row(view, item), "open": Money(free, item.currency), **given}


def payment_row(view: View, row: Payment) -> dict[str, Any]:
    """A payment as the lists show it."""
    paper = view.get(PAPERS, row.payment)
    waits = row.state in (ANNOUNCED, CLAIMED)
    mine = row.payer == view.party
    items = [view.get(ITEMS, row.circle, part.item) for part in row.allocations]
    return {
        "payment": Link(payment_words(view, row), two("/accounts/payment/", row.circle, row.payment)),
        "partner": name_of(view, row.payee if mine else row.payer), "way": "we pay" if mine else "they pay",
        "state": PAYMENT_WORDS[row.state], "amount": Money(row.amount_minor, row.currency),
        "settles": ", ".join(item_link(item, view).text for item in items if item) or "on account",
        "paid_at": row.paid_at,
        "until": paper.ends_at if paper and waits and paper.ends_at else None, "account": account_of(view, row),
        "proof": proven(row.unproven), "entry": row.position, "key": key_of(row.circle, row.payment),
        "number": row.payment,
    }  # fmt: skip


def to_pay(view: View) -> list[Item]:
    """Open items that the reader settles: what it owes, and its own credits that it pays back; credits to offset."""
    found = [item for item in open_items(view, limit=5_000) if item.open_minor != item.announced_minor]
    return [item for item in found if item.customer == view.party or item.open_minor < 0]


def expected(view: View) -> list[Item]:
    """Open items that others pay to the reader."""
    return [item for item in open_items(view, side="sell", limit=5_000) if item.open_minor > item.announced_minor]


def _answers(view: View) -> list[Payment]:
    mine = [row for row in payments(view, ANNOUNCED) if row.payee == view.party]
    return mine + [row for row in payments(view, CLAIMED) if row.payer == view.party]


def _listed(found: Desk, show: str) -> tuple[Table, list[dict[str, Any]], str]:
    """(table, rows, what an empty list says) of one of SHOWS."""
    view = found.view
    pay, receive = found.may(Pay), found.may(ReceivePayment)
    if show == "pay":
        bulk = [Bulk("Announce payment", "/accounts/payments/propose")] if pay else []
        rows = [item_row(view, item) for item in to_pay(view)]
        return _table("to-pay", _ITEM_COLUMNS, "due_at", *bulk), rows, "Nothing is to be paid."
    if show == "due":
        bulk = [Bulk("The money is here", "/accounts/payments/claim")] if receive else []
        rows = [item_row(view, item) for item in expected(view)]
        return _table("expected", _ITEM_COLUMNS, "due_at", *bulk), rows, "Nobody owes you anything."
    if show == "answer":
        bulk = [Bulk("Confirm", "/accounts/payments/confirm")] if pay or receive else []
        table = _table("to-answer", _PAYMENT_COLUMNS, "until", *bulk)
        return table, [payment_row(view, row) for row in _answers(view)], "No payment waits for your word."
    if show == "sent":
        rows = [payment_row(view, row) for row in payments(view, ANNOUNCED) if row.payer == view.party]
        return _table("sent", _PAYMENT_COLUMNS, "until"), rows, "You have announced no payment that is not confirmed."
    columns = [replace(one, shown=one.key in ALL_SHOWN) for one in _PAYMENT_COLUMNS]
    table = _table("payments", columns, "-paid_at")
    return table, [payment_row(view, row) for row in payments(view, limit=5_000)], "No payment yet."


@get("/accounts/payments", sync_to_thread=True)
def payments_page(request: Request[Any, Any, Any], session: Reader, read: Read, show: FromQuery[str] = "pay") -> Any:
    """One of the lists of payments."""
    if show not in SHOWS:
        raise Refusal("accounts.unknown_list", "There is no such list of payments.", status=400, got=show[:40])
    return lists(request, at_desk(read, session), show)


def lists(
    request: Request[Any, Any, Any], found: Desk, show: str, *, status: int = 200, refusal: Any = None,
    given: dict[str, Any] | None = None,
) -> Any:  # fmt: skip
    """The page of payments with one list open."""
    from hanse.rooms.accounts.page_bills import last_iban

    table, rows, empty = _listed(found, show)
    if (file := exported(request, (table, rows))) is not None:
        return file
    view = found.view
    counts = {"answer": len(_answers(view)), "debts": len(to_accept(view))}
    listed = replace(table_view(request, table, rows, empty), path="/accounts/payments", other=(("show", show),))
    files = [row for row in rows if row.get("account")] if show == "sent" else []
    return page(
        "accounts/payments.html", title="Payments", crumbs=CRUMBS, status=status, tabs=TABS, at="/accounts/payments",
        shows=SHOWS, show=show, counts=counts, listing=listed, refusal=refusal,
        given=given or {}, files=files, iban=last_iban(view), without=len(rows) - len(files) if show == "sent" else 0,
    )  # fmt: skip


# -- facts ---------------------------------------------------------------------------------------------------------


def chosen(view: View, form: Given) -> list[Item]:
    """The ticked items. Refuses, in order: form.nothing_chosen, accounts.unknown_item."""
    keys = form.many("id")
    if not keys:
        raise Refused("form.nothing_chosen", "tick what is settled")
    found = []
    for key in keys:
        item = view.get(ITEMS, *apart(key))
        if item is None or view.party not in (item.supplier, item.customer):
            raise Refused("accounts.unknown_item", "no such item in your books", got=key[:80])
        found.append(item)
    return found


def grouped(items: Sequence[Item]) -> list[list[Item]]:
    """Items that one payment can settle: of one circle, direction and currency."""
    groups: dict[tuple[str, ...], list[Item]] = {}
    for item in items:
        groups.setdefault((item.circle, item.supplier, item.customer, item.currency), []).append(item)
    return list(groups.values())


def amount_of(items: Sequence[Item], now: int) -> int:
    """What settling the items costs their customer now, less the discount earned, minor units."""
    parts = [(item, item.open_minor - item.announced_minor) for item in items]
    return sum(free - discount(item, free, now) for item, free in parts)


def payment_of(found: Desk, items: Sequence[Item], method: str = "bank") -> Pay:
    """The announcement of a payment that settles items of one direction. Refuses: accounts.credits_exceed."""
    view, first = found.view, items[0]
    refund = first.supplier == view.party and all(item.open_minor < 0 for item in items)
    one_sided = first.circle == view.home
    payer = first.supplier if refund else first.customer
    payee = first.customer if refund else first.supplier
    total = -sum(item.open_minor - item.announced_minor for item in items) if refund else amount_of(items, view.now)
    if total < 0:
        raise Refused(
            "accounts.credits_exceed", "the credits are more than what they settle", got=total,
            next="untick a credit, or tick more invoices",
        )  # fmt: skip
    fields: dict[str, Any] = {} if one_sided else {"answer_by": view.now + ANSWER_SECONDS}
    return Pay(
        circle=first.circle,
        payment=found.node.wallet.new_id("pay")[:16],
        payer=payer,
        payee=payee,
        refund=refund,
        currency=first.currency,
        amount_minor=total,
        allocations=allocations_of(items),
        method=method,
        reference=", ".join(item_link(item).text for item in items)[:140],
        **fields,
    )


def receipt_of(found: Desk, items: Sequence[Item]) -> Fact:
    """The payee's word that the money for items of one direction is here. Refuses: accounts.credits_exceed."""
    view, first = found.view, items[0]
    if first.circle == view.home:
        return payment_of(found, items)
    total = amount_of(items, view.now)
    if total < 0:
        raise Refused("accounts.credits_exceed", "the credits are more than what they settle", got=total)
    return ReceivePayment(
        circle=first.circle,
        payment=found.node.wallet.new_id("pay")[:16],
        answer_by=view.now + ANSWER_SECONDS,
        payer=first.customer,
        currency=first.currency,
        amount_minor=total,
        allocations=allocations_of(items),
        method="bank",
        reference=", ".join(item_link(item).text for item in items)[:140],
    )


def _many(
    request: Request[Any, Any, Any], found: Desk, show: str, data: dict[str, Any],
    make: Callable[[Desk, Given], list[Fact]], words: tuple[str, str], then: str,
) -> Any:  # fmt: skip
    def act() -> Any:
        facts = make(found, Given(data))
        found.do_all(facts)
        return go(then, notice=f"{len(facts)} {words[0] if len(facts) == 1 else words[1]}.")

    return attempt(act, lambda status, refusal: lists(request, found, show, status=status, refusal=refusal, given=data))


@post("/accounts/payments/propose", sync_to_thread=True)
def propose(request: Request[Any, Any, Any], session: Reader, read: Read, data: Fields) -> Any:
    """Announce the payment of the ticked items: one payment each partner and currency."""

    def make(found: Desk, form: Given) -> list[Fact]:
        return [payment_of(found, items) for items in grouped(chosen(found.view, form))]

    words = ("payment announced", "payments announced")
    return _many(request, at_desk(read, session), "pay", data, make, words, "/accounts/payments?show=sent")


@post("/accounts/payments/claim", sync_to_thread=True)
def claim(request: Request[Any, Any, Any], session: Reader, read: Read, data: Fields) -> Any:
    """Say that the money for the ticked items is here."""

    def make(found: Desk, form: Given) -> list[Fact]:
        items = chosen(found.view, form)
        if any(item.supplier != found.view.party for item in items):
            raise Refused("accounts.not_payee", "the payee says what it has", next="announce the payment instead")
        return [receipt_of(found, group) for group in grouped(items)]

    words = ("receipt of money signed", "receipts of money signed")
    return _many(request, at_desk(read, session), "due", data, make, words, "/accounts/payments?show=all")


def answer_of(view: View, row: Payment) -> Fact:
    """The other side's word on a payment as it stands. Refuses: accounts.payment_ended."""
    if row.payee == view.party and row.state in (ANNOUNCED, UNCONFIRMED):
        return ReceivePayment(circle=row.circle, payment=row.payment, amount_minor=row.amount_minor)
    if row.payer == view.party and row.state == CLAIMED:
        return Pay(circle=row.circle, payment=row.payment, amount_minor=row.amount_minor)
    raise Refused("accounts.payment_ended", "this payment waits for nothing of yours", got=row.state)


def found_payment(view: View, key: str) -> Payment:
    """Refuses, in order: form.nothing_chosen, accounts.unknown_number."""
    row = view.get(PAYMENTS, *apart(key))
    if row is None or view.party not in (row.payer, row.payee):
        raise Refused("accounts.unknown_number", "no such payment in your books", got=key[:80])
    return row


@post("/accounts/payments/confirm", sync_to_thread=True)
def confirm(request: Request[Any, Any, Any], session: Reader, read: Read, data: Fields) -> Any:
    """Confirm the ticked payments: that the money came, or that one has paid."""

    def make(found: Desk, form: Given) -> list[Fact]:
        keys = form.many("id")
        if not keys:
            raise Refused("form.nothing_chosen", "tick the payments to confirm")
        return [answer_of(found.view, found_payment(found.view, key)) for key in keys]

    words = ("payment confirmed", "payments confirmed")
    return _many(request, at_desk(read, session), "answer", data, make, words, "/accounts/payments?show=all")


# -- one payment ---------------------------------------------------------------------------------------------------


@get("/accounts/payment/{names:path}", sync_to_thread=True)
def payment_page(request: Request[Any, Any, Any], session: Reader, read: Read, names: FromPath[str]) -> Any:
    """One payment: what it settles, who has said what, and the word that is still missing."""
    circle, name = named(request, "/accounts/payment/")
    return _payment(at_desk(read, session), circle, name)


def _payment(found: Desk, circle: str, name: str, *, status: int = 200, refusal: Any = None) -> Any:
    view = found.view
    row = view.get(PAYMENTS, circle, name)
    if row is None or view.party not in (row.payer, row.payee):
        raise not_here()
    items = []
    for part in row.allocations:
        item = view.get(ITEMS, circle, part.item)
        link = item_link(item, view) if item else part.item
        items.append([link, Money(part.amount_minor, row.currency), Money(part.discount_minor, row.currency)])
    payee = row.payee == view.party
    return page(
        "accounts/payment.html", title=payment_words(view, row), reference=reference_words(view, row),
        crumbs=(*CRUMBS, ("Payments", "/accounts/payments?show=all")),
        status=status, row=row, shown=payment_row(view, row), items=items, key=key_of(circle, name), refusal=refusal,
        payer=name_of(view, row.payer), payee=name_of(view, row.payee), account=account_of(view, row),
        may_receive=payee and row.state in (ANNOUNCED, UNCONFIRMED) and found.may(ReceivePayment),
        may_agree=row.payer == view.party and row.state == CLAIMED and found.may(Pay),
    )  # fmt: skip


@post("/accounts/payment", sync_to_thread=True)
def answer(session: Reader, read: Read, data: Fields) -> Any:
    """Answer one payment, also with another amount than was announced."""
    found, form = at_desk(read, session), Given(data)
    circle, _, name = form.text("key", most=400).partition(" ")
    row = found.view.get(PAYMENTS, circle, name)
    if row is None or found.view.party not in (row.payer, row.payee):
        raise not_here()

    def act() -> Any:
        fact = answer_of(found.view, row)
        if isinstance(fact, ReceivePayment):
            amount = form.minor("amount", "Amount", row.currency, default=None if "amount" in data else "0")
            fact = ReceivePayment(
                circle=circle, payment=name, amount_minor=amount if "amount" in data else row.amount_minor,
                grant_discount=form.flag("grant"),
            )  # fmt: skip
        found.do(fact)
        return go(two("/accounts/payment/", circle, name), notice="Confirmed.")

    return attempt(act, lambda status, refusal: _payment(found, circle, name, status=status, refusal=refusal))


PAGES: list[Any] = [payments_page, propose, claim, confirm, payment_page, answer]

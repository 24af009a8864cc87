"""Questions about money: balances, open items, credit, documents, payments, accruals, netting."""

from __future__ import annotations

from msgspec import Struct

from hanse.kernel.view import View
from hanse.rooms.accounts.facts import DAY
from hanse.rooms.accounts.rows import (
    ACCRUALS,
    ASKED,
    ASSIGNMENTS,
    AWARD,
    BALANCES,
    CREDIT_NOTE,
    CYCLES,
    ENTRIES,
    ESCROWS,
    INVOICE,
    INVOICES,
    ITEMS,
    ON_ACCOUNT,
    PAYMENTS,
    PENDING,
    RESULTS,
    STANDS,
    SUBMISSIONS,
    TERMS,
    Accrual,
    Assignment,
    Cycle,
    CycleResult,
    Entry,
    Escrow,
    InvoiceText,
    Item,
    Payment,
    Submission,
    Terms,
)
from hanse.rooms.orders.private_rows import ORDER_TERMS
from hanse.rooms.orders.rows import ORDERS


class Balance(Struct, frozen=True):
    """What stands between the reader and a partner in one currency, minor units; positive: the reader gets.

    receivable, payable: open items of either direction. unbilled: delivered, not invoiced, the reader's sales less its
    purchases. accrued: pending or standing accruals in the reader's favour, less those against it.
    """

    circle: str
    partner: str
    currency: str
    receivable_minor: int
    payable_minor: int
    unbilled_minor: int
    accrued_minor: int
    unproven: bool

    @property
    def net_minor(self) -> int:
        return self.receivable_minor - self.payable_minor


def balances(view: View) -> list[Balance]:
    """The reader's balances by partner, circle and currency, the largest first."""
    found: dict[tuple[str, str, str], dict[str, int]] = {}
    where = "(supplier = ? OR customer = ?) AND account IN ('due', 'unbilled', 'accrued')"
    for row in view.rows(BALANCES, where, (view.party, view.party), limit=1_000_000):
        sells = row.supplier == view.party
        partner = row.customer if sells else row.supplier
        sums = found.setdefault((row.circle, partner, row.currency), {})
        name = row.account if row.account != "due" else "receivable" if sells else "payable"
        sign = 1 if sells or name == "payable" else -1
        sums[name] = sums.get(name, 0) + sign * row.balance_minor
    out = [
        Balance(
            circle,
            partner,
            currency,
            sums.get("receivable", 0),
            sums.get("payable", 0),
            sums.get("unbilled", 0),
            sums.get("accrued", 0),
            circle == view.home,
        )
        for (circle, partner, currency), sums in found.items()
        if any(sums.values())
    ]
    return sorted(out, key=lambda row: (-abs(row.net_minor), row.partner, row.circle, row.currency))


def open_items(view: View, partner: str = "", side: str = "", *, limit: int = 1_000) -> list[Item]:
    """Open items of the reader, by due date; `side`: sell (it gets), buy (it pays), "" both."""
    return sorted(
        [
            item
            for role, other in roles(side)
            for item in view.rows(
                ITEMS,
                f"{role} = ? AND settled_at = 0" + (f" AND {other} = ?" if partner else ""),
                (view.party, partner) if partner else (view.party,),
                order="due_at, circle, item",
                limit=limit,
            )
        ],
        key=lambda item: (item.due_at, item.circle, item.item),
    )[:limit]


def roles(side: str) -> list[tuple[str, str]]:
    sell, buy = ("supplier", "customer"), ("customer", "supplier")
    return [sell] if side == "sell" else [buy] if side == "buy" else [sell, buy]


def terms_for(view: View, partner: str) -> Terms | None:
    """The reader's own terms for a partner, else those for everybody."""
    return view.get(TERMS, view.home, partner) or view.get(TERMS, view.home, "*")


class Credit(Struct, frozen=True):
    """A customer's use of the reader's credit, minor units. `held`: why nothing more is sold on credit, "" if it is.

    exposure: open items + unbilled deliveries + confirmed and unshipped orders. free_minor: -1 for no limit.
    """

    partner: str
    currency: str
    limit_minor: int
    due_minor: int
    unbilled_minor: int
    ordered_minor: int
    free_minor: int
    overdue_days: int
    held: str

    @property
    def exposure_minor(self) -> int:
        return self.due_minor + self.unbilled_minor + self.ordered_minor


def credit(view: View, partner: str, currency: str, more_minor: int = 0) -> Credit:
    """Whether the reader lends a partner `more_minor` for another order: what a responder asks before it confirms.

    `held` is one of: "on hold", "overdue", "limit". It stays in the reader's home; the partner is told none of it.
    """
    terms = terms_for(view, partner)
    way = (view.party, partner, currency)
    sums = dict(
        view.sql(
            f"SELECT account, SUM(balance_minor) FROM {{{BALANCES.name}}} WHERE supplier = ? AND customer = ? "
            "AND currency = ? AND account IN ('due', 'unbilled') GROUP BY account",
            way,
            tables=(BALANCES,),
        )
    )
    late = (
        f"SELECT MIN(due_at) FROM {{{ITEMS.name}}} "
        "WHERE supplier = ? AND customer = ? AND currency = ? AND settled_at = 0 AND amount_minor > 0"
    )
    oldest = view.sql(late, way, tables=(ITEMS,))[0][0]
    overdue = max(0, (view.now - oldest) // DAY) if oldest else 0
    due, unbilled, ordered = sums.get("due", 0), sums.get("unbilled", 0), _ordered(view, partner, currency)
    limit = terms.credit_limit_minor if terms and terms.currency == currency else -1
    used = due + unbilled + ordered
    held = ""
    if terms and terms.hold:
        held = "on hold"
    elif terms and overdue > terms.overdue_days_max:
        held = "overdue"
    elif limit >= 0 and used + more_minor > limit:
        held = "limit"
    free = -1 if limit < 0 else max(0, limit - used)
    return Credit(partner, currency, limit, due, unbilled, ordered, free, overdue, held)


def _ordered(view: View, partner: str, currency: str) -> int:
    """Value of what the reader has confirmed to a customer and not shipped."""
    sql = (
        f"SELECT SUM(json_extract(p.value, '$[0]') * json_extract(p.value, '$[2]')) FROM {{{ORDER_TERMS.name}}} t "
        f"JOIN {{{ORDERS.name}}} o ON o.order_id = t.order_id, json_each(t.lines) l, json_each(l.value, '$[7]') p "
        "WHERE t.seller = ? AND t.buyer = ? AND t.currency = ? AND o.state IN ('placed', 'confirmed', 'part_shipped')"
    )
    return int(view.sql(sql, (view.party, partner, currency), tables=(ORDER_TERMS, ORDERS))[0][0] or 0)


def accruals(view: View, state: str = "", *, limit: int = 1_000) -> list[Accrual]:
    """Accruals of the reader's circles, newest first; `state`: pending, stands, used, void, or "" for what is open."""
    where, values = ("state = ?", (state,)) if state else (f"state IN ('{PENDING}', '{STANDS}')", ())
    return view.rows(ACCRUALS, where, values, order="at DESC, circle, accrual", limit=limit)


class Document(Struct, frozen=True):
    """An invoice or credit note with its lines and the entries that it has posted."""

    item: Item
    text: InvoiceText | None
    entries: tuple[Entry, ...]


def document(view: View, circle: str, item: str) -> Document | None:
    """One document of the reader's circles."""
    row = view.get(ITEMS, circle, item)
    if row is None:
        return None
    entries = view.rows(ENTRIES, "circle = ? AND document = ?", (circle, item), order="entry, part")
    return Document(row, view.get(INVOICES, circle, item), tuple(entries))


def documents(view: View, side: str = "sell", *, after: str = "", limit: int = 100) -> list[Item]:
    """Invoices and credit notes of the reader, by number, after a cursor."""
    role = roles(side)[0][0]
    where = f"{role} = ? AND item > ? AND item_kind IN ('{INVOICE}', '{CREDIT_NOTE}')"
    return view.rows(ITEMS, where, (view.party, after), order="item, circle", limit=limit)


def payments(view: View, state: str = "", *, limit: int = 1_000) -> list[Payment]:
    """Payments of the reader's circles, newest first."""
    return view.rows(
        PAYMENTS, "state = ?" if state else "", (state,) if state else (), order="paid_at DESC, payment", limit=limit
    )


def on_account(view: View) -> list[Item]:
    """Money that settles no item yet."""
    where = f"settled_at = 0 AND item_kind = '{ON_ACCOUNT}'"
    return view.rows(ITEMS, where, order="issued_at, circle, item")


def escrows(view: View) -> list[Escrow]:
    return view.rows(ESCROWS)


def assignments(view: View, state: str = ASKED) -> list[Assignment]:
    """Assignments of the reader's circles in a state."""
    return view.rows(ASSIGNMENTS, "state = ?", (state,))


def to_assign(view: View) -> list[Item]:
    """Open invoices that name another party as the one who pays: work for the group that bills or pays centrally."""
    return view.rows(ITEMS, f"settled_at = 0 AND bill_to <> '' AND item_kind = '{INVOICE}'", order="due_at, item")


class CyclePage(Struct, frozen=True):
    """A netting cycle before and after. `saved_minor`: of the gross, what need not be moved."""

    cycle: Cycle
    result: CycleResult
    mine: Submission | None
    payments_before: int
    payments_after: int
    saved_minor: int


def cycle_page(view: View, cycle: str) -> CyclePage | None:
    """One cycle of the reader's circles."""
    row = view.get(CYCLES, cycle)
    result = view.get(RESULTS, row.circle, cycle) if row else None
    if row is None or result is None:
        return None
    return CyclePage(
        row,
        result,
        view.get(SUBMISSIONS, row.circle, cycle, view.party),
        len(result.obligations),
        len(result.transfers),
        result.gross_minor - result.net_minor,
    )


def newest_documents(view: View, side: str = "sell", *, limit: int = 2_000) -> list[Item]:
    """Invoices, credit notes and credits of clauses of the reader, newest first: what a page lists."""
    role = roles(side)[0][0]
    where = f"{role} = ? AND item_kind IN ('{INVOICE}', '{CREDIT_NOTE}', '{AWARD}')"
    return view.rows(ITEMS, where, (view.party,), order="issued_at DESC, position DESC", limit=limit)


def settled_by(view: View, circle: str, item: str) -> list[Payment]:
    """Payments of an item's circle that settle it, or wait to, newest first."""
    where = "circle = ? AND EXISTS (SELECT 1 FROM json_each(allocations) a WHERE json_extract(a.value, '$[0]') = ?)"
    return view.rows(PAYMENTS, where, (circle, item), order="paid_at DESC, payment")


def corrections(view: View, circle: str, item: str) -> list[Item]:
    """Credit notes of an invoice, oldest first."""
    where = f"circle = ? AND subject = ? AND item_kind = '{CREDIT_NOTE}'"
    return view.rows(ITEMS, where, (circle, item), order="issued_at, item")


def journal_of(view: View, circle: str, document: str) -> list[Entry]:
    """The entries that a document, accrual or payment has posted, oldest first."""
    return view.rows(ENTRIES, "circle = ? AND document = ?", (circle, document), order="entry, part")


def credit_partners(view: View, *, limit: int = 100) -> list[tuple[str, str]]:
    """(customer, currency) that the reader sells to, by what is open, then those that it has set terms for."""
    sql = (
        f"SELECT customer, currency, SUM(balance_minor) FROM {{{BALANCES.name}}} WHERE supplier = ? "
        "AND account IN ('due', 'unbilled') GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
    )
    found = {(row[0], row[1]): None for row in view.sql(sql, (view.party,), tables=(BALANCES,))}
    for terms in view.rows(TERMS, "circle = ? AND partner <> '*'", (view.home,)):
        found.setdefault((terms.partner, terms.currency), None)
    return list(found)[:limit]


def cycles(view: View) -> list[CyclePage]:
    """The netting cycles of the reader's circles, newest first."""
    found = view.rows(CYCLES, order="position DESC", limit=10_000)
    pages = (cycle_page(view, row.cycle) for row in found if row.circle in view.circles)
    return [one for one in pages if one is not None]


def to_accept(view: View) -> list[Assignment]:
    """Debts that a partner of the reader asks it to let go or to take on."""
    return [row for row in assignments(view) if row.proposer != view.party]

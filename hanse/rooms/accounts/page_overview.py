"""Accounts at a glance: balances per partner, open items by age, and what waits for the reader."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from msgspec import Struct

from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.accounts.drafting import to_bill_partners
from hanse.rooms.accounts.page_words import (
    CRUMBS,
    ITEM_WORDS,
    TABS,
    at_desk,
    item_link,
    major,
    name_of,
    proven,
    statement_address,
)
from hanse.rooms.accounts.queries import Balance, balances, open_items, to_accept
from hanse.rooms.accounts.rows import (
    ACCRUALS,
    ANNOUNCED,
    ASKED,
    CLAIMED,
    COLLECTING,
    CYCLES,
    ESCROWS,
    ITEMS,
    PAYMENTS,
    PENDING,
    SIGNING,
    Item,
)
from hanse.rooms.accounts.statements import Age, aging
from hanse.rooms.parties.queries import alias_in
from hanse.site.pages_forms import exported, table_view
from hanse.web import Badge, Column, Link, Money, Read, Reader, Table, page
from hanse.web.charts import Chart, Series, bars

BUCKETS = ("Not due yet", "To 30 days over", "31 to 60", "61 to 90", "Over 90")
TONES = ("good", "", "warn", "warn", "bad")
PARTNERS_SHOWN = 8
WAITING_DAYS = 7
COUNTED_MAX = 200
BALANCES = Table(
    "balances",
    (
        Column("partner", "Partner", "link", sortable=True, wide=True),
        Column("get", "They owe us", "money", sortable=True),
        Column("owe", "We owe them", "money", sortable=True),
        Column("net", "Balance", "money", sortable=True),
        Column("unbilled", "Delivered, not billed", "money", sortable=True),
        Column("accrued", "Accrued", "money", sortable=True),
        Column("other", "Other side", "link"),
        Column("proof", "Books", "badge", shown=False),
    ),
    row_key="partner",
    search="Partner",
    page_rows=25,
)
OPEN = Table(
    "open-items",
    (
        Column("item", "Document", "link", sortable=True, wide=True),
        Column("kind", "Kind", "badge", filterable=True),
        Column("partner", "Partner", sortable=True),
        Column("side", "Side", "badge", filterable=True, facets=("they owe us", "we owe them")),
        Column("due_at", "Due", "day", sortable=True),
        Column("late", "Days over", "number", sortable=True, filterable=True),
        Column("open", "Open", "money", sortable=True, filterable=True),
        Column("announced", "Being paid", "money", sortable=True),
        Column("proof", "Books", "badge", shown=False),
    ),
    sort="due_at",
    row_key="item",
    search="Document or partner",
    prefix="o.",
    page_rows=25,
)


class Wait(Struct, frozen=True):
    """Something that waits for the reader: how many, of what, where to do it.

    at: when it ends, 0 for no day. more: there are more than were counted.
    """

    words: str
    count: int
    href: str
    at: int = 0
    tone: str = "warn"
    more: bool = False


def waiting(view: View) -> list[Wait]:
    """What waits for the reader's firm: payments to answer, netting to sign, bills to write and to pay, accruals."""
    me = view.party
    got = [row for row in view.rows(PAYMENTS, "state = ?", (ANNOUNCED,)) if row.payee == me]
    said = [row for row in view.rows(PAYMENTS, "state = ?", (CLAIMED,)) if row.payer == me]
    soon = view.now + WAITING_DAYS * 86_400
    due = view.rows(
        ITEMS,
        "customer = ? AND settled_at = 0 AND due_at <= ? AND open_minor > announced_minor",
        (me, soon),
        order="due_at",
    )
    pending = view.rows(ACCRUALS, "state = ? AND (supplier = ? OR customer = ?)", (PENDING, me, me))
    debts = to_accept(view)
    held = [row for row in view.rows(ESCROWS, "state = ?", (ASKED,)) if row.holder == me]
    bill = to_bill_partners(view, limit=COUNTED_MAX)
    submit, sign, close = netting_waits(view)
    found = [
        Wait("payments to confirm: the payer says that it has paid", len(got), "/accounts/payments?show=answer"),
        Wait("payments that a supplier says it has, to agree with", len(said), "/accounts/payments?show=answer"),
        Wait("netting results to check and sign", len(sign), "/accounts/netting", min(sign, default=0)),
        Wait("netting cycles to state your balances for", len(submit), "/accounts/netting", min(submit, default=0)),
        Wait("netting results to state as treasurer", len(close), "/accounts/netting", min(close, default=0)),
        Wait("delivered lines to bill", len(bill), "/accounts/to-bill", more=len(bill) == COUNTED_MAX),
        Wait(
            f"items to pay within {WAITING_DAYS} days",
            len(due),
            "/accounts/payments",
            due[0].due_at if due else 0,
            "bad" if due and due[0].due_at < view.now else "warn",
        ),
        Wait(
            "accrual that may still be objected to" if len(pending) == 1 else "accruals that may still be objected to",
            len(pending),
            "/accounts/accruals",
            tone="info",
        ),
        Wait("debts that you are asked to take on or let go", len(debts), "/accounts/debts"),
        Wait("escrows to say that you hold the money of", len(held), "/accounts/escrow"),
    ]
    return [one for one in found if one.count]


def netting_waits(view: View) -> tuple[list[int], list[int], list[int]]:
    """When the reader's cycles end: (to submit to, to sign, to state the result of as treasurer)."""
    submit, sign, close = [], [], []
    live = f"state IN ('{COLLECTING}', 'closing', '{SIGNING}')"
    for row in view.rows(CYCLES, live):
        alias = alias_in(view, row.circle) if row.circle in view.circles else ""
        if not alias:
            continue
        if row.state == COLLECTING and alias not in row.submitted:
            submit.append(row.ends_at)
        elif row.state == SIGNING and alias in row.parties and alias not in row.signed:
            sign.append(row.ends_at)
        elif row.treasurer == alias and (
            row.state == "closing" or (row.state == COLLECTING and len(row.submitted) > 1)
        ):
            close.append(row.ends_at)
    return submit, sign, close


def to_answer(view: View) -> int:
    """What others wait for: payments to answer and netting to sign; the menu counts it."""
    mine = "(state = ? AND payee = ?) OR (state = ? AND payer = ?)"
    return view.count(PAYMENTS, mine, (ANNOUNCED, view.party, CLAIMED, view.party)) + len(netting_waits(view)[1])


def balance_row(view: View, row: Balance) -> dict[str, Any]:
    """A balance as the table shows it; the partner's name opens the statement of the larger side."""
    sides = (
        ("sell", "buy") if row.receivable_minor or row.unbilled_minor > 0 or not row.payable_minor else ("buy", "sell")
    )
    name = name_of(view, row.partner)
    other = "We sell" if sides[1] == "sell" else "We buy"
    return {
        "partner": Link(
            name + (" (unproven)" if row.unproven else ""),
            statement_address(row.circle, row.partner, row.currency, sides[0]),
        ),
        "get": Money(row.receivable_minor, row.currency),
        "owe": Money(row.payable_minor, row.currency),
        "net": Money(row.net_minor, row.currency),
        "unbilled": Money(row.unbilled_minor, row.currency),
        "accrued": Money(row.accrued_minor, row.currency),
        "other": Link(other, statement_address(row.circle, row.partner, row.currency, sides[1])),
        "proof": proven(row.unproven),
    }


def open_row(view: View, item: Item) -> dict[str, Any]:
    """An open item as the table shows it; what the reader owes counts positive in its column."""
    sells = item.supplier == view.party
    return {
        "item": item_link(item, view),
        "kind": Badge(ITEM_WORDS[item.item_kind], ""),
        "partner": name_of(view, item.customer if sells else item.supplier),
        "side": Badge("they owe us", "good") if sells == (item.open_minor > 0) else Badge("we owe them", "info"),
        "due_at": item.due_at or None,
        "late": max(0, (view.now - item.due_at) // 86_400) if item.due_at and item.open_minor > 0 else 0,
        "open": Money(item.open_minor, item.currency),
        "announced": Money(item.announced_minor, item.currency) if item.announced_minor else None,
        "proof": proven(item.unproven),
    }


def ages_chart(view: View, title: str, ages: list[Age]) -> Chart | None:
    """Open items by age, a bar each partner; of the currency with the most money, the others in the table below."""
    sums: dict[str, int] = {}
    for age in ages:
        sums[age.currency] = sums.get(age.currency, 0) + sum(age.buckets_minor)
    currency = max(sorted(sums), key=lambda one: sums[one], default="")
    kept = [age for age in ages if age.currency == currency and any(age.buckets_minor)]
    if not kept:
        return None
    shown, rest = kept[:PARTNERS_SHOWN], kept[PARTNERS_SHOWN:]
    names = [name_of(view, age.partner)[:24] for age in shown] + (
        ["1 other" if len(rest) == 1 else f"{len(rest)} others"] if rest else []
    )
    series = []
    for n, (bucket, tone) in enumerate(zip(BUCKETS, TONES, strict=True)):
        amounts = [age.buckets_minor[n] for age in shown]
        amounts += [sum(age.buckets_minor[n] for age in rest)] if rest else []
        if any(amounts):
            series.append(Series(bucket, [major(one, currency) for one in amounts], tone))
    return bars(title, names, series, unit=currency, stacked=True, horizontal=True)


def age_rows(view: View, ages: list[Age]) -> list[list[Any]]:
    """Aging as a table: partner, buckets, on account, open."""
    return [
        [
            name_of(view, age.partner),
            [Money(one, age.currency) for one in age.buckets_minor],
            Money(age.on_account_minor, age.currency),
            Money(age.open_minor, age.currency),
            age.oldest_days,
        ]
        for age in ages[:25]
    ]


def totals(rows: list[Balance]) -> list[dict[str, Any]]:
    """Sums by currency, the largest first."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        one = found.setdefault(
            row.currency, {"currency": row.currency, "gets": 0, "owes": 0, "unbilled": 0, "accrued": 0}
        )
        one["gets"] += row.receivable_minor
        one["owes"] += row.payable_minor
        one["unbilled"] += row.unbilled_minor
        one["accrued"] += row.accrued_minor
    return sorted(found.values(), key=lambda one: (-abs(one["gets"]) - abs(one["owes"]), one["currency"]))


@get("/accounts", sync_to_thread=True)
def accounts_page(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    """Balances, open items by age, what waits."""
    return _accounts(request, at_desk(read, session))


def _accounts(request: Request[Any, Any, Any], found: Desk) -> Any:
    view = found.view
    known = balances(view)
    shown = [balance_row(view, row) for row in known]
    open_ = [open_row(view, item) for item in open_items(view, limit=5_000)]
    if (file := exported(request, (BALANCES, shown), (OPEN, open_))) is not None:
        return file
    sells, buys = aging(view, "sell"), aging(view, "buy")
    return page(
        "accounts/accounts.html",
        title="Accounts",
        crumbs=CRUMBS[:1],
        tabs=TABS,
        at="/accounts",
        waits=waiting(view),
        totals=totals(known),
        listing=table_view(request, BALANCES, shown, "No balance yet. Deliveries and invoices make one.", None),
        open_listing=table_view(request, OPEN, open_, "Nothing is open."),
        get_chart=ages_chart(view, "What others owe us, by age", sells),
        owe_chart=ages_chart(view, "What we owe, by age", buys),
        buckets=BUCKETS,
        get_ages=age_rows(view, sells),
        owe_ages=age_rows(view, buys),
    )


PAGES: list[Any] = [accounts_page]

"""Accruals: amounts with their reason that are not owed yet, how long they may be objected to, what became of them."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.params import FromPath, FromQuery

from hanse.kernel.view import View
from hanse.rooms.accounts.page_words import (
    ACCRUAL_KINDS,
    ACCRUAL_WORDS,
    CRUMBS,
    ENTRY_ONE,
    TABS,
    accrual_words,
    at_desk,
    item_link,
    name_of,
    named,
    two,
)
from hanse.rooms.accounts.queries import accruals, journal_of
from hanse.rooms.accounts.rows import ACCRUALS, ITEMS, PENDING, STANDS, USED, VOID, Accrual
from hanse.rooms.contracts.page_parts import agreement_title
from hanse.rooms.contracts.private_rows import AWARDS
from hanse.rooms.contracts.queries import ResultPage, award_page
from hanse.rooms.orders.rows import RETURNS
from hanse.rooms.parties.queries import party_name
from hanse.site.pages_forms import Where, exported, table_view
from hanse.site.pages_market import called
from hanse.site.places import Places
from hanse.web import Badge, Column, Link, Money, Read, Reader, Refusal, Table, not_here, page
from hanse.web.charts import Series, bars

STATES = {"": "Open", PENDING: "May be objected to", STANDS: "Standing", USED: "Credited", VOID: "Reversed"}
ACCRUALS_TABLE = Table(
    "accruals",
    (
        Column("accrual", "Accrual", "link", sortable=True, wide=True),
        Column("kind", "Kind", "badge", filterable=True),
        Column("reason", "Reason", sortable=True),
        Column("partner", "Partner", sortable=True),
        Column("amount", "In our favour", "money", sortable=True, filterable=True),
        Column("state", "State", "badge", filterable=True),
        Column("until", "Last day to object", "day", sortable=True),
        Column("at", "Since", "time", sortable=True, filterable=True),
        Column("entry", "Entry", "proof"),
    ),
    sort="-at",
    row_key="accrual",
    search="Accrual, reason or partner",
)


def favour(view: View, row: Accrual, amount_minor: int) -> int:
    """An accrual's amount, positive where the reader gains."""
    return amount_minor if row.supplier == view.party else -amount_minor


def accrual_row(view: View, row: Accrual) -> dict[str, Any]:
    """An accrual as the list shows it."""
    award = view.get(AWARDS, row.circle, row.accrual)
    open_ = row.open_minor if row.state in (PENDING, STANDS) else row.amount_minor
    return {
        "accrual": Link(
            accrual_words(view, row.circle, row.accrual), two("/accounts/accrual/", row.circle, row.accrual)
        ),
        "kind": Badge(ACCRUAL_KINDS.get(row.accrual_kind, row.accrual_kind)),
        "reason": row.label.replace("_", " "),
        "partner": name_of(view, row.customer if row.supplier == view.party else row.supplier),
        "amount": Money(favour(view, row, open_), row.currency),
        "state": ACCRUAL_WORDS[row.state],
        "until": award.objection_until if award and row.state == PENDING else None,
        "at": row.at,
        "entry": row.position,
    }


@get("/accounts/accruals", sync_to_thread=True)
def accruals_page(request: Request[Any, Any, Any], session: Reader, read: Read, show: FromQuery[str] = "") -> Any:
    """What is accrued, with its reason."""
    view = at_desk(read, session).view
    if show not in STATES:
        raise Refusal("accounts.unknown_state", "No accrual has such a state.", status=400, got=show[:40])
    found = accruals(view, show, limit=5_000)
    rows = [accrual_row(view, row) for row in found]
    if (file := exported(request, (ACCRUALS_TABLE, rows))) is not None:
        return file
    sums: dict[tuple[str, str], int] = {}
    for row in found:
        key = (row.currency, row.label.replace("_", " "))
        sums[key] = sums.get(key, 0) + favour(view, row, row.open_minor)
    return page(
        "accounts/accruals.html", title="Accruals", crumbs=CRUMBS, tabs=TABS, at="/accounts/accruals", states=STATES,
        state=show, chart=_chart(sums), listing=table_view(request, ACCRUALS_TABLE, rows, "Nothing is accrued."),
    )  # fmt: skip


def _chart(sums: dict[tuple[str, str], int]) -> Any:
    """Open accruals by reason, of the currency with the most money."""
    from hanse.rooms.accounts.page_words import major

    by: dict[str, int] = {}
    for (currency, _), amount in sums.items():
        by[currency] = by.get(currency, 0) + abs(amount)
    currency = max(sorted(by), key=lambda one: by[one], default="")
    shown = sorted(((label, amount) for (c, label), amount in sums.items() if c == currency and amount),
                   key=lambda pair: -abs(pair[1]))[:10]  # fmt: skip
    if len(shown) < 2:
        return None
    values = [major(amount, currency) for _, amount in shown]
    return bars(
        "Accrued by reason", [label for label, _ in shown], [Series("In our favour", values)], unit=currency,
        horizontal=True,
    )  # fmt: skip


@get("/accounts/accrual/{names:path}", sync_to_thread=True)
def accrual_page(
    request: Request[Any, Any, Any], session: Reader, read: Read, places: Where, names: FromPath[str]
) -> Any:
    """One accrual: how it was computed from what was signed, until when it may be objected to, what it posted."""
    view = at_desk(read, session).view
    circle, name = named(request, "/accounts/accrual/")
    row = view.get(ACCRUALS, circle, name)
    if row is None or view.party not in (row.supplier, row.customer):
        raise not_here()
    shown = award_page(view, circle, name)
    item = view.get(ITEMS, circle, name)
    document = row.document if row.accrual_kind == "return" else name
    entries = [
        [ENTRY_ONE.get(e.entry_kind, e.entry_kind), e.at, e.reason.replace("_", " "),
         "; ".join(_posted(e.lines, e.currency)), e.entry]
        for e in journal_of(view, circle, document)
    ]  # fmt: skip
    return page(
        "accounts/accrual.html", title=_title(view, circle, name), row=row,
        crumbs=(*CRUMBS, ("Accruals", "/accounts/accruals")),
        shown=accrual_row(view, row), state=ACCRUAL_WORDS[row.state], supplier=name_of(view, row.supplier),
        customer=name_of(view, row.customer), result=shown, award=shown.award if shown else None,
        agreement=_agreement(view, places, row), order=_order(view, places, row), entries=entries,
        item=item_link(item, view) if item else None, steps=_steps(shown), facts=_facts(view, shown),
        objection=two("/contracts/w/", circle, name) if "/contracts/w/{}" in places.exists and shown else "",
    )  # fmt: skip


def _title(view: View, circle: str, name: str) -> str:
    words = accrual_words(view, circle, name)
    return f"Accrual {name}" if words == name else words


def _posted(lines: Any, currency: str) -> list[str]:
    from hanse.web.formats import money

    return [f"{line.account} {money(line.amount_minor, currency)}" for line in lines]


def _agreement(view: View, places: Places, row: Accrual) -> Link | None:
    if row.accrual_kind == "return":
        return None
    exists = "/contracts/a/{}" in places.exists
    return Link(agreement_title(view, row.circle, row.document),
                two("/contracts/a/", row.circle, row.document) if exists else "")  # fmt: skip


def _order(view: View, places: Places, row: Accrual) -> Link | None:
    """The order of a return."""
    back = view.get(RETURNS, row.document) if row.accrual_kind == "return" else None
    return Link(called(view, back.order_id), places.of("order", back.order_id)) if back else None


def _steps(shown: ResultPage | None) -> list[list[str]]:
    return [[step.name.replace("_", " "), step.rule, step.value] for step in shown.steps] if shown else []


def _facts(view: View, shown: ResultPage | None) -> list[list[Any]]:
    return [
        [fact.name.replace("_", " "), fact.value,
         ", ".join(party_name(view, one) for one in fact.signer.split("+")) if fact.signer else "by default",
         fact.entry or None]
        for fact in shown.facts
    ] if shown else []  # fmt: skip


PAGES: list[Any] = [accruals_page, accrual_page]

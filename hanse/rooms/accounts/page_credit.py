"""Credit: on what terms the reader sells to whom, how much it lends them, what is used, which orders are held."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from litestar import Request, get, post
from litestar.params import FromQuery

from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.accounts.facts import SetTerms
from hanse.rooms.accounts.ledger import OUTSIDE
from hanse.rooms.accounts.page_words import CRUMBS, TABS, at_desk, major, name_of
from hanse.rooms.accounts.queries import Credit, credit, credit_partners
from hanse.rooms.accounts.responding import held
from hanse.rooms.accounts.rows import TERMS, Terms
from hanse.rooms.orders.queries import orders
from hanse.rooms.parties.facts import PARTIES
from hanse.rooms.parties.queries import circles
from hanse.site.pages_forms import Fields, Given, Where, attempt, exported, table_view
from hanse.site.places import Places
from hanse.web import Badge, Column, Link, Money, Read, Reader, Refusal, Table, go, page
from hanse.web.charts import Series, bars

HELD = {"on hold": "on hold", "overdue": "invoices overdue", "limit": "limit reached", "": ""}
PARTNERS_SHOWN = 10
CREDIT_TABLE = Table(
    "credit",
    (
        Column("partner", "Customer", "link", sortable=True, wide=True),
        Column("limit", "Limit", "money", sortable=True),
        Column("used", "Used", "money", sortable=True),
        Column("free", "Free", "money", sortable=True),
        Column("share", "Used of limit", "percent", sortable=True),
        Column("due", "Invoices", "money", shown=False),
        Column("unbilled", "Not billed", "money", shown=False),
        Column("ordered", "Ordered", "money", shown=False),
        Column("overdue", "Days over", "number", sortable=True),
        Column("held", "Credit hold", "badge", filterable=True),
        Column("terms", "Terms"),
    ),
    row_key="partner",
    search="Customer",
)


def credit_row(view: View, row: Credit, terms: Terms | None) -> dict[str, Any]:
    """A customer's credit as the table shows it."""
    limited = row.limit_minor >= 0
    return {
        "partner": Link(name_of(view, row.partner), f"/accounts/credit?{urlencode({'partner': row.partner})}"),
        "limit": Money(row.limit_minor, row.currency) if limited else None,
        "used": Money(row.exposure_minor, row.currency),
        "free": Money(row.free_minor, row.currency) if limited else None,
        "share": row.exposure_minor * 1_000_000 // row.limit_minor if row.limit_minor > 0 else None,
        "due": Money(row.due_minor, row.currency),
        "unbilled": Money(row.unbilled_minor, row.currency),
        "ordered": Money(row.ordered_minor, row.currency),
        "overdue": row.overdue_days,
        "held": Badge(HELD[row.held], "bad") if row.held else Badge("none", "good"),
        "terms": _terms_words(terms),
    }


def _terms_words(terms: Terms | None) -> str:
    if terms is None:
        return "none set"
    own = "" if terms.partner != "*" else ", as for everybody"
    cut = f", {terms.discount_ppm / 10_000:g} % within {terms.discount_days}" if terms.discount_ppm else ""
    return f"{terms.payment_days} days{cut}{own}"


def _held_orders(view: View, places: Places) -> list[list[Any]]:
    """Orders that wait for the reader's confirmation beyond their buyer's credit."""
    out = []
    for row in orders(view, side="sell", states=("placed",), sort="due", limit=100).rows:
        found = held(view, row.order)
        if found is not None:
            out.append([
                Link(row.order, places.of("order", row.order)), row.partner_name, Money(row.amount_minor, row.currency),
                Badge(HELD[found.held], "bad"),
                Money(found.free_minor, found.currency) if found.free_minor >= 0 else None, row.due_at,
            ])  # fmt: skip
    return out


@get("/accounts/credit", sync_to_thread=True)
def credit_page(
    request: Request[Any, Any, Any], session: Reader, read: Read, places: Where, partner: FromQuery[str] = ""
) -> Any:
    """Terms and credit by customer."""
    return _credit(request, at_desk(read, session), places, partner)


def _credit(
    request: Request[Any, Any, Any], found: Desk, places: Places, partner: str, *, status: int = 200,
    refusal: Any = None, given: dict[str, Any] | None = None,
) -> Any:  # fmt: skip
    view = found.view
    known = [(credit(view, *pair), view.get(TERMS, view.home, pair[0]) or view.get(TERMS, view.home, "*"))
             for pair in credit_partners(view)]  # fmt: skip
    known.sort(key=lambda pair: (not pair[0].held, -pair[0].exposure_minor, pair[0].partner))
    rows = [credit_row(view, row, terms) for row, terms in known]
    if (file := exported(request, (CREDIT_TABLE, rows))) is not None:
        return file
    chosen = view.get(TERMS, view.home, partner) if partner else None
    listed = table_view(request, CREDIT_TABLE, rows, "No customer yet.")
    return page(
        "accounts/credit.html", title="Credit", crumbs=CRUMBS, status=status, tabs=TABS, at="/accounts/credit",
        listing=listed, chart=_chart(view, [row for row, _ in known]), held=_held_orders(view, places),
        may=found.may(SetTerms), partners=_partners(view, [row.partner for row, _ in known]), partner=partner,
        terms=chosen or view.get(TERMS, view.home, "*"), everybody=view.get(TERMS, view.home, "*"), refusal=refusal,
        given=given or {},
    )  # fmt: skip


def _partners(view: View, known: list[str]) -> list[tuple[str, str]]:
    """Whom terms can be set for: everybody, those the reader sells to, and the firms that it shares a circle with."""
    near = {member.party for card in circles(view) for member in card.members if member.party}
    names = {one: name_of(view, one) for one in {*known, *near} if one and one != view.party}
    listed = sorted(names.items(), key=lambda pair: (pair[1].casefold(), pair[0]))
    return [("*", "Everybody without terms of their own"), *listed]


def _chart(view: View, known: list[Credit]) -> Any:
    """Used and free of the limits, the largest first, in the currency of the most customers."""
    limited = [row for row in known if row.limit_minor > 0]
    by: dict[str, int] = {}
    for row in limited:
        by[row.currency] = by.get(row.currency, 0) + 1
    currency = max(sorted(by), key=lambda one: by[one], default="")
    shown = sorted((row for row in limited if row.currency == currency), key=lambda row: -row.limit_minor)
    shown = shown[:PARTNERS_SHOWN]
    if not shown:
        return None
    used = [major(min(row.exposure_minor, row.limit_minor), currency) for row in shown]
    over = [major(max(0, row.exposure_minor - row.limit_minor), currency) for row in shown]
    free = [major(row.free_minor, currency) for row in shown]
    series = [Series("Used", used), Series("Free", free, "good")]
    series += [Series("Beyond the limit", over, "bad")] if any(over) else []
    names = [name_of(view, row.partner)[:24] for row in shown]
    return bars("Credit used and free", names, series, unit=currency, stacked=True, horizontal=True)


@post("/accounts/credit", sync_to_thread=True)
def set_terms(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """Set terms and limit for a customer; only the firm itself reads them."""
    found, form = at_desk(read, session), Given(data)

    def act() -> Any:
        found.do(_terms_fact(found.view, form))
        return go("/accounts/credit", notice="Set. Only your firm reads it.")

    return attempt(act, lambda status, refusal: _credit(
        request, found, places, form.data.get("partner", "") if isinstance(form.data.get("partner"), str) else "",
        status=status, refusal=refusal, given=data))  # fmt: skip


def _terms_fact(view: View, form: Given) -> SetTerms:
    """Refuses, in order: form.missing, form.unknown_partner; as the readers of `Given`."""
    partner = form.text("partner", "Customer", required=True)
    if partner != "*" and not partner.startswith(OUTSIDE) and view.get(PARTIES, partner) is None:
        raise Refusal("form.unknown_partner", "There is no such firm.", got=partner[:80])
    currency = form.currency()
    limit = form.minor("limit", "Credit limit", currency) if form.text("limit", "Credit limit") else -1
    return SetTerms(
        circle=view.home,
        partner=partner,
        currency=currency,
        payment_days=form.whole("payment_days", "Days to pay", high=730),
        discount_ppm=_rate(form, "discount", "Cash discount"),
        discount_days=form.whole("discount_days", "Days for the discount", high=730, default=0),
        tax_ppm=_rate(form, "tax", "Tax"),
        credit_limit_minor=limit,
        overdue_days_max=form.whole("overdue_days", "Days overdue", high=730, default=730),
        hold=form.flag("hold"),
    )


def _rate(form: Given, name: str, label: str) -> int:
    """A rate of 0 to 100 %. Refuses: form.number, form.digits, form.range."""
    found = form.percent(name, label, low=0, default="0")
    if found > 1_000_000:
        raise Refusal("form.range", f"{label} is out of range.", got=form.text(name), expected="0 to 100")
    return found


PAGES: list[Any] = [credit_page, set_terms]

"""Scorecards of suppliers and of customers as payers: figures with their evidence, and charts that say what changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from litestar import Request, get

from hanse.kernel.view import View
from hanse.rooms.accounts.rows import INVOICE, ITEMS
from hanse.rooms.contracts.page_parts import CRUMBS, TABS, address, named
from hanse.rooms.contracts.page_score_words import badge_of, change, chart_of, figure_words
from hanse.rooms.contracts.private_rows import AWARDS, DISPUTES
from hanse.rooms.contracts.scorecards import Scorecard, Side, payer_card, scorecard, scorecards
from hanse.rooms.contracts.scores import Chart, Figure, Payment
from hanse.rooms.parties.queries import party_name
from hanse.site.desks import desk
from hanse.site.menu import TRADE
from hanse.site.pages_forms import DAY, Given, exported, table_view
from hanse.web import Badge, Column, Link, Read, Reader, Table, needs_role, not_here, page

SIDES: tuple[tuple[Side, str], ...] = (("buy", "Suppliers"), ("sell", "Customers"))
SPANS = (("0", "all orders"), ("365", "the last year"), ("90", "the last 90 days"))
INVOICES_MAX = 200_000
NONE_YET = {"buy": "No order to a supplier yet.", "sell": "No order of a customer yet."}
_SHARED = (
    Column("partner", "Partner", "link", wide=True),
    Column("proof", "Proof", "badge", filterable=True, facets=("proven", "partly unproven", "unproven")),
    Column("orders", "Orders", "number", sortable=True),
    Column("otif_lines", "On time in full, lines", "percent", sortable=True),
    Column("otif_orders", "On time in full, orders", "percent", sortable=True, shown=False),
    Column("perfect_orders", "Perfect orders", "percent", sortable=True),
    Column("fill_rate", "Fill rate", "percent", sortable=True),
    Column("lead_days", "Lead time, days", "number", sortable=True),
    Column("spread_days", "Its spread, days", "number", sortable=True, shown=False),
    Column("defects", "Bad, ppm", "number", sortable=True, shown=False),
    Column("claim_days", "Claim time, days", "number", sortable=True, shown=False),
    Column("satisfaction", "Satisfaction, of 5", "number", sortable=True),
)
_PAYER = (
    Column("paid_in_time", "Paid in time", "percent", sortable=True),
    Column("beyond_days", "Days beyond terms", "number", sortable=True),
)
_CHANGED = Column("changed", "What changed")
TABLES = {
    "buy": Table("suppliers", (*_SHARED, _CHANGED), sort="-orders", search="Partner"),
    "sell": Table("customers", (*_SHARED, *_PAYER, _CHANGED), sort="-orders", search="Partner"),
}


def invoices_of(view: View, partner: str = "") -> dict[str, list[Payment]]:
    """The reader's invoices as payments, by customer; of one customer where it is named."""
    where = f"supplier = ? AND item_kind = '{INVOICE}'" + (" AND customer = ?" if partner else "")
    values = (view.party, partner) if partner else (view.party,)
    found: dict[str, list[Payment]] = {}
    for item in view.rows(ITEMS, where, values, order="issued_at, circle, item", limit=INVOICES_MAX):
        found.setdefault(item.customer, []).append(
            Payment(f"{item.circle}/{item.item}", item.amount_minor, item.currency, item.issued_at, item.due_at,
                    item.settled_at, item.position, unproven=item.unproven)
        )  # fmt: skip
    return found


def _ppm(figure: Figure) -> int | None:
    return figure.value if figure.value >= 0 else None


def _days(figure: Figure) -> float | None:
    return round(figure.value / DAY, 1) if figure.value >= 0 else None


def _row(view: View, card: Scorecard, payments: list[Payment]) -> dict[str, Any]:
    low, high = (card.figure(f"lead_time_p{n}_seconds").value for n in (10, 90))
    satisfaction = card.figure("satisfaction").value
    row: dict[str, Any] = {
        "partner": Link(card.partner_name, address("scorecards", card.side, card.partner)),
        "proof": badge_of(card), "orders": card.orders, "lead_days": _days(card.figure("lead_time_median_seconds")),
        "spread_days": round((high - low) / DAY, 1) if high >= 0 else None, "defects": _ppm(card.figure("defects_ppm")),
        "claim_days": _days(card.figure("claim_time_median_seconds")),
        "satisfaction": round(satisfaction / 100, 1) if satisfaction >= 0 else None,
        "changed": next((words for chart in card.charts if (words := change(chart, short=True))), ""),
    }  # fmt: skip
    for name in ("otif_lines", "otif_orders", "perfect_orders", "fill_rate"):
        row[name] = _ppm(card.figure(name))
    if card.side == "sell":
        figures, _ = payer_card(view, card.partner, payments)
        by_name = {figure.name: figure for figure in figures}
        row["paid_in_time"] = _ppm(by_name["paid_in_time"])
        row["beyond_days"] = _days(by_name["seconds_beyond_terms_by_money"])
    return row


@get("/contracts/scorecards", sync_to_thread=True)
def scorecards_page(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    """Every supplier, or every customer, with what was measured."""
    needs_role(session, *TRADE)
    view, given = desk(read, session).view, Given(dict(request.query_params))
    side: Side = given.choice("side", "Side", [key for key, _ in SIDES]) if given.text("side") else "buy"
    days = given.choice("days", "Time", [key for key, _ in SPANS]) if given.text("days") else "0"
    since = max(0, view.now - int(days) * DAY) if days != "0" else 0
    payments = invoices_of(view) if side == "sell" else {}
    rows = [_row(view, card, payments.get(card.partner, [])) for card in scorecards(view, side, since=since)]
    if (file := exported(request, (TABLES[side], rows))) is not None:
        return file
    return page(
        "contracts/scorecards.html", title="Scorecards", crumbs=CRUMBS, tabs=TABS, at="/contracts/scorecards",
        side=side, sides=SIDES, days=days, spans=SPANS,
        listing=table_view(request, TABLES[side], rows, NONE_YET[side], ("Import past orders", "/import")),
    )  # fmt: skip


@get("/contracts/scorecards/{rest:path}", sync_to_thread=True)
def one_scorecard(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    """One partner: figures with their evidence, satisfaction beside measurement, charts that say what changed."""
    needs_role(session, *TRADE)
    found_side, partner = named(request, "/contracts/scorecards/", 2)
    view = desk(read, session).view
    side = next((key for key, _ in SIDES if key == found_side), None)
    card = scorecard(view, partner, side) if side else None
    if side is None or card is None:
        raise not_here()
    payments = invoices_of(view, partner).get(partner, []) if side == "sell" else []
    paid, payer_chart = payer_card(view, partner, payments)
    charts: list[Chart] = [chart for chart in card.charts if chart.points]
    if side == "sell" and payer_chart.points:
        charts.append(payer_chart)
    drawn = [(chart_of(chart) if len(chart.points) > 1 else None, change(chart), _signals(chart)) for chart in charts]
    bare = {words: (None, words, signals) for picture, words, signals in drawn if picture is None}
    drawn = [one for one in drawn if one[0] is not None] + list(bare.values())
    return page(
        "contracts/scorecard.html", title=f"Scorecard of {card.partner_name}",
        crumbs=(*CRUMBS, ("Scorecards", f"/contracts/scorecards?side={side}")), card=card, badge=badge_of(card),
        figures=[figure_words(figure) for figure in card.figures if figure.name != "satisfaction"],
        satisfaction=figure_words(card.figure("satisfaction")),
        measured=[figure_words(figure) for figure in card.measured],
        paid=[figure_words(figure) for figure in paid] if side == "sell" else [], drawn=drawn, side=side,
        money=_owed(view, partner),
    )  # fmt: skip


def _signals(chart: Chart) -> list[list[Any]]:
    """Points that chance does not explain, each with its entry, the latest twenty."""
    words = {"above": "above what chance explains", "below": "below what chance explains",
             "run": "the eighth or later in a row on one side"}  # fmt: skip
    return [[datetime.fromtimestamp(point.at, UTC).date(), words[point.signal],
             Badge("unproven", "unproven") if point.unproven else Badge("proven", "proven"), point.entry]
            for point in chart.signals[-20:][::-1]]  # fmt: skip


def _owed(view: View, partner: str) -> str:
    """What agreements have given between the two, in words."""
    pending = view.count(AWARDS, "? IN (sender, receiver) AND state IN ('pending', 'disputed')", (partner,))
    stands = view.count(AWARDS, "? IN (sender, receiver) AND state = 'standing'", (partner,))
    disputed = view.count(DISPUTES, "? IN (opened_by, against)", (partner,))
    if not pending + stands + disputed:
        return ""
    return (
        f"Agreements with {party_name(view, partner)}: {stands} {'result stands' if stands == 1 else 'results stand'},"
        f" {pending} {'is' if pending == 1 else 'are'} open, {disputed} {'dispute' if disputed == 1 else 'disputes'}."
    )


PAGES: list[Any] = [scorecards_page, one_scorecard]

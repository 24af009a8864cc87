"""Group lots in members' custody; and what the manager sees: totals, and whether an auditor comes to the same."""

from __future__ import annotations

from typing import Any

from litestar import Request, get

from hanse.kernel.view import View
from hanse.rooms.group.page_words import CRUMBS, at_desk, currency_of, frame, item_words, name_of
from hanse.rooms.group.queries import audit, groups, lots_kept_for_group, lots_with_members, rebates, rounds, shares
from hanse.rooms.group.rows import COMMITMENTS_AT_HOME, REPORTS_AT_HOME
from hanse.site.pages_forms import exported, table_view
from hanse.web import Badge, Column, Link, Money, Read, Reader, Table, page

LOTS = Table(
    id="lots",
    columns=(
        Column("item", "Item", "link", sortable=True, wide=True),
        Column("keeper", "Kept by", "link", sortable=True, filterable=True),
        Column("lot", "Lot", shown=False),
        Column("each", "Quantity", "quantity", unit="each", sortable=True),
        Column("cost", "Cost of one", "money"),
        Column("value", "Worth", "money", sortable=True),
        Column("position", "Entry", "proof"),
    ),
    sort="-value",
)
KEPT_HEAD = [
    ("Own number", ""),
    ("Site", ""),
    ("Owner", ""),
    ("On hand", "each"),
    ("Cost of one", "money"),
    ("Entry", "proof"),
]
AUDIT_HEAD = [
    ("Figure", ""),
    ("Of", ""),
    ("Told", ""),
    ("Recomputed from signed words", ""),
    ("Members", "num"),
    ("Result", "badge"),
]
SHARE_HEAD = [("Rebate", ""), ("Member", ""), ("Signed invoices", "money"), ("Own books", "money"), ("Share", "money")]
WORD_HEAD = [("Round", ""), ("Member", ""), ("Committed", "each"), ("At most, for one", "money")]


@get("/group/lots", sync_to_thread=True)
def lots_page(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    """The manager's goods with members, and what this firm keeps of a group's."""
    found = at_desk(read, session)
    view = found.view
    rows = [_lot(view, row) for row in lots_with_members(view)]
    if (file := exported(request, (LOTS, rows))) is not None:
        return file
    managers = {card.terms.manager for card in groups(view)} - {view.party}
    kept = [
        [Link(row.own_number, f"/stock/card/{row.own_number}"), row.site_name or row.site, name_of(view, manager),
         row.on_hand_each, _most(row.unit_cost_minor, row.currency or currency_of(view, manager)), row.position]
        for manager in sorted(managers) for row in lots_kept_for_group(view, manager)
    ]  # fmt: skip
    return page(
        "group/lots.html", title="Group lots", crumbs=CRUMBS, kept=kept, kept_head=KEPT_HEAD,
        listing=table_view(request, LOTS, rows, "No goods of yours lie with members."), **frame(found, "/group/lots"),
    )  # fmt: skip


def _lot(view: View, row: Any) -> dict[str, Any]:
    currency = row.currency or currency_of(view, view.party)
    value = Money((row.each - row.unvalued_each) * row.unit_cost_minor, currency)
    return {
        "item": Link(item_words(view, row.item), f"/items/{row.item}"),
        "keeper": Link(name_of(view, row.custodian), f"/parties/{row.custodian}"), "lot": row.lot, "each": row.each,
        "cost": Money(row.unit_cost_minor, currency), "value": value,
        "position": row.position,
    }  # fmt: skip


@get("/group/totals", sync_to_thread=True)
def totals_page(session: Reader, read: Read) -> Any:
    """What the manager of a group has told, beside what its members' signed words come to; empty for others."""
    found = at_desk(read, session)
    view = found.view
    return page(
        "group/totals.html", title="Totals", crumbs=CRUMBS, checked=[_checked(view, one) for one in audit(view)],
        audit_head=AUDIT_HEAD, share_rows=_shares(view), share_head=SHARE_HEAD, words=_words(view), word_head=WORD_HEAD,
        **frame(found, "/group/totals"),
    )  # fmt: skip


def _checked(view: View, one: Any) -> list[Any]:
    currency = next((row.currency for row in rebates(view) if row.rebate == one.name), "")
    told, again = (Money(x, currency) if currency else f"{x:,} each" for x in (one.told, one.recomputed))
    mark = Badge("holds", "good") if one.holds else Badge("differs", "bad")
    return ["Bought under a rebate" if currency else "Committed to a round", one.name, told, again, one.members, mark]


def _shares(view: View) -> list[list[Any]]:
    """Each member's reported sum and its share: sums, no documents and no prices."""
    out = []
    for row in rebates(view):
        found = shares(view, row.rebate)
        for word in view.rows(REPORTS_AT_HOME, "circle = ? AND rebate = ?", (view.home, row.rebate)):
            out.append([
                row.rebate, name_of(view, word.party), Money(word.signed_minor, row.currency),
                Money(word.imported_minor, row.currency), Money(found.get(word.party, 0), row.currency),
            ])  # fmt: skip
    return out


def _words(view: View) -> list[list[Any]]:
    rows = view.rows(COMMITMENTS_AT_HOME, "circle = ?", (view.home,), order="round, party")
    currencies = {terms.round: terms.currency for terms in rounds(view)}
    return [
        [
            row.round,
            name_of(view, row.party),
            row.each,
            _most(row.price_max_minor, currencies[row.round]),
        ]
        for row in rows
    ]


def _most(price_minor: int, currency: str) -> Money | None:
    """A price; None for none."""
    return Money(price_minor, currency) if price_minor else None


PAGES: list[Any] = [lots_page, totals_page]

"""Debts that leave one account and arrive in another: how a group bills or pays centrally, signed in each of them."""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post

from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.accounts.deal_facts import AcceptAssignment, AssignDebt
from hanse.rooms.accounts.facts import DAY
from hanse.rooms.accounts.page_words import CRUMBS, apart, at_desk, item_link, key_of, name_of
from hanse.rooms.accounts.queries import open_items, to_accept, to_assign
from hanse.rooms.accounts.rows import ITEMS, Assignment
from hanse.rooms.parties.queries import circles, relationship_with
from hanse.site.pages_forms import Fields, Given, attempt, exported, table_view
from hanse.web import Bulk, Column, Money, Read, Reader, Refusal, Table, go, page
from hanse.web.formats import money

ANSWER_SECONDS = 14 * DAY
COLUMNS = (
    Column("what", "What", wide=True),
    Column("supplier", "Supplier"),
    Column("customer", "Customer"),
    Column("third", "With"),
    Column("amount", "Amount", "money", sortable=True),
    Column("due_at", "Due", "day", sortable=True),
    Column("reference", "Reference"),
    Column("entry", "Entry", "proof"),
)


def debt_row(view: View, row: Assignment) -> dict[str, Any]:
    """A debt that is asked to leave or to arrive, as the list shows it."""
    return {
        "what": "leaves this account" if row.step == "leaves" else "arrives here",
        "supplier": name_of(view, row.supplier), "customer": name_of(view, row.customer),
        "third": name_of(view, row.third), "amount": Money(row.amount_minor, row.currency),
        "due_at": row.due_at or None, "reference": row.reference, "entry": row.position,
        "key": key_of(row.circle, row.assignment),
    }  # fmt: skip


@get("/accounts/debts", sync_to_thread=True)
def debts_page(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    """What others ask to move, what names another payer, and how a debt is handed over or taken on."""
    return _debts(request, at_desk(read, session))


def _debts(
    request: Request[Any, Any, Any], found: Desk, *, status: int = 200, refusal: Any = None,
    given: dict[str, Any] | None = None,
) -> Any:  # fmt: skip
    view = found.view
    bulk = (Bulk("Accept", "/accounts/debts/accept"),) if found.may(AcceptAssignment) else ()
    table = Table("debts", COLUMNS, row_key="key", bulk=bulk)
    rows = [debt_row(view, row) for row in to_accept(view)]
    if (file := exported(request, (table, rows))) is not None:
        return file
    partners = {m.party: m.name for card in circles(view) for m in card.members if m.party and not m.mine}
    near = [one for one in sorted(partners.items(), key=lambda p: p[1]) if relationship_with(view, one[0])]
    named = [
        [item_link(item, view), name_of(view, item.supplier), name_of(view, item.customer), name_of(view, item.bill_to),
         Money(item.open_minor, item.currency)]
        for item in to_assign(view)
    ]  # fmt: skip
    return page(
        "accounts/debts.html", title="Debts handed over", crumbs=(*CRUMBS, ("Payments", "/accounts/payments")),
        status=status, listing=table_view(request, table, rows, "Nobody asks you to let a debt go or to take one on."),
        named=named, may=found.may(AssignDebt), items=_movable(view), partners=near,
        firms=sorted(partners.items(), key=lambda pair: pair[1]), refusal=refusal, given=given or {},
    )  # fmt: skip


def _movable(view: View) -> list[tuple[str, str]]:
    """Open items that can leave: (key, words)."""
    out = []
    for item in open_items(view, limit=500):
        free = item.open_minor - item.announced_minor
        if free > 0 and not item.unproven:
            other = item.customer if item.supplier == view.party else item.supplier
            words = f"{item_link(item, view).text}, {name_of(view, other)}, {money(free, item.currency)}"
            out.append((key_of(item.circle, item.item), words))
    return out


@post("/accounts/debts", sync_to_thread=True)
def propose(request: Request[Any, Any, Any], session: Reader, read: Read, data: Fields) -> Any:
    """Propose that a debt leaves an account, or arrives in one."""
    found, form = at_desk(read, session), Given(data)

    def act() -> Any:
        step = form.choice("step", "What", ("leaves", "arrives"))
        found.do(_leaves(found, form) if step == "leaves" else _arrives(found, form))
        return go("/accounts/debts", notice="Proposed. It counts when the other side accepts.")

    return attempt(act, lambda status, refusal: _debts(request, found, status=status, refusal=refusal, given=data))


def _leaves(found: Desk, form: Given) -> AssignDebt:
    """Refuses, in order: form.missing, accounts.unknown_item."""
    view = found.view
    item = view.get(ITEMS, *apart(form.text("item", "Document", required=True)))
    if item is None or view.party not in (item.supplier, item.customer):
        raise Refused("accounts.unknown_item", "no such item in your books", got=form.text("item")[:80])
    return AssignDebt(
        circle=item.circle,
        assignment=found.node.wallet.new_id("debt")[:16],
        answer_by=view.now + ANSWER_SECONDS,
        step="leaves",
        supplier=item.supplier,
        customer=item.customer,
        third=form.text("third", "Who takes it over", required=True, most=80),
        item=item.item,
        currency=item.currency,
        amount_minor=item.open_minor - item.announced_minor,
        due_at=item.due_at,
        reference=item_link(item).text,
    )


def _arrives(found: Desk, form: Given) -> AssignDebt:
    """Refuses, in order: form.*; accounts.unknown_partner."""
    view = found.view
    partner = form.text("partner", "Partner", required=True, most=80)
    circle = relationship_with(view, partner)
    if not circle:
        raise Refused("accounts.unknown_partner", "you have no account with this firm", got=partner)
    owes = form.choice("side", "Who owes", ("we", "they")) == "we"
    currency = form.currency()
    amount = form.minor("amount", "Amount", currency)
    if not amount:
        raise Refusal("form.range", "The amount is above zero.", got=form.text("amount"))
    return AssignDebt(
        circle=circle,
        assignment=found.node.wallet.new_id("debt")[:16],
        answer_by=view.now + ANSWER_SECONDS,
        step="arrives",
        supplier=partner if owes else view.party,
        customer=view.party if owes else partner,
        third=form.text("third", "Taken over from or for", required=True, most=80),
        currency=currency,
        amount_minor=amount,
        due_at=form.day_end("due", "Due"),
        reference=form.text("reference", "Reference"),
    )


@post("/accounts/debts/accept", sync_to_thread=True)
def accept(request: Request[Any, Any, Any], session: Reader, read: Read, data: Fields) -> Any:
    """Accept the ticked debts."""
    found, form = at_desk(read, session), Given(data)

    def act() -> Any:
        keys = [apart(key) for key in form.many("id")]
        if not keys:
            raise Refused("form.nothing_chosen", "tick the debts to accept")
        found.do_all([AcceptAssignment(circle=circle, assignment=name) for circle, name in keys])
        return go("/accounts/debts", notice="Accepted.")

    return attempt(act, lambda status, refusal: _debts(request, found, status=status, refusal=refusal, given=data))


PAGES: list[Any] = [debts_page, propose, accept]

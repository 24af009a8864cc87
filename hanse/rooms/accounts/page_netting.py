"""Netting: a cycle before and after, the reader's own balances, the check of the result, and its signature."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath

from hanse.kernel.facts import Fact
from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.accounts import drafting
from hanse.rooms.accounts.deal_facts import NettingClose, NettingOpen, NettingSign, NettingSubmit, Owed
from hanse.rooms.accounts.facts import DAY, Allocation, Pay
from hanse.rooms.accounts.page_graph import graph
from hanse.rooms.accounts.page_payments import ANSWER_SECONDS
from hanse.rooms.accounts.page_words import CRUMBS, TABS, at_desk, item_address, name_of
from hanse.rooms.accounts.paying import discount
from hanse.rooms.accounts.queries import CyclePage, cycle_page, cycles, open_items
from hanse.rooms.accounts.rows import (
    CLOSING,
    COLLECTING,
    CYCLE_VOID,
    ITEMS,
    NETTED,
    NETTED_DONE,
    SIGNING,
    Item,
    Move,
)
from hanse.rooms.parties.queries import alias_in, circle_card, circles
from hanse.site.pages_forms import Fields, Given, attempt, day_after, exported, table_view, tail
from hanse.web import Badge, Column, Link, Money, Read, Reader, Refusal, Table, go, not_here, page
from hanse.web.formats import money

STATES = {
    COLLECTING: Badge("collecting balances", "info"), CLOSING: Badge("the treasurer states the result", "warn"),
    SIGNING: Badge("to be checked and signed", "warn"), NETTED_DONE: Badge("settled", "good"),
    CYCLE_VOID: Badge("ended without effect", "quiet"),
}  # fmt: skip
CYCLES_TABLE = Table(
    "cycles",
    (
        Column("cycle", "Cycle", "link", wide=True),
        Column("circle", "Of", sortable=True, shown=False),
        Column("treasurer", "Treasurer"),
        Column("state", "State", "badge", filterable=True),
        Column("ends_at", "Until", "day", sortable=True),
        Column("parties", "Taking part", "number", shown=False),
        Column("gross", "Before", "money"),
        Column("net", "After", "money"),
        Column("saved", "Need not be moved", "money"),
        Column("entry", "Entry", "proof"),
    ),
    row_key="cycle",
)


def address(cycle: str) -> str:
    """The page of a cycle."""
    from urllib.parse import quote

    return f"/accounts/netting/{quote(cycle, safe='')}"


def _who(view: View, shown: CyclePage) -> dict[str, str]:
    """alias -> party of the cycle's circle."""
    card = circle_card(view, shown.cycle.circle)
    return {member.alias: member.party for member in card.members} if card else {}


def cycle_row(view: View, shown: CyclePage) -> dict[str, Any]:
    """A cycle as the list shows it."""
    row, result = shown.cycle, shown.result
    card = circle_card(view, row.circle)
    stated = bool(result.obligations)
    return {
        "cycle": Link(row.cycle, address(row.cycle)), "circle": card.name if card else row.circle,
        "treasurer": name_of(view, _who(view, shown).get(row.treasurer, "")), "state": STATES[row.state],
        "ends_at": row.ends_at or None, "parties": len(row.submitted) - len(row.dropped),
        "gross": Money(result.gross_minor, result.currency) if stated else None,
        "net": Money(result.net_minor, result.currency) if stated else None,
        "saved": Money(shown.saved_minor, result.currency) if stated else None, "entry": row.position,
    }  # fmt: skip


@get("/accounts/netting", sync_to_thread=True)
def netting_page(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    """The cycles of the reader's groups, and how one is begun."""
    return _netting(request, at_desk(read, session))


def _netting(
    request: Request[Any, Any, Any], found: Desk, *, status: int = 200, refusal: Any = None,
    given: dict[str, Any] | None = None,
) -> Any:  # fmt: skip
    view = found.view
    rows = [cycle_row(view, one) for one in cycles(view)]
    if (file := exported(request, (CYCLES_TABLE, rows))) is not None:
        return file
    groups = [(card.circle, card.name) for card in circles(view, "group")]
    return page(
        "accounts/netting.html", title="Netting", crumbs=CRUMBS, status=status, tabs=TABS, at="/accounts/netting",
        listing=table_view(request, CYCLES_TABLE, rows, "No netting yet: it needs a group whose members trade."),
        groups=groups, may=bool(groups) and found.may(NettingOpen), refusal=refusal, given=given or {},
        day=day_after(view.now, 7),
    )  # fmt: skip


@post("/accounts/netting", sync_to_thread=True)
def begin(request: Request[Any, Any, Any], session: Reader, read: Read, data: Fields) -> Any:
    """Begin a cycle; whoever begins it is its treasurer."""
    found, form = at_desk(read, session), Given(data)

    def act() -> Any:
        groups = [card.circle for card in circles(found.view, "group")]
        fact = NettingOpen(
            circle=form.choice("circle", "Group", groups),
            cycle=found.node.wallet.new_id("net")[:16],
            submit_by=form.day_end("submit_by", "Balances until"),
            sign_seconds=form.whole("sign_days", "Days to check and sign", low=1, high=60) * DAY,
            currency=form.currency(),
        )
        found.do(fact)
        return go(address(fact.cycle), notice="Begun. You are its treasurer.")

    return attempt(act, lambda status, refusal: _netting(request, found, status=status, refusal=refusal, given=data))


# -- one cycle -----------------------------------------------------------------------------------------------------


@get("/accounts/netting/{cycle:path}", sync_to_thread=True)
def cycle_one(request: Request[Any, Any, Any], session: Reader, read: Read, cycle: FromPath[str]) -> Any:
    """One cycle: who owes whom before and after, who has said and signed what, what is to do."""
    return _cycle(at_desk(read, session), tail(request, "/accounts/netting/"))


def _cycle(
    found: Desk, cycle: str, *, status: int = 200, refusal: Any = None, given: dict[str, Any] | None = None
) -> Any:
    view = found.view
    shown = cycle_page(view, cycle)
    if shown is None:
        raise not_here()
    row, result = shown.cycle, shown.result
    who = _who(view, shown)
    names = {party: name_of(view, party) for party in who.values()}
    own = alias_in(view, row.circle)
    treasurer = row.treasurer == own
    return page(
        "accounts/cycle.html", title=f"Netting {cycle}", crumbs=(*CRUMBS, ("Netting", "/accounts/netting")),
        status=status, p=shown, row=row, result=result, state=STATES[row.state], treasurer_name=name_of(
            view, who.get(row.treasurer, "")), members=_members(view, shown, who), refusal=refusal, given=given or {},
        before=_picture(result.obligations, names, view.party, result.currency, "before"),
        after=_picture(result.transfers, names, view.party, result.currency, "after"),
        before_rows=_moves(result.obligations, names, result.currency),
        after_rows=_moves(result.transfers, names, result.currency),
        positions=[[names.get(party, party), Money(amount, result.currency)] for party, amount in result.positions],
        unmatched=[[names.get(a, a), names.get(b, b), Money(x, result.currency), Money(y, result.currency)]
                   for a, b, x, y in result.unmatched],
        mine=next((Money(amount, result.currency) for party, amount in result.positions if party == view.party), None),
        draft=_draft(found, shown) if row.state == COLLECTING and own else None,
        may_close=treasurer and found.may(NettingClose)
        and (row.state == CLOSING or (row.state == COLLECTING and len(row.submitted) > 1)),
        may_sign=row.state == SIGNING and own in row.parties and own not in row.signed and found.may(NettingSign),
        agrees=row.state == SIGNING and drafting.signature(view, cycle) is not None,
        to_book=[_book_row(view, item, amount) for item, amount in to_book(view, shown)] if found.may(Pay) else [],
        items=_netted_items(view, shown),
    )  # fmt: skip


def _members(view: View, shown: CyclePage, who: dict[str, str]) -> list[list[Any]]:
    row = shown.cycle
    out = []
    for alias, party in sorted(who.items(), key=lambda pair: pair[1]):
        if alias in row.dropped:
            word = Badge("dropped out: did not sign", "bad")
        elif alias in row.signed:
            word = Badge("signed", "good")
        elif row.state == SIGNING and alias in row.parties:
            word = Badge("has to sign", "warn")
        elif alias in row.submitted:
            word = Badge("stated its balances", "info")
        else:
            word = Badge("takes no part yet" if row.state == COLLECTING else "takes no part", "quiet")
        out.append([name_of(view, party), word])
    return out


def _picture(moves: Sequence[Move], names: dict[str, str], own: str, currency: str, mark: str) -> Any:
    """Firms and arrows; the same firms in both pictures stand in the order of their names."""
    shown = sorted({names.get(p, p) for move in moves for p in (move.payer, move.payee)})
    flows = [
        (names.get(m.payer, m.payer), names.get(m.payee, m.payee), m.amount_minor,
         money(m.amount_minor, currency).rsplit(" ", 1)[0])
        for m in moves
    ]  # fmt: skip
    return graph(shown, flows, names.get(own, own), mark)


def _moves(moves: Sequence[Move], names: dict[str, str], currency: str) -> list[list[Any]]:
    return [[names.get(m.payer, m.payer), names.get(m.payee, m.payee), Money(m.amount_minor, currency)] for m in moves]


def _draft(found: Desk, shown: CyclePage) -> dict[str, Any] | None:
    """The balances that the reader's books would state, or what it stated last."""
    if not found.may(NettingSubmit):
        return None
    view = found.view
    fact = drafting.submission(view, shown.cycle.cycle)
    owed = {word.partner: word for word in (fact.owed or ()) if isinstance(word, Owed)} if fact else {}
    said = {word.partner: word for word in shown.mine.owed} if shown.mine else {}
    card = circle_card(view, shown.cycle.circle)
    rows = []
    for member in card.members if card else ():
        party = member.party
        if party and party != view.party:
            words = owed.get(party)
            rows.append({
                "party": party, "name": name_of(view, party), "pays": words.to_pay_minor if words else 0,
                "gets": words.to_get_minor if words else 0,
            })  # fmt: skip
    return {"rows": rows, "stated": bool(said), "none": not owed}


def _netted_items(view: View, shown: CyclePage) -> list[list[Any]]:
    """What a settled cycle left to be paid, as items of the books."""
    where = "circle = ? AND subject = ? AND item_kind = ? AND (supplier = ? OR customer = ?)"
    values = (shown.cycle.circle, shown.cycle.cycle, NETTED, view.party, view.party)
    return [
        [Link(item.item, item_address(item)), name_of(view, item.customer), name_of(view, item.supplier),
         Money(item.amount_minor, item.currency), Money(item.open_minor, item.currency)]
        for item in view.rows(ITEMS, where, values)
    ]  # fmt: skip


def to_book(view: View, shown: CyclePage) -> list[tuple[Item, int]]:
    """(item, how much of it) of the reader's debts that a settled cycle has settled and its books have not yet."""
    if shown.cycle.state != NETTED_DONE:
        return []
    out = []
    for move in shown.result.obligations:
        left = move.amount_minor if move.payer == view.party else 0
        for item in open_items(view, move.payee, "buy", limit=5_000) if left else ():
            free = item.open_minor - item.announced_minor
            fits = item.circle != shown.cycle.circle and not item.unproven and item.currency == shown.result.currency
            if fits and free > 0 and left > 0:
                part = min(free, left)
                out.append((item, part))
                left -= part
    return out


def _book_row(view: View, item: Item, amount: int) -> list[Any]:
    from hanse.rooms.accounts.page_words import item_link

    return [item_link(item, view), name_of(view, item.supplier), Money(amount, item.currency)]


def _found(found: Desk, form: Given) -> CyclePage:
    """The cycle that a form names. Raises: 404."""
    shown = cycle_page(found.view, form.text("cycle", most=80))
    if shown is None:
        raise not_here()
    return shown


@post("/accounts/netting/do/{step:str}", sync_to_thread=True)
def step(session: Reader, read: Read, step: FromPath[str], data: Fields) -> Any:
    """Take the next step of a cycle: submit, close, sign or book."""
    found, form = at_desk(read, session), Given(data)
    if step not in STEPS:
        raise not_here()
    shown = _found(found, form)
    make, words = STEPS[step]

    def act() -> Any:
        found.do_all(make(found, shown, form))
        return go(address(shown.cycle.cycle), notice=words)

    return attempt(
        act, lambda status, refusal: _cycle(found, shown.cycle.cycle, status=status, refusal=refusal, given=data)
    )


def _submit(found: Desk, shown: CyclePage, form: Given) -> list[Fact]:
    card = circle_card(found.view, shown.cycle.circle)
    owed = []
    for member in card.members if card else ():
        name = name_of(found.view, member.party)
        pay = form.minor(f"pay.{member.party}", f"To pay {name}", shown.result.currency, default="0")
        gets = form.minor(f"get.{member.party}", f"To get from {name}", shown.result.currency, default="0")
        if pay or gets:
            owed.append(Owed(partner=member.party, to_pay_minor=pay, to_get_minor=gets))
    if not any(key.startswith(("pay.", "get.")) for key in form.data):
        raise Refusal("form.missing", "The balances are missing.")
    return [NettingSubmit(circle=shown.cycle.circle, cycle=shown.cycle.cycle, owed=owed)]


def _close(found: Desk, shown: CyclePage, form: Given) -> list[Fact]:
    fact = drafting.closing(found.view, shown.cycle.cycle, secrets.token_hex(20))
    assert fact is not None, "the cycle is there"
    return [fact]


def _sign(found: Desk, shown: CyclePage, form: Given) -> list[Fact]:
    fact = drafting.signature(found.view, shown.cycle.cycle)
    if fact is None:
        raise Refused(
            "accounts.wrong_result", "your own node comes to another result than the treasurer states",
            next="speak to the treasurer; without your signature you drop out of this round",
        )  # fmt: skip
    return [fact]


def _book(found: Desk, shown: CyclePage, form: Given) -> list[Fact]:
    """Payments without money, one a creditor: each settles what the cycle has netted."""
    view = found.view
    groups: dict[tuple[str, str], list[tuple[Item, int]]] = {}
    for item, amount in to_book(view, shown):
        groups.setdefault((item.circle, item.supplier), []).append((item, amount))
    if not groups:
        raise Refused("form.nothing_chosen", "your books have it all")
    return [
        Pay(
            circle=circle,
            payment=found.node.wallet.new_id("pay")[:16],
            answer_by=view.now + ANSWER_SECONDS,
            cycle=shown.cycle.cycle,
            payer=view.party,
            payee=supplier,
            currency=shown.result.currency,
            amount_minor=sum(amount - discount(item, amount, view.now) for item, amount in parts),
            allocations=[Allocation(item=item.item, amount_minor=amount) for item, amount in parts],
            method="netting",
            reference=f"netting {shown.cycle.cycle}",
        )
        for (circle, supplier), parts in groups.items()
    ]


STEPS = {
    "submit": (_submit, "Your balances are signed."),
    "close": (_close, "The result is stated; the parties check and sign it."),
    "sign": (_sign, "Checked here and signed."),
    "book": (_book, "Announced; your creditors confirm."),
}
PAGES: list[Any] = [netting_page, begin, cycle_one, step]

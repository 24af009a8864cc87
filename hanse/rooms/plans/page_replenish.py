"""What to order and move now: proposals with their sources, quantities to change, accepted line by line or by rule."""

from __future__ import annotations

import csv
import io
from functools import partial
from typing import Any

from litestar import Request, get, post
from litestar.response import Response

from hanse.importers.safe import guarded
from hanse.kernel.refusal import Refused
from hanse.node.desk import Desk
from hanse.node.planning_accept import Accepted, Chosen, accept, allowed, rules_of
from hanse.node.planning_gather import loans
from hanse.node.planning_replenish import LOAN, OFFER, ROUND, SUPPLIER, Proposal, Source, proposals
from hanse.node.planning_stock import shelves
from hanse.rooms.parties.queries import party_name
from hanse.rooms.plans.facts import EndRule, SetRule
from hanse.rooms.plans.page_shelves import TABS, waiting
from hanse.site.desks import desk
from hanse.site.menu import TRADE, Entry
from hanse.site.pages_forms import Fields, Given, address, attempt, exported
from hanse.web import Column, Money, Read, Reader, Refusal, Table, go, needs_role, page
from hanse.web.formats import DECIMALS, quantity

HERE = "/plans/replenish"
SHOWN_MAX = 100
KINDS = {"": "Wherever it is best bought", OFFER: "Offers of members and partners", ROUND: "Rounds of your groups",
         SUPPLIER: "Your supplier so far", LOAN: "Lent to you"}  # fmt: skip
TABLE = Table(
    "replenish",
    (
        Column("number", "Own number"),
        Column("description", "Description"),
        Column("position", "Free and coming", "quantity"),
        Column("reorder", "Order at", "quantity"),
        Column("order", "Order now", "quantity"),
        Column("source", "From"),
        Column("price", "Price of one", "money"),
        Column("value", "Money", "money"),
        Column("moves", "From own sites"),
        Column("lent", "Lent to you", "quantity"),
    ),
    sort="-value",
)


def _row(one: Proposal) -> dict[str, Any]:
    best = one.sources[0] if one.sources else None
    return {
        "number": one.shelf.own_number, "description": one.shelf.description, "position": one.position_each,
        "reorder": one.shelf.reorder_each if one.shelf.reorder_each >= 0 else None,
        "order": best.each if best else one.order_each,
        "source": best.name if best else "", "value": Money(one.value_minor, one.shelf.currency),
        "price": Money(best.unit_price_minor if best else one.shelf.cost_minor, one.shelf.currency),
        "moves": "; ".join(f"{m.each} {m.from_name} to {m.to_name}" for m in one.transfers),
        "lent": one.borrowed_each,
    }  # fmt: skip


def option_words(source: Source) -> str:
    """A source as one line of a list: who, at what price, how many at most. A loan has a worth, and no price."""
    digits = DECIMALS.get(source.currency, 2)
    price = f"{source.unit_price_minor / 10**digits:,.{digits}f} {source.currency}"
    limit = f", up to {source.upto_each:,}" if source.upto_each else ""
    pack = f", packs of {source.pack_each:,}" if source.pack_each > 1 else ""
    worth = "borrow, worth " if source.kind == LOAN else ""
    return f"{source.name}: {worth}{price}{limit}{pack} ({source.note or source.how})"


@get(HERE, sync_to_thread=True)
def replenish(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    """What has fallen to its reorder level, how many to order, from whom, and what own sites can move."""
    needs_role(session, *TRADE)
    return _show(request, desk(read, session))


def _show(
    request: Request[Any, Any, Any], found: Desk, *, status: int = 200, refusal: Any = None,
    done: Accepted | None = None, given: dict[str, Any] | None = None,
) -> Any:  # fmt: skip
    job = shelves(found.node, found.who.party)
    open_ = proposals(found.view, job.found) if job.found else []
    if (file := exported(request, (TABLE, [_row(one) for one in open_]))) is not None:
        return file
    total: dict[str, int] = {}
    for one in open_:
        total[one.shelf.currency] = total.get(one.shelf.currency, 0) + one.value_minor
    rules = [
        {"row": rule, "lines": len(chosen), "money": Money(spent, rule.currency), "words": rule_words(rule)}
        for rule, chosen, spent in (allowed(found.view, job.found) if job.found else [])
    ]
    form = Given(given or {})
    return page(
        "plans/replenish.html", title="Replenishment", status=status, tabs=TABS, at=HERE, job=job, refusal=refusal,
        words=waiting(job.state), total=sorted(total.items()), lines=len(open_), rows=open_[:SHOWN_MAX], done=done,
        covered=sum(bool(one.sources) for one in open_), moves=sum(t.each for one in open_ for t in one.transfers),
        may=found.may("orders.place"), may_move=found.may("inventory.move"), may_rule=found.may(SetRule), rules=rules,
        option=option_words, kinds=list(KINDS.items()), given=given or {}, ticked=set(form.many("id")),
        lent=[one for one in loans(found.view) if one.own_number], named=partial(party_name, found.view), loan=LOAN,
        all=bool(request.query_params.get("all")), card=lambda number: address("/stock/card/", number),
        currency=max(total, key=lambda name: total[name]) if total else "EUR",
    )  # fmt: skip


def rule_words(rule: Any) -> str:
    """A rule as a sentence."""
    digits = DECIMALS.get(rule.currency, 2)
    line, total = (f"{minor / 10**digits:,.{digits}f}" for minor in (rule.line_max_minor, rule.total_max_minor))
    who = f"from {rule.seller}" if rule.seller else "from anybody"
    kind = f" ({KINDS[rule.source_kind].lower()})" if rule.source_kind else ""
    return f"Lines of up to {line} {rule.currency} {who}{kind}, together up to {total} {rule.currency} at a time"


def _words(done: Accepted) -> str:
    parts = []
    if done.orders:
        parts.append(f"{len(done.orders)} {'order' if len(done.orders) == 1 else 'orders'} placed")
    if done.loans:
        parts.append(f"{len(done.loans)} {'loan' if len(done.loans) == 1 else 'loans'} asked for")
    if done.moved_each:
        parts.append(f"{quantity(done.moved_each)} moved between your sites")
    if done.committed:
        parts.append(f"committed to {len(done.committed)} {'round' if len(done.committed) == 1 else 'rounds'}")
    return (", ".join(parts) or "Nothing was ordered") + "."


def _answer(request: Request[Any, Any, Any], found: Desk, done: Accepted) -> Any:
    """Where nothing was refused on to the list with a word of it; else the list with what was refused."""
    if done.failed:
        return _show(request, found, done=done)
    if not (done.orders or done.loans or done.moved_each or done.committed):
        raise Refusal("plans.no_source", "Nothing was ordered: these lines have no source.",
                      next="Name a supplier, or make a list of them.")  # fmt: skip
    return go(HERE, notice=_words(done))


def _chosen(given: Given, found: Desk) -> list[Chosen]:
    """The ticked lines as they were filled in. Refuses: form.missing (none), form.number, form.range."""
    out = []
    for number in given.many("id"):
        source = given.text(f"from:{number}", "Source", most=400)
        named = given.text(f"to:{number}", "Supplier", most=120)
        each = given.whole(f"each:{number}", f"Quantity of {number}", low=1) if source or named else 0
        out.append(Chosen(number, source, each, found.may("inventory.move"), named))
    if not out:
        raise Refusal("form.missing", "Tick at least one line.")
    return out


@post(f"{HERE}/accept", sync_to_thread=True)
def accept_lines(request: Request[Any, Any, Any], session: Reader, read: Read, data: Fields) -> Any:
    """Order the ticked lines: one order a seller, one loan a lender, own transfers, commitments to rounds."""
    needs_role(session, *TRADE)
    found = desk(read, session)

    def act() -> Any:
        known = shelves(found.node, session.party).found
        chosen = _chosen(Given(data), found)
        if known is None:
            raise Refused(
                "plans.not_proposed", "the forecast is not there yet", next="wait, and look again", retry=True
            )
        return _answer(request, found, accept(found, known, chosen))

    return attempt(act, lambda status, refusal: _show(request, found, status=status, refusal=refusal, given=data))


@post(f"{HERE}/list", sync_to_thread=True)
def make_list(request: Request[Any, Any, Any], session: Reader, read: Read, data: Fields) -> Any:
    """The ticked lines as a file for a supplier or the firm's own system."""
    needs_role(session, *TRADE)
    found = desk(read, session)

    def act() -> Any:
        given, out = Given(data), io.StringIO()
        ticked = given.many("id")
        if not ticked:
            raise Refusal("form.missing", "Tick at least one line.")
        known = shelves(found.node, session.party).found
        open_ = proposals(found.view, known, ticked) if known else []
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(("own_number", "description", "quantity_each", "from"))
        for one in open_:
            number = one.shelf.own_number
            each = given.whole(f"each:{number}", f"Quantity of {number}", low=0, default=one.order_each)
            source = next((s.name for s in one.sources if s.key == given.text(f"from:{number}")), "")
            writer.writerow([guarded(text) for text in (number, one.shelf.description, str(each), source)])
        headers = {"Content-Disposition": 'attachment; filename="replenishment.csv"'}
        return Response(out.getvalue(), media_type="text/csv", headers=headers)

    return attempt(act, lambda status, refusal: _show(request, found, status=status, refusal=refusal, given=data))


# -- rules ---------------------------------------------------------------------------------------------------------


@post(f"{HERE}/rule", sync_to_thread=True)
def save_rule(request: Request[Any, Any, Any], session: Reader, read: Read, data: Fields) -> Any:
    """Save what is accepted without looking at each line; signed, like any decision of the firm."""
    needs_role(session, *TRADE)
    found, given = desk(read, session), Given(data)

    def act() -> Any:
        currency = given.currency(default="EUR")
        found.do(SetRule(
            circle=found.view.home, rule=f"R-{found.node.wallet.new_id('x')[2:10]}", currency=currency,
            seller=given.text("seller", "From whom", most=120),
            source_kind=given.choice("kind", "How", list(KINDS)) if given.text("kind") else "",
            line_max_minor=given.minor("line_max", "A line at most", currency),
            total_max_minor=given.minor("total_max", "All together at most", currency),
        ))  # fmt: skip
        return go(HERE, notice="The rule is saved.")

    return attempt(act, lambda status, refusal: _show(request, found, status=status, refusal=refusal, given=data))


@post(f"{HERE}/rule/end", sync_to_thread=True)
def end_rule(request: Request[Any, Any, Any], session: Reader, read: Read, data: Fields) -> Any:
    """End a rule."""
    needs_role(session, *TRADE)
    found, given = desk(read, session), Given(data)

    def act() -> Any:
        found.do(EndRule(circle=found.view.home, rule=given.text("rule", "Rule", required=True, most=80)))
        return go(HERE, notice="The rule has ended.")

    return attempt(act, lambda status, refusal: _show(request, found, status=status, refusal=refusal))


@post(f"{HERE}/rule/use", sync_to_thread=True)
def use_rule(request: Request[Any, Any, Any], session: Reader, read: Read, data: Fields) -> Any:
    """Order what a rule accepts now."""
    needs_role(session, *TRADE)
    found, given = desk(read, session), Given(data)

    def act() -> Any:
        known, name = shelves(found.node, session.party).found, given.text("rule", "Rule", required=True, most=80)
        if name not in {rule.rule_id for rule in rules_of(found.view)}:
            raise Refused("plans.unknown_rule", "no such rule of yours", got=name)
        lines = [chosen for rule, chosen, _ in (allowed(found.view, known) if known else []) if rule.rule_id == name]
        if not lines or not lines[0]:
            raise Refusal("plans.nothing_chosen", "The rule accepts nothing at present.")
        return _answer(request, found, accept(found, known, lines[0]))  # type: ignore[arg-type]

    return attempt(act, lambda status, refusal: _show(request, found, status=status, refusal=refusal))


NAV = [Entry("Replenishment", HERE, "Stock", TRADE)]
PAGES: list[Any] = [replenish, accept_lines, make_list, save_rule, end_rule, use_rule]

"""Planning, part three: a plan becomes orders, each signed and refused as any order is."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from hanse.kernel.refusal import Refused, require
from hanse.kernel.view import View
from hanse.node.buying import buy
from hanse.node.desk import Desk
from hanse.node.planning import OWN
from hanse.node.planning_lines import delivery_place
from hanse.node.proposing import DAY, Choice, Wish, WishLine
from hanse.rooms.inventory.offer_facts import OFFER_TERMS, OFFERS, WANT_TERMS, WantTerms, WithdrawWant
from hanse.rooms.orders.facts import ConfirmLine, ConfirmOrder, DeliverTo
from hanse.rooms.orders.private_rows import ORDER_TERMS
from hanse.rooms.orders.rows import ORDERS
from hanse.rooms.parties.facts import SITES
from hanse.rooms.plans.queries import Served, plan_page
from hanse.rooms.plans.rows import STANDING, WON

CONFIRM_DAYS = 2
_deliver_to = msgspec.json.Decoder(DeliverTo).decode


class Done(Struct, frozen=True):
    """One customer's order, or want, of a plan. orders: placed. confirmed_each: from own stock. failed: why not."""

    reference: str
    orders: tuple[str, ...] = ()
    confirmed_each: int = 0
    failed: tuple[str, ...] = ()


def apply(desk: Desk, plan: str) -> list[Done]:
    """Turn the best plan of its window into orders: own stock is confirmed to the customers, the rest is bought.

    In a group only the reader's own wants are bought: the others' are theirs to buy. What was refused of the plan is
    left out. An order that is refused leaves the others alone, and is told.

    Refuses, in order: plans.unknown_plan, plans.not_best (another plan is better, or none attested it), then nothing:
        what single orders are refused for stands in `failed`.
    """
    view = desk.view
    page = plan_page(view, plan)
    if page is None:
        raise Refused("plans.unknown_plan", "no such plan of yours", got=plan)
    chosen = page.row.state == WON or (page.row.state == STANDING and page.window.best == plan)
    require(chosen, "plans.not_best", "another plan is better, or nobody has attested this one", got=page.row.state,
            next="apply the best plan of the window")  # fmt: skip
    groups: dict[str, list[Served]] = {}
    for line in page.served:
        kind, _, rest = line.reference.partition(":")
        groups.setdefault(f"{kind}:{rest.rpartition('/')[0] if kind == 'order' else rest}", []).append(line)
    done = []
    for name, lines in groups.items():
        kind, _, subject = name.partition(":")
        if kind == "order":
            done.append(_serve_order(desk, subject, lines, page.question.currency))
        elif (want := view.get(WANT_TERMS, page.row.circle, subject)) and want.party == desk.who.party:
            done.append(_serve_want(desk, want, lines, page.question.currency))
    return done


def _choices(view: View, lines: list[Served]) -> list[Choice]:
    """What is to be bought, at most at the price that stands now."""
    found = []
    for line in lines:
        for part in line.parts:
            row = view.get(OFFERS, part.source)
            terms = view.get(OFFER_TERMS, row.circle, part.source) if row else None
            if not part.refused and terms is not None:
                found.append(Choice(line.line, part.source, part.each, terms.unit_price_minor))
    return found


def _serve_order(desk: Desk, order_id: str, lines: list[Served], currency: str) -> Done:
    view = desk.view
    order = view.get(ORDERS, order_id)
    terms = view.get(ORDER_TERMS, order.circle, order_id) if order else None
    if order is None or terms is None:
        return Done(f"order:{order_id}", failed=("the order is not yours to serve",))
    failed: list[str] = []
    confirmed = _confirm(desk, order.circle, order_id, lines, failed)
    price = {line.line: line.unit_price_minor for line in terms.lines}
    wish = Wish(
        lines=tuple(
            WishLine(one.line, one.item, one.each, price.get(int(one.reference.rpartition("/")[2]), 0)) for one in lines
        ),
        to=_placed(view, _deliver_to(terms.deliver_to)),
        currency=currency,
        customer=terms.counterparty or terms.buyer,
        customer_po_number=order_id,
    )
    return Done(f"order:{order_id}", _buy(desk, wish, _choices(view, lines), failed), confirmed, tuple(failed))


def _placed(view: View, to: DeliverTo) -> DeliverTo:
    """A delivery with its coordinates, as the plan took them."""
    at = delivery_place(view, to)
    return to if at is None else msgspec.structs.replace(to, latitude_microdeg=at[0], longitude_microdeg=at[1])


def _confirm(desk: Desk, circle: str, order_id: str, lines: list[Served], failed: list[str]) -> int:
    """Confirm what own stock serves, promised in two days; how many each."""
    promised_at = max(desk.view.now, int(desk.node.clock())) + CONFIRM_DAYS * DAY
    own = [
        ConfirmLine(
            line=int(line.reference.rpartition("/")[2]),
            each=sum(part.each for part in line.parts if part.source.startswith(OWN)),
            promised_at=promised_at,
        )
        for line in lines
    ]
    own = [line for line in own if line.each]
    if not own:
        return 0
    try:
        desk.do(ConfirmOrder(circle=circle, order=order_id, lines=own))
    except Refused as refused:
        failed.append(f"{refused.code}: {refused.message}")
        return 0
    return sum(line.each for line in own)


def _buy(desk: Desk, wish: Wish, chosen: list[Choice], failed: list[str]) -> tuple[str, ...]:
    if not chosen:
        return ()
    try:
        bought = buy(desk, wish, chosen)
    except Refused as refused:
        failed.append(f"{refused.code}: {refused.message}")
        return ()
    failed += [f"{one.seller}: {one.code}: {one.message}" for one in bought.failed]
    return tuple(one.order for one in bought.orders)


def _serve_want(desk: Desk, want: WantTerms, lines: list[Served], currency: str) -> Done:
    """Buy for the firm's own stock; a want that is served whole is taken back."""
    site = next(iter(desk.view.rows(SITES, "circle = ?", (desk.view.home,), limit=1)), None)
    to = DeliverTo(
        site=site.site if site else "", country=want.country, city=want.city,
        latitude_microdeg=want.latitude_microdeg, longitude_microdeg=want.longitude_microdeg,
    )  # fmt: skip
    failed: list[str] = []
    chosen = _choices(desk.view, lines)
    wish = Wish(lines=tuple(WishLine(one.line, one.item, one.each) for one in lines), to=to, currency=currency)
    orders = _buy(desk, wish, chosen, failed)
    if not failed and sum(choice.each for choice in chosen) >= want.each:
        try:
            desk.do(WithdrawWant(circle=want.circle, want=want.want))
        except Refused as refused:
            failed.append(f"{refused.code}: {refused.message}")
    return Done(f"want:{want.want}", orders, 0, tuple(failed))

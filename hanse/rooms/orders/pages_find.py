"""Find: what is available, when, from whom, at what price; and the order of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, get, post
from litestar.response import Template

from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node import approving
from hanse.node.buying import buy
from hanse.node.desk import Desk
from hanse.node.freight import tariff_for
from hanse.node.placing import Bought
from hanse.node.proposing import (
    IN_TIME,
    LATE_ALLOWED,
    Choice,
    Proposal,
    Wish,
    WishLine,
    choices,
    propose,
    total_minor,
)
from hanse.rooms.catalog.facts import ITEMS
from hanse.rooms.catalog.queries import current, item_by_any, search, substitutes
from hanse.rooms.group.queries import NearTier, near_tier
from hanse.rooms.inventory.offer_queries import availability
from hanse.rooms.orders.pages_forms import DAY, Form, day_end, day_text, minor, text, whole
from hanse.rooms.orders.pages_order import address, as_refused, told
from hanse.rooms.orders.pages_terms import REST, order_terms, place_of
from hanse.rooms.parties.queries import sites
from hanse.site.desks import desk
from hanse.web import Read, Reader, go, page

LINES_MAX = 20
CRUMBS = (("Today", "/"),)


def wish_of(view: View, params: Any) -> Wish:
    """The wish of an address: items `i` and quantities `n`, one after the other; where and when; for whom.

    Refuses, in order: form.not_a_number, buying.unknown_item, form.not_an_amount, form.not_a_day,
        orders.bad_deadline, form.unknown_city.
    """
    items, each, prices = (params.getall(name, []) for name in ("i", "n", "p"))
    currency = text(params, "currency", 3).upper() or "EUR"
    lines: list[WishLine] = []
    for at, name in enumerate(items[:LINES_MAX]):
        number = whole({"n": each[at] if at < len(each) else "1"}, "n", f"Quantity of line {at + 1}", 1)
        if not number:
            continue
        found = item_by_any(view, name.strip())
        if found is None:
            raise Refused("buying.unknown_item", "no item is called so", got=name[:80], next="search for it")
        price = minor({"p": prices[at] if at < len(prices) else ""}, "p", "Customer's price", currency, 0)
        lines.append(WishLine(len(lines) + 1, found.item, number, price))
    terms = order_terms(params, view.now)
    return Wish(
        lines=tuple(lines),
        to=place_of(view, params),
        requested_at=day_end(params, "by", "The day", 0),
        currency=currency,
        customer=text(params, "customer", 200),
        customer_po_number=text(params, "customer_po", 80),
        po_number=text(params, "po", 80),
        ship_complete=terms.ship_complete,
        backorder=terms.backorder,
        cancel_after_at=terms.cancel_after_at,
    )


def _cards(view: View, wish: Wish) -> list[dict[str, Any]]:
    """What there is of each item: own stock, offers to the reader, what came after it, what may stand in."""
    cards = []
    for line in wish.lines:
        item = view.get(ITEMS, line.item)
        newer = current(view, line.item)
        cards.append({
            "line": line, "item": item, "found": availability(view, line.item), "newer": newer != line.item and newer,
            "instead": [s for s in substitutes(view, line.item) if s.judged != "no"][:5],
        })  # fmt: skip
    return cards


def _plan(view: View, wish: Wish, found: Proposal) -> list[dict[str, Any]]:
    """The plan's lines with names and dates."""
    rows = []
    for line in found.plan.lines:
        known = view.get(ITEMS, next(w.item for w in wish.lines if w.line == line.line))
        parts = [
            {"part": part, "from": found.sources[part.offer], "at": view.now + part.arrives_in_days * DAY}
            for part in line.parts
        ]
        other = line.next_best
        rows.append({
            "line": line, "description": known.description if known else "", "parts": parts,
            "other": other and found.sources[other.offer], "other_at": other and view.now + other.arrives_in_days * DAY,
        })  # fmt: skip
    return rows


def _show(
    at: Desk, params: Any, *, refusal: Refused | None = None, wish: Wish | None = None, failed: Any = ()
) -> Template:
    view = at.view
    query = text(params, "q", 200)
    found: Proposal | None = None
    plan: list[dict[str, Any]] = []
    chosen: tuple[Choice, ...] = ()
    try:
        wish = wish or wish_of(view, params)
        if wish.lines:
            tariff = tariff_for(at, wish.currency)
            found = propose(view, wish, tariff=tariff, policy=IN_TIME if text(params, "only") else LATE_ALLOWED)
            plan, chosen = _plan(view, wish, found), choices(found)
    except (Refused, ValueError) as refused:
        refusal = refusal or as_refused(refused)
    total = total_minor(chosen)
    limit = at.who.approval_limit_minor
    hits = search(view, query, limit=20) if query else []
    return page(
        "orders/find.html",
        title="Find and order",
        crumbs=CRUMBS,
        status=422 if refusal else 200,
        q=query,
        hits=[(hit, _add(params, hit.item)) for hit in hits],
        params=params,
        wish=wish,
        cards=_cards(view, wish) if wish else [],
        sites=[(site.site, f"{site.name}, {site.city}") for site in sites(view)],
        found=found,
        near=_near(view, found),
        plan=plan,
        by=day_text(wish.requested_at) if wish else "",
        total=total,
        may=at.may("orders.place") and bool(chosen) and (total > 0 or bool(wish and wish.customer)),
        over=limit is not None and total > limit,
        limit=limit,
        wish_json=msgspec.json.encode(wish).decode() if wish else "",
        chosen_json=msgspec.json.encode(chosen).decode(),
        refusal=told(refusal),
        failed=failed,
        rests=REST,
    )


def _near(view: View, found: Proposal | None) -> list[NearTier]:
    """Rebates of the reader's groups that this plan brings near their next tier, or over it."""
    if found is None:
        return []
    sums: dict[str, int] = {}
    for part in (part for line in found.plan.lines for part in line.parts):
        source = found.sources[part.offer]
        if not source.own:
            sums[source.party] = sums.get(source.party, 0) + part.goods_minor
    return [near for seller in sorted(sums) for near in near_tier(view, seller, found.currency, sums[seller])]


def _add(params: Any, item: str) -> str:
    """The address of this page with one more item."""
    pairs = [(name, value) for name, value in params.multi_items() if name != "q"] if params else []
    return "/find?" + urlencode([*pairs, ("i", item), ("n", "1")])


@get("/find", sync_to_thread=True, opt={"reader": True})
def find(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    """Search an item by any number; see who has it; plan the best way to get it."""
    return _show(desk(read, session), request.query_params)


def _given(form: dict[str, str]) -> tuple[Wish, tuple[Choice, ...]]:
    """What the plan's button sends. Refuses: form.bad_plan."""
    try:
        wish = msgspec.json.decode(form.get("wish", ""), type=Wish)
        return wish, msgspec.json.decode(form.get("chosen", ""), type=tuple[Choice, ...])
    except msgspec.MsgspecError:
        raise Refused("form.bad_plan", "the plan does not read", next="look for it again") from None


@post("/find/place", sync_to_thread=True)
def place(request: Request[Any, Any, Any], session: Reader, read: Read, data: Form) -> Any:
    """Place what the plan chose. Refuses: as `buy`, with a new plan beside it."""
    at, wish = desk(read, session), None
    try:
        wish, chosen = _given(data)
        if text(data, "ask"):
            approving.ask(at, wish, chosen)
            return go("/orders/approvals", notice="Asked for approval.")
        bought = buy(at, wish, chosen)
    except (Refused, msgspec.ValidationError) as refused:
        return _show(at, request.query_params, refusal=as_refused(refused), wish=wish)
    return _after(at, request, wish, bought)


def _after(at: Desk, request: Request[Any, Any, Any], wish: Wish, bought: Bought) -> Any:
    if bought.failed:
        return _show(at, request.query_params, wish=wish, failed=bought.failed)
    told_orders = f"{len(bought.orders)} orders placed." if len(bought.orders) > 1 else "Order placed."
    if bought.document:
        from urllib.parse import quote

        return go(f"/orders/documents/{quote(bought.document, safe='')}", notice=told_orders)
    return go(address(bought.orders[0].order), notice=told_orders)

"""The page of one order: balance, promises, history, messages, and what can be done now."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Template

from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.catalog.facts import ITEMS
from hanse.rooms.catalog.queries import substitutes
from hanse.rooms.inventory.offer_queries import OwnSource
from hanse.rooms.orders.delivery_facts import HandOver, Receive
from hanse.rooms.orders.naming import MADE_UP_ID, document_name, known_as, place_words
from hanse.rooms.orders.pages_actions import DO, actions_of, shipment_actions, sides_of
from hanse.rooms.orders.pages_forms import (
    PROOF_WORDS,
    STEP_WORDS,
    Accounts,
    day_text,
    state_badge,
    text,
)
from hanse.rooms.orders.pages_hold import hold_of
from hanse.rooms.orders.private_rows import Message
from hanse.rooms.orders.proof_files import files_of, filled_in
from hanse.rooms.orders.queries import OrderPage, order_page, stock_of_line
from hanse.rooms.orders.rows import LIVE_STATES, RETURNS, SHIPMENTS, Shipment
from hanse.rooms.orders.worklists import approvals
from hanse.rooms.parties.queries import party_name, sites
from hanse.site.desks import desk
from hanse.site.pages_forms import note_seen
from hanse.web import Badge, Read, Reader, go, not_here, page
from hanse.web.formats import time_text

JUDGED = {"yes": Badge("you take it", "good"), "no": Badge("not for you", "warn")}
"""A buyer's word on a substitute, as its catalogue page takes it."""
CRUMBS = (("Today", "/"), ("Orders", "/orders"))


def address(order: str) -> str:
    """The page of an order."""
    return f"/orders/o/{quote(order, safe='')}"


def timeline_of(view: View, found: OrderPage) -> list[dict[str, Any]]:
    """The order's life as the timeline draws it: what is signed, what is under way, what was promised."""
    now = view.now
    steps = []
    for step in found.timeline:
        said = [step.party_name] if step.party_name else []
        if step.subject and step.step != "message" and not MADE_UP_ID.fullmatch(step.subject):
            said.append(step.subject)
        if step.private_refusal:
            said.append(f"not agreed between the parties: {step.private_refusal}")
        if step.unproven:
            said.append("unproven: signed by one side")
        title = STEP_WORDS.get(step.step, step.step.replace("_", " "))
        steps.append({"at": step.at, "title": title, "detail": ", ".join(said), "proof": step.entry})
    for shown in found.shipments:
        if not shown.shipment.method:
            due = shown.shipment.arrive_by
            late = 0 < due < now
            steps.append({
                "at": due or None, "title": "Shipment under way",
                "detail": "expected then" if due else "no day was named", "state": "late" if late else "now",
            })  # fmt: skip
    for line in found.lines:
        for promise in line.promises:
            late = 0 < promise.promised_at < now
            steps.append({
                "at": promise.promised_at or None,
                "title": f"Promised: {promise.each} each of line {line.balance.line}",
                "detail": _called(view, promise.item), "state": "late" if late else "next",
            })  # fmt: skip
    return steps


def _subjects(view: View, found: OrderPage) -> list[tuple[str, str]]:
    """What a message on this page may be about: the order, one of its deliveries, one of its items."""
    shipments = [(f"s:{one.shipment.shipment}", _shipment_words(one.shipment)) for one in found.shipments]
    items = {line.terms.item: f"item {_called(view, line.terms.item)}" for line in found.lines}
    return [("", "the order"), *shipments, *((f"i:{item}", words) for item, words in items.items())]


def _shipment_words(shipment: Shipment) -> str:
    return f"the shipment of {time_text(shipment.shipped_at)}"


def _about(view: View, message: Message) -> str:
    """What a message on this page is about, "" for the order as a whole."""
    shipment = view.get(SHIPMENTS, message.shipment) if message.shipment else None
    said = [_shipment_words(shipment)] if shipment else []
    return ", ".join([*said, *([_called(view, message.item)] if message.item else [])])


def _called(view: View, item: str) -> str:
    row = view.get(ITEMS, item)
    return row.description if row else item


def line_rows(view: View, found: OrderPage) -> list[dict[str, Any]]:
    """The lines with what they are called and where the reader has stock of them."""
    buyer, seller = sides_of(found)
    rows = []
    for shown in found.lines:
        item = view.get(ITEMS, shown.terms.item)
        stock = stock_of_line(view, found.order, shown) if seller or shown.balance.received else []
        instead = substitutes(view, shown.terms.item) if item and shown.balance.open else []
        rows.append({
            "shown": shown, "b": shown.balance, "t": shown.terms, "n": shown.balance.line,
            "description": item.description if item else shown.terms.item,
            "part": f"{item.brand} {item.part_number}".strip() if item else "",
            "stock": [_stock_option(source) for source in stock],
            "instead": [(f"{one.brand} {one.part_number}".strip() or one.item, one.description) for one in instead],
            "judged": {one.item: JUDGED.get(one.judged) for one in instead if buyer},
            "free": shown.balance.open - shown.balance.proposed,
            "promise_day": day_text(shown.terms.requested_at if shown.terms.requested_at > view.now else 0),
        })  # fmt: skip
    return rows


def _stock_option(source: OwnSource) -> tuple[str, str]:
    """Own stock as a choice: (JSON of own number, site, lot; words)."""
    lot = f", lot {source.lot}" if source.lot else ""
    value = msgspec.json.encode((source.own_number, source.site, source.lot)).decode()
    return value, f"{source.own_number} at {source.site}{lot}: {source.free_each} free"


def show(
    at: Desk,
    order: str,
    *,
    refusal: Refused | None = None,
    opened: str = "",
    form: dict[str, Any] | None = None,
    status: int = 200,
) -> Template:
    """The order's page. Raises: 404 for those outside the order's circle.

    Args:
        refusal, opened, form: what a form was refused for, which it was, and what was typed, which is kept.
    """
    view = at.view
    found = order_page(view, order) if view.home else None
    if found is None:
        raise not_here()
    buyer, seller = sides_of(found)
    returns: list[dict[str, Any]] = [
        {"r": back, "lines": row.lines}
        for back in found.returns
        if (row := view.get(RETURNS, back.return_id)) is not None
    ]
    shipments: list[dict[str, Any]] = [
        {"s": shown, "can": shipment_actions(at, found, shown, view.now), "proof": PROOF_WORDS[shown.proof.word]}
        for shown in found.shipments
    ]
    can = actions_of(at, found)
    forms = {f"{name}/" for name in can}
    forms |= {f"{name}/{one['s'].shipment.shipment}" for one in shipments for name in one["can"]}
    if seller and at.may("orders.accept_return"):
        forms |= {f"accept_return/{one['r'].return_id}" for one in returns if one["r"].state == "asked"}
    return page(
        "orders/order.html",
        title=f"Order {known_as(order, found.terms.po_number)}",
        crumbs=CRUMBS,
        status=status,
        p=found,
        place=place_words(view, found.deliver_to),
        paper=_paper(view, found),
        state=state_badge(found.order.state),
        partner=found.seller_name if buyer and not seller else found.buyer_name,
        buyer=buyer,
        seller=seller,
        can=can,
        forms=forms,
        may_answer_return=seller and at.may("orders.accept_return"),
        rows=line_rows(view, found),
        to_cancel=found.order.state in LIVE_STATES,
        shipments=shipments,
        returns=returns,
        steps=timeline_of(view, found),
        messages=[(message, party_name(view, message.author), _about(view, message)) for message in found.messages],
        subjects=_subjects(view, found),
        called=partial(_called, view),
        approvals=approvals(view, order),
        hold=hold_of(at, found),
        sites=[(site.site, site.name) for site in sites(view)],
        today=day_text(view.now),
        refusal=told(refusal),
        opened=opened,
        form=form or {},
    )


def _paper(view: View, found: OrderPage) -> str:
    """The customer's document that the order serves, within a sentence; "" for none."""
    row = found.document
    words = document_name(view, row.document, row.customer, row.customer_po_number) if row else ""
    return words[:1].lower() + words[1:]


@get("/orders/o/{order:path}", sync_to_thread=True, opt={"reader": True})
def one_order(
    request: Request[Any, Any, Any], session: Reader, read: Read, accounts: Accounts, order: FromPath[str]
) -> Any:
    """One order."""
    name = order.lstrip("/")
    shown = show(desk(read, session), name)
    note_seen(accounts, session, f"order:{name}", request)
    return shown


@post("/orders/do/{action:str}")
async def do(request: Request[Any, Any, Any], session: Reader, read: Read, action: FromPath[str]) -> Any:
    """Do something to an order; a refusal shows on its page, with what was typed.

    A hand-over and a receipt may bring a signature and a photograph. Refuses, in order: as the form's readers,
    form.bad_signature, form.bad_photo, desk.not_permitted, desk.file_too_large, as the fact's rules.
    """
    from anyio.to_thread import run_sync

    form, photo, _ = await filled_in(request)
    return await run_sync(_do, desk(read, session), action, form, photo)


def _do(at: Desk, action: str, data: dict[str, str], photo: bytes) -> Any:
    order = text(data, "order")
    if action not in DO:
        raise not_here()
    found = order_page(at.view, order) if order and at.view.home else None
    if found is None:
        raise not_here()
    build, notice = DO[action]
    try:
        fact = build(at, found, data)
        at.do(files_of(data, photo).kept(at, fact) if isinstance(fact, HandOver | Receive) else fact)
    except (Refused, msgspec.ValidationError) as refused:
        return show(at, order, refusal=as_refused(refused), opened=_opened(action, data), form=data, status=422)
    return go(address(order), notice=notice)


def told(refused: Refused | None) -> dict[str, Any] | None:
    """A refusal as `ui.refusal` draws it; what it does not say is None."""
    if refused is None:
        return None
    names = ("code", "message", "got", "expected", "next")
    return {name: getattr(refused, name) or None for name in names} | {"retry": None, "next": refused.next}


def as_refused(error: Exception) -> Refused:
    """A refusal, or a value outside its field's range as one."""
    return error if isinstance(error, Refused) else Refused("form.bad_value", str(error), next="correct the field")


def _opened(action: str, form: dict[str, str]) -> str:
    """Which form a refusal belongs to: the action, and of which shipment or return."""
    return action + "/" + (text(form, "shipment") or text(form, "return_id"))

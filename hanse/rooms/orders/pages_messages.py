"""Messages and files: on an order, one of its deliveries or items, and about an item apart from any order."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response, Template

from hanse.kernel.refusal import Refused
from hanse.node.desk import Desk
from hanse.rooms.catalog.queries import item as item_of
from hanse.rooms.inventory.page_offers import audience_words, home_desk, partner_options
from hanse.rooms.orders.delivery_facts import SendMessage
from hanse.rooms.orders.message_queries import messages_about
from hanse.rooms.orders.pages_forms import Accounts, text
from hanse.rooms.orders.pages_order import address, as_refused, show, told
from hanse.rooms.orders.proof_files import filled_in
from hanse.rooms.orders.queries import OrderPage, order_page
from hanse.rooms.parties.queries import party_name
from hanse.site.desks import desk
from hanse.site.pages_forms import note_seen, tail
from hanse.web import Read, Reader, go, not_here, page

ABOUT = "/orders/about/"


@post("/orders/message")
async def message(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    """Write to the other side, with a file if there is one. Refuses: desk.file_too_large, as the message's rules."""
    from anyio.to_thread import run_sync

    form, data, name = await filled_in(request)
    return await run_sync(_send, desk(read, session), form, data, name)


def _send(at: Desk, form: dict[str, str], data: bytes, name: str) -> Any:
    order = text(form, "order")
    found = order_page(at.view, order) if order and at.view.home else None
    if found is None:
        raise not_here()
    try:
        subject = subject_of(found, text(form, "about"))
        _write(at, found.order.circle, form, data, name, order=order, **subject)
    except (Refused, msgspec.ValidationError) as refused:
        return show(at, order, refusal=as_refused(refused), opened="message/", form=form, status=422)
    return go(address(order) + "#messages", notice="Sent.")


def subject_of(page: OrderPage, about: str) -> dict[str, str]:
    """What a message on an order is about: "s:SHIPMENT", "i:ITEM", "" for the whole of it. Refuses: form.choice."""
    kind, _, name = about.partition(":")
    known = {
        "s": {shown.shipment.shipment for shown in page.shipments},
        "i": {line.terms.item for line in page.lines},
    }
    if about and name not in known.get(kind, set()):
        raise Refused("form.choice", "choose from the list what it is about", got=about[:80])
    return {} if not about else {"shipment": name} if kind == "s" else {"item": name}


def _write(at: Desk, circle: str, form: dict[str, str], data: bytes, name: str, **subject: Any) -> None:
    """Refuses, in order: as `written`, as the message's rules."""
    at.do(written(at, circle, text(form, "text", 4000), data, name, **subject))


def written(at: Desk, circle: str, words: str, data: bytes, name: str, **subject: Any) -> SendMessage:
    """A message of words, a file, or both; the file is kept.

    Args:
        data: the file's bytes, b"" for none. name: what it is called. subject: `order`, `shipment`, `item`.
    Refuses, in order: desk.not_permitted, desk.file_too_large, orders.empty_message.
    """
    if not at.may(SendMessage):
        at.check(SendMessage(circle=circle, message="none"))
    given: dict[str, Any] = {"text": words} if words else {}
    if data:
        given |= {"file_name": name[-120:], "file_hash": at.keep_file(data), "file_bytes": len(data)}
    if not given:
        raise Refused("orders.empty_message", "a message has a text or a file")
    return SendMessage(circle=circle, message=at.node.wallet.new_id("m"), **subject, **given)


@get("/orders/file/{name:str}/{label:path}", sync_to_thread=True)
def file(
    request: Request[Any, Any, Any],
    session: Reader,
    read: Read,
    accounts: Accounts,
    name: FromPath[str],
    label: FromPath[str],
) -> Response[bytes]:
    """A file that a message names, always as a download under the address's last word. Refuses: desk.unknown_file."""
    data = desk(read, session).file(name)
    note_seen(accounts, session, f"file:{label.lstrip('/')} ({name[:12]})", request)
    return Response(data, media_type="application/octet-stream", headers={"Content-Disposition": "attachment"})


# -- about an item -------------------------------------------------------------------------------------------------


def about_address(item: str) -> str:
    """Where an item is talked about."""
    return ABOUT + quote(item, safe="")


def _audiences(at: Desk) -> list[tuple[str, str]]:
    return [*partner_options(at.view), (at.view.home, "only us: a note")]


def _talk(at: Desk, item: str, *, refusal: Refused | None = None, form: Any = None) -> Template:
    view = at.view
    row = item_of(view, item)
    if row is None:
        raise not_here()
    written = messages_about(view, item)
    names = {circle: audience_words(view, circle) for circle in {one.circle for one in written}}
    called = f"{row.brand} {row.part_number}".strip() or row.item
    return page(
        "orders/about.html", title=f"Messages about {called}", status=422 if refusal else 200, row=row,
        crumbs=(("Items", "/items"), (row.description or called, "/items/" + quote(item, safe=""))),
        messages=[
            (one, party_name(view, one.author), "only us" if one.circle == view.home else f"with {names[one.circle]}")
            for one in written
        ],
        audiences=_audiences(at), may=at.may(SendMessage), refusal=told(refusal), form=form or {},
    )  # fmt: skip


@get(ABOUT + "{item:path}", sync_to_thread=True)
def about_item(request: Request[Any, Any, Any], session: Reader, read: Read) -> Template:
    """What was written about an item apart from any order, and a place to write."""
    return _talk(home_desk(read, session), tail(request, ABOUT))


@post("/orders/about")
async def write_about(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    """Write to a partner or a group about an item, with a file if there is one. Refuses: as `_write`."""
    from anyio.to_thread import run_sync

    form, data, name = await filled_in(request)
    return await run_sync(_write_about, home_desk(read, session), form, data, name)


def _write_about(at: Desk, form: dict[str, str], data: bytes, name: str) -> Any:
    item, circle = text(form, "item"), text(form, "circle")
    if item_of(at.view, item) is None:
        raise not_here()
    try:
        if circle not in dict(_audiences(at)):
            raise Refused("form.choice", "choose from the list whom you write to", got=circle[:80])
        _write(at, circle, form, data, name, item=item)
    except (Refused, msgspec.ValidationError) as refused:
        return _talk(at, item, refusal=as_refused(refused), form=form)
    return go(about_address(item), notice="Sent.")


PAGES: list[Any] = [message, file, about_item, write_about]

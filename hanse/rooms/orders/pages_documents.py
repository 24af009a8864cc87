"""Documents to print: the neutral packing slip, the order confirmation, the delivery note, a customer's document."""

from __future__ import annotations

from functools import partial
from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath

from hanse.node.desk import Desk
from hanse.rooms.inventory.page_offers import item_words
from hanse.rooms.orders.documents import delivery_note, order_confirmation, packing_slip
from hanse.rooms.orders.naming import document_name, order_name, parcel_words, place_words, shipment_name
from hanse.rooms.orders.pages_actions import holds_buyer, shipment_actions
from hanse.rooms.orders.pages_forms import PROOF_WORDS, Accounts, Form, text
from hanse.rooms.orders.pages_order import CRUMBS, address
from hanse.rooms.orders.queries import order_page
from hanse.rooms.orders.rows import SHIPMENTS
from hanse.rooms.orders.worklists import document_page
from hanse.site.desks import desk
from hanse.site.pages_forms import note_seen
from hanse.web import Read, Reader, not_here, page
from hanse.web.settings import qr_svg

LINK_SECONDS = 30 * 86_400
PURPOSE = "proof of delivery"


def _crumbs(at: Desk, shipment: str) -> tuple[tuple[str, str], ...]:
    row = at.view.get(SHIPMENTS, shipment)
    return (*CRUMBS, (f"Order {order_name(at.view, row.order_id)}", address(row.order_id))) if row else CRUMBS


def _slip(at: Desk, shipment: str, link: str = "") -> Any:
    slip = packing_slip(at.view, shipment) if at.view.home else None
    if slip is None:
        raise not_here()
    code = qr_svg(link) if link else None
    return page("orders/slip.html", title="Packing slip", crumbs=_crumbs(at, shipment), slip=slip, code=code, link=link,
                parcel=parcel_words(slip.shipment))  # fmt: skip


@get("/orders/slip/{shipment:path}", sync_to_thread=True)
def slip_page(
    request: Request[Any, Any, Any], session: Reader, read: Read, accounts: Accounts, shipment: FromPath[str]
) -> Any:
    """The neutral packing slip: no price, no party, no PO number."""
    name = shipment.lstrip("/")
    shown = _slip(desk(read, session), name)
    note_seen(accounts, session, f"document:packing slip {name}", request)
    return shown


@post("/orders/pod-link", sync_to_thread=True, status_code=200)
def pod_link(request: Request[Any, Any, Any], session: Reader, read: Read, accounts: Accounts, data: Form) -> Any:
    """A one-time link by which driver or receiver sign without an account, printed on the slip. It is shown only now.

    Raises: 404 where this desk may not make one.
    """
    at, shipment = desk(read, session), text(data, "shipment")
    row = at.view.get(SHIPMENTS, shipment)
    found = order_page(at.view, row.order_id) if row and at.view.home else None
    shown = next((s for s in found.shipments if s.shipment.shipment == shipment), None) if found else None
    if found is None or shown is None or "pod" not in shipment_actions(at, found, shown, at.view.now):
        raise not_here()
    held = holds_buyer(at, found)
    party = found.terms.buyer if held and found.terms.buyer else session.party
    payload = {"shipment": shipment, "party": party, "made_by": session.party, "only": "" if held else "hand_over"}
    raw = accounts.links.create(PURPOSE, payload, LINK_SECONDS)
    return _slip(at, shipment, f"{str(request.base_url).rstrip('/')}/pod/{raw}")


@get("/orders/confirmation/{order:path}", sync_to_thread=True)
def confirmation(
    request: Request[Any, Any, Any], session: Reader, read: Read, accounts: Accounts, order: FromPath[str]
) -> Any:
    """The order confirmation, between buyer and seller."""
    at, name = desk(read, session), order.lstrip("/")
    found = order_confirmation(at.view, name) if at.view.home else None
    if found is None:
        raise not_here()
    note_seen(accounts, session, f"document:confirmation {name}", request)
    known = order_name(at.view, name)
    crumbs = (*CRUMBS, (f"Order {known}", address(name)))
    return page("orders/confirmation.html", title=f"Order confirmation {known}", crumbs=crumbs, c=found)


@get("/orders/note/{shipment:path}", sync_to_thread=True)
def note(
    request: Request[Any, Any, Any], session: Reader, read: Read, accounts: Accounts, shipment: FromPath[str]
) -> Any:
    """The delivery note, between buyer and seller."""
    at, name = desk(read, session), shipment.lstrip("/")
    found = delivery_note(at.view, name) if at.view.home else None
    if found is None:
        raise not_here()
    note_seen(accounts, session, f"document:delivery note {name}", request)
    proof = PROOF_WORDS[found.proof]
    known = shipment_name(at.view, name)
    return page(
        "orders/note.html", title=f"Delivery note {known}", crumbs=_crumbs(at, name), n=found, proof=proof,
        order=order_name(at.view, found.order), place=place_words(at.view, found.deliver_to),
    )  # fmt: skip


@get("/orders/documents/{document:path}", sync_to_thread=True)
def customer_document(
    request: Request[Any, Any, Any], session: Reader, read: Read, accounts: Accounts, document: FromPath[str]
) -> Any:
    """One customer's document over several owners' orders; the sellers never see it."""
    at = desk(read, session)
    found = document_page(at.view, document.lstrip("/")) if at.view.home else None
    if found is None:
        raise not_here()
    note_seen(accounts, session, f"document:{found.document}", request)
    return page(
        "orders/document.html", crumbs=CRUMBS,
        title=document_name(at.view, found.document, found.customer, found.customer_po_number),
        d=found, address=address, called=partial(item_words, at.view), named=partial(order_name, at.view),
    )  # fmt: skip

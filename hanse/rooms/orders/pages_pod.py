"""Proof of delivery without an account: a one-time link, a name, a signature on glass, a photograph.

The link was made for one shipment by its seller or buyer. What is signed here says so: its method is "link". Where this
node holds the buyer's key, the receipt is signed with it; where a seller's people made the link, the hand-over too,
with the seller's, so that both sides have signed. Where the buyer's key is elsewhere, the hand-over alone is signed:
the buyer signs its receipt on its own node. For a customer outside the network the seller signs for both: unproven.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Template

from hanse.kernel.refusal import Refused, require
from hanse.node.desk import Desk, Who
from hanse.node.node import Node
from hanse.rooms.orders.delivery_facts import HandOver, Receive
from hanse.rooms.orders.documents import packing_slip
from hanse.rooms.orders.naming import parcel_words
from hanse.rooms.orders.pages_actions import receive_lines, shown_shipment
from hanse.rooms.orders.pages_documents import PURPOSE
from hanse.rooms.orders.pages_forms import Accounts, text
from hanse.rooms.orders.pages_order import as_refused, told
from hanse.rooms.orders.proof_files import ProofFiles, files_of, filled_in, photo_bytes, signature_bytes
from hanse.rooms.orders.queries import OrderPage, order_page
from hanse.rooms.orders.rows import SHIPMENTS
from hanse.web import Read, page


def _desk(node: Node, payload: Any, side: str = "party") -> Desk:
    """The desk of the link's party (the buyer, or the seller where it alone can sign) or, by `side`, of its maker."""
    return Desk(node, Who(party=payload[side], person="link", role="warehouse"))


def _found(at: Desk, shipment: str) -> OrderPage:
    row = at.view.get(SHIPMENTS, shipment)
    found = order_page(at.view, row.order_id) if row else None
    if found is None:
        raise Refused("orders.unknown_shipment", "there is no such shipment", got=shipment)
    return found


def _ask(at: Desk, payload: Any, token: str, *, refusal: Refused | None = None, form: Any = None) -> Template:
    slip = packing_slip(at.view, payload["shipment"])
    row = at.view.get(SHIPMENTS, payload["shipment"])
    handing = payload.get("only") == "hand_over"
    if slip is None or row is None or row.method or (handing and row.handed_over_at):
        return page("orders/pod_done.html", title="Already received", said="This parcel was received before.")
    return page(
        "orders/pod.html", title="Sign for this parcel", status=422 if refusal else 200, slip=slip, token=token,
        parcel=parcel_words(slip.shipment),
        refusal=told(refusal), form=form or {}, handing=handing,
    )  # fmt: skip


@get("/pod/{token:str}", opt={"public": True}, sync_to_thread=True)
def pod(read: Read, accounts: Accounts, token: FromPath[str]) -> Template:
    """What should be in the parcel, and a place to sign. Refuses: link.unknown, link.used, link.expired."""
    payload = accounts.links.peek(token, PURPOSE)
    return _ask(_desk(read, payload), payload, token)


@post("/pod/{token:str}", opt={"public": True}, status_code=200)
async def sign(request: Request[Any, Any, Any], read: Read, accounts: Accounts, token: FromPath[str]) -> Template:
    """Sign, once. Refuses: as `pod`, before the body is read; what the rules refuse is shown with what was typed.

    It is signed before the link is used up, so that a refusal costs no link; of two at once the rules take one.
    """
    from anyio.to_thread import run_sync

    payload = await run_sync(accounts.links.peek, token, PURPOSE)
    form, photo, _ = await filled_in(request)
    return await run_sync(_sign, read, accounts, payload, token, form, photo)


def _sign(node: Node, accounts: Any, payload: Any, token: str, form: dict[str, str], photo: bytes) -> Template:
    at = _desk(node, payload)
    try:
        if payload.get("only") == "hand_over":
            _hand_over(at, payload["shipment"], form, photo)
        else:
            at.do(_receipt(at, payload["shipment"], form, photo))
            _other_side(node, payload, form, photo)
    except (Refused, msgspec.ValidationError) as refused:
        return _ask(at, payload, token, refusal=as_refused(refused), form=form)
    accounts.links.use(token, PURPOSE)
    return page("orders/pod_done.html", title="Thank you", said="It is signed. You may close this page.")


def _name(form: dict[str, str]) -> str:
    """Refuses: form.no_name."""
    name = text(form, "received_by", 120)
    require(name, "form.no_name", "type your name", next="the name stands on the proof of delivery")
    return name


def _receipt(at: Desk, shipment: str, form: dict[str, str], photo: bytes) -> Receive:
    """Refuses, in order: orders.unknown_shipment, form.no_name, form.bad_signature, form.bad_photo, as its lines."""
    found, name = _found(at, shipment), _name(form)
    files = files_of(form, photo)
    lines = receive_lines(shown_shipment(found, {**form, "shipment": shipment}), form)
    fact = Receive(circle=found.order.circle, shipment=shipment, method="link", lines=lines, received_by=name)
    return files.kept(at, fact)


def _other_side(node: Node, payload: Any, form: dict[str, str], photo: bytes) -> None:
    """The hand-over of the seller whose people made the link, where it was not signed before."""
    row = node.view(payload["made_by"]).get(SHIPMENTS, payload["shipment"])
    if payload["made_by"] == payload["party"] or row is None or row.handed_over_at:
        return
    _hand_over(_desk(node, payload, "made_by"), payload["shipment"], form, photo)


def _hand_over(at: Desk, shipment: str, form: dict[str, str], photo: bytes) -> None:
    """The seller's half, with what was drawn and photographed.

    Refuses, in order: form.no_name, form.bad_signature, orders.unknown_shipment, form.bad_photo, as the rules.
    """
    name, drawn = _name(form), signature_bytes(form.get("signature", ""))
    found, taken = _found(at, shipment), photo_bytes(photo)
    fact = HandOver(circle=found.order.circle, shipment=shipment, method="link", taken_by=name)
    at.do(ProofFiles(drawn, taken).kept(at, fact))

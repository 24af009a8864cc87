"""Proof of delivery without an account: a one-time link, a name, a signature on glass.

The link was made for one shipment by its seller or buyer. What is signed here is signed with the buyer's key that this
node holds, and says so: its method is "link".
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Template

from hanse.kernel.refusal import Refused, require
from hanse.node.desk import Desk, Who
from hanse.node.node import Node
from hanse.rooms.orders.delivery_facts import Receive
from hanse.rooms.orders.documents import packing_slip
from hanse.rooms.orders.pages_actions import receive_lines, shown_shipment
from hanse.rooms.orders.pages_documents import PURPOSE
from hanse.rooms.orders.pages_forms import Accounts, Form, text
from hanse.rooms.orders.pages_order import as_refused, told
from hanse.rooms.orders.queries import order_page
from hanse.rooms.orders.rows import SHIPMENTS
from hanse.web import Read, page

PNG_BYTES_MAX = 300_000
PNG = b"\x89PNG\r\n\x1a\n"


def _desk(node: Node, payload: Any) -> Desk:
    """The buyer's desk, for this receipt alone."""
    return Desk(node, Who(party=payload["party"], person="link", role="warehouse"))


def signature_bytes(given: str) -> bytes:
    """The PNG of a data address, b"" for none. Refuses: form.bad_signature (no PNG, or over 300 kB).

    >>> signature_bytes("")
    b''
    """
    if not given:
        return b""
    head, _, body = given.partition(",")
    try:
        data = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    good = head == "data:image/png;base64" and data.startswith(PNG) and len(data) <= PNG_BYTES_MAX
    require(good, "form.bad_signature", "the signature could not be read", next="clear it, and sign again")
    return data


def _ask(at: Desk, shipment: str, token: str, *, refusal: Refused | None = None, form: Any = None) -> Template:
    slip = packing_slip(at.view, shipment)
    row = at.view.get(SHIPMENTS, shipment)
    if slip is None or row is None or row.method:
        return page("orders/pod_done.html", title="Already received", said="This parcel was received before.")
    return page(
        "orders/pod.html", title="Sign for this parcel", status=422 if refusal else 200, slip=slip, token=token,
        refusal=told(refusal), form=form or {},
    )  # fmt: skip


@get("/pod/{token:str}", opt={"public": True}, sync_to_thread=True)
def pod(read: Read, accounts: Accounts, token: FromPath[str]) -> Template:
    """What should be in the parcel, and a place to sign. Refuses: link.unknown, link.used, link.expired."""
    payload = accounts.links.peek(token, PURPOSE)
    return _ask(_desk(read, payload), payload["shipment"], token)


@post("/pod/{token:str}", opt={"public": True}, sync_to_thread=True, status_code=200)
def sign(read: Read, accounts: Accounts, token: FromPath[str], data: Form) -> Template:
    """Sign the receipt, once. Refuses: as `pod`; what the receipt's rules refuse is shown with what was typed.

    It is signed before the link is used up, so that a refusal costs no link; of two at once the rules take one.
    """
    payload = accounts.links.peek(token, PURPOSE)
    at, shipment = _desk(read, payload), payload["shipment"]
    try:
        at.do(_receipt(at, shipment, data))
    except (Refused, msgspec.ValidationError) as refused:
        return _ask(at, shipment, token, refusal=as_refused(refused), form=data)
    accounts.links.use(token, PURPOSE)
    return page("orders/pod_done.html", title="Thank you", said="The receipt is signed. You may close this page.")


def _receipt(at: Desk, shipment: str, form: dict[str, str]) -> Receive:
    row = at.view.get(SHIPMENTS, shipment)
    found = order_page(at.view, row.order_id) if row else None
    if found is None:
        raise Refused("orders.unknown_shipment", "there is no such shipment", got=shipment)
    name = text(form, "received_by", 120)
    require(name, "form.no_name", "type your name", next="the name stands on the proof of delivery")
    drawn = signature_bytes(str(form.get("signature", "")))
    lines = receive_lines(shown_shipment(found, {**form, "shipment": shipment}), form)
    return Receive(
        circle=found.order.circle,
        shipment=shipment,
        method="link",
        lines=lines,
        signature_hash=at.keep_file(drawn) if drawn else "",
        received_by=name,
    )

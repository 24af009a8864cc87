"""UBL files of partners outside the network: an invoice into the own books, an order to be signed; looked at first."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec
from anyio import to_thread
from litestar import Request, get, post
from litestar.datastructures import UploadFile

from hanse.kernel.facts import Fact
from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.accounts.facts import BookItems
from hanse.rooms.accounts.page_bank import xml_refusal
from hanse.rooms.accounts.page_words import CRUMBS, at_desk, two
from hanse.rooms.accounts.rows import ITEMS
from hanse.rooms.accounts.standards import book_line, place_order
from hanse.rooms.orders.facts import PlaceOrder
from hanse.rooms.parties.facts import PARTIES
from hanse.rooms.parties.queries import relationship_with
from hanse.site.pages_forms import Fields, Given, attempt
from hanse.standards.safe_xml import XmlRefused
from hanse.standards.ubl import UblInvoice, UblOrder
from hanse.standards.ubl_reading import read_invoice, read_order
from hanse.web import Read, Reader, Refusal, go, page

FILE_BYTES_MAX = 2_000_000
CONFIRM_SECONDS = 3 * 86_400
SIDES = (("buy", "we buy: it is addressed to us"), ("sell", "we sell: it is from our own system, or for us to deliver"))


def read_file(data: bytes) -> UblInvoice | UblOrder:
    """A UBL invoice, credit note or order. Refuses: form.missing, form.too_large, as the reader of its kind."""
    if not data:
        raise Refusal("form.missing", "Choose a file first.", expected="UBL 2.1: invoice, credit note or order")
    if len(data) > FILE_BYTES_MAX:
        raise Refusal("form.too_large", "The file is too large.", expected="at most 2 MB")
    try:
        return read_invoice(data)
    except XmlRefused as error:
        if error.code != "xml.wrong_root":
            raise xml_refusal(error) from None
    try:
        return read_order(data)
    except XmlRefused as error:
        raise xml_refusal(error) from None


def fact_of(found: Desk, read: UblInvoice | UblOrder, side: str) -> tuple[Fact, str]:
    """(the fact that a file becomes, where it is shown then). Refuses: accounts.item_taken.

    An invoice goes into the own home's books, one-sided. An order of a firm that the reader trades with here is placed
    with it; any other one is kept in the own home.
    """
    view = found.view
    if isinstance(read, UblInvoice):
        known = view.count(
            ITEMS, "circle = ? AND reference = ? AND (supplier = ? OR customer = ?)",
            (view.home, read.number, f"~{_partner(read, side)}", f"~{_partner(read, side)}"),
        )  # fmt: skip
        if known:
            raise Refusal("accounts.item_taken", "This document is in your books already.", got=read.number)
        line = book_line(read, found.node.wallet.new_id("doc")[:16], side)
        return BookItems(circle=view.home, lines=[line]), two("/accounts/d/", view.home, line.item)
    name = found.node.wallet.new_id("O")[:14]
    rest: dict[str, Any] = {"order": name, "po_number": read.buyer_reference or read.number}
    seller = read.seller.party_id
    circle = relationship_with(view, seller) if side == "buy" and view.get(PARTIES, seller) else ""
    if circle:
        rest["confirm_by"] = view.now + CONFIRM_SECONDS
        return place_order(read, circle, view.party, seller, **rest), f"/orders/o/{name}"
    rest |= {"side": side, "counterparty": _partner(read, side)}
    fact = place_order(read, view.home, view.party, view.party, **rest)
    fields = {f: getattr(fact, f) for f in fact.__struct_fields__ if f not in ("buyer_party", "seller_party", "sd_")}
    return PlaceOrder(**fields), f"/orders/o/{name}"


def _partner(read: UblInvoice | UblOrder, side: str) -> str:
    return read.seller.name if side == "buy" else read.buyer.name


@get("/accounts/upload", sync_to_thread=True)
def upload_page(session: Reader, read: Read) -> Any:
    """Where a file is dropped."""
    return _upload(at_desk(read, session))


def _upload(found: Desk, *, status: int = 200, refusal: Any = None, **more: Any) -> Any:
    crumbs = (*CRUMBS, ("Documents", "/accounts/documents"))
    return page(
        "accounts/upload.html", title="Read an invoice or order", crumbs=crumbs, status=status, refusal=refusal,
        sides=SIDES, may_book=found.may(BookItems), may_order=found.may(PlaceOrder), **more,
    )  # fmt: skip


@post("/accounts/upload", status_code=200)
async def look(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    """Read a file and show what it says; nothing is signed yet."""
    form = await request.form()
    sent = form.get("file")
    data = await sent.read(FILE_BYTES_MAX + 1) if isinstance(sent, UploadFile) else b""
    return await to_thread.run_sync(_look, at_desk(read, session), data, str(form.get("side", "buy")))


def _look(found: Desk, data: bytes, side: str) -> Any:
    def act() -> Any:
        given = side if side in dict(SIDES) else "buy"
        document = read_file(data)
        return _upload(
            found, doc=document, side=given, partner=_partner(document, given), raw=base64.b64encode(data).decode(),
            invoice=isinstance(document, UblInvoice), here=_here(found.view, document, given),
        )  # fmt: skip

    return attempt(act, lambda status, refusal: _upload(found, status=status, refusal=refusal))


def _here(view: View, document: UblInvoice | UblOrder, side: str) -> bool:
    """Whether the partner is a firm that the reader trades with in this network."""
    party = document.seller.party_id if side == "buy" else document.buyer.party_id
    return bool(party and relationship_with(view, party))


@post("/accounts/upload/sign", sync_to_thread=True)
def sign(session: Reader, read: Read, data: Fields) -> Any:
    """Sign what a file that was looked at becomes."""
    found, form = at_desk(read, session), Given(data)

    def act() -> Any:
        try:
            raw = base64.b64decode(form.text("raw", "File", required=True, most=4 * FILE_BYTES_MAX), validate=True)
        except binascii.Error:
            raise Refusal("form.bad_value", "The file is damaged.", next="Choose it again.") from None
        side = form.choice("side", "Side", [key for key, _ in SIDES])
        try:
            fact, then = fact_of(found, read_file(raw), side)
            found.do(fact)
        except msgspec.ValidationError as error:
            raise Refusal("form.bad_value", "The file says what no document here can say.", got=str(error)) from None
        return go(then, notice="Booked." if isinstance(fact, BookItems) else "Ordered.")

    return attempt(act, lambda status, refusal: _upload(found, status=status, refusal=refusal))


PAGES: list[Any] = [upload_page, look, sign]

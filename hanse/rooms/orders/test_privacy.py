"""What a third party's view, and the record itself, give of an order: nothing that a competitor could use."""

from __future__ import annotations

import json

from hanse.rooms.orders.after import ASKED
from hanse.rooms.orders.delivery_facts import HandOver, Rate, ReceiveLine, ReturnGoods, ReturnLineAsked, SendMessage
from hanse.rooms.orders.documents import delivery_note, order_confirmation, packing_slip
from hanse.rooms.orders.facts import Covered, DeliverTo, DocumentLine, KeepDocument
from hanse.rooms.orders.queries import order_page, orders
from hanse.rooms.orders.quote_queries import quotes
from hanse.rooms.orders.responder import respond, waiting_orders
from hanse.rooms.orders.testing import DAY, SECRET, Market
from hanse.rooms.orders.worklists import document_page, figures, late_lines, open_lines, to_ship
from hanse.rooms.testing import home
from hanse.standards.sdjwt import unb64

SECRETS = (
    "77077",
    "PO-SECRET",
    "Klinik",
    "ITEM-X",
    "A-OWN",
    "Am Deich",
    "Labelmark",
    "when is it",
    "scratched",
    "LOT-9",
    "Kurier",
    "note-of-ann",
    "very good",
    "too-many",
    "Jo Meyer",
    "K. Fahrer",
    "Muster",
)


def a_busy_market() -> Market:
    """An order of ann to bob in which every confidential field carries a word of its own."""
    market = Market()
    market.offer("o1", each=40, circle=market.POOL, price=77077, minimum=55055)
    market.must("ann", market.hold_fact("h1", each=10))
    line = market.line(1, 10, hold="h1", secret=SECRET, item="ITEM-X", own_number="A-OWN", unit_price_minor=77077)
    market.must(
        "ann",
        market.order_fact(
            "po1",
            line,
            po_number="PO-SECRET",
            note="note-of-ann",
            drop_ship=True,
            deliver_to=DeliverTo(mark="Labelmark", street="Am Deich 4", city="Bremen", country="DE"),
        ),
    )
    market.must(
        "ann",
        KeepDocument(
            circle=home("ann"),
            document="d1",
            customer="Klinik Nord",
            customer_po_number="Muster 9",
            currency="EUR",
            lines=[DocumentLine(line=1, item="ITEM-X", each=10, unit_price_minor=99099)],
            orders=[Covered(order="po1", lines=[(1, 1)])],
        ),
    )
    market.must("bob", market.confirm_fact("po1"), market.ship_fact("po1", "s1", carrier="Kurier"))
    market.must("bob", HandOver(circle=market.AB, shipment="s1", taken_by="K. Fahrer"))
    market.must("ann", SendMessage(circle=market.AB, message="m1", order="po1", text="when is it"))
    market.must("ann", market.receive_fact("s1", ReceiveLine(line=1, received=9, reason="scratched")))
    market.must("ann", Rate(circle=market.AB, shipment="s1", score=5, comment="very good"))
    market.must(
        "ann",
        ReturnGoods(
            circle=market.AB,
            shipment="s1",
            return_id="r1",
            answer_by=market.now + DAY,
            reason="too-many",
            lines=[ReturnLineAsked(line=1, each=1)],
        ),
    )
    return market


def test_the_record_and_the_public_tables_carry_no_confidential_word() -> None:
    market = a_busy_market()
    clear = b"\n".join(unb64(signed.jwt.split(b".")[1]) for _, facts in market.history for signed in facts)
    public = [t for t in market.book.tables if not t.circle]
    rows = json.dumps({t.name: market.dump()[t.name] for t in public}, default=str)
    for secret in SECRETS:
        assert secret.encode() not in clear, secret
        assert secret not in rows, secret
    assert b"po1" in clear and "po1" in rows  # the search can find what is there


def test_a_competitor_in_the_pool_learns_nothing_of_an_order_on_a_pool_offer() -> None:
    market = a_busy_market()
    eve = market.view("eve")
    assert order_page(eve, "po1") is None
    assert packing_slip(eve, "s1") is delivery_note(eve, "s1") is order_confirmation(eve, "po1") is None
    assert orders(eve).rows == () and open_lines(eve) == late_lines(eve) == to_ship(eve, 2**40) == ()
    assert quotes(eve) == () and document_page(eve, "d1") is None
    assert respond(eve, "po1") is None and waiting_orders(eve) == ()
    assert figures(eve, "buy").orders == {} and figures(eve, "sell").dated_n == 0
    for table in market.book.tables:
        shown = repr(eve.rows(table))
        for secret in SECRETS:
            if secret == "77077" and table.name == "inventory_offer_terms":
                continue  # the pool offer's price, which eve was offered herself
            assert secret not in shown, (table.name, secret)


def test_the_seller_sees_neither_the_end_customer_nor_the_buyers_price() -> None:
    market = a_busy_market()
    bob = market.view("bob")
    page = order_page(bob, "po1")
    assert page is not None and page.document is None and page.side == "sell"
    everything = "".join(repr(bob.rows(table)) for table in market.book.tables)
    for secret in ("Klinik", "Muster", "99099"):
        assert secret not in everything
    ann = order_page(market.view("ann"), "po1")
    assert ann is not None and ann.document is not None and ann.document.customer == "Klinik Nord"


def test_the_buyer_sees_no_minimum_price_and_no_stock_of_the_seller() -> None:
    market = a_busy_market()
    ann = market.view("ann")
    everything = "".join(repr(ann.rows(table)) for table in market.book.tables)
    for secret in ("55055", "bob-6205", "store-bob"):
        assert secret not in everything


def test_the_packing_slip_is_neutral() -> None:
    market = a_busy_market()
    slip = packing_slip(market.view("bob"), "s1", sender="Dispatch 7")
    assert slip is not None
    shown = repr(slip)
    assert "Labelmark" in shown and "Dispatch 7" in shown and "ITEM-X" in shown
    for secret in ("77077", "PO-SECRET", "Klinik", "Bob", "Ann", "bob", "ann", "Am Deich", "Muster"):
        assert secret not in shown
    note = delivery_note(market.view("bob"), "s1")
    assert note is not None and note.proof == "both" and "77077" not in repr(note)


def test_no_public_refusal_depends_on_anything_private() -> None:
    """The same public facts, with other confidential fields, have the same outcomes on every node."""
    market = a_busy_market()
    assert market.both_sides_agree()
    assert {
        row.state for row in market.view().rows(next(t for t in market.book.tables if t.name == "orders_return"))
    } == {ASKED}

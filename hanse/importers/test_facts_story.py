"""A firm alone with two spreadsheets; a second firm joins; their first order, verified."""

from pathlib import Path

import msgspec
import pytest

from hanse.cli import main
from hanse.importers.facts_found import desk_for
from hanse.importers.facts_testing import stock
from hanse.node import joining
from hanse.node.desk import Desk, Who
from hanse.node.node import Node
from hanse.node.verify import verify
from hanse.rooms.inventory.offer_queries import offers_of_item
from hanse.rooms.orders.delivery_facts import HandOver, Receive, Ship, ShipLine
from hanse.rooms.orders.facts import PlaceLine, PlaceOrder
from hanse.rooms.orders.queries import order_page
from hanse.rooms.orders.responder import respond
from hanse.rooms.parties.queries import alias_in

STOCK = "Artikel-Nr;Lagerort;Bestand;EAN;Hersteller\nB-6204;Kiel;120;6291041500213;SKF\nB-6205;Kiel;1.250;;\n"
ORDERS = "order,customer,item,quantity,price,due date\nSO-1,Werft Nord,B-6204,4,2.50,2030-03-01\n"
ITEMS = "item,description,ean,brand,part number\n{0},Bearing 6204,6291041500213,SKF,6204-2RSH\n"


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> dict:
    """One command; its answer as JSON."""
    assert main([*argv, "--json"]) == 0, capsys.readouterr()
    return msgspec.json.decode(capsys.readouterr().out)


def test_two_firms_with_spreadsheets_reach_their_first_verified_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, files = str(tmp_path / "net"), tmp_path / "files"
    files.mkdir()
    for name, text in (
        ("stock.csv", STOCK),
        ("orders.csv", ORDERS),
        ("a.csv", ITEMS.format("B-6204")),
        ("b.csv", ITEMS.format("77-X")),
    ):
        (files / name).write_text(text, "utf-8")

    # The first firm, alone: a network of one out of two spreadsheets, with nothing asked.
    said = run(capsys, "import", f"{files}/stock.csv", f"{files}/orders.csv", "--data", data, "--name", "Kontor Kiel")
    assert (said["party"], said["bad"], said["import"]["new"]) == ("kontor-kiel", 0, 5)
    assert said["import"]["facts"]["orders.place"] == 1
    run(capsys, "import", f"{files}/a.csv", "--target", "items", "--publish", "--data", data)

    # The second firm comes by invitation and brings its own numbers.
    secret = run(capsys, "party", "invite", "--as", "kontor-kiel", "--data", data)["secret"]
    run(capsys, "party", "join", "werft-nord", secret, "--name", "Werft Nord", "--data", data)
    theirs = run(capsys, "import", f"{files}/b.csv", "--target", "items", "--party", "werft-nord", "--data", data)
    assert theirs["import"]["matched"]["linked"] == {"gtin": 1}, "77-X is B-6204"

    # They open a relationship; the first offers stock to the second.
    with Node(data, helper=False) as node:
        joining.relationship(node, "kontor-kiel", "werft-nord")
    (files / "offers.csv").write_text(
        "item,site,quantity_each,price,currency,audience\nB-6204,Kiel,50,11.00,EUR,werft-nord\n", "utf-8"
    )
    offered = run(
        capsys, "import", f"{files}/offers.csv", "--mapping", "hanse", "--party", "kontor-kiel", "--data", data
    )
    assert offered["import"]["facts"] == {"inventory.earmark": 1, "inventory.offer": 1}

    # The order: placed, confirmed by the owner's node, shipped, handed over, received.
    with Node(data, helper=False) as node:
        seller, buyer = desk_for(node, "kontor-kiel"), Desk(node, Who("werft-nord"))
        order = trade(seller, buyer)
        assert stock(seller)["Kiel", "B-6204", ""] == 110
        page = order_page(buyer.view, order)
        assert page and (page.order.state, page.unproven, page.shipments[0].proof.word) == ("received", False, "both")
    report = verify(data)
    assert report.ok, report.findings


def trade(seller: Desk, buyer: Desk) -> str:
    """Ten of the offered pieces, to the end; the order's number."""
    (card,) = offers_of_item(buyer.view, "gtin:06291041500213")
    circle = card.circle
    buyer.do(
        PlaceOrder(
            circle=circle,
            order="first",
            seller=alias_in(buyer.view, circle, "kontor-kiel"),
            confirm_by=buyer.node.path.now() + 86_400,
            lines=[
                PlaceLine(line=1, each=10, offer=card.offer, item=card.item, own_number="77-X", unit_price_minor=1100)
            ],
            buyer_party="werft-nord",
            seller_party="kontor-kiel",
            currency="EUR",
        )
    )
    answer = respond(seller.view, "first")
    assert answer is not None
    seller.do(answer)
    seller.do(Ship(circle=circle, order="first", shipment="first/1", lines=[ShipLine(line=1, each=10)]))
    seller.do(HandOver(circle=circle, shipment="first/1"))
    buyer.do(Receive(circle=circle, shipment="first/1"))
    return "first"

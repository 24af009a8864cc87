"""A small town in which there is something on every page: for bob, who sells, lends, buys, agrees, bills and plans."""

from __future__ import annotations

import json
from pathlib import Path

from dealing import deals

from hanse.node import planning_run
from hanse.node.planning_run import Way
from hanse.rooms.catalog.facts import SetOwnItem
from hanse.rooms.contracts.testing_pages import AgreedTown
from hanse.rooms.inventory.facts import Adjust, AdjustLine, Count, CountLine
from hanse.rooms.inventory.offer_facts import Want
from hanse.rooms.orders.facts import (
    Covered,
    DeliverTo,
    DocumentLine,
    KeepDocument,
    PlaceLine,
    PlaceOrder,
    Quote,
    QuoteAskLine,
    QuoteLine,
    RequestQuote,
)
from hanse.rooms.orders.queries import order_page
from hanse.site.testing import DAY, PLACES, SmallTown, Visitor

STOCK = '["bob-6205","store-bob",""]'
BELTS = """Artikel-Nr;Bezeichnung;Hersteller;Teilenummer;Preis
KX-1;Kugellager;SKF;6206;3,20
;Ohne Nummer;Dicht;X;1,00
"""


def trading_town(folder: Path) -> tuple[SmallTown, set[str]]:
    """The town, and what to look at first: things with much on their pages, one-time links, parts of pages."""
    town = AgreedTown(folder, secure=False)
    _offers(town)
    ann, bob = town.visitor("ann"), town.visitor("bob")
    links = {_life_of_orders(town, ann, bob)}
    _one_sided(town)
    _quotes(town)
    links.add(_imported(bob))
    town.do("bob", Want(
        circle=town.pool, want="w-bob", expires_at=town.now() + DAY, item="item-6205", each=7, borrow=True,
        country="DE", city="Bremen", latitude_microdeg=53_079_000, longitude_microdeg=8_801_000, note="",
    ))  # fmt: skip
    plan = planning_run.plan(town.desk("bob"), way=Way(seconds=None, rounds=2, worker=False))
    _study(town)
    links |= deals(town)
    shown = {"/orders/o/received-1", "/orders/documents/purchase-1", "/stock/card/bob-6205", f"/plans/p/{plan.plan}"}
    return town, {*links, *shown, "/plans/forecast/bob-6205"}


def _study(town: SmallTown) -> None:
    """A pooling study that was kept for bob, with figures of the size that real ones have."""
    side = {
        "fill_rate": 0.91,
        "fill_rate_shock": 0.82,
        "stock_minor": 1_204_500,
        "cost_minor": 250_000,
        "transfers": 31,
    }
    member = {"name": "Cay", "fill_rate_alone": 0.9, "fill_rate_pooled": 0.95, "cost_alone_minor": 90_000,
              "charge_minor": 41_000, "gain_minor": 49_000, "lent_each": 12, "borrowed_each": 9}  # fmt: skip
    figures = {
        "origin": "sales", "simulated": True, "notes": ["Weekly sales of two years."], "currency": "EUR", "items": 3,
        "assumptions": {"holding_ppm_year": 250_000, "shortage_ppm": 300_000, "lead_time_periods": 2, "held_out": 13},
        "total": {"cost_saved_share": {"value": 0.3, "low": 0.2, "high": 0.4}},
        "policies": {"alone": side, "lending": side, "pooled": side}, "members": [member],
        "item_gains": [{"item": "Ball bearing 6205", "saved_minor": 5_100, "pool": True, "reason": "shared"}],
    }  # fmt: skip
    folder = town.node.directory / "studies" / "bob"
    folder.mkdir(parents=True)
    (folder / "spring.json").write_text(json.dumps(figures))


def _offers(town: SmallTown) -> None:
    town.offer("o-ab", "bob", circle=town.ab, each=40)
    town.offer("o-bob", "bob", each=30, price=1100)
    town.offer("o-cay", "cay", each=60, price=900)
    for name, party, each in (("w-ann", "ann", 15), ("w-eve", "eve", 12)):
        city, latitude, longitude = PLACES[party]
        town.do(party, Want(
            circle=town.pool, want=name, expires_at=town.now() + 5 * DAY, item="item-6205", each=each, borrow=False,
            country="DE", city=city, latitude_microdeg=latitude, longitude_microdeg=longitude, note="",
        ))  # fmt: skip


def _quotes(town: SmallTown) -> None:
    """A price that bob is asked for, and one that binds ann."""
    for name, buyer in (("q-asked", "ann"), ("q-open", "bob")):
        town.do(buyer, RequestQuote(
            circle=town.ab, quote=name, answer_by=town.now() + DAY, currency="EUR", note="for a pump",
            lines=[QuoteAskLine(line=1, each=50, item="item-6205", own_number="A-77")],
        ))  # fmt: skip
    town.do("ann", Quote(
        circle=town.ab, quote="q-open", valid_until_at=town.now() + 9 * DAY, currency="EUR", note="ex works",
        lines=[QuoteLine(line=1, each=50, item="item-6205", unit_price_minor=880, lead_time_days=3)],
    ))  # fmt: skip


def act(who: Visitor, action: str, order: str, **fields: str) -> str:
    """Post one of an order page's forms (`each__1` is the field `each.1`); where it leads."""
    given = {"order": order, **{name.replace("__", "."): value for name, value in fields.items()}}
    answer = who.post(f"/orders/do/{action}", given)
    assert answer.status_code == 303, answer.text[:200]
    return str(answer.headers["location"])


def _life_of_orders(town: SmallTown, ann: Visitor, bob: Visitor) -> str:
    """Orders in every state; the receipt link of one that is under way."""
    line = PlaceLine(line=1, each=3, item="item-6205", own_number="A-77", unit_price_minor=900, requested_at=0)
    town.do(
        "bob",
        PlaceOrder(
            circle=town.ab, order="bought-1", confirm_by=town.now() + DAY, buyer_party="bob", seller_party="ann",
            currency="EUR", deliver_to=DeliverTo(site="store-bob", city="Bremen", country="DE"), lines=[line],
        ),
        KeepDocument(
            circle=town.home("bob"), document="purchase-1", customer="Werft Nord", customer_po_number="77",
            currency="EUR", orders=[Covered(order="bought-1", lines=[(1, 1)])],
            lines=[DocumentLine(line=1, item="item-6205", each=3, unit_price_minor=1100)],
        ),
    )  # fmt: skip
    for order in ("placed-1", "confirmed-1", "shipped-1", "received-1"):
        town.order(order)
    for order in ("confirmed-1", "shipped-1", "received-1"):
        town.confirm(order)
    for order in ("shipped-1", "received-1"):
        act(bob, "ship", order, each__1="10", stock__1=STOCK, carrier="DHL")
    page = order_page(town.node.view("ann"), "received-1")
    assert page is not None
    sid = page.shipments[0].shipment.shipment
    act(bob, "hand_over", "received-1", shipment=sid, taken_by="Jo")
    act(ann, "receive", "received-1", shipment=sid, received__1="8", damaged__1="1", reason__1="bent")
    act(ann, "return", "received-1", shipment=sid, each__1="1", reason="bent")
    act(ann, "rate", "received-1", shipment=sid, score="4", comment="fast")
    sent = ann.post("/orders/message", {"order": "received-1", "text": "One was bent."})
    assert sent.status_code == 303
    under_way = order_page(town.node.view("bob"), "shipped-1")
    assert under_way is not None
    slip = bob.post("/orders/pod-link", {"order": "shipped-1", "shipment": under_way.shipments[0].shipment.shipment})
    return "/pod/" + slip.text.partition("/pod/")[2].partition('"')[0].partition("<")[0].strip()


def _one_sided(town: SmallTown) -> None:
    """bob's own book: half a year of sales, dead stock, and an order of a firm that is not here."""
    home, now = town.home("bob"), town.now()
    town.do(
        "bob",
        PlaceOrder(
            circle=home, order="SO-1", side="sell", counterparty="Werft Nord", po_number="77", currency="EUR",
            deliver_to=DeliverTo(city="Hamburg", country="DE"),
            lines=[PlaceLine(line=1, each=5, item="item-6205", own_number="bob-6205", unit_price_minor=1500,
                             requested_at=now - 3 * DAY)],
        ),
        SetOwnItem(
            circle=home, own_number="bob-old", description="Gland packing", brand="", part_number="", gtin="",
            unit="H87", pack_each=1, category="", cost_minor=1250, currency="EUR",
        ),
        Count(circle=home, counted_at=now - 300 * DAY, lines=[
            CountLine(site="store-bob", own_number="bob-old", each=40, unit_cost_minor=1250),
        ]),
        Adjust(circle=home, lines=[
            AdjustLine(site="store-bob", own_number="bob-6205", each=-1 - week % 3, reason="sold",
                       made_at=now - 7 * DAY * (week + 1))
            for week in range(26)
        ]),
    )  # fmt: skip


def _imported(bob: Visitor) -> str:
    """A file with one good and one bad row, waiting for its signature."""
    files = {"file": ("artikel.csv", BELTS.encode(), "text/csv")}
    answer = bob.client.post(f"/import?_csrf={bob.token('/import')}", files=files, follow_redirects=False)
    assert answer.status_code == 303, answer.text[:200]
    return str(answer.headers["location"])

"""A small firm's orders: served by the rules, late with a reason, unserved with a reason, no stock invented."""

from pathlib import Path

import pytest

from hanse.importers.facts_testing import bring, firm, stock
from hanse.importers.jobs.allocation import Tables
from hanse.importers.jobs.fulfil import fulfil
from hanse.kernel.refusal import Refused
from hanse.node.verify import verify
from hanse.rooms.inventory.queries import movements
from hanse.rooms.orders.queries import order_page, orders
from hanse.rooms.orders.worklists import figures

SITES = """site,kind,capacity_orders_per_day,handling,handling_per,currency
    P1,plant,1,0.50,1,USD
    P2,plant,5,2.00,1,USD
    PORT,port,,,,"""
SOURCING = """rule,site,item,customer,port
    site_item,P1,A,,
    site_item,P2,B,,
    site_customer,P2,,C2,
    site_port,P1,,,PORT
    site_port,P2,,,PORT"""
TARIFFS = """carrier,service,origin,destination,weight_min_g,weight_max_g,minimum,rate,rate_per_g,currency,transit_days
    FAST,DTD,PORT,SEA,0,9999,20,5,1000,USD,1
    SLOW,DTD,PORT,SEA,0,9999,1,0.1,1000,USD,4"""
ORDERS = """order,line,kind,customer,item,quantity_ordered,ordered_on,ship_to,carrier,service,weight_g,lead_time_days
    1,1,sale,C1,A,10,2024-01-01,SEA,FAST,DTD,1000,1
    2,1,sale,C1,A,10,2024-01-01,SEA,FAST,DTD,1000,1
    3,1,sale,C1,A,10,2024-01-01,SEA,OWN,CRF,1000,9
    4,1,sale,C1,B,10,2024-01-01,SEA,FAST,DTD,1000,1
    5,1,sale,C2,B,10,2024-01-01,SEA,FAST,DTD,20000,1
    6,1,sale,C2,B,10,2024-01-01,SEA,FAST,DTD,1000,4
    7,1,sale,C2,Z,10,2024-01-01,SEA,FAST,DTD,1000,1"""
TABLES = {"sites": SITES, "sourcing": SOURCING, "tariffs": TARIFFS, "orders": ORDERS}


def test_every_order_is_served_by_the_rules_or_named_with_its_reason(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        bring(desk, **TABLES)
        done = fulfil(desk)
        assert (done.orders, done.served, done.own_freight) == (7, 4, 1)
        assert {(one.order, one.reason) for one in done.unserved} == {
            ("4", "customer C1 may not be served by P2"),
            ("5", "no rate for 20 kg, service DTD, from P2 to SEA"),
            ("7", "no plant makes Z"),
        }
        assert [(one.order, one.days, one.reason) for one in done.late] == [
            ("2", 1, "full on the first day: P1 (1 orders a day)"),
            ("3", 2, "full on each of the first 2 days: P1 (1 orders a day)"),
        ]
        assert [(day.date, day.orders) for day in done.days] == [
            ("2024-01-01", 2), ("2024-01-02", 1), ("2024-01-03", 1),
        ]  # fmt: skip
        assert sum(day.freight_minor for day in done.days) == 2 * 2_000 + 100, "order 6 has time for the slow carrier"
        assert done.weighed_minor == done.bound_minor
    report = verify(tmp_path / "n")
    assert report.ok, report.findings


def test_what_is_promised_is_shipped_and_received_and_its_reasons_stand_on_the_record(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        bring(desk, **TABLES)
        fulfil(desk)
        pages = {
            page.terms.po_number: page for row in orders(desk.view).rows if (page := order_page(desk.view, row.order))
        }
        assert {number: page.order.state for number, page in pages.items()} == {
            "1": "received", "2": "received", "3": "received", "4": "declined", "5": "declined", "6": "received",
            "7": "declined",
        }  # fmt: skip
        assert "late by 1 days: full on the first day" in pages["2"].terms.answer
        assert pages["7"].terms.answer == "no plant makes Z"
        assert pages["1"].unproven
        kept = figures(desk.view, "sell")
        assert (kept.unproven_dated_n, kept.unproven_kept_n) == (4, 4), "every promise of the plan was kept"


def test_no_stock_is_made_or_lost(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        bring(desk, **TABLES, stock="item,site,quantity_each\nA,P1,15")
        done = fulfil(desk)
        assert done.produced_each == 10 + 10 + 10 + 10 - 15, "what stood there went first"
        assert set(stock(desk).values()) == {0}
        made = [m for m in movements(desk.view, "A") if m.reason == "produced"]
        assert sum(m.each for m in made) == 15
        assert all(m.reference.startswith("made to order") for m in made)


def test_a_second_run_finds_nothing_to_do(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        bring(desk, **TABLES)
        fulfil(desk)
        again = fulfil(desk)
        assert (again.orders, again.stood, again.facts) == (0, 7, {})


def test_a_firm_without_capacities_is_told_what_is_missing(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        bring(desk, orders=ORDERS)
        with pytest.raises(Refused) as refused:
            fulfil(desk)
        assert refused.value.code == "import.nothing_to_fulfil"


def test_a_way_that_is_dearer_and_slower_is_not_looked_at() -> None:
    tariffs = [
        {"carrier": c, "origin": "P", "destination": "D", "weight_min_g": 0, "weight_max_g": 99, "rate_minor": r,
         "rate_per_g": 1, "transit_days": d}
        for c, r, d in (("A", 5, 2), ("B", 4, 3), ("C", 6, 3), ("D", 4, 5))
    ]  # fmt: skip
    tables = Tables([{"site": "P", "capacity_orders_per_day": 1}], [], tariffs)
    order = {"item": "X", "ship_to": "D", "weight_g": 10}
    assert [(way.carrier, way.freight_minor) for way in tables.ways("P", order)] == [("B", 40), ("A", 50)]

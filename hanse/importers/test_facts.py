"""Tables become facts: once, whole, and only what holds."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hanse.importers import FieldMap, ImportRefused, MappingFile, Section, read, ready
from hanse.importers.facts import Import, imported
from hanse.importers.facts_store import FILE
from hanse.importers.facts_testing import bring, entries, firm, sheet, stock
from hanse.kernel.refusal import Refused
from hanse.node.desk import Desk, Who
from hanse.node.verify import verify
from hanse.rooms.catalog.facts import OWN_ITEMS
from hanse.rooms.inventory.facts import STOCK as STOCK_TABLE
from hanse.rooms.inventory.facts import Adjust, AdjustLine
from hanse.rooms.orders.facts import CancelOrder
from hanse.rooms.orders.queries import orders
from hanse.rooms.orders.rows import ORDERS, SHIPMENTS
from hanse.rooms.parties.facts import SITES

SITES_CSV = "site,name,kind,city,country\nHH,Hamburg,warehouse,Hamburg,DE\nKI,Kiel,store,Kiel,DE"
ITEMS = (
    "item,description,unit,each_per_unit,cost,price_per,currency\nB1,Bearing,C62,1,7.90,1,EUR\nB2,Belt,BX,10,25,1,EUR"
)
STOCK = (
    "item,site,bin,lot,quantity_each,counted_at\nB1,HH,A,,10,2024-01-02\nB1,HH,B,,5,2024-01-02\nB2,KI,,L1,40,2024-01-02"
)
ORDERS_CSV = """order,line,kind,customer,item,quantity_ordered,unit,price,currency,ordered_on,due_on
    S1,1,sale,C7,B1,4,C62,12.50,EUR,2024-03-01,2024-03-08
    S1,2,sale,C7,B2,2,BX,30,EUR,2024-03-01,2024-03-08
    P1,10,purchase,,B1,20,C62,7.00,EUR,2024-03-02,2024-03-20"""
ALL = {"sites": SITES_CSV, "items": ITEMS, "stock": STOCK, "orders": ORDERS_CSV}


def states(desk: Desk) -> dict[str, str]:
    """PO number -> state, the newest order of a number."""
    return {row.po_number: row.state for row in reversed(orders(desk.view, limit=500).rows)}


def test_tables_become_facts_and_the_record_verifies(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        found = bring(desk, **ALL)
        assert (found.bad, found.new, found.signed) == (0, 10, True)
        assert found.facts == {
            "catalog.set_own_item": 2, "inventory.count": 1, "orders.place": 2, "parties.set_site": 2,
        }  # fmt: skip
        assert stock(desk) == {("HH", "B1", ""): 15, ("KI", "B2", "L1"): 40}
        (sale,) = [row for row in orders(desk.view).rows if row.side == "sell"]
        assert (sale.partner, sale.ordered_each, sale.amount_minor, sale.unproven) == (
            "C7",
            24,
            4 * 1250 + 20 * 300,
            True,
        )
    report = verify(tmp_path / "n")
    assert report.ok, report.findings


def test_the_same_file_imported_twice_signs_nothing_the_second_time(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        bring(desk, **ALL)
        before = entries(desk)
        again = bring(desk, **ALL)
        assert (again.facts, again.same, entries(desk)) == ({}, 10, before)


def test_a_changed_row_yields_the_update_of_that_row_alone(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        bring(desk, **ALL)
        changed = {**ALL, "items": ITEMS.replace("Bearing", "Ball bearing"), "stock": STOCK.replace("B,,5", "B,,6")}
        found = bring(desk, **changed)
        assert (found.changed, found.facts) == (2, {"catalog.set_own_item": 1, "inventory.count": 1})
        assert stock(desk)["HH", "B1", ""] == 16, "the other bin of the same stock counts with it"
        item = desk.view.get(OWN_ITEMS, desk.view.home, "B1")
        assert item and item.description == "Ball bearing"


def test_a_bin_that_the_file_leaves_out_is_empty_until_it_is_named_again(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        both = "item,site,bin,quantity_each\nB1,HH,A,10\nB1,HH,B,5"
        bring(desk, stock=both)
        bring(desk, stock="item,site,bin,quantity_each\nB1,HH,A,9")
        assert stock(desk)["HH", "B1", ""] == 9
        bring(desk, stock=both)
        assert stock(desk)["HH", "B1", ""] == 15


def test_a_dry_run_says_what_would_be_signed_and_signs_nothing(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        before = entries(desk)
        said = bring(desk, dry_run=True, **ALL)
        assert (said.facts_n, said.signed, entries(desk)) == (7, False, before)
        assert bring(desk, **ALL).facts == said.facts, "and leaves no trace that would keep it from being done"


def test_what_is_lost_of_earlier_imports_is_found_on_the_record(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        bring(desk, **ALL)
        for end in ("", "-wal", "-shm"):
            (tmp_path / "n" / (FILE + end)).unlink(missing_ok=True)
        again = bring(desk, **ALL)
        assert again.facts == {}


def test_one_wrong_line_holds_back_its_whole_order_and_nothing_else(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        found = bring(desk, **{**ALL, "orders": ORDERS_CSV.replace("B2,2,BX", "B2,two,BX")})
        assert found.facts["orders.place"] == 1, "the purchase"
        part = next(section for section in found.sections if section.target == "orders")
        assert (part.good, part.bad) == (1, 2)
        assert part.reasons == {"quantity.not_a_number": 1, "row.group_incomplete": 1}
        assert "S1,1,sale" in part.fixes, "the fix list has the cells of the good line too"
        fixed = part.fixes.replace("two", "2")
        assert bring(desk, orders=_plain(fixed)).facts_n == 1


def _plain(fixes: str) -> str:
    """A fix list without its two columns."""
    rows = [line.split(",") for line in fixes.splitlines()]
    return "\n".join(",".join(row[1:12]) for row in rows)


def test_an_item_that_only_an_order_names_is_set_with_the_words_of_the_order(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        bring(desk, orders="order,item,description,quantity_ordered\nS9,X-77,Odd pump,1")
        item = desk.view.get(OWN_ITEMS, desk.view.home, "X-77")
        assert item and item.description == "Odd pump"


def test_a_count_older_than_the_last_movement_is_listed_and_not_signed(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        bring(desk, **ALL)
        line = AdjustLine(site="HH", own_number="B1", each=-3, reason="consumed")
        desk.do(Adjust(circle=desk.view.home, lines=[line]))
        older = STOCK.replace("A,,10,2024-01-02", "A,,9,2024-02-02").replace("B,,5,2024-01-02", "B,,5,2024-02-02")
        found = bring(desk, stock=older)
        (section,) = found.sections
        assert section.reasons == {"inventory.moved_since": 2}
        assert stock(desk)["HH", "B1", ""] == 12


def test_a_count_in_the_future_is_listed(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        found = bring(desk, **{**ALL, "stock": "item,site,quantity_each,counted_at\nB1,HH,1,2999-01-01"})
        assert found.sections[2].reasons == {"inventory.counted_ahead": 1}


def test_a_changed_order_is_cancelled_and_placed_anew_until_it_has_shipped(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        bring(desk, **ALL)
        more = ORDERS_CSV.replace("B1,4,", "B1,6,")
        assert bring(desk, orders=more).facts == {"orders.cancel": 1, "orders.place": 1}
        shipped = _with(more, "shipped_on", {"S1": "2024-03-05"})
        assert bring(desk, orders=shipped).facts == {"orders.confirm": 1, "orders.ship": 1}
        refused = bring(desk, orders=_with(more.replace("B1,6,", "B1,7,"), "shipped_on", {"S1": "2024-03-05"}))
        assert (refused.facts, refused.sections[0].reasons) == ({}, {"orders.shipped_already": 2})


def _with(text: str, column: str, values: dict[str, str]) -> str:
    """The table with one more column, filled by the order's number."""
    head, *rows = [line.strip() for line in text.splitlines()]
    return "\n".join([f"{head},{column}", *(f"{row},{values.get(row.split(',')[0], '')}" for row in rows)])


RECEIPTS = """order,line,item,received_each,rejected_each,received_on,site
    P1,10,B1,18,3,2024-03-19,HH"""


def test_receipts_say_what_was_good_damaged_and_short(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        bring(desk, **{**ALL, "orders": _with(ORDERS_CSV, "shipped_on", {"P1": "2024-03-10"})})
        assert stock(desk)["HH", "B1", ""] == 15
        found = bring(desk, receipts=RECEIPTS)
        assert found.facts == {"orders.receive": 1}, "the shipment was under way"
        (shipment,) = desk.view.rows(SHIPMENTS)
        (line,) = shipment.lines
        assert (line.each, line.received, line.damaged, line.short) == (20, 15, 3, 2)
        assert stock(desk)["HH", "B1", ""] == 30
        assert bring(desk, receipts=RECEIPTS).facts == {}


def test_a_receipt_without_a_dispatch_leaves_the_rest_of_the_order_open(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        bring(desk, **ALL, receipts=RECEIPTS)
        (order,) = [row for row in orders(desk.view).rows if row.side == "buy"]
        assert (order.state, order.received_each, order.to_ship_each) == ("part_shipped", 15, 2)
        rest = RECEIPTS + "\n    P1,10,B1,5,0,2024-04-02,HH"
        assert bring(desk, receipts=rest).facts == {"orders.receive": 1, "orders.ship": 1}
        row = desk.view.get(ORDERS, order.order)
        assert row and (row.lines[0].received, row.lines[0].over, row.state) == (20, 3, "received")


def test_goods_that_were_counted_since_are_not_added_again(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        later = STOCK.replace("2024-01-02", "2024-06-30")
        bring(desk, **{**ALL, "stock": later}, receipts=RECEIPTS)
        assert stock(desk)["HH", "B1", ""] == 15, "the count of June has what came in March"


def test_a_receipt_that_fits_no_line_is_listed(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        odd = (
            RECEIPTS + "\n    P1,11,B2,1,0,2024-03-19,HH\n    P7,1,B1,1,0,2024-03-19,HH\n    P1,10,B1,1,2,2024-03-20,HH"
        )
        found = bring(desk, **ALL, receipts=odd)
        part = next(section for section in found.sections if section.target == "receipts")
        assert part.reasons == {
            "orders.unknown_order": 1, "receipts.do_not_add_up": 1, "receipts.unknown_line": 1,
        }  # fmt: skip


def test_an_order_of_many_lines_becomes_several(tmp_path: Path) -> None:
    lines = "\n".join(f"S5,{n},sale,C1,I{n},1,1.00,EUR" for n in range(1, 251))
    with firm(tmp_path / "n") as desk:
        found = bring(desk, orders="order,line,kind,customer,item,quantity_ordered,price,currency\n" + lines)
        assert found.facts["orders.place"] == 3
        assert sum(row.ordered_each for row in orders(desk.view).rows) == 250


def test_a_pack_of_unknown_content_is_listed(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        found = bring(desk, **{**ALL, "orders": ORDERS_CSV.replace("B1,4,C62", "B1,4,BX")})
        part = next(section for section in found.sections if section.target == "orders")
        assert part.reasons == {"unit.pack_unknown": 2}


def test_a_role_that_may_not_sign_all_of_it_imports_nothing(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        before = entries(desk)
        keeper = Desk(desk.node, Who("acme", person="w", role="warehouse"))
        with pytest.raises(Refused) as refused:
            bring(keeper, **ALL)
        assert refused.value.code == "desk.not_permitted"
        assert entries(desk) == before
        assert bring(Desk(desk.node, Who("acme")), **ALL).facts_n == 7


def test_an_order_above_a_persons_limit_keeps_the_whole_file_from_being_signed(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        before = entries(desk)
        with pytest.raises(Refused) as refused:
            bring(Desk(desk.node, Who("acme", person="b", approval_limit_minor=10_000)), **ALL)
        assert (refused.value.code, entries(desk)) == ("desk.over_limit", before)


def test_of_two_imports_planned_at_once_the_second_stops_and_nothing_is_there_twice(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        sheets = [sheet(name, text) for name, text in ALL.items() if name != "orders"]
        with Import(desk, sheets, ready("hanse")) as one, Import(desk, sheets, ready("hanse")) as two:
            one.commit()
            with pytest.raises(Refused) as refused:
                two.commit()
        assert refused.value.code == "import.cut_short", "the stock was counted meanwhile"
        assert stock(desk)["HH", "B1", ""] == 15
        assert bring(desk, **{name: text for name, text in ALL.items() if name != "orders"}).facts == {}


def test_a_file_of_many_megabytes_with_one_huge_cell_names_that_row_alone(tmp_path: Path) -> None:
    rows = [f"B{n % 50},HH,{n % 50}" for n in range(50)] + [f'"{"x" * 11_000_000}",HH,1']
    with firm(tmp_path / "n") as desk:
        found = bring(desk, stock="item,site,quantity_each\n" + "\n".join(rows))
        (section,) = found.sections
        assert (section.good, section.reasons) == (50, {"row.cell_too_long": 1})
        assert len(section.fixes) < 100_000


@pytest.mark.slow
def test_of_a_hundred_thousand_rows_the_one_wrong_row_is_named_and_the_others_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "stock.csv"
    with path.open("w") as out:
        out.write("item,site,quantity_each\n")
        wrong = 65_456
        out.writelines(f"A{n % 2_000},S{n // 2_000},{'x' if n == wrong else n % 1_000}\n" for n in range(100_000))
    with firm(tmp_path / "n") as desk:
        steps: list[str] = []
        found = imported(desk, read(path), ready("hanse"), told=lambda what, done, of: steps.append(what))
        assert (found.bad, found.facts["inventory.count"]) == (1, 200)
        assert found.sections[0].fixes.splitlines()[1].startswith("65458,")
        assert desk.view.count(STOCK_TABLE) == 99_999
        assert desk.view.count(STOCK_TABLE, of="SUM(on_hand_each)") == sum(n % 1_000 for n in range(100_000)) - 456
        assert {"reading stock", "stock", "signing"} <= set(steps), "and it tells how far it is"


def test_an_import_that_the_record_overtakes_stops_and_goes_on_the_next_time(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        bring(desk, **ALL)
        more = ORDERS_CSV.replace("B1,4,", "B1,6,")
        (sale,) = [row for row in orders(desk.view).rows if row.side == "sell"]
        with Import(
            desk, [sheet("orders", more), sheet("items", ITEMS.replace("Belt", "V-belt"))], ready("hanse")
        ) as one:
            assert one.planned().facts == {"catalog.set_own_item": 1, "orders.cancel": 1, "orders.place": 1}
            desk.do(CancelOrder(circle=desk.view.home, order=sale.order, reason="by telephone"))
            with pytest.raises(Refused) as refused:
                one.commit()
        assert (refused.value.code, refused.value.retry) == ("import.cut_short", True)
        item = desk.view.get(OWN_ITEMS, desk.view.home, "B2")
        assert item and item.description == "V-belt", "what stood before it stands"
        assert bring(desk, orders=more).facts in ({}, {"orders.place": 1})
        live = [row for row in orders(desk.view).rows if row.side == "sell" and row.state == "placed"]
        assert [row.ordered_each for row in live] == [26], "the order stands once"


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    html, formula = "<script>alert(1)</script>", "=cmd|' /C calc'!A0"
    rows = "\n".join(
        [
            "item,description,brand",
            f'"{html}","{formula}","\u202e\u0000"',
            f'B1,"{html * 40}",x',
            "../../etc,ok,x",
            f"B2,{html},@SUM(A1)",
        ]
    )
    with firm(tmp_path / "n") as desk:
        found = bring(desk, items=rows)
        assert found.sections[0].bad == 2, "a control sign, and a text of a thousand signs"
        kept = {row.own_number: row for row in desk.view.rows(OWN_ITEMS)}
        assert kept["B2"].description == html
        assert kept["../../etc"].description == "ok"
        bring(desk, stock=f'item,site,quantity_each\nB2,"../{html}",5')
        (site,) = desk.view.rows(SITES)
        assert site.name == f"../{html}"
        assert "<" not in site.site and "/" not in site.site


def test_a_file_in_another_encoding_is_read_or_its_row_is_named(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        (latin,) = read("item,description\nB1,Kugellager f\u00fcr H\u00fctten\n".encode("cp1252"), "items")
        imported(desk, [latin], ready("hanse"))
        (item,) = desk.view.rows(OWN_ITEMS)
        assert item.description == "Kugellager f\u00fcr H\u00fctten"
        (wide,) = read("item,description\nB2,L\u00fcfter\n".encode("utf-16"), "items")
        assert imported(desk, [wide], ready("hanse")).facts_n == 1
        for broken in (b"\xff\xfea\0\n\0\0\xd8b\0", b"\xff\xfea\0\n\0b"):
            with pytest.raises(ImportRefused, match=r"table\.broken"):
                next(read(broken, "half a sign")[0].chunks())


def test_a_missing_column_refuses_the_file_and_signs_nothing(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        before = entries(desk)
        strict = MappingFile("x", (Section("stock", "stock", {"item": FieldMap("item"), "site": FieldMap("place"),
                                                             "quantity_each": FieldMap("qty")}),))  # fmt: skip
        with pytest.raises(ImportRefused) as refused:
            bring(desk, strict, stock="item,qty\nB1,5")
        assert refused.value.code == "mapping.no_column"
        assert entries(desk) == before
        assert list((tmp_path / "n").glob("imports-*.tmp*")) == [], "no scratch file is left"


def test_a_file_of_nothing_but_wrong_rows_is_refused_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hanse.importers.facts_stage.WRONG_ROWS_MAX", 50)
    rows = "\n".join(f"B{n},HH,many" for n in range(60))
    with firm(tmp_path / "n") as desk:
        with pytest.raises(ImportRefused) as refused:
            bring(desk, stock="item,site,quantity_each\n" + rows)
        assert refused.value.code == "import.mostly_wrong"


def test_the_firms_own_numbers_stand_nowhere_in_public(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        secret = ORDERS_CSV.replace("S1", "SECRET-4711").replace("C7", "HUSH-CUSTOMER")
        bring(desk, **{**ALL, "orders": secret})
        leaves = b"".join(desk.node.log.segment.iterate(0, desk.node.log.size))
        import base64

        texts = [
            base64.urlsafe_b64decode(part + b"==")
            for part in leaves.replace(b"\n", b".").split(b".")
            if part[:3] == b"eyJ"
        ]
        assert texts
        for text in texts:
            assert b"SECRET" not in text and b"HUSH" not in text
        stranger = desk.node.view("")
        assert stranger.rows(OWN_ITEMS) == []


def test_two_firms_that_import_the_same_file_get_different_names_for_its_orders(tmp_path: Path) -> None:
    names = []
    for at in ("a", "b"):
        with firm(tmp_path / at) as desk:
            bring(desk, **ALL)
            names.append({row.order for row in orders(desk.view).rows})
    assert names[0].isdisjoint(names[1])


QUANTITY = st.dictionaries(st.sampled_from(["A", "B", "C", "D"]), st.integers(0, 50), min_size=1)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(QUANTITY, min_size=1, max_size=4))
def test_after_any_files_in_any_order_stock_is_what_each_last_said(
    tmp_path_factory: pytest.TempPathFactory, files: list[dict[str, int]]
) -> None:
    model: dict[str, int] = {}
    with firm(tmp_path_factory.mktemp("n") / "n") as desk:
        for file in files:
            text = "item,site,quantity_each\n" + "\n".join(f"{item},HH,{each}" for item, each in file.items())
            bring(desk, stock=text)
            # A row that says what it said before is no new count.
            model |= file
            assert {item: each for (_, item, _), each in stock(desk).items()} == model
            assert bring(desk, stock=text).facts == {}

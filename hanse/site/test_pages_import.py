"""Import and export over HTTP: a messy file of people's own shape, corrected, signed, and taken out again."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from hanse.importers import library, load
from hanse.rooms.catalog import queries as catalog
from hanse.rooms.inventory import queries as stock
from hanse.site import pages_jobs as work
from hanse.site.testing import EVIL, SmallTown, Visitor

ITEMS = f"""Artikel-Nr;Bezeichnung;Hersteller;Teilenummer;Preis
KX-1;Kugellager {EVIL};SKF;6205;3,20
KX-2;Keilriemen;Kogge;SPA 1250;4,10
KX-3;O-Ring;Dicht;OR 5;0,09
KX-5;Schraube;Baltic;M5;0,02
;Ohne Nummer;Dicht;X;1,00
"""
STOCK = """Artikel-Nr;Lagerort;Bestand
KX-1;store-eve;1.250
KX-2;store-eve;7
KX-3;store-eve;-4
"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallTown]:
    there = SmallTown(tmp_path_factory.mktemp("town"))
    yield there
    there.close()


@pytest.fixture(scope="module")
def eve(town: SmallTown) -> Visitor:
    return town.visitor("eve")


def code_of(answer: Any) -> str:
    found = re.search(r'class="code">([^<]+)<', answer.text)
    return found.group(1) if found else ""


def send(who: Visitor, name: str, data: bytes) -> Any:
    token = who.token("/import") if "_csrf" in who.get("/import").text else who.token()
    files = {"file": (name, data, "application/octet-stream")}
    return who.client.post(f"/import?_csrf={token}", files=files, follow_redirects=False)


def test_a_file_is_guessed_corrected_and_its_good_rows_signed_at_once(town: SmallTown, eve: Visitor) -> None:
    answer = send(eve, "artikel.csv", ITEMS.encode())
    assert answer.status_code == 303, code_of(answer)
    job = answer.headers["location"]
    text = eve.get(job).text
    assert "artikel" in text and EVIL not in text and "Row 6" in text and "4 new" in text
    assert catalog.matching(town.node.view("eve")).lines == 0, "nothing is signed yet"
    fixes = list(csv.reader(io.StringIO(eve.get(f"{job}/fixes/0").text)))
    assert fixes[0][0] == "hanse_row" and [row[0] for row in fixes[1:]] == ["6"]
    assert eve.post(f"{job}/rows", {"r.0.6.0": "KX-6"}).status_code == 303
    assert "5 new" in eve.get(job).text and "Row 6" not in eve.get(job).text
    assert eve.post(f"{job}/commit", {}).status_code == 303
    view = town.node.view("eve")
    assert catalog.matching(view).lines == 5
    own = catalog.own_item(view, "KX-1")
    assert own is not None and own.item == "item-6205", "brand and part number named it"
    assert catalog.own_item(view, "KX-6") is not None
    assert "Signed." in eve.get(job).text


def test_the_same_file_again_signs_nothing(town: SmallTown, eve: Visitor) -> None:
    whole = ITEMS.replace(";Ohne", "KX-6;Ohne").encode()
    eve.post(f"{send(eve, 'artikel.csv', whole).headers['location']}/commit", {})
    size = town.node.log.size
    answer = send(eve, "artikel.csv", whole)
    text = eve.get(answer.headers["location"]).text
    assert "5 known" in text and "0 new" in text
    eve.post(f"{answer.headers['location']}/commit", {})
    assert town.node.log.size == size


def test_wrong_rows_stay_out_and_the_rest_is_counted(town: SmallTown, eve: Visitor) -> None:
    job = send(eve, "lager.csv", STOCK.encode()).headers["location"]
    assert "quantity.out_of_range" in eve.get(job).text
    assert eve.post(f"{job}/commit", {}).status_code == 303
    lines = {line.own_number: line.on_hand_each for line in stock.stock_list(town.node.view("eve"))}
    assert lines == {"KX-1": 1_250, "KX-2": 7}


def test_a_mapping_is_edited_and_remembered_for_the_next_file(town: SmallTown, eve: Visitor) -> None:
    odd = b"Was;Wo;Wieviel\nKX-5;store-eve;12\n"
    job = send(eve, "odd.csv", odd).headers["location"]
    assert eve.post(f"{job}/mapping", {"t.0": "stock"}).status_code in (303, 422)
    form = {"t.0": "stock", "f.0.item": "Was", "f.0.site": "Wo", "f.0.quantity_each": "Wieviel", "save_as": "Odd one"}
    answer = eve.post(f"{job}/mapping", form)
    assert answer.status_code == 303, code_of(answer)
    assert "1 new" in eve.get(job).text
    again = send(eve, "odd-again.csv", odd.replace(b"12", b"13")).headers["location"]
    text = eve.get(again).text
    assert "Odd-one" in text and "1 new" in text
    assert "Odd-one" not in town.visitor("ann").get("/import").text, "a mapping is its firm's own"
    assert eve.post(f"{again}/mapping", {"t.0": ""}).status_code == 422, "nothing would be left"
    assert "[[section]]" in eve.get(f"{again}/mapping.toml").text


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("empty.csv", b"", "table.empty"),
        ("old.xls", b"\xd0\xcf\x11\xe0" + bytes(600), "table.old_excel"),
        ("a.pdf", b"%PDF-1.7 \n" + b"x" * 200, "table.unknown_format"),
        ("broken.xlsx", b"PK\x03\x04" + bytes(100), "table.broken"),
    ],
)
def test_what_is_no_table_is_refused_as_a_whole(
    town: SmallTown, eve: Visitor, name: str, data: bytes, code: str
) -> None:
    before = len(work.jobs(town.node, "eve"))
    answer = send(eve, name, data)
    assert answer.status_code == 422 and code_of(answer) == code
    assert len(work.jobs(town.node, "eve")) == before, "nothing is kept"


def test_an_upload_is_its_firms_own(town: SmallTown, eve: Visitor) -> None:
    job = send(eve, "../../etc/passwd.csv", ITEMS.encode()).headers["location"]
    ann = town.visitor("ann")
    for path in (job, f"{job}/fixes/0", f"{job}/mapping.toml", "/import/" + "0" * 24, "/import/..%2f..%2fx"):
        assert ann.get(path).status_code == 404, path
    assert ann.post(f"{job}/commit", {}).status_code == 404
    assert "passwd" in eve.get("/import").text and "passwd" not in ann.get("/import").text
    assert not list(town.node.directory.parent.glob("**/etc")), "a name is never a path"


def test_an_upload_needs_a_token_and_a_role_that_signs(town: SmallTown, eve: Visitor) -> None:
    files = {"file": ("a.csv", ITEMS.encode(), "text/csv")}
    assert eve.client.post("/import", files=files, follow_redirects=False).status_code == 403
    viewer = town.visitor("ann", "viewer")
    assert viewer.get("/import").status_code == 404
    assert send(viewer, "a.csv", ITEMS.encode()).status_code == 404
    warehouse = town.visitor("ann", "warehouse")
    answer = send(warehouse, "artikel.csv", ITEMS.encode())
    assert code_of(answer) == "desk.not_permitted", "a warehouse counts, and changes no item master"


def test_templates_are_read_back_as_what_they_are(town: SmallTown, eve: Visitor) -> None:
    text = eve.get("/import/template/stock").text
    assert text.startswith("item,site")
    assert eve.get("/import/template/nothing").status_code == 404


@pytest.mark.parametrize("what", ["orders", "stock", "receipts", "transfers", "offers", "items", "sites"])
def test_tables_are_exported_in_three_forms(town: SmallTown, what: str) -> None:
    bob = town.visitor("bob")
    table = bob.get(f"/export/{what}.csv")
    assert table.status_code == 200 and "attachment" in table.headers["content-disposition"]
    rows = json.loads(bob.get(f"/export/{what}.json").text)
    head = next(csv.reader(io.StringIO(table.text.removeprefix("\ufeff"))))
    assert all(list(row) == head for row in rows)
    assert zipfile.ZipFile(io.BytesIO(bob.get(f"/export/{what}.xlsx").content)).testzip() is None


def test_an_export_holds_the_own_figures_alone(town: SmallTown, eve: Visitor) -> None:
    if "KX-1" not in eve.get("/export/stock.json").text:  # alone, without the tests before it
        for name, data in (("artikel.csv", ITEMS), ("lager.csv", STOCK)):
            eve.post(f"{send(eve, name, data.encode()).headers['location']}/commit", {})
    mine = {row["item"]: row for row in json.loads(eve.get("/export/stock.json").text)}
    assert mine["KX-1"]["quantity_each" if "quantity_each" in mine["KX-1"] else "quantity"]
    assert "bob-6205" not in eve.get("/export/stock.csv").text
    for wrong in ("/export/secrets.csv", "/export/stock.exe", "/export/stock"):
        assert eve.get(wrong).status_code == 404, wrong
    latest = town.accounts.seen.recent(party="eve", limit=1)[0]
    assert latest.what == "export:stock.csv"


OWN_COLUMNS = """
name = "our_erp"
[[section]]
source = "Bestand"
target = "stock"
[section.fields]
item = "Artikel-Nr"
quantity_each = "Menge"
site = "Lagerort"
"""


def test_an_export_is_written_in_the_columns_of_an_own_mapping(town: SmallTown, eve: Visitor) -> None:
    bob = town.visitor("bob")
    library.save(work.mappings_of(town.node, "bob"), load(OWN_COLUMNS))
    shown = bob.get("/export?mapping=our_erp").text
    assert "/export/stock.csv?mapping=our_erp" in shown and "/export/orders.csv" not in shown
    table = bob.get("/export/stock.csv?mapping=our_erp").text.removeprefix("\ufeff")
    head, *rows = csv.reader(io.StringIO(table))
    assert sorted(head) == ["Artikel-Nr", "Lagerort", "Menge"]
    assert "bob-6205" in {dict(zip(head, row, strict=True))["Artikel-Nr"] for row in rows}
    missing = bob.get("/export/orders.csv?mapping=our_erp")
    assert missing.status_code == 422 and code_of(missing) == "export.not_mapped"
    for name in ("../our_erp", "/etc/hanse.toml", "nothing"):
        answer = bob.get("/export/stock.csv", params={"mapping": name})
        assert answer.status_code in (404, 422) and code_of(answer) == "mapping.unknown", name
    assert code_of(eve.get("/export/stock.csv?mapping=our_erp")) == "mapping.unknown", "it is bob's alone"
    assert "our_erp" not in eve.get("/export").text


def test_a_mapping_is_written_on_the_export_page_for_what_only_goes_out(town: SmallTown) -> None:
    bob = town.visitor("bob")
    text = (
        OWN_COLUMNS.replace("our_erp", "moves")
        + """
[[section]]
source = "Umlagerung"
target = "transfers"
[section.fields]
transfer = "Beleg"
total_minor = "Betrag"
"""
    )
    assert bob.post("/export", {"mapping": text}).status_code == 303
    assert "/export/transfers.xlsx?mapping=moves" in bob.get("/export?mapping=moves").text
    assert bob.get("/export/transfers.csv?mapping=moves").text.removeprefix("\ufeff").startswith("Beleg,Betrag")
    for wrong, code in (
        ("name = ", "mapping.not_toml"),
        (text.replace('"transfers"', '"secrets"'), "mapping.unknown_target"),
        (text.replace('"moves"', '"../moves"'), "mapping.name"),
        (text.replace('"moves"', '"hanse"'), "mapping.name"),
    ):
        answer = bob.post("/export", {"mapping": wrong})
        assert answer.status_code in (400, 422) and code_of(answer) == code, code_of(answer)
    assert town.visitor("bob", "viewer").post("/export", {"mapping": text}).status_code in (403, 404)

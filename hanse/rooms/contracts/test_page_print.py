"""The printed contract: the same text and hashes in HTML and PDF, the same bytes for the same agreement."""

import html
import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from hanse.kernel.kept import CHAIN
from hanse.rooms.contracts.page_pdf import FONT, pdf_of
from hanse.rooms.contracts.page_print import printable
from hanse.rooms.contracts.private_rows import VERSIONS
from hanse.rooms.contracts.testing_pages import AgreedTown
from hanse.site.testing import EVIL

BASE = "https://node.example"


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    there = AgreedTown(tmp_path_factory.mktemp("town"))
    there.agree()
    yield there
    there.close()


def hashes(town) -> list[str]:
    version = town.node.view("ann").get(VERSIONS, town.ab, "A1", 1)
    chain = town.node.view("ann").get(CHAIN, town.ab)
    return [version.content.template, version.digest, chain.hash.hex()]


def read_pdf(data: bytes, folder: Path) -> str:
    if shutil.which("pdftotext") is None and os.environ.get("CI") != "true":
        pytest.skip("pdftotext is not installed")
    path = folder / "c.pdf"
    path.write_bytes(data)
    return subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout


def test_page_and_pdf_carry_the_hashes_the_entry_and_a_code(town, tmp_path):
    page = town.visitor("ann").get(f"/contracts/print/{town.ab}/A1")
    assert page.status_code == 200 and EVIL not in page.text and '<path class="qr-ink"' in page.text
    answer = town.visitor("ann").get(f"/contracts/pdf/{town.ab}/A1")
    assert answer.headers["content-type"] == "application/pdf" and answer.content.startswith(b"%PDF-1.")
    entry = town.node.view("ann").get(VERSIONS, town.ab, "A1", 1).position
    found = printable(town.node.view("ann"), town.ab, "A1", BASE)
    wanted = [*hashes(town), dict(found.hashes)["Parameters"]]
    assert len(set(wanted)) == 4 and all(len(one) == 64 for one in wanted)
    for one in wanted:
        assert one in page.text and one.encode() in answer.content, "programs find it without reading the text"
    text = read_pdf(answer.content, tmp_path).replace("\n", "")
    for one in wanted:
        assert one in text
    assert f"Entry {entry}" in text and f"/history/{entry}" in text


def test_the_pdf_says_what_the_page_says(town, tmp_path):
    found = printable(town.node.view("bob"), town.ab, "A1", BASE)
    text = " ".join(read_pdf(pdf_of(found), tmp_path).split())
    for words in ("Bob then pays Ann 2.5% of their value", "muldiv(value, cap, 1000000,", "Signed terms", "Arbiter",
                  "page 1 of", EVIL):  # fmt: skip
        assert words in text, words
    shown = html.unescape(town.visitor("bob").get(f"/contracts/print/{town.ab}/A1").text)
    for clause in found.clauses:
        assert clause.text in shown


def test_the_same_agreement_gives_the_same_bytes_in_every_process(town, tmp_path):
    found = printable(town.node.view("ann"), town.ab, "A1", BASE)
    first = pdf_of(found)
    assert pdf_of(printable(town.node.view("bob"), town.ab, "A1", BASE)) == first, "both parties print the same"
    program = (
        "import sys, msgspec\n"
        "from hanse.rooms.contracts.page_pdf import pdf_of\n"
        "from hanse.rooms.contracts.page_print import Printable\n"
        "sys.stdout.buffer.write(pdf_of(msgspec.json.decode(sys.stdin.buffer.read(), type=Printable)))\n"
    )
    other = subprocess.run([sys.executable, "-c", program], input=msgspec.json.encode(found), capture_output=True,
                           env={"PYTHONHASHSEED": "7", "PYTHONPATH": ":".join(sys.path)}, check=True)  # fmt: skip
    assert other.stdout == first


def test_names_of_all_europe_are_printed_and_long_contracts_break_pages(town, tmp_path):
    found = printable(town.node.view("ann"), town.ab, "A1", BASE)
    name = "Łódź Größe Ελλάδα Київ Çınar ẞ – 12 €"
    many = tuple((f"Label {n}", f"{name} {n} " * 6) for n in range(60))
    odd = msgspec.structs.replace(found, parties=(("Buyer", name, None),), around=many)
    text = " ".join(read_pdf(pdf_of(odd), tmp_path).split())
    assert name in text and "Label 59" in text and "page 3 of" in text


def test_every_page_says_which_of_how_many_it_is_and_what_it_belongs_to(town, tmp_path):
    found = printable(town.node.view("ann"), town.ab, "A1", BASE)
    many = tuple((f"Label {n}", f"row {n} begins and ends on one page " * 9) for n in range(40))
    odd = msgspec.structs.replace(found, title="Wälzlager " * 40, around=many)
    pages = read_pdf(pdf_of(odd), tmp_path).split("\f")[:-1]
    assert len(pages) > 2
    for number, text in enumerate(pages, 1):
        assert f"page {number} of {len(pages)}" in text and "Agreement A1, version 1, entry" in text
        assert "Wälzlager" in text.splitlines()[0] and (number == 1 or "…" in text.splitlines()[0])
    for n in range(40):
        assert sum(text.count(f"row {n} ") for text in pages) == 9
        assert [text.count(f"row {n} ") for text in pages].count(0) == len(pages) - 1, "no row is broken"


def test_letters_that_the_font_has_not_are_marked_and_told_by_their_numbers(town, tmp_path, caplog):
    found = printable(town.node.view("ann"), town.ab, "A1", BASE)
    odd = msgspec.structs.replace(found, parties=(("Seller", "東京 Bearings 🚢", 5), ("Buyer", "Ann", 6)))
    text = " ".join(read_pdf(pdf_of(odd), tmp_path).split())
    assert "\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER} Bearings" in text
    assert "U+6771 U+4EAC Bearings U+1F6A2" in text and "glyph" not in caplog.text
    assert "cannot show" not in read_pdf(pdf_of(found), tmp_path)


def test_a_price_list_is_a_table_on_page_and_paper_and_its_sentence_names_it(town, tmp_path):
    prices = [{"item": item, "price": f"{n}.05", "moq": 1_000 + n, "multiple": 10} for n, item in enumerate(
        ["item-6205", *(f"no-such-{n}" for n in range(90))])]  # fmt: skip
    params = {"currency": "CHF", "prices": prices, "discounts": [[0, "0%"], [5_000, "2.5%"]]}
    town.propose(town.register("price-and-moq"), agreement="A2", proposal="P2", params=params,
                 scope=["item:item-6205", "brand:SKF"])  # fmt: skip
    proposal = html.unescape(town.visitor("ann").get(f"/contracts/p/{town.ab}/P2").text)
    town.sign("ann", "P2")
    found = printable(town.node.view("ann"), town.ab, "A2", BASE)
    said = found.clauses[0].text
    assert "in CHF: the 91 rows of the table “Prices”." in said and "no-such" not in said
    assert found.lists[0].rows[:2] == (("item-6205", "SKF 6205", "1,000", "10", "0.05 CHF"),
                                       ("no-such-0", "–", "1,001", "10", "1.05 CHF"))  # fmt: skip
    assert dict(found.around)["Goods"] == "SKF 6205, brand SKF"
    assert dict(found.params)["Discounts"].startswith("0% from")
    shown = html.unescape(town.visitor("ann").get(f"/contracts/a/{town.ab}/A2").text)
    for text in (proposal, shown, html.unescape(town.visitor("ann").get(f"/contracts/print/{town.ab}/A2").text)):
        assert "table “Prices”" in text and "SKF 6205" in text and ">90.05 CHF</td>" in text
    pages = read_pdf(pdf_of(found), tmp_path).split("\f")
    assert sum(page.count("Minimum quantity") for page in pages) >= 3, "the head stands on every page of the table"
    assert all(any(f"no-such-{n} " in page and f"{n + 1}.05 CHF" in page for page in pages) for n in range(90))


def test_the_partner_prints_it_and_a_stranger_gets_404(town):
    for kind in ("print", "pdf"):
        path = f"/contracts/{kind}/{town.ab}/A1"
        assert town.visitor("bob", "viewer").get(path).status_code == 200
        for party, role in (("eve", "owner"), ("cay", "owner"), ("ann", "warehouse")):
            assert town.visitor(party, role).get(path).status_code == 404
        assert town.visitor().get(path).status_code == 303


def test_the_font_is_small_and_comes_with_its_licence():
    assert FONT.stat().st_size < 200_000
    assert "bitstream-vera" in (FONT.parent / "DejaVuSans-LICENSE.txt").read_text()

"""The printed contract: the same text and hashes in HTML and PDF, the same bytes for the same agreement."""

import html
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
    if shutil.which("pdftotext") is None:
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

"""A new user's first day, in a browser, on a node that serves an empty directory.

A firm is founded, brings two spreadsheets as small firms keep them, sees what is late and what money lies in it, and
invites a second firm by link; that one joins and orders; the parcel is signed for on a phone, without an account; the
record verifies. HANSE_SHOTS=DIR keeps a picture of every step.
"""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import chromium
import pytest
import xlsxwriter
from chromium import listen, shoot
from playwright.sync_api import Browser, Page

from hanse.site.testing import free_port

pytestmark = chromium.MARKS
DAY = 86_400
STOCK = (
    ("Artikelnummer", "Bezeichnung", "Hersteller", "Hersteller-Nr.", "Lagerort", "Bestand", "EK-Preis"),
    ("10017", "Rillenkugellager 6205-2RS", "SKF", "6205-2RSH", "Hauptlager", 120, "3,20"),
    ("10018", "Rillenkugellager 6206-2RS", "SKF", "6206-2RSH", "Hauptlager", 64, "4,15"),
    ("20044", "Keilriemen SPA 1250", "Optibelt", "SPA 1250", "Hauptlager", 15, "11,90"),
    ("30002", "O-Ring NBR 70 20x3", "Freudenberg", "NBR70-20X3", "Hauptlager", 2300, "0,09"),
    ("50001", "Kettenschloss 08B-1", "", "", "Hauptlager", 40, "1,10"),
    ("60001", "Getriebeöl 5 l", "Kettlitz", "", "Hauptlager", -3, "22,00"),
)
"""As a German firm's system exports it. One row cannot be: there are not minus three cans."""
AT_COST = "1,079.10 EUR"


def stock_file(folder: Path) -> Path:
    path = folder / "Lagerbestand.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("Bestand")
        for number, row in enumerate(STOCK):
            sheet.write_row(number, 0, row)
    return path


def orders_file(folder: Path) -> Path:
    def day(days: int) -> str:
        return time.strftime("%Y-%m-%d", time.gmtime(time.time() + days * DAY))

    path = folder / "orders.csv"
    path.write_text(
        "Order No,Order Date,Customer,Part No,Description,Qty,Unit Price,Currency,Requested Date\n"
        f"A-2201,{day(-12)},Werft Nord GmbH,10017,Ball bearing 6205,20,5.90,EUR,{day(-2)}\n"
        f"A-2201,{day(-12)},Werft Nord GmbH,20044,V-belt SPA 1250,4,19.80,EUR,{day(-2)}\n"
        f"A-2202,{day(-5)},Stadtwerke Wismar,30002,O-ring NBR 70 20x3,500,0.24,EUR,{day(3)}\n"
    )
    return path


class Served:
    """`hanse serve --new` on an empty directory: its address, and the link for the owner that it prints."""

    def __init__(self, data: Path) -> None:
        self.data = data
        port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hanse.cli", "serve", "--new", "--data", str(data), "--party", "hafen-technik",
             "--name", "Hafen Technik GmbH", "--city", "Rostock", "--email", "anna@hafen.example", "--port", str(port)],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stderr is not None
        self.address, said = f"http://127.0.0.1:{port}", ""
        while f" on {self.address}" not in said:
            line = self.process.stderr.readline()
            assert line, f"it ended: {said}"
            said += line
        self.link = re.findall(r"http\S+/invitation/\S+", said)[0]
        self._until_it_listens(port)

    def _until_it_listens(self, port: int) -> None:
        for _ in range(1_200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("nobody listens")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(120)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    there = Served(tmp_path / "node")
    yield there
    if there.process.poll() is None:
        there.process.kill()
    there.process.communicate()


def settle(page: Page, name: str) -> None:
    page.wait_for_load_state()
    shoot(page, f"day-{name}")


def brought(page: Page, address: str, path: Path) -> str:
    """A file dropped on Import, read, and its good rows signed; what the page said before."""
    page.goto(f"{address}/import")
    page.set_input_files("#file", path)
    page.click("button:has-text('Read the file')")
    page.wait_for_url("**/import/*")
    settle(page, f"read-{path.stem}")
    said = page.locator("main").inner_text()
    page.click("main button.primary:has-text('Sign')")
    page.wait_for_selector(".callout-good:has-text('Signed.')")
    settle(page, f"signed-{path.stem}")
    return said


def founded(page: Page, served: Served, folder: Path) -> None:
    """The owner's account, two spreadsheets, and a first page with money on it."""
    page.goto(served.link)
    page.fill("[name=name]", "Anna Krüger")
    page.fill("[name=password]", "seven salted cod swim")
    page.fill("[name=repeat]", "seven salted herrings")
    page.click("button.primary")
    page.wait_for_selector("main:has-text('The two passwords differ')")
    assert page.input_value("[name=name]") == "Anna Krüger", "what was typed is kept"
    page.fill("[name=password]", "seven salted cod swim")
    page.fill("[name=repeat]", "seven salted cod swim")
    page.click("button.primary")
    page.wait_for_selector("h2:has-text('Begin here')")
    settle(page, "begin")
    said = brought(page, served.address, stock_file(folder))
    assert "as items: 6 rows, 6 good" in said and "as stock: 6 rows, 5 good, 1 wrong" in said
    assert "Row 7" in said or "Row 8" in said, "the can that cannot be"
    brought(page, served.address, orders_file(folder))
    page.goto(served.address)
    settle(page, "today")
    text = page.locator("main").inner_text()
    assert AT_COST in re.sub(r"\s+", " ", text), "stock at cost"
    assert "Werft Nord GmbH" in text and "197.20 EUR" in text and "late" in text
    page.goto(f"{served.address}/orders")
    assert page.locator("main tbody a:has-text('A-2201')").count() == 1, "an order is called as in the firm's system"


def offered_to_a_second_firm(page: Page, other: Page, served: Served) -> None:
    """An item published out of an own number; an invitation; the other firm joins and opens a relationship."""
    page.goto(f"{served.address}/matching")
    page.click("section:has-text('10017') a:has-text('Publish it as a new item') >> nth=0")
    page.wait_for_selector("text=Filled in from your own number")
    settle(page, "publish")
    page.click("main button.primary")
    page.wait_for_selector("text=matched to")
    page.goto(f"{served.address}/invite-a-firm")
    page.click("button:has-text('Make an invitation')")
    other.goto(page.locator("code.wrap").first.inner_text())
    for name, value in {
        "name": "Kranservice Wismar", "city": "Wismar", "country": "DE", "person": "Bo Lind",
        "email": "bo@kran.example", "password": "three herrings in brine", "repeat": "three herrings in brine",
    }.items():  # fmt: skip
        other.fill(f"[name={name}]", value)
    settle(other, "join")
    other.click("button.primary")
    other.wait_for_url("**/import")
    other.goto(f"{served.address}/parties")
    other.click("main a:has-text('Hafen Technik')")
    other.click("button:has-text('Open a relationship')")
    other.wait_for_selector("text=you trade together")
    page.goto(f"{served.address}/offers/new?number=10017")
    for name, value in {"each": "60", "price": "5.40", "minimum": "4.50"}.items():
        page.fill(f"[name={name}]", value)
    page.click("button:has-text('Earmark and offer')")
    page.wait_for_url("**/offers/o/*")
    settle(page, "offered")


def ordered_and_shipped(page: Page, other: Page, served: Served) -> str:
    """The second firm finds and orders, the first ships; the one-time link on the packing slip."""
    other.goto(f"{served.address}/find?q=6205")
    other.click("main ul.plain a >> nth=0")
    other.fill("#n1", "12")
    other.click("button:has-text('Plan')")
    settle(other, "plan")
    assert other.locator(".callout-bad").count() == 0
    other.click("button:has-text('Order for')")
    other.wait_for_url("**/orders/o/*")
    settle(other, "ordered")
    assert "64.80 EUR" in other.locator("main").inner_text() and "4.50" not in other.content(), "no minimum price"
    page.goto(f"{served.address}/orders?side=sell")
    page.click("main tbody tr:has-text('Kranservice') a >> nth=0")
    page.fill("[name=carrier]", "Nordkurier")
    page.click("main form[action='/orders/do/ship'] button.primary")
    page.wait_for_selector("text=Hafen Technik GmbH shipped")
    settle(page, "shipped")
    page.click("button:has-text('Packing slip with receipt code')")
    settle(page, "slip")
    link = re.search(r"http://[^\s<\"]+/pod/[\w-]+", page.content())
    assert link is not None
    return link.group()


def signed_on_a_phone(phone: Page, link: str) -> None:
    """A name, a line drawn with a finger; the link works once."""
    phone.goto(link)
    phone.get_by_label("Your name").fill("M. Kranich")
    box = phone.locator("canvas").bounding_box()
    assert box is not None
    phone.mouse.move(box["x"] + 30, box["y"] + 50)
    phone.mouse.down()
    phone.mouse.move(box["x"] + 120, box["y"] + 30)
    phone.mouse.up()
    shoot(phone, "day-pod")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    phone.click("main button.primary")
    phone.wait_for_selector("h1:has-text('Thank you')")
    again = phone.goto(link)
    assert again is not None and again.status == 410


def test_a_firm_begins_with_two_spreadsheets_and_ends_its_day_with_a_proof_of_delivery(
    browser: Browser, served: Served, tmp_path: Path
) -> None:
    with chromium.context(browser) as one, chromium.context(browser) as two:
        page, other = one.new_page(), two.new_page()
        errors = [listen(page), listen(other)]
        founded(page, served, tmp_path)
        offered_to_a_second_firm(page, other, served)
        link = ordered_and_shipped(page, other, served)
        with chromium.context(browser, "phone", is_mobile=True, has_touch=True) as pocket:
            phone = pocket.new_page()
            errors.append(listen(phone))
            signed_on_a_phone(phone, link)
        page.goto(f"{served.address}/orders?side=sell")
        page.click("main tbody tr:has-text('Kranservice') a >> nth=0")
        settle(page, "delivered")
        text = page.locator("main").inner_text()
        assert "signed by both" in text and "Proof of delivery" in text
    assert errors == [[], [], []]
    assert served.stop() in (0, -signal.SIGTERM)
    command = [sys.executable, "-m", "hanse.cli", "verify", str(served.data)]
    verified = subprocess.run(command, capture_output=True, check=False)
    assert verified.returncode == 0, verified.stderr

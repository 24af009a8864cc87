"""A town with secrets: what two trading firms, a group and two competitors have, and the words that give it away.

`ann` buys from `bob`; `cay` arbitrates, and lends to ann through the group. `eve` shares the group `pool` with them,
and no relationship. `dan` is a member of the network and of none of their circles.
"""

from __future__ import annotations

import base64
import re
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from hanse.node import joining
from hanse.node.buying import buy
from hanse.node.proposing import Wish, WishLine, choices, propose
from hanse.rooms.accounts import drafting
from hanse.rooms.accounts.facts import BookItems, BookLine, SetTerms
from hanse.rooms.catalog.facts import SetOwnItem
from hanse.rooms.contracts.facts import Dispute, Propose, RegisterTemplate, SignProposal
from hanse.rooms.contracts.private_rows import AWARDS, PROPOSALS
from hanse.rooms.contracts.testing import LATE, library, sha_of
from hanse.rooms.inventory.facts import Count, CountLine, SetPolicy
from hanse.rooms.inventory.offer_facts import ProposeTransfer
from hanse.rooms.orders.delivery_facts import (
    HandOver,
    Rate,
    Receive,
    ReceiveLine,
    ReturnGoods,
    ReturnLineAsked,
    SendMessage,
    Ship,
    ShipLine,
    ShippedLot,
)
from hanse.rooms.orders.facts import (
    ConfirmLine,
    ConfirmOrder,
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
    StockKey,
)
from hanse.rooms.parties.facts import AppointStaff, SetPermit, SetSite
from hanse.site.testing import DAY, SmallTown, Visitor

NUMBERS = {
    "the order's price": 8_731_393,
    "the price of the offer in the relationship": 8_642_197,
    "bob's cost": 5_318_911,
    "bob's minimum price": 6_127_733,
    "what ann's customer pays": 9_413_771,
    "the quoted price": 7_719_481,
    "the cost in the transfer": 4_917_883,
    "bob's credit limit": 31_415_923,
    "an imported invoice": 2_846_177,
    "the approval limit": 3_771_931,
}
"""What a figure is -> minor units."""
WORDS = {
    "the order number of the buyer": "PO-4417-Q",
    "the end customer": "Klinik Nordlicht",
    "the customer's own number": "KL-9931",
    "a part number of bob": "BX-20993",
    "a part number of ann": "AX-77120",
    "a description of bob": "Zapfenlager",
    "a site of bob": "Speicher-Elf",
    "a street": "Am Alten Deich",
    "a mark on the parcel": "Kennwort-Ulme",
    "a message": "der Kran steht",
    "a file's name": "zeichnung-7",
    "a file's words": "Toleranzfeld",
    "a lot": "LOT-55-K",
    "a serial number": "SN-0099812",
    "the carrier": "Fuhrhof Petersen",
    "the tracking number": "TRK-66120",
    "what was damaged": "Rost am Innenring",
    "what the buyer thinks": "Verpackung war nass",
    "why it came back": "falsche Dichtung",
    "who signed": "Jolanta Meyer",
    "who took it": "Karsten Fahrer",
    "the invoice's number": "RE-2026-0417",
    "why an award is disputed": "Kai war gesperrt",
    "a note on an agreement": "Zusatz Hafenmiete",
    "a note on a quotation": "nur diese Woche",
    "a permit": "brand:Schwert",
    "a person of bob": "lagerist-7",
    "a number in a file": "ZX-31-UPLOAD",
    "the name of a file to import": "einkauf-geheim",
    "a partner who is not in the network": "Werft Sonderburg",
}
"""What a word is -> the word."""
FILE = b"Massbild mit Toleranzfeld H7\n"


class Clock:
    """UTC seconds that a test moves."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class SecretTown(SmallTown):
    """The small town, a quarter of trade in it, and `dan`.

    Attributes:
        names: ids of private things, by what they are; nobody but their parties may learn whether they exist.
        public: ids that the record shows to everybody, of things that are the parties' own.
    """

    def __init__(self, folder: Path, now: int = 1_790_000_000) -> None:
        self.moving = Clock(now)
        super().__init__(folder, clock=self.moving)
        joining.host(self.node, "dan", name="Dan", city="Emden")
        self.person("dan", "owner")
        self.do("dan", SetSite(
            circle=self.home("dan"), site="store-dan", name="Store of Dan", site_kind="warehouse", country="DE",
            city="Emden", latitude_microdeg=53_367_000, longitude_microdeg=7_206_000, address="Hafenstrasse 9",
        ))  # fmt: skip
        self.names: dict[str, str] = {}
        self.public = {"circle": self.ab, "order": "order-1", "shipment": "shipment-1", "offer": "offer-1",
                       "quote": "quote-1", "invoice": "invoice-1", "transfer": "transfer-1", "return": "return-1",
                       "message": "message-1"}  # fmt: skip
        self._keep_shelves()
        self._trade()
        self._borrow()
        self._agree_and_bill()
        self._import()
        self.node.publish()

    def _keep_shelves(self) -> None:
        n, w, home = NUMBERS, WORDS, self.home("bob")
        site = w["a site of bob"]
        self.names |= {"own number": w["a part number of bob"], "own number of ann": w["a part number of ann"],
                       "site": site, "lot": w["a lot"]}  # fmt: skip
        self.do(
            "bob",
            SetSite(
                circle=home, site=site, name=f"{site} hinten", site_kind="warehouse", country="DE", city="Bremen",
                latitude_microdeg=53_079_000, longitude_microdeg=8_801_000, address=f"{w['a street']} 4",
            ),
            SetOwnItem(
                circle=home, own_number=w["a part number of bob"], description=w["a description of bob"], brand="",
                part_number="", gtin="", unit="H87", pack_each=1, category="", cost_minor=n["bob's cost"],
                currency="EUR",
            ),
            SetPolicy(
                circle=home, own_number=w["a part number of bob"], minimum_price_minor=n["bob's minimum price"],
                currency="EUR", keep_each=3,
            ),
            Count(circle=home, counted_at=self.now(), lines=[CountLine(
                site=site, own_number=w["a part number of bob"], lot=w["a lot"], each=50,
                unit_cost_minor=n["bob's cost"],
            )]),
            SetPermit(circle=home, permit="permit-1", partner="*", scope=w["a permit"], allow=False),
            AppointStaff(
                circle=home, person=w["a person of bob"], role="seller", approval_limit_minor=n["the approval limit"],
                currency="EUR", active=True, full_name="Bosse",
            ),
            BookItems(circle=home, lines=[BookLine(
                item="book-1", partner=w["a partner who is not in the network"], side="sell", issued_at=self.now(),
                currency="EUR", net_minor=n["an imported invoice"], open_minor=n["an imported invoice"],
            )]),
        )  # fmt: skip
        self.do("ann", SetOwnItem(
            circle=self.home("ann"), own_number=w["a part number of ann"], description="Lager", brand="SKF",
            part_number="6205", gtin="", unit="H87", pack_each=1, category="", cost_minor=0, currency="EUR",
        ))  # fmt: skip

    def _trade(self) -> None:
        n, w = NUMBERS, WORDS
        self.offer("offer-1", circle=self.ab, price=n["the price of the offer in the relationship"])
        self.do("ann", RequestQuote(
            circle=self.ab, quote="quote-1", answer_by=self.now() + DAY, currency="EUR",
            lines=[QuoteAskLine(line=1, each=4, item=w["a description of bob"], own_number=w["a part number of ann"])],
        ))  # fmt: skip
        self.do("bob", Quote(
            circle=self.ab, quote="quote-1", valid_until_at=self.now() + 9 * DAY, currency="EUR",
            note=w["a note on a quotation"], lines=[QuoteLine(
                line=1, each=4, item=w["a description of bob"], unit_price_minor=n["the quoted price"],
                lead_time_days=2,
            )],
        ))  # fmt: skip
        self._agree()
        self._place()
        self._deliver()

    def _agree(self) -> None:
        text, w = library("late-delivery"), WORDS
        self.do("cay", RegisterTemplate(sha256=sha_of(text), text=text))
        self.do("bob", Propose(
            circle=self.ab, agreement="agreement-1", proposal="proposal-1", template=sha_of(text), params=LATE,
            roles={"supplier": "bob", "buyer": "ann"}, arbiter="cay", scope=["*"], objection_seconds=14 * DAY,
            dispute_seconds=7 * DAY, answer_by=self.now() + DAY, note=w["a note on an agreement"],
        ))  # fmt: skip
        found = self.node.view("ann").get(PROPOSALS, self.ab, "proposal-1")
        assert found is not None
        self.do("ann", SignProposal(circle=self.ab, proposal="proposal-1", digest=found.digest))
        self.names |= {"agreement": "agreement-1", "proposal": "proposal-1"}

    def _place(self) -> None:
        n, w = NUMBERS, WORDS
        price, each = n["the order's price"], 6
        line = PlaceLine(
            line=1, each=each, item=w["a description of bob"], own_number=w["a part number of ann"],
            unit_price_minor=price, requested_at=self.now() + 4 * DAY,
        )  # fmt: skip
        to = DeliverTo(mark=w["a mark on the parcel"], street=f"{w['a street']} 9", city="Rostock", country="DE")
        self.do("ann", PlaceOrder(
            circle=self.ab, order="order-1", confirm_by=self.now() + DAY, lines=[line], buyer_party="ann",
            seller_party="bob", po_number=w["the order number of the buyer"], currency="EUR", deliver_to=to,
            drop_ship=True,
        ))  # fmt: skip
        self.do("ann", KeepDocument(
            circle=self.home("ann"), document="document-1", customer=w["the end customer"],
            customer_po_number=w["the customer's own number"], currency="EUR",
            lines=[DocumentLine(
                line=1, item="item-6205", each=each, unit_price_minor=n["what ann's customer pays"],
            )],
            orders=[Covered(order="order-1", lines=[(1, 1)])],
        ))  # fmt: skip
        self.names["document"] = "document-1"
        file = self.desk("ann").keep_file(FILE)
        self.names["file"] = file
        self.do("ann", SendMessage(
            circle=self.ab, message="message-1", order="order-1", text=w["a message"],
            file_name=w["a file's name"] + ".txt", file_hash=file,
            file_bytes=len(FILE),
        ))  # fmt: skip
        promised = ConfirmLine(line=1, each=each, promised_at=self.now() + 4 * DAY)
        self.do("bob", ConfirmOrder(circle=self.ab, order="order-1", lines=[promised]))

    def _deliver(self) -> None:
        w = WORDS
        self.moving.now += 20 * DAY
        stock = StockKey(own_number=w["a part number of bob"], site=w["a site of bob"], lot=w["a lot"])
        lots = [ShippedLot(lot=w["a lot"], each=6, serials=[w["a serial number"]])]
        self.do("bob", Ship(
            circle=self.ab, order="order-1", shipment="shipment-1", carrier=w["the carrier"],
            tracking=w["the tracking number"], lines=[ShipLine(line=1, each=6, lots=lots, from_stock=stock)],
        ))  # fmt: skip
        self.do("bob", HandOver(circle=self.ab, shipment="shipment-1", taken_by=w["who took it"]))
        damaged = ReceiveLine(line=1, received=5, damaged=1, reason=w["what was damaged"])
        self.do("ann", Receive(
            circle=self.ab, shipment="shipment-1", lines=[damaged], received_by=w["who signed"],
        ))  # fmt: skip
        self.do("ann", Rate(circle=self.ab, shipment="shipment-1", score=2, comment=w["what the buyer thinks"]))
        self.do("ann", ReturnGoods(
            circle=self.ab, shipment="shipment-1", return_id="return-1", answer_by=self.now() + 9 * DAY,
            lines=[ReturnLineAsked(line=1, each=1)], reason=w["why it came back"],
        ))  # fmt: skip

    def _borrow(self) -> None:
        """ann buys from cay what cay offers to the group: eve reads the offer, and not the order."""
        self.offer("pool-1", "cay", each=40, price=1000)
        desk = self.desk("ann")
        wish = Wish(
            lines=(WishLine(1, "item-6205", 4),), po_number=WORDS["the order number of the buyer"],
            to=DeliverTo(site="store-ann", latitude_microdeg=54_092_000, longitude_microdeg=12_099_000),
        )  # fmt: skip
        bought = buy(desk, wish, choices(propose(desk.view, wish)))
        self.public["order on the group's offer"] = bought.orders[0].order
        self.do("bob", ProposeTransfer(
            circle=self.ab, transfer="transfer-1", each=2, expires_at=self.now() + 9 * DAY, transfer_kind="sale",
            item="item-6205", lot="", unit_cost_minor=NUMBERS["the cost in the transfer"], markup_ppm=50_000,
            currency="EUR",
        ))  # fmt: skip

    def _agree_and_bill(self) -> None:
        n, w = NUMBERS, WORDS
        self.do("bob", SetTerms(
            circle=self.home("bob"), partner="ann", currency="EUR", payment_days=30, discount_ppm=20_000,
            discount_days=10, tax_ppm=190_000, credit_limit_minor=n["bob's credit limit"], overdue_days_max=20,
            hold=False,
        ))  # fmt: skip
        bill = drafting.invoice(
            self.node.view("bob"), self.ab, "invoice-1", ("shipment-1",), number=w["the invoice's number"]
        )
        assert bill is not None
        self.do("bob", bill)
        self.gross_minor = bill.gross_minor
        [award] = self.node.view("ann").rows(AWARDS)
        self.award_minor = award.amount_minor
        self.names["award"] = award.award
        self.do("bob", Dispute(
            circle=self.ab, dispute="dispute-1", award=award.award, liable="bob", wanted_minor=0,
            reason=w["why an award is disputed"], evidence=[],
        ))  # fmt: skip
        self.names["dispute"] = "dispute-1"

    def _import(self) -> None:
        """bob's own file lies on the node, read and not signed."""
        bob, w = self.visitor("bob", "owner"), WORDS
        rows = f"item,description,brand,part_number\n{w['a number in a file']},x,SKF,6306\n"
        sent = bob.client.post(
            f"/import?_csrf={bob.token()}", follow_redirects=False,
            files={"file": (f"{w['the name of a file to import']}.csv", rows.encode(), "text/csv")},
        )  # fmt: skip
        assert sent.status_code == 303, sent.text
        self.names["import"] = sent.headers["location"].rpartition("/")[2]

    def needles(self) -> dict[str, list[str]]:
        """What a secret is -> the ways in which it may be written."""
        found = {what: [word] for what, word in WORDS.items()}
        for what, minor in {**NUMBERS, "the invoice's gross": self.gross_minor, "the award": self.award_minor}.items():
            found[what] = amounts(minor)
        return found


def amounts(minor: int) -> list[str]:
    """An amount as machines and people write it."""
    whole, cents = f"{minor // 100:,}", f"{minor % 100:02d}"
    spaced = (whole, whole.replace(",", "."), whole.replace(",", " "), whole.replace(",", "’"), whole.replace(",", ""))
    return [str(minor), f"{minor:,}", *(f"{part}{point}{cents}" for part in spaced for point in ".,")]


def found_in(text: str, needles: dict[str, list[str]]) -> list[str]:
    """Which secrets a text gives away, by what they are. Digits count only where they stand alone."""
    return sorted(what for what, forms in needles.items() if any(_stands(form, text) for form in forms))


def _stands(form: str, text: str) -> bool:
    if form not in text:
        return False
    return not form[0].isdigit() or re.search(rf"(?<!\d){re.escape(form)}(?!\d)", text) is not None


_ENCODED = re.compile(r"[A-Za-z0-9_-]{12,}")


def opened(text: str) -> str:
    """A text, and whatever in it reads as base64: facts and disclosures hide nothing there."""
    out = [text]
    for piece in set(_ENCODED.findall(text)):
        for decode in (base64.urlsafe_b64decode, base64.b64decode):
            try:
                out.append(decode(piece + "=" * (-len(piece) % 4)).decode("utf-8", "ignore"))
            except ValueError:
                continue
    return "\n".join(out)


def on_disk(directory: Path) -> Iterator[tuple[str, str]]:
    """(file, all that it says) of a data directory; rows of databases as text, the free pages as well."""
    for path in sorted(directory.rglob("*")):
        if not path.is_file() or path.name.endswith(("-wal", "-shm")):
            continue
        data = path.read_bytes()
        yield str(path.relative_to(directory)), opened(data.decode("utf-8", "replace"))
        if data.startswith(b"SQLite format 3"):
            yield f"{path.name} (rows)", opened("\n".join(_rows(path)))


def _rows(path: Path) -> Iterable[str]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as conn:
        for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in conn.execute(f"SELECT * FROM {name}"):
                yield " ".join(
                    value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in row
                )
    conn.close()


def program(town: SmallTown, party: str) -> tuple[Visitor, dict[str, str]]:
    """A program of a party: a client without cookies, and the header with its token."""
    user = town.users[party, "owner"]
    _, raw = town.accounts.tokens.create(user, party, "test", ("read", "write", "events"), 30)
    return town.visitor(), {"Authorization": f"Bearer {raw}"}


def texts(answers: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    """(address, what it says), encoded parts opened."""
    for address, answer in answers:
        headers = " ".join(f"{name}: {value}" for name, value in answer.headers.items())
        yield address, opened(f"{headers}\n{answer.text}")

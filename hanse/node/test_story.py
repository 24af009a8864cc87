"""The story, on a real node: late goods, accrual with its reason, no objection, credit, rebate, statement.

Nobody signs what follows by itself. A stranger who holds a copy without keys proves every figure; a competitor sees
nothing.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hanse.api.reads import answer, collect
from hanse.kernel.leaves import read_entry
from hanse.kernel.refusal import Refused
from hanse.node.disclosures import FILE as DISCLOSURES
from hanse.node.disclosures import Disclosures
from hanse.node.node import NODE_KEY
from hanse.node.recomputing import HAS_ERASED, NOT_DISCLOSED, PROVEN
from hanse.node.testing_agreed import AgreedTown
from hanse.node.verify import verify
from hanse.rooms.accounts.drafting import invoice
from hanse.rooms.accounts.facts import Allocation, Pay, ReceivePayment
from hanse.rooms.accounts.queries import accruals, open_items
from hanse.rooms.accounts.statements import statement
from hanse.rooms.contracts.queries import award_page
from hanse.rooms.contracts.queries import awards as awards_of
from hanse.rooms.contracts.scorecards import scorecard
from hanse.rooms.orders.rows import ORDERS
from hanse.site.testing import DAY
from hanse.standards import sdjwt

LATE: dict[str, Any] = {
    "currency": "EUR",
    "due_field": "promised_at",
    "period": "7d",
    "rate": "2.5%",
    "cap": "15%",
    "partial": "ceil",
    "terminate_after": "30d",
    "pay_within": "30d",
    "force_majeure": True,
}
REBATE: dict[str, Any] = {
    "currency": "EUR",
    "rebate_period": "month",
    "scheme": "incremental",
    "tiers": [["0.00", "5%"], ["10000.00", "10%"]],
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgreedTown]:
    """The whole story; its tests look at it."""
    town = AgreedTown(tmp_path_factory.mktemp("story"))
    try:
        town.offer("o1", circle=town.ab, price=1000)
        town.agree("late-delivery", LATE, "LATE")
        town.agree("volume-rebate", REBATE, "REBATE")
        town.order("po1", offer="o1")
        town.until(lambda: [row for row in town.view("ann").rows(ORDERS, "state = 'confirmed'")])
        town.pass_days(13)
        town.deliver("po1")
        town.posted = list(awards_of(town.view("bob")))  # type: ignore[attr-defined]
        town.pending = list(accruals(town.view("ann"), "pending"))  # type: ignore[attr-defined]
        bill = invoice(town.view("bob"), town.ab, "i1", ("s-po1",))
        assert bill is not None
        town.do("bob", bill)
        town.do("ann", Pay(circle=town.ab, payment="z1", answer_by=town.now() + 5 * DAY, currency="EUR",
                           amount_minor=bill.gross_minor, method="bank",
                           allocations=[Allocation(item="i1", amount_minor=bill.gross_minor)]))  # fmt: skip
        town.do("bob", ReceivePayment(circle=town.ab, payment="z1", answer_by=town.now() + 5 * DAY))
        town.signed = town.node.log.size  # type: ignore[attr-defined]
        town.pass_days(75)
        yield town
    finally:
        town.close()


def test_late_goods_are_an_accrual_with_its_reason(told: Any) -> None:
    (award,) = told.posted
    assert (award.agreement, award.state, award.label) == ("LATE", "pending", "liquidated_damages")
    assert award.amount_minor == 500, "12 days late are two part-weeks: 2 x 2.5% of 100.00"
    (accrual,) = told.pending
    assert (accrual.amount_minor, accrual.label, accrual.sha256) == (-500, "liquidated_damages", award.sha256)
    page = award_page(told.view("ann"), told.ab, award.award)
    assert page is not None and dict((step.name, step.value) for step in page.steps)["damages"] == "5.00 EUR"


def test_it_stands_by_itself_and_a_rebate_follows_without_anybodys_message(told: Any) -> None:
    entries = [told.node.log.entry(at) for at in range(told.signed, told.node.log.size)]
    assert entries and not any(entry.startswith(b"hanse/1 fact") for entry in entries), "only time passed"
    states = {award.agreement + award.kind: (award.state, award.amount_minor) for award in awards_of(told.view("ann"))}
    assert states["LATEpay"] == ("standing", 500)
    assert states["REBATEpay"] == ("standing", 500), "5% of 100.00 settled, at the end of its month"
    credits_ = {item.subject: item.open_minor for item in open_items(told.view("bob")) if item.item_kind == "award"}
    assert credits_ == {"LATE": -500, "REBATE": -500}


def test_statement_and_scorecard_tell_the_same_on_both_sides(told: Any) -> None:
    sold = statement(told.view("bob"), told.ab, "ann", "EUR")
    bought = statement(told.view("ann"), told.ab, "bob", "EUR", side="buy")
    labels = {step.label: step.amount_minor for step in sold.steps}
    assert labels["closing"] == -1_000
    assert [(step.label, -step.amount_minor) for step in sold.steps] == [
        (step.label, step.amount_minor) for step in bought.steps
    ]
    card = scorecard(told.view("ann"), "bob")
    assert card is not None


def test_whoever_has_a_copy_without_keys_proves_every_figure(told: Any, tmp_path: Path) -> None:
    told.node.publish()
    copy = tmp_path / "copy"
    shutil.copytree(told.node.directory, copy, ignore=shutil.ignore_patterns(NODE_KEY, "keys.db*", "lock"))
    found = verify(copy, figures=True)
    assert found.ok, found.findings
    results = {f.group: f for f in found.recomputed if f.what == "clause result" and f.amount_minor}
    assert {(f.group, f.amount_minor, f.outcome) for f in results.values()} >= {("LATE", 500, PROVEN)}
    assert all(f.entries for f in results.values() if f.group == "LATE")
    books = [f for f in found.recomputed if f.what == "books" and f.circle == told.ab]
    assert [(f.amount_minor, f.outcome) for f in books] == [(-1_000, PROVEN)]


def test_a_competitor_sees_nothing_of_it(told: Any) -> None:
    view = told.view("eve")
    assert awards_of(view) == () and accruals(view) == [] and open_items(view) == []
    assert award_page(view, told.ab, told.posted[0].award) is None
    ids = {
        "circle": told.ab, "agreement": "LATE", "award": told.posted[0].award, "order_id": "po1", "order": "po1",
        "partner": "bob", "party": "bob", "supplier": "bob", "currency": "EUR", "item": "item-6205", "number": "i1",
        "shipment": "s-po1", "offer": "o1", "proposal": "LATE/1",
    }  # fmt: skip
    answered = 0
    for read in collect():
        asked = {name: ids.get(name, "x") for name in read.in_path}
        for who, sees in (("eve", False), ("ann", True)):
            try:
                said = msgspec.json.encode(answer(read, told.desk(who), dict(asked)), enc_hook=str)
            except Refused:
                continue
            answered += sees
            found = [word for word in (b"LATE:", b"REBATE", b"s-po1", b'"z1"') if word in said]
            assert sees or not found, (read.path, found)
    assert answered > 20, "the same questions tell ann much"


def test_who_has_the_record_alone_is_told_what_is_not_disclosed(told: Any, tmp_path: Path) -> None:
    told.node.publish()
    copy = tmp_path / "copy"
    shutil.copytree(told.node.directory, copy, ignore=shutil.ignore_patterns(NODE_KEY, "keys.db*", "lock", "state.db*"))
    with sqlite3.connect(copy / DISCLOSURES) as conn:
        conn.execute("DELETE FROM disclosed WHERE circle = ?", (told.ab,))
    conn.close()
    found = verify(copy, figures=True)
    assert found.ok, found.findings
    assert not [f for f in found.recomputed if f.circle == told.ab and f.outcome == PROVEN]
    (withheld,) = [f for f in found.recomputed if f.circle == told.ab]
    assert withheld.outcome == NOT_DISCLOSED and withheld.name.endswith("facts of this circle")


def test_who_erased_a_persons_name_is_told_so_and_all_figures_still_prove(told: Any, tmp_path: Path) -> None:
    told.node.publish()
    copy = tmp_path / "copy"
    shutil.copytree(told.node.directory, copy, ignore=shutil.ignore_patterns(NODE_KEY, "keys.db*", "lock", "state.db*"))
    at = next(at for at in range(told.node.log.size) if b"orders.receive" in _claims(told.node.log.entry(at)))
    kept = Disclosures(copy)
    assert kept.erase(at, {"received_by"}) == 1
    kept.close()
    found = verify(copy, figures=True)
    assert found.ok, found.findings
    assert {f.outcome for f in found.recomputed if f.what == "clause result"} == {PROVEN}
    assert [(f.outcome, f.name) for f in found.recomputed if f.outcome != PROVEN] == [
        (HAS_ERASED, "1 fact of this circle")
    ]


def _claims(leaf: bytes) -> bytes:
    entry = read_entry(leaf)
    return sdjwt.unb64(entry.body.split(b".")[1]) if entry.form in ("fact", "batched") else b""

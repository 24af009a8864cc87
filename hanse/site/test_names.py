"""What entries and waits call things: whoever is in the matter reads names, everybody else the number on the record."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hanse.kernel.facts import Fact
from hanse.node.history import Told, told
from hanse.rooms.accounts.deal_facts import AcceptAssignment, AcceptEscrow, AssignDebt, HoldEscrow, NettingOpen
from hanse.rooms.accounts.facts import SetTerms
from hanse.rooms.group.facts import Charter, Commit, Join, OpenRound, PriceTier, RateTier, ReportPurchases, SetRebate
from hanse.rooms.inventory.offer_facts import AcceptTransfer, Earmark, ProposeTransfer, Want, WithdrawWant
from hanse.rooms.orders.delivery_facts import (
    AcceptedLine,
    AcceptReturn,
    Receive,
    ReturnGoods,
    ReturnLineAsked,
    Ship,
    ShipLine,
)
from hanse.rooms.orders.facts import Covered, DocumentLine, Hold, KeepDocument, QuoteAskLine, RequestQuote, StockKey
from hanse.site.pages_history import figures
from hanse.site.places import Places
from hanse.site.sentences import sentence
from hanse.site.testing import DAY, SmallTown

MOVE, ROUND, GROUP, RETURN = "move-0a1b2c3d4e5", "round-0a1b2c3d4e", "group-0a1b2c3d4e", "R-0a1b2c3d4e5f"
ORDER, HOLD, OFFER, QUOTE = (f"{kind}-0a1b2c3d4e5f0a1b2c3d" for kind in ("o", "hold", "of", "q"))
ESCROW, DEBT, NET, WANT = "esc-0a1b2c3d4e5f", "debt-0a1b2c3d4e5", "net-0a1b2c3d4e5f", "want-0a1b2c3d4e5"
SECRETS = ("SKF", "6205", "4500017", "Baltic", "RE-17", "H1-26", "Bob", "Ann", "Cay", "The pool", "40 each of", "EUR")


def _transfers(town: SmallTown) -> None:
    for name, each in ((MOVE, 7), ("T-17", 3)):
        mark = Earmark(circle=town.home("bob"), offer=name, own_number="bob-6205", site="store-bob", lot="", owner="",
                       each=each, minimum_price_minor=0, currency="EUR")  # fmt: skip
        town.do("bob", mark, ProposeTransfer(
            circle=town.ab, transfer=name, each=each, expires_at=town.now() + DAY, transfer_kind="sale", lot="",
            item="item-6205", unit_cost_minor=700, markup_ppm=0, currency="EUR",
        ))  # fmt: skip
        town.do("ann", AcceptTransfer(circle=town.ab, transfer=name, site="store-ann"))


def _group(town: SmallTown) -> None:
    now, priced = town.now(), [PriceTier(from_each=10, unit_price_minor=900)]
    town.do("ann", Charter(circle=town.pool, group=GROUP, name="Baltic Buyers", currency="EUR", purpose=""))
    town.do("bob", Join(circle=town.pool, group=GROUP))
    for name in (ROUND, "round-spring"):
        town.do("ann", OpenRound(circle=town.pool, group=GROUP, round=name, commit_by=now + DAY, item="item-6205",
                                 supplier="cay", currency="EUR", tiers=priced, note=""))  # fmt: skip
    town.do("ann", SetRebate(
        circle=town.pool, group=GROUP, rebate="H1-26", supplier="cay", currency="EUR", from_at=now - DAY,
        until_at=now + DAY, scheme="retroactive", tiers=[RateTier(from_minor=0, ppm=10_000)],
    ))  # fmt: skip
    town.do("bob", Commit(circle=town.ab, round=ROUND, each=40, price_max_minor=0), ReportPurchases(
        circle=town.ab, rebate="H1-26", currency="EUR", signed_minor=0, imported_minor=0, documents=0,
    ))  # fmt: skip
    town.do("ann", NettingOpen(circle=town.pool, cycle=NET, submit_by=now + DAY, sign_seconds=DAY, currency="EUR"))


def _trade(town: SmallTown) -> None:
    now, ab = town.now(), town.ab
    town.offer(OFFER, "bob", each=20)
    town.do("ann", Hold(circle=town.pool, hold=HOLD, offer=OFFER, each=2, until_at=now + DAY, claim="a" * 64))
    town.order(ORDER, each=10)
    town.confirm(ORDER)
    town.do("ann", HoldEscrow(circle=ab, escrow=ESCROW, order=ORDER, answer_by=now + DAY, settle_by=now + 9 * DAY,
                              holder="bob", currency="EUR", amount_minor=10_000))  # fmt: skip
    stock = StockKey(own_number="bob-6205", site="store-bob", lot="")
    town.do("bob", AcceptEscrow(circle=ab, escrow=ESCROW), Ship(
        circle=ab, order=ORDER, shipment="S-0a1b2c3d4e5f", lines=[ShipLine(line=1, each=10, from_stock=stock)],
    ))  # fmt: skip
    town.do("ann", Receive(circle=ab, shipment="S-0a1b2c3d4e5f"), ReturnGoods(
        circle=ab, shipment="S-0a1b2c3d4e5f", return_id=RETURN, answer_by=now + DAY,
        lines=[ReturnLineAsked(line=1, each=4)], reason="",
    ))  # fmt: skip
    town.do("bob", AcceptReturn(circle=ab, return_id=RETURN, lines=[AcceptedLine(line=1, each=4)]), AssignDebt(
        circle=ab, assignment=DEBT, answer_by=now + DAY, step="arrives", supplier="bob", customer="ann", third="cay",
        item="", currency="EUR", amount_minor=5_000, due_at=now + DAY, reference="RE-17",
    ))  # fmt: skip
    lines = [QuoteAskLine(line=n, each=5, item="item-6205", own_number="A-77") for n in (1, 2)]
    town.do("ann", AcceptAssignment(circle=ab, assignment=DEBT),
            RequestQuote(circle=ab, quote=QUOTE, answer_by=now + DAY, lines=lines, currency="EUR"),
            Want(circle=ab, want=WANT, expires_at=now + DAY, item="item-6205", each=6, borrow=False, country="DE",
                 city="Rostock", latitude_microdeg=54_092_000, longitude_microdeg=12_099_000, note=""),
            WithdrawWant(circle=ab, want=WANT))  # fmt: skip


def _own_books(town: SmallTown) -> None:
    line = DocumentLine(line=1, item="item-6205", each=10, unit_price_minor=1500)
    town.do("ann", KeepDocument(
        circle=town.home("ann"), document="doc-0a1b2c3d4e5f0a1b2c3d", customer="Werft", customer_po_number=ORDER,
        currency="EUR", lines=[line], orders=[Covered(order=ORDER, lines=[(1, 1)])],
    ))  # fmt: skip
    for partner in ("*", "bob", "~Werft"):
        town.do("ann", SetTerms(
            circle=town.home("ann"), partner=partner, currency="EUR", payment_days=30, discount_ppm=0, discount_days=0,
            tax_ppm=0, credit_limit_minor=10_000, overdue_days_max=30, hold=False,
        ))  # fmt: skip


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallTown]:
    there = SmallTown(tmp_path_factory.mktemp("town"))
    for step in (_transfers, _group, _trade, _own_books):
        step(there)
    there.node.publish()
    yield there
    there.close()


def said(town: SmallTown, party: str, fact: type[Fact]) -> list[str]:
    """What the entries of a kind say to a party, the first one first."""
    view = town.node.view(party)
    entries = [told(town.node, view, at) for at in range(town.node.log.size)]
    return [sentence(view, one).text.partition(") ")[2] or sentence(view, one).text
            for one in entries if one.kind == fact.kind]  # fmt: skip


ENTRIES: list[tuple[type[Fact], str, str]] = [
    (AcceptTransfer, "accepted the transfer of 7 each of SKF 6205: the goods have passed", f"transfer {MOVE}"),
    (Join, "joined the group Baltic Buyers", f"group {GROUP}"),
    (OpenRound, "opened the purchasing round for SKF 6205", f"purchasing round {ROUND}"),
    (Commit, "committed 40 each to the purchasing round for SKF 6205", "to a purchasing round"),
    (SetRebate, "stated rebate H1-26 of Cay to the group", "stated a rebate"),
    (ReportPurchases, "told the manager what it bought under rebate H1-26 of Cay", "under a rebate"),
    (NettingOpen, "opened the netting cycle of the group The pool", f"netting cycle {NET}"),
    (Hold, "reserved 2 each of the offer of SKF 6205", f"offer {OFFER}"),
    (AcceptEscrow, "holds the money of the escrow for order 4500017", "holds the money."),
    (AcceptReturn, "answered the return of goods of order 4500017: 1 line", f"return {RETURN}"),
    (AssignDebt, "proposed that the debt of 50.00 EUR for RE-17 passes", "that a debt passes"),
    (AcceptAssignment, "accepted that the debt of 50.00 EUR for RE-17 passes", "that a debt passes"),
    (RequestQuote, "asked for a quote for SKF 6205 and 1 more from Bob", f"quote {QUOTE}"),
    (WithdrawWant, "took back what it had asked for: 6 each of SKF 6205", "had asked for."),
    (KeepDocument, "kept a customer’s document for PO 4500017", "document doc-"),
    (SetTerms, "set its terms for all without their own: credit up to 100.00 EUR", "for a partner"),
]


@pytest.mark.parametrize(("fact", "mine", "theirs"), ENTRIES, ids=lambda given: getattr(given, "kind", None))
def test_a_party_reads_the_name_and_a_stranger_the_number(
    town: SmallTown, fact: type[Fact], mine: str, theirs: str
) -> None:
    assert mine in said(town, "ann", fact)[0]
    stranger = said(town, "", fact)[0]
    assert theirs in stranger and not [secret for secret in SECRETS if secret in stranger], stranger


def test_a_competitor_in_the_group_reads_no_name_of_others_relationships(town: SmallTown) -> None:
    for fact, _, theirs in ENTRIES:
        text = said(town, "eve", fact)[0]
        if fact not in (Join, OpenRound, SetRebate, NettingOpen, Hold):
            assert theirs in text and not [secret for secret in SECRETS if secret in text], text
    assert "for SKF 6205" in said(town, "eve", OpenRound)[0], "a round is the whole group's"


def test_a_number_that_a_person_gave_stays(town: SmallTown) -> None:
    assert "accepted transfer T-17: " in said(town, "ann", AcceptTransfer)[1]
    assert "opened purchasing round spring for SKF 6205" in said(town, "ann", OpenRound)[1]
    assert "for Bob: " in said(town, "ann", SetTerms)[1] and "for Werft: " in said(town, "ann", SetTerms)[2]


WAITS = [
    (f"transfer/{MOVE}", "The proposal of the transfer of 7 each of SKF 6205 has ended", f"of transfer {MOVE}"),
    (f"want/{WANT}", "What was asked for, 6 each of SKF 6205, is no longer", f"What was asked for in {WANT} is"),
    (f"offer/{OFFER}", "The offer of SKF 6205 has ended.", f"Offer {OFFER} has ended."),
    (f"orders.hold_over/{HOLD}", "The reservation of 2 each of the offer of SKF 6205", f"Reservation {HOLD} has"),
    (f"orders.quote_over/{QUOTE}", "The quote for SKF 6205 and 1 more is no", f"Quote {QUOTE} is no longer open."),
    (f"orders.return_unanswered/{RETURN}", "The return of goods of order 4500017 was", f"Return {RETURN} was not"),
    (
        f"group.round_waits/{ROUND}",
        "A term of the purchasing round for SKF 6205",
        f"A term of purchasing round {ROUND}",
    ),
    (f"accounts.escrow_ends/{ESCROW}", "The escrow for order 4500017 has ended.", f"Escrow {ESCROW} has ended."),
    (
        f"accounts.assignment_unaccepted/{DEBT}",
        "The debt of 50.00 EUR for RE-17 was not",
        f"Hand-over of a debt {DEBT}",
    ),
    (f"accounts.netting_waits/{NET}", "A term of the netting cycle of the group The pool", f"netting cycle {NET}"),
]


@pytest.mark.parametrize(("kind", "mine", "theirs"), WAITS, ids=[kind.partition("/")[0] for kind, _, _ in WAITS])
def test_a_wait_is_told_by_name_to_its_parties_alone(town: SmallTown, kind: str, mine: str, theirs: str) -> None:
    wait = Told(1, "timer", "ok", 1, 0, kind=kind)
    assert mine in sentence(town.node.view("ann"), wait).text
    stranger = sentence(town.node.view(""), wait).text
    assert theirs in stranger and not [secret for secret in SECRETS if secret in stranger], stranger


def test_no_sentence_says_none_to_anybody(town: SmallTown) -> None:
    for party in ("ann", "eve", ""):
        view = town.node.view(party)
        texts = [sentence(view, told(town.node, view, at)).text for at in range(town.node.log.size)]
        assert not [text for text in texts if "None" in text or "UNSET" in text]


def test_the_figures_of_an_entry_give_the_name_with_the_number(town: SmallTown) -> None:
    at = next(n for n in range(town.node.log.size) if told(town.node, town.node.view(""), n).kind == Hold.kind)
    for party, shown in (("ann", f"the offer of SKF 6205 ({OFFER})"), ("", OFFER)):
        view = town.node.view(party)
        rows = figures(view, told(town.node, view, at), Places(set()))
        assert shown in [getattr(value, "text", value) for name, value, _ in rows if name == "offer"], party

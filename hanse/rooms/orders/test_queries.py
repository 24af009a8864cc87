"""The list, the page, the worklists and the figures."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from hanse.kernel.refusal import Refused
from hanse.rooms.orders.checks import files_named
from hanse.rooms.orders.delivery_facts import HandOver, ReceiveLine, SendMessage
from hanse.rooms.orders.documents import delivery_note, order_confirmation, packing_slip
from hanse.rooms.orders.facts import ConfirmLine, Covered, DeclineOrder, DocumentLine, KeepDocument
from hanse.rooms.orders.message_queries import may_read_file
from hanse.rooms.orders.queries import order_page, orders
from hanse.rooms.orders.quote_queries import quotes
from hanse.rooms.orders.recent import recent
from hanse.rooms.orders.test_quotes import ask, quoted
from hanse.rooms.orders.testing import DAY, Market
from hanse.rooms.orders.worklists import document_page, figures, late_lines, open_lines, to_ship
from hanse.rooms.testing import home


@pytest.fixture
def market() -> Market:
    return Market()


def several(market: Market) -> None:
    """a: placed. b: confirmed. c: delivered. d: declined. e: ann's to cay. f: bob's own, to an outsider."""
    market.must("ann", market.order_fact("a", market.line(each=1)), market.order_fact("b", market.line(each=5)))
    market.must("bob", market.confirm_fact("b", (1, 4)))
    market.delivered("c", each=3, shipment="sc")
    market.now += 60
    market.must("ann", market.order_fact("d", market.line(each=2)), market.order_fact("e", circle=market.AC))
    market.must("bob", DeclineOrder(circle=market.AB, order="d"), market.own_order("f", market.line(each=7)))


def test_the_list_filters_by_side_state_partner_text_and_time(market: Market) -> None:
    several(market)
    ann, bob = market.view("ann"), market.view("bob")
    names = lambda page: [row.order for row in page.rows]  # noqa: E731
    assert names(orders(ann)) == ["e", "d", "c", "b", "a"]
    assert names(orders(bob)) == ["f", "d", "c", "b", "a"]
    assert names(orders(ann, side="sell")) == []
    assert names(orders(bob, side="sell", sort="oldest")) == ["a", "b", "c", "d", "f"]
    assert names(orders(ann, states=("placed",))) == ["e", "a"]
    assert names(orders(ann, states=("received", "declined"))) == ["d", "c"]
    assert names(orders(ann, partner="cay")) == ["e"]
    assert names(orders(bob, text="klinik")) == ["f"]
    assert names(orders(ann, placed_from=market.now)) == ["e", "d"]
    assert names(orders(ann, placed_until=market.now)) == ["c", "b", "a"]
    assert names(orders(bob, unproven=True)) == ["f"]
    assert names(orders(ann, sort="amount")) == ["e", "b", "c", "d", "a"]
    assert names(orders(ann, sort="partner")) == ["a", "b", "c", "d", "e"]
    market.tick(4 * DAY)
    assert names(orders(market.view("ann"), late=True)) == ["b"]


def test_a_row_says_what_is_open_to_ship_and_received(market: Market) -> None:
    several(market)
    by = {row.order: row for row in orders(market.view("ann")).rows}
    assert (by["b"].ordered_each, by["b"].open_each, by["b"].to_ship_each) == (5, 1, 4)
    assert (by["c"].received_each, by["c"].in_transit_each, by["c"].state) == (3, 0, "received")
    assert (by["b"].partner, by["b"].partner_name, by["b"].amount_minor, by["b"].currency) == (
        "bob",
        "Bob",
        5000,
        "EUR",
    )
    assert by["a"].position == market.order_of("a").position > 0
    assert not any(row.late for row in by.values())
    market.tick(4 * DAY + 1)
    assert [row.order for row in orders(market.view("ann")).rows if row.late] == ["b"]


@pytest.mark.parametrize("sort", ["newest", "oldest", "due", "amount", "partner"])
@pytest.mark.parametrize("states", [(), ("placed", "confirmed")])
def test_pages_by_cursor_together_are_the_whole_list(market: Market, sort: str, states: tuple[str, ...]) -> None:
    several(market)
    for n in range(9):
        market.must("ann", market.order_fact(f"x{n}", market.line(each=1 + n % 3)))
    ann = market.view("ann")
    whole = [row.order for row in orders(ann, sort=sort, states=states).rows]  # type: ignore[arg-type]
    seen: list[str] = []
    cursor = ""
    while True:
        page = orders(ann, sort=sort, states=states, limit=3, cursor=cursor)  # type: ignore[arg-type]
        seen += [row.order for row in page.rows]
        cursor = page.cursor
        if not cursor:
            break
    assert seen == whole and len(whole) == len(set(whole)) >= 11
    with pytest.raises(Refused, match=r"orders\.bad_cursor"):
        orders(ann, cursor="zz")


def test_lists_walk_an_index_instead_of_sorting_the_book(market: Market) -> None:
    seen: list[str] = []
    market.state.conn.set_trace_callback(seen.append)
    orders(market.view("ann"))
    orders(market.view("ann"), side="buy")
    figures(market.view("ann"), "buy")
    market.state.conn.set_trace_callback(None)
    asked = [sql for sql in seen if "orders_mine" in sql and "JOIN" in sql]
    plans = [" | ".join(row[3] for row in market.state.conn.execute(f"EXPLAIN QUERY PLAN {sql}")) for sql in asked]
    assert "orders_mine__circle_placed_at_order_id" in plans[0] and "ORDER BY" not in plans[0]
    assert "orders_mine__circle_side_placed_at_order_id" in plans[1] and "ORDER BY" not in plans[1]
    assert plans[2].count("PRIMARY KEY") == 4 and "SCAN" not in plans[2]


def test_a_file_is_for_those_in_whose_circle_a_message_or_receipt_names_it(market: Market) -> None:
    market.must("ann", market.order_fact("po1"), SendMessage(circle=market.AB, message="m1", file_hash="a" * 64))
    market.must("bob", market.confirm_fact("po1"), market.ship_fact("po1", "s1", stock="bob-6205"))
    market.must("ann", market.receive_fact("s1", signature_hash="b" * 64, photo_hash="c" * 64))
    for name in ("a", "b", "c"):
        may = [may_read_file(market.view(party), name * 64) for party in ("ann", "bob", "cay", "eve", "")]
        assert may == [True, True, False, False, False]
    assert not may_read_file(market.view("ann"), "d" * 64)
    assert sorted(files_named(market.view("ann"))) == [name * 64 for name in ("a", "b", "c")]
    assert files_named(market.view("eve")) == [], "of the reader's circles alone"


def test_the_page_shows_who_signed_what_and_where(market: Market) -> None:
    market.must("ann", market.order_fact("po1"))
    market.must(
        "bob",
        market.confirm_fact("po1"),
        market.ship_fact("po1", "s1", stock="bob-6205"),
        HandOver(circle=market.AB, shipment="s1"),
    )
    market.must(
        "ann",
        SendMessage(circle=market.AB, message="m1", order="po1", text="thanks"),
        market.receive_fact("s1", ReceiveLine(line=1, received=9)),
    )
    page = order_page(market.view("ann"), "po1")
    assert page is not None
    assert [(s.step, s.party) for s in page.timeline] == [
        ("placed", "ann"),
        ("confirmed", "bob"),
        ("shipped", "bob"),
        ("handed_over", "bob"),
        ("message", "ann"),
        ("received", "ann"),
    ]
    assert [s.entry for s in page.timeline] == sorted(s.entry for s in page.timeline)
    assert not any(s.unproven or s.private_refusal for s in page.timeline)
    proof = page.shipments[0].proof
    assert (proof.word, proof.method) == ("both", "account")
    assert (proof.handed_over_entry, proof.received_entry) == (page.timeline[3].entry, page.timeline[5].entry)
    assert (page.lines[0].in_time_each, page.lines[0].late_each, page.messages[0].text) == (9, 0, "thanks")
    assert (page.buyer_name, page.seller_name, page.side) == ("Ann", "Bob", "buy")


def test_the_page_marks_what_is_unproven_and_what_the_circle_refused(market: Market) -> None:
    circle = home("bob")
    market.must(
        "bob",
        market.own_order("so1"),
        market.confirm_fact("so1", circle=circle),
        market.ship_fact("so1", "s1", circle=circle),
        market.receive_fact("s1", circle=circle),
    )
    own = order_page(market.view("bob"), "so1")
    assert own is not None and own.unproven and own.shipments[0].proof.word == "one-sided"
    assert all(step.unproven for step in own.timeline)
    market.must("ann", market.order_fact("po1"))
    market.do("bob", market.confirm_fact("po1", lines=[ConfirmLine(line=1, each=10, substitute="x")]))
    page = order_page(market.view("ann"), "po1")
    assert page is not None
    assert [step.private_refusal for step in page.timeline] == ["", "orders.undeclared_change"]
    market.must("ann", market.order_fact("po2"))
    market.must("bob", market.confirm_fact("po2"), market.ship_fact("po2", "s2", stock="bob-6205"))
    market.tick(14 * DAY)
    page = order_page(market.view("ann"), "po2")
    assert page is not None
    assert (page.shipments[0].proof.word, page.timeline[-1].unproven) == ("deemed", True)


def test_worklists_say_what_to_ship_from_which_stock_and_what_is_late(market: Market) -> None:
    market.offer("o1", each=40)
    market.must("ann", market.order_fact("po1", market.line(1, 10, "o1"), market.line(2, 5)))
    dates = [
        ConfirmLine(line=1, each=6, promised_at=market.now + DAY),
        ConfirmLine(line=1, each=2, promised_at=market.now + 3 * DAY),
    ]
    market.must("bob", market.confirm_fact("po1", lines=dates))
    bob = market.view("bob")
    shown = [(w.what, w.line, w.each, w.own_number, w.site) for w in to_ship(bob, market.now + 2 * DAY)]
    assert shown == [("to ship", 1, 6, "bob-6205", "store-bob")]
    assert [(w.what, w.line, w.each) for w in open_lines(bob)] == [
        ("to ship", 1, 6),
        ("to ship", 1, 2),
        ("open", 1, 2),
        ("open", 2, 5),
    ]
    assert late_lines(bob) == ()
    market.must("bob", market.ship_fact("po1", "s1", (1, 6)))
    market.tick(4 * DAY)
    assert [(w.what, w.each) for w in late_lines(market.view("ann"))] == [("in transit", 6), ("to ship", 2)]
    assert [w.own_number for w in open_lines(market.view("ann"))] == ["", "", ""]


def test_figures_count_proven_and_unproven_promises_apart(market: Market) -> None:
    circle = home("bob")
    for n, lines in enumerate(([], [], [ReceiveLine(line=1, received=1)])):
        market.must("ann", market.order_fact(f"p{n}"))
        market.must("bob", market.confirm_fact(f"p{n}"), market.ship_fact(f"p{n}", f"s{n}", stock="bob-6205"))
        market.must("ann", market.receive_fact(f"s{n}", *lines))
    market.must(
        "bob",
        market.own_order("so1"),
        market.confirm_fact("so1", circle=circle),
        market.ship_fact("so1", "own", circle=circle),
        market.receive_fact("own", circle=circle),
    )
    market.must("ann", market.order_fact("open"))
    mine, theirs = figures(market.view("bob"), "sell"), figures(market.view("ann"), "buy")
    assert (mine.kept_ppm, mine.dated_n, mine.kept_n) == (666_666, 3, 2)
    assert (mine.unproven_dated_n, mine.unproven_kept_n) == (1, 1)
    assert (theirs.kept_ppm, theirs.unproven_dated_n) == (666_666, 0)
    for side, whole, party in (("sell", mine, "bob"), ("buy", theirs, "ann")):
        few = recent(market.view(party), side, 90)
        assert (few.kept_ppm, few.dated_n, few.kept_n) == (whole.kept_ppm, whole.dated_n, whole.kept_n)
        assert (few.unproven_dated_n, few.unproven_kept_n) == (whole.unproven_dated_n, whole.unproven_kept_n)
        assert few.lines == whole.lines and few.traded
    assert recent(market.view("eve"), "buy", 90).dated_n == 0 and not recent(market.view("eve"), "sell", 90).traded
    assert mine.orders == {"placed": 1, "received": 4} and mine.lines["open"] == 1
    assert (
        mine.lines["late"] <= mine.lines["all"] <= sum(mine.lines[what] for what in ("open", "to ship", "in transit"))
    )
    assert figures(market.view("bob"), "sell", arrived_from=market.now + 1).kept_ppm == -1
    assert figures(market.view("bob"), "buy").orders == {}


def test_a_document_over_two_owners_is_one_document(market: Market) -> None:
    market.must(
        "ann", market.order_fact("p1", market.line(1, 6)), market.order_fact("p2", market.line(1, 4), circle=market.AC)
    )
    market.must(
        "ann",
        KeepDocument(
            circle=home("ann"),
            document="d1",
            customer="Klinik Nord",
            customer_po_number="77",
            currency="EUR",
            lines=[DocumentLine(line=1, item="item-6205", each=12, unit_price_minor=1500)],
            orders=[Covered(order="p1", lines=[(1, 1)]), Covered(order="p2", lines=[(1, 1)])],
        ),
    )
    page = document_page(market.view("ann"), "d1")
    assert page is not None
    assert (page.covered_each, page.price_minor, page.cost_minor) == ({1: 10}, 18_000, 10_000)
    assert [p.seller_name for p in page.orders] == ["Bob", "Cay"]
    assert document_page(market.view("bob"), "d1") is None


def test_quotes_show_each_side_its_partner(market: Market) -> None:
    market.must("ann", ask(market))
    market.must("bob", quoted(market))
    ann, bob = quotes(market.view("ann")), quotes(market.view("bob"), states=("quoted",))
    assert [(q.side, q.partner, q.terms.quoted[0].unit_price_minor) for q in ann] == [("buy", "bob", 880)]
    assert [(q.side, q.partner) for q in bob] == [("sell", "ann")]
    assert quotes(market.view("ann"), states=("asked",)) == ()


def test_documents_of_an_order_agree_with_its_page(market: Market) -> None:
    market.must("ann", market.order_fact("po1"))
    market.must("bob", market.confirm_fact("po1", (1, 6)), market.ship_fact("po1", "s1", (1, 4), stock="bob-6205"))
    for party in ("ann", "bob"):
        view = market.view(party)
        confirmation, note, slip = order_confirmation(view, "po1"), delivery_note(view, "s1"), packing_slip(view, "s1")
        assert confirmation is not None and note is not None and slip is not None
        assert [(line.state, line.each) for line in confirmation.lines] == [
            ("shipped", 4),
            ("confirmed", 2),
            ("open", 4),
        ]
        assert confirmation.amount_minor == 6_000 and confirmation.lines[0].description == "Bearing 6205"
        assert [(line.each, line.received) for line in note.lines] == [(4, 0)] and note.proof == "under way"
        assert [(line.item, line.each) for line in slip.lines] == [("item-6205", 4)]
    changed = ConfirmLine(line=1, each=4, changed=True, substitute="item-6306")
    market.must("bob", replace(market.confirm_fact("po1", lines=[changed]), answer_by=market.now + DAY))
    confirmation = order_confirmation(market.view("ann"), "po1")
    assert confirmation is not None
    assert [(line.state, line.item) for line in confirmation.lines][-1] == ("for your answer", "item-6306")

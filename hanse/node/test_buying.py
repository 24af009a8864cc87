"""Buying and approving, on a real node with three sellers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from hanse.kernel.refusal import Refused
from hanse.node import approving, joining
from hanse.node.buying import buy
from hanse.node.placing import send
from hanse.node.proposing import IN_TIME, Choice, Wish, WishLine, choices, propose, total_minor
from hanse.node.wallet import Presentation
from hanse.rooms.inventory.offer_facts import OFFERS, WithdrawOffer
from hanse.rooms.orders.facts import CancelOrder, DeliverTo
from hanse.rooms.orders.purchases import requests
from hanse.rooms.orders.queries import order_page, orders
from hanse.rooms.orders.rows import HOLDS
from hanse.rooms.orders.worklists import approvals, document_page
from hanse.rooms.parties.facts import CIRCLES
from hanse.site.testing import DAY, SmallTown

ROSTOCK = DeliverTo(
    site="store-ann", city="Rostock", country="DE", latitude_microdeg=54_092_000, longitude_microdeg=12_099_000
)


@pytest.fixture
def town(tmp_path: Any) -> Iterator[SmallTown]:
    there = SmallTown(tmp_path)
    yield there
    there.close()


def wish(each: int = 50, **rest: Any) -> Wish:
    return Wish(**{"lines": (WishLine(1, "item-6205", each),), "to": ROSTOCK, **rest})


def test_a_plan_takes_the_cheaper_offer_first_and_names_the_next_best_source(town: SmallTown) -> None:
    town.offer("o1", "bob", price=1000)
    town.offer("o2", "cay", price=900)
    found = propose(town.node.view("ann"), wish(30))
    line = found.plan.lines[0]
    assert [(part.offer, part.each) for part in line.parts] == [("o2", 30)]
    assert line.next_best is not None and line.next_best.offer == "o1"
    assert found.plan.total_minor == 30 * 900 + found.plan.freight_minor
    assert found.sources["o2"].party_name == "Cay" and found.sources["o2"].group


def test_a_plan_shows_nothing_of_offers_to_others(town: SmallTown) -> None:
    town.offer("o1", "bob", circle=town.ab)
    assert propose(town.node.view("ann"), wish(1)).sources.keys() == {"o1"}
    found = propose(town.node.view("eve"), wish(1))
    assert not found.sources and found.plan.lines[0].reason == "nobody offers this item to you"


def test_offers_in_another_currency_are_left_out_and_named(town: SmallTown) -> None:
    town.offer("o1", "bob")
    found = propose(town.node.view("ann"), wish(1, currency="SEK"))
    assert found.other_currencies == ("EUR",) and found.plan.unserved_each == 1


def test_own_stock_at_a_cost_in_another_currency_is_planned_without_that_cost_and_named(town: SmallTown) -> None:
    here = propose(town.node.view("bob"), wish(5))
    assert (here.plan.goods_minor, here.other_costs) == (5 * 700, ())
    town.costs_in("bob", "USD", 40, 900)
    found = propose(town.node.view("bob"), wish(5))
    [part] = found.plan.lines[0].parts
    assert part.offer.startswith("own/bob-6205") and part.unit_price_minor == 0, "900 are cents of another currency"
    assert (found.plan.goods_minor, found.other_costs, found.other_currencies) == (0, ("USD",), ())
    assert propose(town.node.view("bob"), wish(5, currency="USD")).plan.goods_minor == 5 * 900
    text = town.visitor("bob").get("/find?i=item-6205&n=5").text
    assert "9.00 USD" in text and "9.00 EUR" not in text
    assert "Own stock whose cost is in USD is reckoned without a cost." in text


def test_what_cannot_arrive_in_time_is_not_planned_when_only_in_time_will_do(town: SmallTown) -> None:
    town.offer("o1", "bob")
    soon = wish(1, requested_at=town.now() + DAY)
    assert propose(town.node.view("ann"), soon, policy=IN_TIME).plan.unserved_each == 1
    assert propose(town.node.view("ann"), soon).plan.lines[0].parts[0].late_days > 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"lines": ()}, "buying.nothing_asked"),
        ({"lines": (WishLine(1, "no-such", 1),)}, "buying.unknown_item"),
        ({"lines": (WishLine(1, "item-6205", 0),)}, "buying.bad_quantity"),
        ({"to": DeliverTo()}, "buying.no_place"),
    ],
)
def test_a_wish_that_says_too_little_is_refused(town: SmallTown, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refused:
        propose(town.node.view("ann"), msgspec.structs.replace(wish(), **changes))
    assert refused.value.code == code


def test_several_owners_stand_behind_one_customer_document(town: SmallTown) -> None:
    town.offer("o1", "bob", circle=town.ab, each=40, price=1000)
    town.offer("o2", "cay", each=40, price=900)
    asked = wish(60, customer="Klinik Nord", customer_po_number="K-7", po_number="4711")
    desk = town.desk("ann")
    bought = buy(desk, asked, choices(propose(desk.view, asked)))
    assert {done.seller for done in bought.orders} == {"Bob", "Cay"} and not bought.failed
    document = document_page(desk.view, bought.document)
    assert document is not None and document.covered_each == {1: 60} and document.customer == "Klinik Nord"
    assert document.cost_minor == 40 * 900 + 20 * 1000 == sum(done.amount_minor for done in bought.orders)
    assert document_page(town.node.view("bob"), bought.document) is None


def test_a_group_offer_is_held_in_the_group_and_ordered_in_a_new_relationship(town: SmallTown) -> None:
    town.offer("o2", "cay", each=40)
    desk = town.desk("ann")
    assert joining.relationship_of(town.node, "ann", "cay") == ""
    bought = buy(desk, wish(10), choices(propose(desk.view, wish(10))))
    page = order_page(desk.view, bought.orders[0].order)
    assert page is not None and page.order.circle == joining.relationship_of(town.node, "ann", "cay")
    circle = desk.view.get(CIRCLES, page.order.circle)
    assert circle is not None and circle.purpose == "relationship"
    [hold] = desk.view.rows(HOLDS)
    assert hold.circle == town.pool and hold.used_by == page.order.order_id
    offer = desk.view.get(OFFERS, "o2")
    assert offer is not None and offer.reserved_each == 10
    assert order_page(town.node.view("eve"), page.order.order_id) is None
    assert bought.document == "", "one order for own stock needs no document"


@pytest.mark.parametrize("cut", [0, 1, 2, 3])
def test_a_purchase_that_was_cut_off_is_finished_with_the_bytes_that_it_signed(town: SmallTown, cut: int) -> None:
    town.offer("o1", "bob", circle=town.ab, each=40, price=1000)
    town.offer("o2", "cay", each=40, price=900)
    desk, kept = town.desk("ann"), list[Presentation]()

    def keep(signed: list[Presentation]) -> list[Presentation]:
        kept.extend(signed)
        for one in signed[:cut]:  # as far as it came before it was cut off
            desk.submit([one])
        raise InterruptedError

    with pytest.raises(InterruptedError):
        buy(desk, wish(60), choices(propose(desk.view, wish(60))), keep=keep)
    first, size = send(desk, kept), town.node.log.size
    assert send(desk, kept) == first and town.node.log.size == size, "the same again adds nothing"
    assert len(first.orders) == 2 and not first.failed and len(orders(desk.view).rows) == 2
    document = document_page(desk.view, first.document)
    assert document is not None and document.covered_each == {1: 60}
    assert [hold.each for hold in desk.view.rows(HOLDS)] == [40]


def test_of_a_purchase_cut_off_the_document_covers_what_still_stands(town: SmallTown) -> None:
    town.offer("o1", "bob", circle=town.ab, each=40, price=1000)
    town.offer("o2", "cay", each=40, price=900)
    desk, kept = town.desk("ann"), list[Presentation]()

    def keep(signed: list[Presentation]) -> list[Presentation]:
        kept.extend(signed)
        bob = town.desk("bob")
        bob.do(WithdrawOffer(circle=town.ab, offer="o1"))
        return signed

    bought = buy(desk, wish(60), choices(propose(desk.view, wish(60))), keep=keep)
    assert [done.seller for done in bought.orders] == ["Cay"] and [lost.seller for lost in bought.failed] == ["Bob"]
    document = document_page(desk.view, bought.document)
    assert document is not None and document.covered_each == {1: 40}
    assert send(desk, kept) == bought


def test_own_stock_is_taken_first_and_sold_to_the_customer_from_the_own_book(town: SmallTown) -> None:
    town.offer("o2", "cay", each=40)
    desk = town.desk("bob")
    asked = wish(110, customer="Klinik Nord")
    found = propose(desk.view, asked)
    assert [found.sources[part.offer].own for part in found.plan.lines[0].parts].count(True) == 1
    bought = buy(desk, asked, choices(found))
    rows = {row.side: row for row in orders(desk.view).rows}
    assert rows["sell"].ordered_each == 100 and rows["buy"].ordered_each == 10
    assert {done.seller for done in bought.orders} == {"own stock", "Cay"}


def test_nothing_is_ordered_of_what_already_stands_in_own_stock(town: SmallTown) -> None:
    desk = town.desk("bob")
    with pytest.raises(Refused) as refused:
        buy(desk, wish(5), choices(propose(desk.view, wish(5))))
    assert refused.value.code == "buying.nothing_chosen"


@pytest.mark.parametrize(
    ("chosen", "code"),
    [
        ((), "buying.nothing_chosen"),
        ((Choice(1, "gone", 1, 1000),), "buying.offer_gone"),
        ((Choice(1, "o1", 1, 999),), "buying.price_changed"),
        ((Choice(1, "o1", 30, 1000), Choice(1, "o1", 11, 1000)), "buying.not_enough"),
        ((Choice(2, "o1", 1, 1000),), "buying.bad_quantity"),
        ((Choice(1, "o1", -5, 1000),), "buying.bad_quantity"),
    ],
)
def test_what_has_changed_since_the_plan_is_refused_before_anything_is_signed(
    town: SmallTown, chosen: tuple[Choice, ...], code: str
) -> None:
    town.offer("o1", "bob")
    before = town.node.log.size
    with pytest.raises(Refused) as refused:
        buy(town.desk("ann"), wish(), chosen)
    assert refused.value.code == code
    facts = [town.node.log.entry(at) for at in range(before, town.node.log.size)]
    assert not any(b"orders." in entry for entry in facts)


@pytest.mark.parametrize("role", ["warehouse", "viewer", "seller"])
def test_only_those_who_may_order_buy(town: SmallTown, role: str) -> None:
    town.offer("o1", "bob")
    chosen = (Choice(1, "o1", 1, 1000),)
    if role == "seller":
        assert buy(town.desk("ann", role), wish(1), chosen).orders
        return
    with pytest.raises(Refused) as refused:
        buy(town.desk("ann", role), wish(1), chosen)
    assert refused.value.code == "desk.not_permitted"


def test_a_limit_counts_over_all_sellers_of_one_purchase(town: SmallTown) -> None:
    town.offer("o1", "bob", price=1000)
    town.offer("o2", "cay", price=1000)
    two = (Choice(1, "o1", 10, 1000), Choice(1, "o2", 10, 1000))
    with pytest.raises(Refused) as refused:
        buy(town.desk("ann", "buyer", 15_000), wish(20), two)
    assert refused.value.code == "desk.over_limit"


def test_above_the_limit_a_second_person_approves_and_it_is_bought(town: SmallTown) -> None:
    town.offer("o1", "bob")
    chosen = (Choice(1, "o1", 20, 1000),)
    name = approving.ask(town.desk("ann", "buyer", 1_000), wish(20), chosen)
    owner = town.desk("ann")
    [asked] = requests(owner.view)
    assert (asked.request, asked.amount_minor, asked.state) == (name, 20_000, "asked")
    assert requests(town.node.view("bob")) == [], "a seller sees nothing of it"
    with pytest.raises(Refused) as refused:
        approving.decide(town.desk("ann", "buyer", 1_000), name, True)
    assert refused.value.code == "desk.over_limit"
    bought = approving.decide(owner, name, True)
    assert bought is not None and len(bought.orders) == 1 and bought.document == name
    [decision] = approvals(owner.view, name)
    assert decision.approved and decision.decided_by == owner.who.person
    with pytest.raises(Refused) as again:
        approving.decide(owner, name, True)
    assert again.value.code == "buying.decided"
    with pytest.raises(Refused) as twice:
        approving.buy_approved(owner, name)
    assert twice.value.code == "buying.bought"


def test_nobody_approves_what_they_asked_for(town: SmallTown) -> None:
    town.offer("o1", "bob")
    owner = town.desk("ann")
    name = approving.ask(owner, wish(1), (Choice(1, "o1", 1, 1000),))
    with pytest.raises(Refused) as refused:
        approving.decide(owner, name, True)
    assert refused.value.code == "orders.own_approval"
    assert orders(owner.view).rows == ()


def test_what_is_not_approved_is_not_bought(town: SmallTown) -> None:
    town.offer("o1", "bob")
    name = approving.ask(town.desk("ann", "buyer", 0), wish(1), (Choice(1, "o1", 1, 1000),))
    owner = town.desk("ann")
    approving._appoint(owner, "EUR")
    assert approving.decide(owner, name, False) is None
    assert requests(owner.view)[0].state == "declined" and orders(owner.view).rows == ()


def test_a_request_whose_file_was_changed_is_not_bought(town: SmallTown) -> None:
    town.offer("o1", "bob")
    chosen = (Choice(1, "o1", 1, 1000),)
    name = approving.ask(town.desk("ann", "buyer", 0), wish(1), chosen)
    owner = town.desk("ann")
    path = owner.node.files / requests(owner.view)[0].file_hash
    path.write_bytes(path.read_bytes().replace(b'"each":1', b'"each":9'))
    with pytest.raises(Refused) as refused:
        approving.decide(owner, name, True)
    assert refused.value.code == "buying.altered"


def test_an_approval_that_could_not_be_bought_is_tried_again(town: SmallTown) -> None:
    town.offer("o1", "bob", each=10)
    chosen = (Choice(1, "o1", 10, 1000),)
    name = approving.ask(town.desk("ann", "buyer", 0), wish(10), chosen)
    other = buy(town.desk("ann"), wish(5), (Choice(1, "o1", 5, 1000),)).orders[0].order
    owner = town.desk("ann")
    with pytest.raises(Refused) as refused:
        approving.decide(owner, name, True)
    assert refused.value.code == "buying.not_enough" and requests(owner.view)[0].state == "approved"
    circle = joining.relationship_of(town.node, "ann", "bob")
    owner.do(CancelOrder(circle=circle, order=other))
    assert approving.buy_approved(owner, name).orders[0].amount_minor == 10_000


def test_own_stock_costs_no_one() -> None:
    assert total_minor([Choice(1, "own/a/b/", 5, 700), Choice(1, "o1", 2, 10)]) == 20

"""Limits hold for quotes as for orders: what is above one waits for a second person, whether accepted or offered."""

from __future__ import annotations

import re
from typing import Any

import pytest

from hanse.kernel.refusal import Refused
from hanse.node import approving
from hanse.rooms.orders.facts import Quote, QuoteLine
from hanse.rooms.orders.purchases import requests
from hanse.rooms.orders.queries import order_page
from hanse.rooms.orders.quote_queries import the_quote
from hanse.rooms.orders.testing_pages import code_of, day
from hanse.site.testing import DAY, SmallTown, Visitor


@pytest.fixture(scope="module")
def town(town: SmallTown) -> SmallTown:
    """Its buyer and its seller may bind their firm to ten euros alone."""
    town.accounts.add_membership(town.users["ann", "buyer"], "ann", "buyer", 1_000)
    town.accounts.add_membership(town.users["bob", "seller"], "bob", "seller", 1_000)
    return town


def quoted(town: SmallTown, name: str, each: int = 50, circle: str = "") -> Quote:
    """Bob's price of 8.80 each, in their relationship or another circle."""
    line = QuoteLine(line=1, each=each, item="item-6205", unit_price_minor=880, lead_time_days=2)
    until = town.now() + 7 * DAY
    return Quote(circle=circle or town.ab, quote=name, valid_until_at=until, lines=[line], currency="EUR")


def approve(who: Visitor, town: SmallTown, party: str) -> Any:
    """The newest request of a firm, approved by somebody; the answer."""
    return who.post("/orders/approvals", {"request": newest(town, party), "answer": "yes"})


def newest(town: SmallTown, party: str) -> str:
    return requests(town.node.view(party))[0].request


def test_a_quote_above_the_buyers_limit_is_accepted_by_a_second_person(town: SmallTown) -> None:
    town.do("bob", quoted(town, "Q-take"))
    buyer, owner = town.visitor("ann", "buyer"), town.visitor("ann")
    shown = buyer.get("/orders/quotes/q/Q-take").text
    assert re.search(r"Your limit is .{0,40}10\.00", shown) and "Ask for approval" in shown and "Order for" not in shown
    form = {"quote": "Q-take", "to": "store-ann", "po": "4711"}
    assert code_of(buyer.post("/orders/quotes/order", form)) == "desk.over_limit"
    asked = buyer.post("/orders/quotes/order", {**form, "ask": "1"})
    assert asked.status_code == 303 and asked.headers["location"].startswith("/orders/approvals")
    quote = the_quote(town.node.view("ann"), "Q-take")
    assert quote is not None and quote.quote.state == "quoted", "nothing is ordered yet"
    assert requests(town.node.view("bob")) == [], "the seller sees nothing of it"
    assert "Approve and order" not in buyer.get("/orders/approvals").text
    assert "order of quote Q-take from Bob: 50 each of item-6205" in owner.get("/orders/approvals").text
    assert "Approve an order above" in owner.get("/").text
    assert code_of(approve(buyer, town, "ann")) == "desk.over_limit"
    done = approve(owner, town, "ann")
    assert done.status_code == 303, code_of(done)
    name = done.headers["location"].removeprefix("/orders/o/").partition("?")[0]
    page = order_page(town.node.view("bob"), name)
    assert page is not None and page.order.quote == "Q-take" and page.terms.po_number == "4711"
    assert page.terms.amount_minor == 44_000 and code_of(approve(owner, town, "ann")) == "buying.decided"
    again = owner.post("/orders/approvals", {"request": newest(town, "ann"), "answer": "buy"})
    assert code_of(again) == "buying.bought" and "The order" in owner.get("/orders/approvals").text


@pytest.mark.parametrize("way", ["unasked", "answer"])
def test_a_quote_above_the_sellers_limit_is_sent_by_a_second_person(town: SmallTown, way: str) -> None:
    seller, owner = town.visitor("bob", "seller"), town.visitor("bob")
    form = {"each1": "50", "price1": "8.80", "days1": "2", "until": day(town, 7)}
    if way == "answer":
        town.do("bob", quoted(town, "Q-better", each=60))
        address, form = "/orders/quotes/answer", {**form, "quote": "Q-better"}
    else:
        address = "/orders/quotes"
        form = {**form, "side": "offer", "circle": town.ab, "item1": "bob-6205", "currency": "EUR"}
    refused = seller.post(address, form)
    assert code_of(refused) == "desk.over_limit" and "Ask for approval" in refused.text
    assert seller.post(address, {**form, "ask": "1"}).status_code == 303
    [request] = requests(town.node.view("bob"))[:1]
    before = the_quote(town.node.view("ann"), request.name)
    assert before is None if way == "unasked" else before is not None and before.terms.quoted[0].each == 60
    assert "Approve a quote above" in owner.get("/").text and not request.done
    done = approve(owner, town, "bob")
    assert done.status_code == 303 and request.name in done.headers["location"], code_of(done)
    after = the_quote(town.node.view("ann"), request.name)
    assert after is not None and after.terms.quoted[0].each == 50 and requests(town.node.view("bob"))[0].done


def test_what_is_within_the_limit_or_binds_nobody_is_signed_alone(town: SmallTown) -> None:
    seller = town.desk("bob", "seller", 1_000)
    seller.do(quoted(town, "Q-small", each=1))
    seller.do(quoted(town, "Q-note", circle=town.home("bob")))
    with pytest.raises(Refused) as refused:
        seller.do(quoted(town, "Q-large", each=2))
    assert refused.value.code == "desk.over_limit" and the_quote(town.node.view("bob"), "Q-large") is None


@pytest.mark.parametrize("role", ["warehouse", "viewer"])
def test_who_may_not_quote_may_not_ask_to(town: SmallTown, role: str) -> None:
    size = town.node.log.size
    with pytest.raises(Refused) as refused:
        approving.ask_to_sign(town.desk("bob", role), quoted(town, "Q-none"))
    assert refused.value.code == "desk.not_permitted" and town.node.log.size == size


def test_a_declined_quote_is_not_sent_and_nobody_decides_their_own(town: SmallTown) -> None:
    owner = town.desk("bob")
    name = approving.ask_to_sign(owner, quoted(town, "Q-own"))
    with pytest.raises(Refused) as refused:
        approving.decide(owner, name, True)
    assert refused.value.code == "orders.own_approval"
    name = approving.ask_to_sign(town.desk("bob", "seller", 1_000), quoted(town, "Q-no"))
    assert approving.decide(owner, name, False) is None
    assert the_quote(town.node.view("bob"), "Q-no") is None
    with pytest.raises(Refused) as refused:
        approving.buy_approved(owner, name)
    assert refused.value.code == "buying.not_approved"


def test_what_a_rule_would_refuse_is_not_asked_for(town: SmallTown) -> None:
    size = town.node.log.size
    with pytest.raises(Refused) as refused:
        approving.ask_to_sign(town.desk("bob", "seller", 1_000), quoted(town, "Q-nowhere", circle="nowhere"))
    assert refused.value.code in ("parties.unknown_circle", "node.no_key") and town.node.log.size == size

"""What stock has cost: averaged within a currency, never over two; and no value is made or lost between sites."""

from msgspec.structs import replace

from hanse.rooms.inventory import queries
from hanse.rooms.inventory.facts import HELD, STOCK, Move
from hanse.rooms.inventory.offer_facts import AcceptTransfer
from hanse.rooms.inventory.testing import count, earmark, market, propose
from hanse.rooms.orders.facts import DeliverTo
from hanse.rooms.orders.testing import Market
from hanse.rooms.testing import home


def stock(town, party, site, owner=""):
    row = town.state.get(STOCK, (home(party), site, f"{party.upper()}-X", "", owner))
    return row.on_hand_each, row.unit_cost_minor, row.currency, row.unvalued_each


def sell(town, name, each, currency, kind="sale", site="b-hall"):
    """a sells `each` to b, at a cost of 250 and no markup."""
    town.must(
        "a",
        earmark("a", name, each, minimum_price_minor=0),
        propose(town, name, each, kind, markup_ppm=0, currency=currency),
    )
    town.must("b", AcceptTransfer(circle="a--b", transfer=name, site=site))


def move(party, each, from_site, to_site):
    return Move(
        circle=home(party), own_number=f"{party.upper()}-X", lot="", owner="", from_site=from_site, to_site=to_site,
        each=each,
    )  # fmt: skip


def test_costs_of_two_currencies_are_not_averaged_and_the_figure_says_what_it_leaves_out():
    town = market()
    town.must("b", count("b", "b-hall", 10, unit_cost_minor=100))
    sell(town, "t1", 10, "EUR")
    assert stock(town, "b", "b-hall") == (20, 175, "EUR", 0)
    sell(town, "t2", 5, "USD")
    assert stock(town, "b", "b-hall") == (25, 175, "EUR", 5)
    assert queries.stock_value(town.view("b")) == [queries.Money("EUR", 20 * 175, 1, 5, on_hand_each=25)]
    assert [row.unvalued_each for row in queries.stock_of_number(town.view("b"), "B-X")] == [5]
    sell(town, "t3", 20, "EUR")
    assert stock(town, "b", "b-hall") == (45, 212, "EUR", 5), "(20 x 175 + 20 x 250) / 40, half to even"


def test_what_is_not_valued_leaves_last_and_is_valued_by_a_count_with_a_cost():
    town = market()
    town.must("b", count("b", "b-hall", 10, unit_cost_minor=100))
    sell(town, "t1", 5, "USD")
    town.must("b", count("b", "b-hall", 12))
    assert stock(town, "b", "b-hall") == (12, 100, "EUR", 5), "a count without a cost leaves costs as they are"
    town.must("b", count("b", "b-hall", 3))
    assert stock(town, "b", "b-hall") == (3, 100, "EUR", 3)
    assert queries.stock_value(town.view("b")) == [queries.Money("EUR", 0, 1, 3, on_hand_each=3)]
    town.must("b", count("b", "b-hall", 3, unit_cost_minor=120))
    assert stock(town, "b", "b-hall") == (3, 120, "EUR", 0)


def test_the_cost_of_one_is_the_highest_in_the_numbers_own_currency_and_else_says_which_it_is():
    row = queries.StockRow("s", "S", "N", "", "", 5, 0, 0, 0, 300, "", 0, 0, 0, 1)
    dollars, cheap, kept = (
        replace(row, currency="USD", unit_cost_minor=900), replace(row, unit_cost_minor=200),
        replace(row, owner="c", unit_cost_minor=1_000),
    )  # fmt: skip
    assert queries.cost_of_one([cheap, row, dollars, kept], "EUR") == (300, "EUR")
    assert queries.cost_of_one([dollars, kept], "EUR") == (900, "USD")
    assert queries.cost_of_one([replace(row, unit_cost_minor=0)], "EUR") == (0, "EUR") == queries.cost_of_one([], "EUR")


def test_an_empty_shelf_takes_the_currency_of_what_comes_and_sums_keep_currencies_apart():
    town = market()
    sell(town, "t1", 10, "USD")
    assert stock(town, "b", "b-hall") == (10, 250, "USD", 0)
    assert queries.stock_value(town.view("b")) == [queries.Money("USD", 2_500, 1, on_hand_each=10)]
    assert [m.value_minor for m in queries.money_matched(town.view("b"))] == [0], "of the own number's currency: none"


def test_a_move_makes_and_loses_no_value():
    town = market(on_hand=0)
    town.must("a", count("a", "a-north", 10, unit_cost_minor=700), count("a", "a-south", 30, unit_cost_minor=100))
    town.must("a", move("a", 10, "a-north", "a-south"))
    assert stock(town, "a", "a-south") == (40, 250, "EUR", 0), "(10 x 700 + 30 x 100) / 40"
    assert queries.stock_value(town.view("a")) == [queries.Money("EUR", 10_000, 1, on_hand_each=40)]


def test_goods_kept_elsewhere_are_not_averaged_over_currencies_either():
    town = market()
    sell(town, "t1", 4, "EUR", "sale_in_place", "a-north")
    sell(town, "t2", 6, "USD", "sale_in_place", "a-north")
    held = town.state.get(HELD, (home("b"), "a", "X", ""))
    assert (held.each, held.unit_cost_minor, held.currency, held.unvalued_each) == (10, 250, "EUR", 6)


def test_an_order_in_another_currency_leaves_the_cost_of_the_stock_as_it_was():
    town = Market()
    for order, price, currency in (("po1", 1000, "EUR"), ("po2", 3000, "USD")):
        line = town.line(each=10, unit_price_minor=price)
        town.must("ann", town.order_fact(order, line, currency=currency, deliver_to=DeliverTo(site="store-ann")))
        town.must(
            "bob", town.confirm_fact(order, (1, 10)), town.ship_fact(order, f"s-{order}", (1, 10), stock="bob-6205")
        )
        town.must("ann", town.receive_fact(f"s-{order}"))
    row = town.state.get(STOCK, (home("ann"), "store-ann", "A-77", "", ""))
    assert (row.on_hand_each, row.unit_cost_minor, row.currency, row.unvalued_each) == (20, 1000, "EUR", 10)

"""Dead stock here, shortage there: a live want of the pool meets goods that have lain still, with the money in it."""

import pytest

from hanse.rooms.inventory import page_borrow
from hanse.rooms.inventory.offer_facts import Want
from hanse.site.places import Places
from hanse.site.testing import DAY, PLACES, SmallTown
from hanse.site.today import today


@pytest.fixture
def town(tmp_path):
    made = SmallTown(tmp_path)
    city, latitude, longitude = PLACES["eve"]
    made.do("eve", Want(circle=made.pool, want="w1", expires_at=made.now() + 5 * DAY, item="item-6205", each=30,
                        borrow=True, country="DE", city=city, latitude_microdeg=latitude,
                        longitude_microdeg=longitude, note=""))  # fmt: skip
    yield made
    made.close()


def test_a_want_of_the_pool_meets_stock_that_lay_still(town, monkeypatch):
    bob = town.visitor("bob")
    text = bob.get("/borrow").text
    assert "bob-6205" in text and "210.00 EUR" in text, "30 each at 7.00"
    rows = bob.get("/borrow?l-columns=number,idle&l-format=json").text
    assert '"idle":null' in rows.replace(" ", "")
    monkeypatch.setattr(page_borrow, "DEAD_DAYS", 0)
    assert '"idle":0' in bob.get("/borrow?l-columns=number,idle&l-format=json").text.replace(" ", "")
    assert "bob-6205" not in town.visitor("ann").get("/borrow").text, "nobody else sees whose it is"


def test_today_names_the_want_with_its_money(town):
    [lend] = [one for one in today(town.desk("bob"), Places(set())).actions if one.what == "Lend"]
    assert lend.money.minor == 30 * 700 and "Eve wants 30" in lend.title and lend.href == "/borrow#can-lend"
    assert not [one for one in today(town.desk("eve"), Places(set())).actions if one.what == "Lend"], "it is hers"

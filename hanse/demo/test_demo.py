"""The demo as it is built: its story to the end in money, its books, its group, and what a competitor reads of it."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar.testing import TestClient

from hanse.compiled import elsewhere
from hanse.demo import page
from hanse.demo.build import SMALL, Built, build
from hanse.demo.buying import SUPPLIER
from hanse.demo.cast import DISTRIBUTORS, FIRMS, GROUP, by_party
from hanse.demo.page import story_of
from hanse.demo.page_money import money, sights
from hanse.demo.people import seat
from hanse.demo.story import EACH, PRICE_MINOR
from hanse.node.backup import ACCOUNTS
from hanse.node.history import told
from hanse.node.node import Node
from hanse.node.proposing import Wish, WishLine, propose
from hanse.rooms.accounts.proving import balanced
from hanse.rooms.contracts.private_rows import STANDING
from hanse.rooms.contracts.queries import agreements
from hanse.rooms.group import queries as group
from hanse.rooms.orders.facts import DeliverTo
from hanse.rooms.orders.queries import order_page
from hanse.site import build_site
from hanse.web import AccountStore, create_app

HOST = "demo.local"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Built]:
    directory = tmp_path_factory.mktemp("demo")
    return directory, build(directory, size=SMALL)


@pytest.fixture(scope="module")
def node(built: tuple[Path, Built]) -> Iterator[Node]:
    with Node(built[0]) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(node: Node) -> Iterator[TestClient]:
    accounts = AccountStore(node.directory / ACCOUNTS)
    site = build_site(node, accounts, demo=True, demo_roles=seat(accounts), hosts=(HOST,), secure=False)
    site.pages, site.templates = [*site.pages, *page.PAGES], [*site.templates, Path(page.__file__).parent]
    site.demo_stop = lambda name: page.stop_of(node, name)
    with TestClient(create_app(site), base_url=f"http://{HOST}") as client:
        yield client
    accounts.close()


def test_the_late_delivery_ends_as_a_credit_that_was_taken_off_the_bill(node):
    told = money(node, story_of(node))
    goods = EACH * 560
    assert told.credit.amount_minor == goods * 15 // 100, "two days and two hours are three part-days at 5%"
    assert (told.credit.state, told.why.equal) == (STANDING, True)
    assert told.passed_on.amount_minor == EACH * PRICE_MINOR * 15 // 100
    assert told.invoice.open_minor == 0 and told.invoice.net_minor == goods
    assert told.payment.amount_minor == told.invoice.amount_minor - told.credit.amount_minor
    assert told.rebate.amount_minor == goods * 2 // 100
    assert told.account.steps[-1].amount_minor == 0, "nothing is open between the two"


def test_the_totals_of_the_story_are_those_of_find_and_order(node):
    story = story_of(node)
    best, second, *_ = sorted(story.sources, key=lambda source: source.total_minor)
    assert best.party == story.lender and best.each - EACH < EACH, "what is left of the best offer is not enough"
    to = by_party()[story.customer].place
    place = DeliverTo(country="DE", latitude_microdeg=to.latitude_microdeg, longitude_microdeg=to.longitude_microdeg)
    found = propose(node.view(story.distributor), Wish(lines=(WishLine(1, story.item, EACH),), to=place))
    assert [part.offer for part in found.plan.lines[0].parts] == [second.offer]
    assert found.plan.total_minor == second.total_minor


def test_both_sides_signed_for_what_arrived_late(node):
    story = story_of(node)
    for order in (story.customer_order, story.pool_order):
        (shown,) = order_page(node.view(story.distributor), order).shipments
        assert shown.shipment.handed_over_at and shown.shipment.method == "account"


@pytest.mark.slow
def test_a_year_of_all_rooms_replays_the_same_under_other_hash_seeds(node):
    """Verifying replays every entry and compares each outcome and the whole state with what the builder's seed gave."""
    kinds = {told(node, node.view(), at).kind.partition(".")[0] for at in range(1, node.log.size, 3)}
    assert {"parties", "catalog", "inventory", "orders", "contracts", "accounts", "group"} <= kinds
    node.publish()
    for seed in ("0", "424242"):
        env = elsewhere(seed)
        command = [sys.executable, "-m", "hanse.cli", "verify", str(node.directory), "--json"]
        run = subprocess.run(command, capture_output=True, check=False, env=env)
        said = json.loads(run.stdout)
        assert run.returncode == 0 and said["state"] == "equal", said["findings"]


def test_every_firms_books_balance(node):
    assert [fault for firm in FIRMS for fault in balanced(node.view(firm.party))] == []


def test_a_competitor_reads_nothing_of_the_story_and_its_parties_do(node):
    story = story_of(node)
    parties = [story.customer, story.distributor, story.lender, story.competitor]
    seen = {sight.what: sight.seen for sight in sights(node, story, parties)}
    assert seen["the yard's order"] == [True, True, False, False]
    for what in ("the reservation and its price", "the agreement", "the credit and its reason", "invoice and payment"):
        assert seen[what] == [False, True, True, False], what
    theirs = {(card.circle, card.agreement) for card in agreements(node.view(story.competitor))}
    assert theirs, "it has agreements of its own"
    assert theirs.isdisjoint({(card.circle, card.agreement) for card in agreements(node.view(story.distributor))})


def test_the_group_shares_its_rebate_to_the_cent_and_what_its_manager_tells_holds(node):
    manager = node.view(GROUP.party)
    told = group.audit(manager)
    assert {one.what for one in told} == {"round", "rebate"} and all(one.holds for one in told)
    given = group.statements(manager)
    assert len(given) == len(DISTRIBUTORS)
    assert sum(one.share_minor for one in given) == given[0].earned_minor
    assert [lot.custodian for lot in group.lots_with_members(manager)]
    near = group.near_tier(node.view("trave-technik"), SUPPLIER, "EUR")
    assert near and near[0].missing_minor > 0, "the next tier is within reach"


def test_the_story_is_kept_beside_the_record(built, node):
    assert built[1].facts > 5_000
    assert story_of(node) == built[1].story


def test_the_start_page_tells_the_story_to_its_end(pages):
    text = pages.get("/demo").text
    for words in ("it stands", "scorecard", "shows nothing", "Dead stock turns into money", "is taken off the bill"):
        assert words in text, words
    assert "5.04" in text and "8.01" in text


def test_every_step_of_the_story_opens_with_one_click_and_says_what_to_look_at(pages):
    start = pages.get("/demo").text
    ways = [html.unescape(way) for way in re.findall(r'action="(/demo/as/[^"]*stop=[^"]+)"', start)]
    assert len(ways) > 20 and start.count("story-step") >= 13
    for way in ways:
        token = re.search(r'name="_csrf" value="([^"]+)"', start).group(1)
        opened = pages.post(way, data={"_csrf": token}, headers={"origin": f"http://{HOST}"})
        assert opened.status_code == (404 if "stop=13.1" in way else 200), way
        assert "Look at:" in opened.text and 'href="/demo#' in opened.text, way
        start = opened.text
    assert "Look at:" not in pages.get("/orders").text


def test_a_place_that_is_not_in_the_story_is_none(node):
    for name in ("", "0.1", "1.0", "99.1", "1.9", "1", "a.b", "1.1.1", "²."):
        assert page.stop_of(node, name) is None, name


def test_public_names_tell_a_stranger_nothing_of_firms(node):
    """Order and offer numbers stand on the record for everybody: none is made of a firm's name or prefix."""
    view = node.view("")
    tables = ("orders_order.order_id", "orders_shipment.shipment", "inventory_offer.offer", "inventory_want.want",
              "inventory_transfer.transfer", "accounts_paper.paper")  # fmt: skip
    for name in tables:
        table, column = name.split(".")
        names = [row[0].lower() for row in view.conn.execute(f"SELECT {column} FROM {table}")]
        names = [n for n in names if n != "netting-year-end"]
        assert names, name
        bad = [n for n in names if not re.fullmatch(r"([a-z]{1,4}-){1,3}[0-9a-f]{20}(:\d+)?", n)]
        assert not bad, (name, bad[:3])

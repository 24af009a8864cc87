"""The pages of groups over HTTP on a real node: membership, a round, a rebate, and what the manager never sees."""

import html
import re

import pytest

from hanse.kernel.refusal import Refused
from hanse.node import joining
from hanse.node.desk import Desk, Who
from hanse.rooms.accounts.facts import BookItems, BookLine
from hanse.rooms.group import queries
from hanse.rooms.group.facts import TellRebate, TellRound
from hanse.rooms.inventory.offer_facts import AcceptTransfer, Earmark, ProposeTransfer
from hanse.site.testing import DAY, SmallTown

FIELDS = {"currency": "EUR", "note": ""}


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000

    def __call__(self) -> float:
        return float(self.now)


@pytest.fixture(scope="module")
def clock():
    return Clock()


@pytest.fixture(scope="module")
def town(tmp_path_factory, clock):
    """cay opens a group circle of ann, bob and eve, and trades with each of them."""
    there = SmallTown(tmp_path_factory.mktemp("town"), clock=clock)
    there.buyers = joining.group(there.node, ["cay", "ann", "bob", "eve"], "Buyers")
    for member in ("ann", "bob", "eve"):
        joining.relationship(there.node, "cay", member)
    yield there
    there.close()


def text_of(visitor, path, status=200):
    answer = visitor.get(path)
    assert answer.status_code == status, answer.text
    return html.unescape(answer.text)


def send(visitor, path, form, at):
    answer = visitor.post(path, form, token=visitor.token(at))
    assert answer.status_code == 303, html.unescape(answer.text)
    return answer


@pytest.fixture(scope="module")
def group_id(town):
    cay = town.visitor("cay")
    assert "Let a group buy together" in text_of(cay, "/group")
    send(
        cay, "/group/charter", {"circle": town.buyers, "name": "Baltic Buyers", "purpose": "joint", **FIELDS}, "/group"
    )
    (card,) = queries.groups(town.node.view("cay"))
    for member in ("ann", "bob", "eve"):
        visitor = town.visitor(member)
        assert "Baltic Buyers" in text_of(visitor, "/group")
        send(visitor, "/group/join", {"group": card.group.group_id}, "/group")
    return card.group.group_id


def test_a_group_shows_its_members_to_its_members(town, group_id):
    text = text_of(town.visitor("ann"), "/group")
    assert all(name in text for name in ("Managed by Cay", "Bob", "Eve", "Leave the group"))
    assert "Totals" not in text and "Totals" in text_of(town.visitor("cay"), "/group")


def test_a_round_goes_from_its_tiers_over_commitments_to_the_price_reached(town, group_id, clock):
    cay, ann, eve = (town.visitor(name) for name in ("cay", "ann", "eve"))
    form = {
        "group": group_id,
        "item": "SKF 6205",
        "supplier": "bob",
        "until": "2027-02-20",
        "from1": "10",
        "price1": "9",
    }
    send(cay, "/group/rounds", {**form, "from2": "50", "price2": "8.50", **FIELDS}, "/group/rounds")
    (terms,) = queries.rounds(town.node.view("ann"))
    for visitor, each in ((ann, "31"), (eve, "17")):
        send(visitor, "/group/commit", {"round": terms.round, "each": each, "most": ""}, "/group/rounds")
    refuse_to_tell(town, cay, "/group/tell", "round", terms.round, "/group/rounds")
    assert "not told yet" in text_of(ann, "/group/rounds")
    send(town.visitor("bob"), "/group/commit", {"round": terms.round, "each": "1", "most": ""}, "/group/rounds")
    send(cay, "/group/tell", {"round": terms.round}, "/group/rounds")
    text = text_of(ann, "/group/rounds")
    assert "49" in text and "near: a little more lowers the price" in text
    refused = ann.post("/group/tell", {"round": terms.round}, token=ann.token("/group/rounds"))
    assert refused.status_code in (403, 422)
    clock.now += 40 * DAY
    town.offer("o-tick")  # any block ends what is due
    send(cay, "/group/close", {"round": terms.round}, "/group/rounds")
    text = text_of(ann, "/group/rounds")
    assert "Earlier rounds" in text and "279.00 EUR" in text, "31 at 9.00"


def refuse_to_tell(town, cay, path, field, name, at):
    """Two members have spoken: neither the page nor the desk, whatever the fact says, tells the group a total."""
    assert f'action="{path}"' not in text_of(cay, at)
    answer = cay.post(path, {field: name}, token=cay.token(at))
    assert answer.status_code == 422
    assert all(word in answer.text for word in ("group.few_members", "2 members", "at least 3 members"))
    kind, total = (TellRound, {"total_each": 49}) if field == "round" else (TellRebate, {"total_minor": 133_333})
    for desk in (Desk(town.node, Who("cay")), Desk(town.node, Who("cay", role="owner", approval_limit_minor=1))):
        for members in (1, 2, 3):
            with pytest.raises(Refused) as caught:
                desk.do(kind(circle=town.buyers, **{field: name}, **total, members=members))
            few = f"{members} member" if members == 1 else "2 members"
            assert (caught.value.code, caught.value.got) == ("group.few_members", few)
            assert caught.value.next.startswith("tell it when 3 members have")
    _, token = town.accounts.tokens.create(town.users["cay", "owner"], "cay", "a program", ("read", "write"), 1)
    body = {"circle": town.buyers, field: name, **total, "members": 3}
    headers = {"Authorization": f"Bearer {token}"}
    answer = cay.client.post(f"/api/v1/facts/{kind.kind}", json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "group.few_members")


def bought(town, member, net):
    line = BookLine(
        item=f"DOC-{member}", side="buy", partner="Maker", net_minor=net, open_minor=net, currency="EUR",
        issued_at=town.now() - DAY,
    )  # fmt: skip
    town.do(member, BookItems(circle=town.home(member), lines=[line]))


@pytest.fixture(scope="module")
def rebate(town, group_id):
    """B-1: opened, reported by three members, told and shared, by pages."""
    cay = town.visitor("cay")
    form = {"group": group_id, "rebate": "B-1", "supplier": "Maker", "since": "2026-01-01", "until": "2028-01-01"}
    tiers = {"from1": "0", "rate1": "1", "from2": "10000", "rate2": "2.5"}
    send(cay, "/group/rebates", {**form, "scheme": "retroactive", **tiers, **FIELDS}, "/group/rebates")
    send(town.visitor("eve"), "/group/report", {"rebate": "B-1"}, "/group/rebates")  # nothing bought: no figure
    for member, net in (("ann", 100_000), ("bob", 33_333), ("eve", 776_667)):
        if member == "eve":
            refuse_to_tell(town, cay, "/group/tell-rebate", "rebate", "B-1", "/group/rebates")
            assert "not told yet" in text_of(town.visitor("ann"), "/group/rebates")
        bought(town, member, net)
        send(town.visitor(member), "/group/report", {"rebate": "B-1"}, "/group/rebates")
    assert 'action="/group/tell-rebate"' in text_of(cay, "/group/rebates")
    send(cay, "/group/tell-rebate", {"rebate": "B-1"}, "/group/rebates")
    text = text_of(town.visitor("ann"), "/group/rebates")
    assert "9,100.00 EUR" in text and "are missing to 2.5" in text and "900.00 EUR" in text
    send(cay, "/group/statements", {"rebate": "B-1", "charges": "10"}, "/group/rebates")


def test_a_rebate_is_reported_told_and_shared_to_the_cent(town, rebate):
    mine = text_of(town.visitor("ann"), "/group/rebates")
    assert "10.00 EUR" in mine and "9.00 EUR" in mine, "share, and what is paid out of it"
    found = queries.statements(town.node.view("cay"))
    assert sum(row.share_minor for row in found) == 9_100


def test_the_manager_sees_sums_and_no_members_price_and_no_member_sees_anothers_sum(town, rebate):
    pages = ("/group", "/group/rounds", "/group/rebates", "/group/lots", "/group/totals")
    cay = "".join(text_of(town.visitor("cay"), path) for path in pages)
    assert "7,766.67 EUR" in cay and "holds" in cay and "differs" not in cay
    assert "DOC-" not in cay, "no document of a member's"
    figures = {"ann": "1,000.00 EUR", "bob": "333.33 EUR", "eve": "7,766.67 EUR"}
    for member, own in figures.items():
        text = "".join(text_of(town.visitor(member), path) for path in pages)
        assert own in text
        assert [other for other in figures.values() if other != own and other in text] == []
        assert "You manage no group" in text


def test_lots_of_the_group_lie_with_members(town, group_id):
    circle = joining.relationship_of(town.node, "cay", "bob")
    mark = Earmark(
        circle=town.home("cay"), offer="lot-1", own_number="cay-6205", site="store-cay", lot="", owner="", each=12,
        minimum_price_minor=0, currency="EUR",
    )  # fmt: skip
    move = ProposeTransfer(
        circle=circle, transfer="lot-1", each=12, expires_at=town.now() + DAY, transfer_kind="consign",
        item="item-6205", lot="", unit_cost_minor=0, markup_ppm=0, currency="EUR",
    )  # fmt: skip
    town.do("cay", mark, move)
    town.do("bob", AcceptTransfer(circle=circle, transfer="lot-1", site="store-bob"))
    rows = town.visitor("cay").get("/group/lots?format=json").json()
    assert [row["each"] for row in rows] == [12]
    assert "Cay" in text_of(town.visitor("bob"), "/group/lots")
    assert "You keep nothing" in text_of(town.visitor("eve"), "/group/lots")


def test_the_find_page_says_when_an_order_brings_a_rebate_near_its_next_tier(town, group_id):
    cay = town.visitor("cay")
    form = {"group": group_id, "rebate": "B-2", "supplier": "bob", "since": "2026-01-01", "until": "2028-01-01"}
    tiers = {"from1": "0", "rate1": "1", "from2": "105", "rate2": "3"}
    send(cay, "/group/rebates", {**form, "scheme": "retroactive", **tiers, **FIELDS}, "/group/rebates")
    town.offer("o-near", price=1_000)
    text = text_of(town.visitor("ann"), "/find?i=SKF+6205&n=10")
    assert "5.00 EUR more from this supplier" in text and "B-2" in text
    assert "to its next tier" in text_of(town.visitor("ann"), "/find?i=SKF+6205&n=11")
    assert "next tier" not in text_of(town.visitor("ann"), "/find?i=SKF+6205&n=3")


def test_another_firms_pages_know_nothing_of_the_group(town, group_id):
    joining.host(town.node, "zoe", name="Zoe", city="Kiel")
    town.person("zoe", "owner")
    text = "".join(text_of(town.visitor("zoe"), path) for path in ("/group", "/group/rounds", "/group/rebates"))
    assert "Baltic" not in text and "B-1" not in text and not re.search(r"\b6205\b", text), (
        "by chance, a number has those digits"
    )

"""The pages of members, the own firm and joining, over HTTP on a real node."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from hanse.node import joining
from hanse.rooms.parties import queries as parties
from hanse.rooms.parties.facts import INVITATIONS, DescribeParty, SetPermit
from hanse.site.testing import EVIL, PASSWORD, SmallTown, Visitor

FIRM = ("/firm", "/firm/sites", "/firm/permits", "/firm/people", "/firm/keys", "/invite-a-firm")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallTown]:
    there = SmallTown(tmp_path_factory.mktemp("town"))
    there.offer("o-ab", "bob", circle=there.ab, each=20, price=1234)
    there.order("AB-1", each=2, price=4321)
    there.do("cay", DescribeParty(name=f"Cay {EVIL}", city="Kiel", country="DE", about=EVIL))
    yield there
    there.close()


@pytest.fixture(scope="module")
def ann(town: SmallTown) -> Visitor:
    return town.visitor("ann")


def code_of(answer: Any) -> str:
    found = re.search(r'class="code">([^<]+)<', answer.text)
    return found.group(1) if found else ""


def test_everybody_reads_members_and_only_owners_the_firm(town: SmallTown) -> None:
    for role in ("owner", "buyer", "seller", "warehouse", "viewer"):
        who = town.visitor("bob", role)
        for path in ("/parties", "/parties/ann", "/partners"):
            assert who.get(path).status_code == 200, (role, path)
        for path in FIRM:
            assert who.get(path).status_code == (200 if role == "owner" else 404), (role, path)


def test_a_stranger_is_asked_to_sign_in(town: SmallTown) -> None:
    for path in ("/parties", "/parties/ann", "/partners", *FIRM):
        assert town.visitor().get(path).status_code == 303, path


def test_what_people_wrote_is_shown_as_text(ann: Visitor) -> None:
    for path in ("/parties", "/parties/cay", "/partners", "/firm/permits"):
        text = ann.get(path).text
        assert EVIL not in text and "&lt;img src=x" in text, path


def test_a_members_page_shows_our_trade_to_us_and_to_nobody_else(town: SmallTown, ann: Visitor) -> None:
    mine = ann.get("/parties/bob").text
    assert "AB-1" in mine and "86.42" in mine and "you trade together" in mine
    theirs = town.visitor("eve").get("/parties/bob").text
    assert "AB-1" not in theirs and "86.42" not in theirs and "12.34" not in theirs
    assert "you trade together" not in theirs and "Open a relationship" in theirs
    assert ann.get("/parties/nobody").status_code == 404
    assert "AB-1" in ann.get("/parties/bob?format=csv").text


def test_a_relationship_is_opened_once_and_only_by_who_may(town: SmallTown, ann: Visitor) -> None:
    assert town.visitor("ann", "buyer").post("/relationships", {"party": "cay"}).status_code == 403
    assert ann.post("/relationships", {"party": "cay"}).status_code == 303
    circle = parties.relationship_with(town.node.view("ann"), "cay")
    assert circle and ann.post("/relationships", {"party": "cay"}).status_code == 303
    assert parties.relationship_with(town.node.view("ann"), "cay") == circle
    assert ann.post("/relationships", {"party": "nobody"}).status_code == 404
    assert not parties.relationship_with(town.node.view("eve"), "cay")


def test_a_group_is_opened_widened_and_left(town: SmallTown, ann: Visitor) -> None:
    assert ann.post("/groups", {"name": f"North {EVIL}", "member": ["bob"]}).status_code == 303
    group = next(c for c in parties.circles(town.node.view("ann"), "group") if c.name.startswith("North"))
    assert [m.party for m in group.members] == ["ann", "bob"] and all(m.entered for m in group.members)
    bob = town.visitor("bob")
    assert code_of(bob.post("/groups/widen", {"circle": group.circle, "party": "eve"})) == "parties.not_opener"
    assert ann.post("/groups/widen", {"circle": group.circle, "party": "eve"}).status_code == 303
    eve = town.visitor("eve")
    assert "North" in eve.get("/partners").text and "North" not in town.visitor("cay").get("/partners").text
    assert eve.post("/groups/leave", {"circle": group.circle}).status_code == 303
    assert code_of(ann.post("/groups/leave", {"circle": group.circle})) == "parties.opener_stays"
    assert code_of(ann.post("/groups", {"name": "Empty"})) == "parties.wrong_size"


def test_partners_and_groups_stand_in_the_order_of_their_names(town: SmallTown) -> None:
    eve = town.visitor("eve")
    for name in ("south", "East", "Quay", "Brim", "alpha"):
        assert eve.post("/groups", {"name": f"{name} group", "member": ["cay"]}).status_code == 303
    text = eve.get("/partners").text
    named = re.findall(r"<h2>(\w+) group <span", text)
    assert named == ["alpha", "Brim", "East", "Quay", "south"]
    ann = town.visitor("ann").get("/partners").text
    assert re.findall(r'<a href="/parties/(bob|cay)">', ann[ann.index("<h2>Partners") :])[:2] == ["bob", "cay"]


def test_the_profile_and_sites_are_changed_with_care(town: SmallTown, ann: Visitor) -> None:
    form = {"name": "Ann & Co", "city": "Rostock", "country": "DE", "about": "Bearings"}
    assert ann.post("/firm", form).status_code == 303
    assert "Ann &amp; Co" in town.visitor("eve").get("/parties/ann").text
    wrong = ann.post("/firm", {**form, "country": "Germany"})
    assert wrong.status_code == 422 and code_of(wrong) == "form.country" and "Bearings" in wrong.text
    site = {"site": "A-2", "name": "Second", "kind": "warehouse", "city": "Hamburg", "country": "DE"}
    assert ann.post("/firm/sites", site).status_code == 303
    row = next(s for s in parties.sites(town.node.view("ann")) if s.site == "A-2")
    assert row.latitude_microdeg // 1_000_000 == 53, "taken from the city"
    assert code_of(ann.post("/firm/sites", {**site, "latitude": "91"})) == "form.range"
    assert code_of(ann.post("/firm/sites", {**site, "kind": "castle"})) == "form.choice"
    assert ann.post("/firm/sites", {**site, "site": "not an id!"}).status_code in (422, 400)
    assert parties.sites(town.node.view("eve"))[0].site == "store-eve"


def test_a_permit_is_set_and_changed_and_stays_private(town: SmallTown, ann: Visitor) -> None:
    form = {"partner": "eve", "width": "brand", "word": "SKF", "allow": "no"}
    assert ann.post("/firm/permits", form).status_code == 303
    view = town.node.view("ann")
    assert not parties.may_sell(view, "eve", "SKF") and parties.may_sell(view, "bob", "SKF")
    assert ann.post("/firm/permits", {**form, "allow": "yes"}).status_code == 303
    assert len(parties.permits(town.node.view("ann"))) == 1, "the same permit was changed"
    assert parties.permits(town.node.view("eve")) == []
    assert code_of(ann.post("/firm/permits", {**form, "word": ""})) == "form.missing"


def test_a_brands_owner_authorises_a_seller(town: SmallTown) -> None:
    cay = town.visitor("cay")
    assert cay.post("/firm/channels", {"brand": "Kogge", "party": "bob", "countries": "de, pl"}).status_code == 303
    (row,) = parties.channels(town.node.view(), "Kogge")
    assert (row.party, row.countries) == ("bob", ("DE", "PL"))
    assert "Kogge" in town.visitor("bob").get("/firm/permits").text
    answer = cay.post("/firm/channels", {"brand": "Kogge", "party": "bob", "countries": "Poland"})
    assert answer.status_code == 422 and code_of(answer) == "form.country"


def test_people_are_invited_appointed_and_removed(town: SmallTown, ann: Visitor) -> None:
    answer = ann.post("/firm/people/invite", {"email": "ida@ann.example", "role": "buyer", "limit": "500"})
    link = re.search(r"/invitation/([A-Za-z0-9_-]+)", answer.text)
    assert answer.status_code == 200 and link is not None
    assert link.group(1) not in ann.get("/firm/people").text, "it is shown once"
    number = town.accounts.accept(link.group(1), f"Ida {EVIL}", PASSWORD)
    assert town.accounts.memberships(number)[0].approval_limit_minor == 50_000
    assert EVIL not in ann.get("/firm/people").text
    assert ann.post("/firm/people", {"user": str(number), "role": "seller", "limit": ""}).status_code == 303
    (staff,) = [s for s in parties.staff(town.node.view("ann")) if s.person == str(number)]
    assert (staff.role, staff.active) == ("seller", True)
    assert town.accounts.memberships(number)[0].approval_limit_minor is None
    form = {"user": str(number), "role": "seller", "limit": "", "remove": "yes"}
    assert ann.post("/firm/people", form).status_code == 303
    assert town.accounts.memberships(number) == ()
    assert code_of(ann.post("/firm/people/invite", {"email": "nobody", "role": "buyer"})) == "account.email"
    assert code_of(ann.post("/firm/people/invite", {"email": "a@b", "role": "king"})) == "form.choice"


def test_an_owner_cannot_take_its_own_rights_nor_touch_another_firms_people(town: SmallTown, ann: Visitor) -> None:
    me, other = town.users["ann", "owner"], town.users["bob", "owner"]
    answer = ann.post("/firm/people", {"user": str(me), "role": "viewer", "limit": ""})
    assert code_of(answer) == "people.yourself"
    assert ann.post("/firm/people", {"user": str(other), "role": "viewer", "limit": ""}).status_code == 404
    assert town.accounts.memberships(other)[0].role == "owner"


def test_a_key_is_rotated_and_an_old_one_declared_compromised(town: SmallTown) -> None:
    bob = town.visitor("bob")
    first = town.node.wallet.key_of("bob")
    assert first is not None and bob.post("/firm/keys/rotate", {}).status_code == 303
    second = town.node.wallet.key_of("bob")
    assert second is not None and second.kid != first.kid
    rows = {k.kid: k for k in parties.keys(town.node.view(), "bob")}
    assert rows[first.kid].until_at < 2**40 and not rows[first.kid].compromised
    assert bob.post("/firm/keys/compromised", {"kid": second.kid}).status_code == 303
    third = town.node.wallet.key_of("bob")
    assert third is not None and third.kid not in (first.kid, second.kid), "a new key was made first"
    assert {k.kid: k.compromised for k in parties.keys(town.node.view(), "bob")}[second.kid]
    town.do("bob", DescribeParty(name="Bob", city="Bremen", country="DE"))
    other = town.node.wallet.key_of("ann")
    assert other is not None
    assert code_of(bob.post("/firm/keys/compromised", {"kid": other.kid})) == "parties.not_your_key"


# -- joining -------------------------------------------------------------------------------------------------------

FORM = {"name": f"Müller & Söhne {EVIL}", "kind": "distributor", "city": "Kiel", "country": "DE", "person": "Ida",
        "email": "ida@mueller.example", "password": PASSWORD, "repeat": PASSWORD}  # fmt: skip


def secret_of(town: SmallTown, ann: Visitor) -> str:
    found = re.search(r"/join/([A-Za-z0-9_-]+)", ann.post("/invite-a-firm", {}).text)
    assert found is not None
    return found.group(1)


def test_a_firm_joins_by_a_link_and_lands_on_its_import(town: SmallTown, ann: Visitor) -> None:
    secret = secret_of(town, ann)
    assert secret not in ann.get("/invite-a-firm").text, "it is shown once"
    new = town.visitor()
    page = new.get(f"/join/{secret}")
    assert page.status_code == 200 and "Ann" in page.text
    token = new.token(f"/join/{secret}")
    answer = new.post(f"/join/{secret}", FORM, token=token)
    assert answer.status_code == 303 and answer.headers["location"] == "/import"
    row = parties.party(town.node.view(), "mueller-soehne-img-src-x-onerror-alert-1")
    assert row is not None and row.name == FORM["name"]
    assert new.get("/import").status_code == 200 and EVIL not in new.get("/firm").text
    assert town.node.view(row.party).home, "it has its home"
    for again in (town.visitor().get(f"/join/{secret}"), town.visitor().get("/join/never-was-one")):
        assert again.status_code == 404 and code_of(again) == "invitation.invalid"


def test_a_wrong_joining_form_leaves_nothing_behind(town: SmallTown, ann: Visitor) -> None:
    secret = secret_of(town, ann)
    who = town.visitor()
    token = who.token(f"/join/{secret}")
    before = len(parties.parties(town.node.view(), limit=1_000))
    for wrong, code in (
        ({"password": "short", "repeat": "short"}, "password.short"), ({"repeat": "another one"}, "password.repeat"),
        ({"email": "ida"}, "account.email"), ({"name": ""}, "form.missing"), ({"country": "XYZ"}, "form.country"),
        ({"kind": "pirate"}, "form.choice"),
        ({"email": "owner@bob.example", "password": "wrong wrong"}, "signin.wrong"),
    ):  # fmt: skip
        answer = who.post(f"/join/{secret}", {**FORM, "email": "new@firm.example", **wrong}, token=token)
        assert answer.status_code in (401, 422) and code_of(answer) == code, (wrong, code_of(answer))
        assert PASSWORD not in answer.text
    assert len(parties.parties(town.node.view(), limit=1_000)) == before
    assert town.accounts.user_by_email("new@firm.example") is None
    open_ones = [i for i in town.node.view().rows(INVITATIONS) if not i.used_by and i.inviter == "ann"]
    assert open_ones, "the invitation still opens the door"


def test_two_firms_of_one_name_get_ids_of_their_own(town: SmallTown) -> None:
    from hanse.rooms.parties.page_join import free_id

    joining.host(town.node, "twin", name="Twin", city="Kiel")
    assert free_id(town.node.view(), "Twin") == "twin-2"
    assert free_id(town.node.view(), "Nobody has this") == "nobody-has-this"


def test_who_is_permitted_nothing_is_told_so_and_opens_no_relationship(town: SmallTown) -> None:
    town.do("cay", SetPermit(circle=town.home("cay"), permit="no", partner="eve", scope="*", allow=False))
    eve = town.visitor("eve")
    answer = eve.post("/relationships", {"party": "cay"})
    assert code_of(answer) == "joining.not_wanted" and "does not take part in what you open" in answer.text
    assert code_of(eve.post("/groups", {"name": "Trap", "member": ["cay"]})) == "joining.not_wanted"
    assert not parties.relationship_with(town.node.view("eve"), "cay")

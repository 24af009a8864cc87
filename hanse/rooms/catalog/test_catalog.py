"""Items, their numbers, what follows them and what stands in for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanse.rooms.catalog import queries
from hanse.rooms.catalog.facts import (
    ITEM_NUMBERS,
    ITEMS,
    JUDGEMENTS,
    OWN_ITEMS,
    ApproveSubstitute,
    JudgeSubstitute,
    LinkItem,
    Pack,
    PublishItem,
    SetOwnItem,
    Supersede,
    UnlinkItem,
)
from hanse.rooms.catalog.rules import part_key
from hanse.rooms.testing import Town, home, same_under_hash_seeds
from hanse.standards.gtin import check_digit

GTIN = "06291041500213"
OWN = {
    "description": "Rillenkugellager",
    "brand": "Skf",
    "part_number": "6205 2RS",
    "gtin": "",
    "unit": "H87",
    "pack_each": 1,
    "category": "bearings",
    "cost_minor": 250,
    "currency": "EUR",
}


def item(name: str, **more) -> PublishItem:
    return PublishItem(**{"item": name, "description": name.title(), "brand": "SKF", "part_number": name, **more})


def own(party: str, number: str, **more) -> SetOwnItem:
    return SetOwnItem(circle=home(party), own_number=number, **{**OWN, **more})


def link(party: str, number: str, item: str, method: str = "accepted") -> LinkItem:
    return LinkItem(circle=home(party), own_number=number, item=item, method=method)


@pytest.fixture
def town() -> Town:
    return founded()


def founded() -> Town:
    town = Town("a", "b", rooms=("parties", "catalog"))
    town.must("a", item("6205", gtin=GTIN), item("6206"), item("6207"))
    town.must("b", item("7000", brand="FAG"))
    town.must("a", own("a", "A-1", part_number="6205"), own("a", "A-2"))
    return town


TABLE = [
    ("h-a", item("new"), "parties.unknown_party"),
    ("b", item("6205"), "catalog.not_steward"),
    ("a", item("new", gtin="06291041500214"), "catalog.bad_gtin"),
    ("a", item("new", gtin="00000000000000"), "catalog.bad_gtin"),
    ("a", item("new", brand="", gtin=""), "catalog.no_number"),
    ("a", item("new", part_number=" - ", gtin=""), "catalog.no_number"),
    ("a", item("new", packs=[Pack(code="BX", each=2), Pack(code="BX", each=3)]), "catalog.repeated_pack"),
    ("b", item("new", gtin=GTIN), "catalog.number_taken"),
    ("b", item("new", brand="s.k.f", part_number="62 05"), "catalog.number_taken"),
    ("a", Supersede(item="none", by="6205"), "catalog.unknown_item"),
    ("b", Supersede(item="6205", by="none"), "catalog.not_steward"),
    ("a", Supersede(item="6205", by="none"), "catalog.unknown_item"),
    ("a", Supersede(item="6205", by="6205"), "catalog.goes_round"),
    ("a", ApproveSubstitute(item="none", substitute="6205"), "catalog.unknown_item"),
    ("b", ApproveSubstitute(item="6205", substitute="none"), "catalog.not_steward"),
    ("a", ApproveSubstitute(item="6205", substitute="none"), "catalog.unknown_item"),
    ("a", ApproveSubstitute(item="6205", substitute="6205"), "catalog.same_item"),
    ("a", ApproveSubstitute(item="6205", substitute="7000", both_ways=True), "catalog.not_steward"),
    ("a", own("none", "A-9"), "parties.unknown_circle"),
    ("a", own("b", "A-9"), "parties.not_in_circle"),
    ("a", own("a", "A-9", gtin="06291041500214", cost_minor=-1), "catalog.bad_gtin"),
    ("a", own("a", "A-9", cost_minor=-1), "catalog.bad_cost"),
    ("a", link("a", "none", "none"), "catalog.unknown_own_number"),
    ("a", link("a", "A-1", "none"), "catalog.unknown_item"),
    ("a", link("a", "A-1", "6205", "gtin"), "catalog.gtin_differs"),
    ("a", link("a", "A-2", "6205", "brand_part"), "catalog.part_number_differs"),
    ("a", UnlinkItem(circle=home("a"), own_number="none"), "catalog.unknown_own_number"),
    ("a", UnlinkItem(circle=home("a"), own_number="A-1"), "catalog.not_linked"),
    ("a", JudgeSubstitute(circle=home("a"), item="none", substitute="6205", allow=True), "catalog.unknown_item"),
    ("a", JudgeSubstitute(circle=home("a"), item="6205", substitute="none", allow=True), "catalog.unknown_item"),
    ("a", JudgeSubstitute(circle=home("a"), item="6205", substitute="6205", allow=True), "catalog.same_item"),
]


@pytest.mark.parametrize(("who", "fact", "code"), TABLE)
def test_a_rule_refuses_and_changes_nothing(town, who, fact, code):
    before = town.business()
    assert town.refused(who, fact) == code
    assert town.business() == before


def test_own_numbers_belong_in_a_home(town):
    town.circle("a", "b")
    fact = SetOwnItem(circle="a--b", own_number="A-9", **OWN)
    assert town.refused("a", fact) == "parties.not_a_home"


def test_an_item_that_changes_its_numbers_frees_the_old_ones(town):
    town.must("a", item("6205", gtin="", part_number="6205X"))
    assert queries.item_by_gtin(town.view(), GTIN) is None
    assert queries.item_by_part(town.view(), "SKF", "6205") is None
    town.must("b", item("new", gtin=GTIN, brand="skf", part_number="6205"))
    assert {row.item for row in town.view().rows(ITEM_NUMBERS, "number LIKE 'gtin:%'")} == {"new"}


def test_supersession_ends_and_never_goes_round(town):
    town.must("a", Supersede(item="6205", by="6206"), Supersede(item="6206", by="6207"))
    assert town.refused("a", Supersede(item="6207", by="6205")) == "catalog.goes_round"
    for member in ("6205", "6206", "6207"):
        assert queries.chain(town.view(), member) == ["6205", "6206", "6207"]
        assert queries.current(town.view(), member) == "6207"
    town.must("a", item("6206", description="renamed"))
    assert queries.current(town.view(), "6205") == "6207", "a change keeps what comes after"
    town.must("a", Supersede(item="6206", by=""))
    assert queries.current(town.view(), "6205") == "6206"


def test_a_chain_has_a_greatest_length(town, monkeypatch):
    monkeypatch.setattr("hanse.rooms.catalog.rules.CHAIN_ITEMS_MAX", 1)
    town.must("a", Supersede(item="6206", by="6207"))
    assert town.refused("a", Supersede(item="6205", by="6206")) == "catalog.chain_too_long"


def test_a_buyers_own_word_on_a_substitute_comes_before_the_stewards(town):
    town.must("a", ApproveSubstitute(item="6205", substitute="6206", both_ways=True))
    town.must("b", JudgeSubstitute(circle=home("b"), item="6205", substitute="6206", allow=False))
    town.must("b", JudgeSubstitute(circle=home("b"), item="6205", substitute="7000", allow=True))
    a, b = town.view("a"), town.view("b")
    assert [(s.item, s.approved, s.judged) for s in queries.substitutes(b, "6205")] == [
        ("7000", False, "yes"),
        ("6206", True, "no"),
    ]
    assert [(s.item, s.judged) for s in queries.substitutes(a, "6205")] == [("6206", "")]
    assert queries.may_substitute(a, "6205", "6206") and queries.may_substitute(a, "6206", "6205")
    assert not queries.may_substitute(b, "6205", "6206") and queries.may_substitute(b, "6205", "7000")
    town.must("a", ApproveSubstitute(item="6205", substitute="6206", approved=False))
    assert not queries.may_substitute(town.view("a"), "6205", "6206")
    assert queries.may_substitute(town.view("a"), "6206", "6205")


def test_links_say_why_and_goods_are_received_under_the_first(town):
    town.must("a", link("a", "A-1", "6205", "brand_part"), link("a", "A-2", "6205"))
    assert queries.own_number_of(town.view("a"), "6205") == "A-1"
    assert queries.item_by_any(town.view("a"), "A-2").item == "6205"
    matching = queries.matching(town.view("a"))
    assert (matching.lines, matching.lines_matched, matching.lines_matched_ppm) == (2, 2, 1_000_000)
    assert matching.by_method == {"accepted": 1, "brand_part": 1}
    town.must("a", UnlinkItem(circle=home("a"), own_number="A-1"))
    assert queries.own_number_of(town.view("a"), "6205") == "A-2"
    assert [o.own_number for o in queries.own_items(town.view("a"), unmatched=True)] == ["A-1"]
    town.must("a", own("a", "A-2", description="other"))
    assert queries.own_item(town.view("a"), "A-2").item == "6205", "a change keeps the link"
    town.must("a", link("a", "A-2", "6206"))
    assert queries.own_number_of(town.view("a"), "6205") == ""
    assert queries.own_number_of(town.view("a"), "6206") == "A-2"


def test_an_item_is_found_by_every_number_of_it(town):
    town.must("a", link("a", "A-1", "6205"))
    for text in ("6205", "A-1", GTIN, "6291041500213", "6 291041 500213", "SKF 62-05", "s.k.f. 6205"):
        found = queries.item_by_any(town.view("a"), text)
        assert found is not None and found.item == "6205", text
    assert queries.item_by_any(town.view("b"), "A-1") is None, "own numbers are the firm's own"
    assert queries.item_by_any(town.view("a"), "6291041500214") is None


def test_search_finds_every_word_and_own_numbers_only_at_home(town):
    town.must("a", link("a", "A-1", "6205"))
    assert [f.item for f in queries.search(town.view(), "skf 62")] == ["6205", "6206", "6207"]
    assert queries.search(town.view(), "skf fag") == []
    assert [(f.item, f.own_number) for f in queries.search(town.view("a"), "rillen")] == [("6205", "A-1"), ("", "A-2")]
    assert queries.search(town.view("b"), "rillen") == queries.search(town.view(), "rillen") == []
    assert queries.search(town.view("a"), "%") == [] == queries.search(town.view("a"), " ")
    assert len(queries.search(town.view("a"), "6205")) == 2, "one line for the linked item, one for the unmatched"


def test_others_read_nothing_of_own_numbers_links_and_judgements(town):
    town.must("a", link("a", "A-1", "6205"))
    town.must("a", JudgeSubstitute(circle=home("a"), item="6205", substitute="6206", allow=True))
    for view in (town.view(), town.view("b")):
        assert view.rows(OWN_ITEMS) == view.rows(JUDGEMENTS) == queries.own_items(view) == []
        assert queries.matching(view).lines == 0
        assert queries.own_item(view, "A-1") is None
    assert "A-1" not in str([block.leaves for block in town.blocks])
    assert "Rillenkugellager" not in str([block.leaves for block in town.blocks])


def test_every_partys_own_node_computes_the_same(town):
    town.must("a", link("a", "A-1", "6205"), link("a", "A-2", "6206"))
    assert town.both_sides_agree()


def test_replay_under_other_hash_seeds_ends_the_same():
    assert same_under_hash_seeds(founded)


@given(st.lists(st.sampled_from(["6205", "6206", "6207", "6208"]), min_size=2, max_size=14))
def test_following_supersessions_always_ends(names):
    town = Town("a", rooms=("parties", "catalog"))
    town.must("a", *[item(name) for name in ("6205", "6206", "6207", "6208")])
    for before, after in zip(names[::2], names[1::2], strict=False):
        town.do("a", Supersede(item=before, by=after))
    after_of = {row.item: row.superseded_by for row in town.view().rows(ITEMS)}
    for start in after_of:
        seen, at = [], start
        while at:
            assert at not in seen
            seen.append(at)
            at = after_of[at]


@given(st.text(alphabet="aZ09 -./ß", max_size=12), st.text(alphabet="aZ09 -./ß", max_size=12))
def test_a_part_key_does_not_change_with_marks_blanks_and_ascii_case(brand, number):
    key = part_key(brand, number)
    assert part_key(f" {brand}.", f"-{number} ") == key
    assert part_key(brand.replace("a", "A"), number.replace("a", "A")) == key
    assert key == "" or key.count("|") == 1


@given(st.integers(1, 10**13 - 1))
def test_a_gtin_needs_its_check_digit(body):
    town = Town("a", rooms=("parties", "catalog"))
    digits = f"{body:013d}"
    right = check_digit(digits)
    assert town.do("a", item("x", gtin=f"{digits}{right}")).code == "ok"
    assert town.do("a", item("y", part_number="y", gtin=f"{digits}{(right + 1) % 10}")).code == "catalog.bad_gtin"

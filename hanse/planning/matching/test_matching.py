"""Matching: what is accepted, what is only suggested, why, and that order and names of firms do not matter."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from hanse.planning.matching import Item, Options, kernels, match, match_many, similar, text
from hanse.standards.gtin import check_digit

AMAZON_GOOGLE = Path(__file__).resolve().parents[4] / "shared" / "data" / "product_matching" / "amazon_google"
ONE, TWO = (f"40063813339{n}{check_digit(f'40063813339{n}')}" for n in (3, 4))

item_texts = st.sampled_from(["ball bearing 25x52x15", "V-belt SPA 1250", "Wellendichtring 40x62x8", "", "motor 4 kW"])
parts = st.sampled_from(["", "6204-2RS", "6204 2RS", "SPA1250", "00-6204/2RS", "40x62x8"])
catalogues = st.lists(
    st.builds(
        Item,
        number=st.just(""),
        gtin=st.sampled_from(["", ONE, TWO, ONE[:-1] + "x", "0" + ONE]),
        brand=st.sampled_from(["", "SKF", "SKF AB", "S.K.F.", "Gates"]),
        part_number=parts,
        description=item_texts,
        unit=st.sampled_from(["C62", "BX"]),
        each_per_unit=st.sampled_from([0, 1, 10]),
    ),
    max_size=6,
).map(lambda items: [_numbered(item, n) for n, item in enumerate(items)])


def _numbered(item: Item, n: int) -> Item:
    fields = {name: getattr(item, name) for name in Item.__slots__}
    return Item(**{**fields, "number": str(n)})


@given(catalogues, catalogues)
@settings(deadline=None, max_examples=60)
def test_only_equal_gtin_or_equal_brand_and_part_number_is_accepted_and_both_sides_agree(
    a: list[Item], b: list[Item]
) -> None:
    there = match(a, b, Options(score_min=0.0))
    back = match(b, a, Options(score_min=0.0))
    assert {(m.a.number, m.b.number, m.method) for m in there if m.accepted} == {
        (m.b.number, m.a.number, m.method) for m in back if m.accepted
    }
    for m in there:
        one, other = a[int(m.a.number)], b[int(m.b.number)]
        same_gtin = bool(one.gtin) and one.gtin[-13:] == other.gtin[-13:] and not one.gtin.endswith("x")
        same_part = text.brand_key(one.brand) == text.brand_key(other.brand) != "" and (
            text.part_key(one.part_number) == text.part_key(other.part_number) != ""
        )
        assert m.reasons
        assert 0 <= m.score <= 1
        if m.accepted:
            assert same_gtin or same_part


@given(st.dictionaries(st.sampled_from("pqrs"), catalogues, max_size=4), st.randoms())
@settings(deadline=None, max_examples=60)
def test_every_item_is_in_one_group_and_the_order_of_members_does_not_matter(
    crowd: dict[str, list[Item]], rng: object
) -> None:
    network = match_many(crowd)
    refs = [ref for group in network.groups for ref in group.refs]
    assert sorted(refs) == sorted((owner, item.number) for owner, items in crowd.items() for item in items)
    names = list(crowd)
    rng.shuffle(names)  # type: ignore[attr-defined]
    again = match_many({name: crowd[name][::-1] for name in names})
    assert {frozenset(g.refs) for g in network.groups} == {frozenset(g.refs) for g in again.groups}


def test_a_wrong_check_digit_counts_as_no_gtin() -> None:
    wrong = ONE[:-1] + str((int(ONE[-1]) + 1) % 10)
    assert not [m for m in match([Item("1", gtin=wrong)], [Item("2", gtin=wrong)]) if m.accepted]


def test_a_gtin_for_use_inside_one_firm_matches_nobody() -> None:
    inside = "201234567890" + str(check_digit("201234567890"))
    assert not [m for m in match([Item("1", gtin=inside)], [Item("2", gtin=inside)]) if m.accepted]


def test_equal_part_numbers_with_contradicting_gtins_are_left_to_a_person() -> None:
    a = Item("1", gtin=ONE, brand="SKF", part_number="6204")
    b = Item("2", gtin=TWO, brand="SKF AB", part_number="6204")
    (found,) = match([a], [b])
    assert found.method == "suggestion"
    assert found.reasons[0] == "same brand and part number, but the GTINs differ"
    network = match_many({"p": [a], "q": [b]})
    assert [len(g.refs) for g in network.groups] == [1, 1]
    assert network.suggestions[0].reasons[0] == found.reasons[0]


def test_packs_of_different_size_match_and_say_how_they_convert() -> None:
    a = Item("1", gtin=ONE, brand="SKF", part_number="6204", unit="EA")
    b = Item("2", gtin=TWO, brand="SKF", part_number="6204-BX", unit="box", each_per_unit=10)
    (found,) = match([a], [b])
    assert (found.method, found.each_a, found.each_b) == ("brand_part", 1, 10)
    assert "one unit is 1 each here and 10 each there" in found.reasons


def test_an_unknown_pack_size_is_said() -> None:
    a, b = Item("1", gtin=ONE), Item("2", gtin=ONE, unit="BX", each_per_unit=0)
    (found,) = match([a], [b])
    assert "the pack size is not known: state it before stock is pooled" in found.reasons


@pytest.mark.parametrize(
    ("one", "other"),
    [("6204-2RS", "6204-2Z"), ("M8x1.25", "M8x12.5"), ("1/2-13", "12-13"), ("6204", "6204/C3"), ("10.50", "105-0")],
)
def test_part_numbers_of_different_items_stay_apart(one: str, other: str) -> None:
    assert text.part_key(one) != text.part_key(other)


def test_a_suggestion_names_what_agrees_and_what_contradicts() -> None:
    a = Item("1", brand="Siemens AG", description="contactor 3RT2018 24V 18A")
    b = Item("2", brand="SIEMENS", description="Schütz 3RT2018 230 V 18 A")
    (found,) = match([a], [b], Options(score_min=0.0))
    assert "same brand siemens" in found.reasons
    assert any("18 A" in why for why in found.reasons)
    assert any(why.startswith("V differs: 24 and 230") for why in found.reasons)


def test_names_in_other_languages_are_suggested_first() -> None:
    ours = [Item("1", description="deep groove ball bearing 6204-2RSH 20x47x14")]
    theirs = [
        Item("9", description="Wellendichtring 20x47x7"),
        Item("8", description="Rillenkugellager 6204-2RSH SKF"),
        Item("7", description="deep groove ball bearing 6309-2Z 45x100x25"),
    ]
    best = match(ours, theirs)[0]
    assert (best.b.number, best.method, best.mutual) == ("8", "suggestion", True)


def test_members_aliases_join_what_they_name() -> None:
    a, b = [Item("1", brand="Kugel Meier", part_number="6204")], [Item("2", brand="FAG", part_number="6204")]
    assert not [m for m in match(a, b) if m.accepted]
    assert [m.method for m in match(a, b, Options(aliases={"kugel-meier": "FAG"}))] == ["brand_part"]


@given(st.integers(2, 12), st.integers(1, 8), st.integers(0, 2**31))
@settings(deadline=None, max_examples=30)
def test_the_compiled_loops_equal_dense_arithmetic(rows: int, keys: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    dense = rng.integers(0, 4, (rows, keys)).astype(np.float32)
    m = sparse.csr_matrix(dense)
    columns = m.tocsc()
    everyone = np.arange(rows, dtype=np.int32)
    best, score = kernels.top_rows(
        m.indptr, m.indices, m.data, columns.indptr, columns.indices, columns.data, everyone, 3, rows
    )
    product = dense @ dense.T
    np.fill_diagonal(product, 0)
    for row in range(rows):
        assert score[row].tolist() == [*sorted(product[row].tolist(), reverse=True), 0, 0][:3]
        assert all(product[row, other] == s for other, s in zip(best[row], score[row], strict=True) if other >= 0)
    left = np.repeat(everyone, rows)
    right = np.tile(everyone, rows)
    assert np.array_equal(kernels.pair_dots(m.indptr, m.indices, m.data, left, right), (dense @ dense.T).ravel())


def test_likeness_never_leaves_zero_to_one_and_is_higher_for_the_same_text() -> None:
    like = similar.build([similar.Doc("hex bolt M8x40"), similar.Doc("hex bolt M8x40"), similar.Doc("oil filter")])
    pairs = np.array([0, 0], dtype=np.int32), np.array([1, 2], dtype=np.int32)
    same, other = similar.score(similar.features(like, *pairs))
    assert 0 <= other < 0.05
    assert 0.9 < same <= 1


def test_on_amazon_google_the_true_partner_is_among_five_suggestions() -> None:
    if not AMAZON_GOOGLE.exists():
        pytest.skip("shared data not found: product_matching/amazon_google")

    def rows(name: str) -> list[dict[str, str]]:
        with gzip.open(AMAZON_GOOGLE / name, "rt", encoding="utf-8", newline="") as handle:
            return list(csv.DictReader(handle))

    a, b = (
        [Item(r["id"], brand=r["manufacturer"], description=r["title"], more=r["description"]) for r in rows(name)]
        for name in ("amazon.csv.gz", "google.csv.gz")
    )
    truth = {(r["left_id"], r["right_id"]) for r in rows("matches.csv.gz")}
    assert (len(a), len(b), len(truth)) == (1354, 3039, 1103)
    found = {(m.a.number, m.b.number) for m in match(a, b, Options(score_min=0.0))}
    assert len(truth & found) / len(truth) >= 0.96

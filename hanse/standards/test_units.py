"""Units: published ratios, exactness, refusals in their order."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanse.standards import units

MEASURES = sorted(code for code, u in units.UNITS.items() if not u.is_pack)


@pytest.mark.parametrize(
    ("quantity", "unit_from", "unit_to", "result"),
    [
        (1, "GRO", "C62", 144),
        (1, "GRO", "DZN", 12),
        (5, "FOT", "INH", 60),
        (1, "YRD", "FOT", 3),
        (1, "LBR", "ONZ", 16),
        (100_000, "LBR", "GRM", 45_359_237),
        (1, "GLL", "QT", 4),
        (1, "GLL", "OZA", 128),
        (1, "MTQ", "LTR", 1000),
        (1, "TNE", "KGM", 1000),
        (10, "INH", "MMT", 254),
        (1, "DAY", "HUR", 24),
        (25, "FTK", "MMK", 2_322_576),
    ],
)
def test_published_ratios_hold(quantity: int, unit_from: str, unit_to: str, result: int) -> None:
    assert units.convert(quantity, unit_from, unit_to) == result


@given(st.integers(-(10**9), 10**9), st.sampled_from(MEASURES), st.sampled_from(MEASURES))
def test_a_conversion_comes_back_exactly_or_is_refused(quantity: int, one: str, other: str) -> None:
    try:
        there = units.convert(quantity, one, other)
    except units.UnitError as refused:
        assert refused.code in {"unit.other_dimension", "unit.inexact"}
        assert (refused.code == "unit.other_dimension") == (units.UNITS[one].dimension != units.UNITS[other].dimension)
    else:
        assert units.convert(there, other, one) == quantity


@pytest.mark.parametrize(
    ("unit_from", "unit_to", "packs", "code"),
    [
        ("wibble", "BX", {}, "unit.unknown"),
        ("BX", "KGM", {}, "unit.pack_unknown"),
        ("BX", "C62", {"BX": 0}, "unit.pack_unknown"),
        ("KGM", "C62", {}, "unit.other_dimension"),
        ("C62", "BX", {"BX": 50}, "unit.inexact"),
    ],
)
def test_refusals_come_in_their_order(unit_from: str, unit_to: str, packs: dict[str, int], code: str) -> None:
    with pytest.raises(units.UnitError) as refused:
        units.convert(7, unit_from, unit_to, packs)
    assert refused.value.code == code


def test_packs_of_one_item_convert_into_each_other() -> None:
    packs = {"BX": 50, "case": 600, "PF": 24_000}
    assert units.convert(2, "PF", "BX", packs) == 960
    assert units.convert(1, "CS", "DZN", packs) == 50
    assert units.convert(Fraction(1, 2), "BX", "H87", packs) == 25


def test_no_word_names_two_units() -> None:
    seen: dict[str, str] = {}
    for line in units._TABLE.strip().splitlines():
        code, *_, aliases = line.split("|")
        for word in filter(None, [code.lower(), *aliases.lower().split(",")]):
            assert seen.setdefault(word, code) == code, f"{word} names {seen[word]} and {code}"

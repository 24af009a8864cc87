"""GTIN: published numbers, every one-digit error, precedence of refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanse.standards import gtin

# Numbers printed in GS1's own documents and on well-known goods.
PUBLISHED = {
    "6291041500213": "06291041500213",  # GS1 check digit guide
    "614141123452": "00614141123452",  # GS1 US examples, company prefix 0614141
    "036000291452": "00036000291452",  # the UPC-A of every textbook
    "96385074": "00000096385074",  # the EAN-8 of the EAN/UPC symbology specification
    "4006381333931": "04006381333931",
    "9780306406157": "09780306406157",  # ISBN manual's ISBN-13
    "80614141123458": "80614141123458",  # GS1 EPC Tag Data Standard, GTIN-14 with indicator 8
}


@pytest.mark.parametrize(("text", "fourteen"), PUBLISHED.items())
def test_published_numbers_are_accepted_and_filled_to_fourteen_digits(text: str, fourteen: str) -> None:
    assert gtin.normalise(text) == fourteen
    assert gtin.normalise(fourteen) == fourteen
    assert gtin.short(fourteen) in {text, text.zfill(12)}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "gtin.not_digits"),
        ("n/a", "gtin.not_digits"),
        ("6.29104E+12", "gtin.not_digits"),
        ("٦٢٩١٠٤١٥٠٠٢١٣", "gtin.not_digits"),
        ("12345", "gtin.length"),
        ("629104150021", "gtin.check_digit"),
        ("00000000", "gtin.zero"),
        ("96385075", "gtin.check_digit"),
    ],
)
def test_what_is_no_gtin_is_refused_with_its_code(text: str, code: str) -> None:
    with pytest.raises(gtin.GtinError) as refused:
        gtin.normalise(text)
    assert refused.value.code == code
    assert not gtin.is_gtin(text)


@given(st.sampled_from([7, 11, 12, 13]), st.data())
def test_every_wrong_digit_is_found(length: int, data: st.DataObject) -> None:
    body = data.draw(st.text("0123456789", min_size=length, max_size=length).filter(lambda s: s.strip("0")))
    whole = body + str(gtin.check_digit(body))
    place = data.draw(st.integers(0, length))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != whole[place]]))
    assert gtin.is_gtin(whole)
    assert not gtin.is_gtin(whole[:place] + other + whole[place + 1 :])


def test_numbers_for_use_inside_one_firm_are_told_apart() -> None:
    for body in ("201234567890", "021234567890", "2012345", "41234567890"):
        assert gtin.is_restricted(gtin.normalise(f"{body}{gtin.check_digit(body)}")), body
    for text in PUBLISHED:
        assert not gtin.is_restricted(gtin.normalise(text)), text

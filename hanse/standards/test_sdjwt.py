"""Base64url has one spelling for each sequence of bytes, and no other is read."""

from binascii import a2b_base64
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanse.standards import sdjwt

ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(st.binary(max_size=80))
def test_what_is_written_is_read(data):
    assert sdjwt.unb64(sdjwt.b64(data)) == data


def test_of_all_spellings_of_one_byte_and_of_two_one_each_is_read():
    read = []
    for text in (*product(ALPHABET, repeat=2), *((a, b, c) for a, b in ((65, 66), (95, 45)) for c in ALPHABET)):
        try:
            assert sdjwt.b64(sdjwt.unb64(bytes(text))) == bytes(text)
            read.append(text)
        except ValueError:
            continue
    assert sum(len(text) == 2 for text in read) == 256 and sum(len(text) == 3 for text in read) == 2 * 16


@pytest.mark.parametrize("text", [b"A", b"AAAAA", b"QQ==", b"Q===", b"Q+Q/", b"QQ\n", b"QQ QQ", b"QR", b"QQF"])
def test_other_spellings_are_refused(text):
    with pytest.raises(ValueError):
        sdjwt.unb64(text)


@given(st.text('AQgZ_-=+/~"\\ \n\0é', max_size=9).map(str.encode))
def test_what_is_read_is_what_the_standard_library_reads_of_the_standard_form(text):
    try:
        found = sdjwt.unb64(text)
    except ValueError:
        found = None
    standard = text.replace(b"-", b"+").replace(b"_", b"/") + b"==="[: -len(text) % 4]
    try:
        expected = a2b_base64(standard, strict_mode=True)
    except ValueError:
        expected = None
    if expected is not None and (set(text) & set(b"+/=") or sdjwt.b64(expected) != text):
        expected = None
    assert found == expected


@given(st.lists(st.binary(max_size=70), max_size=5))
def test_digests_of_several_disclosures_are_those_of_each(disclosures):
    assert sdjwt.digests(disclosures) == [sdjwt.digest(one) for one in disclosures]

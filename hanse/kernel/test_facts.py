"""Facts on the wire: what is hidden, what is refused, what joserfc makes of them."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OKPKey
from msgspec import UNSET
from nacl.signing import SigningKey

from hanse.kernel.batches import batch_tree, prove_batch, signed_part
from hanse.kernel.entries import BatchProof
from hanse.kernel.facts import (
    BATCH_HEADER,
    ERASED,
    HEADER,
    WITHHELD,
    Commercial,
    Each,
    Fact,
    Id,
    Part,
    Personal,
    Text,
    layout,
    payload,
    thumbprint,
)
from hanse.kernel.leaves import fact_entry, read_entry, signed_bytes, timer_entry
from hanse.kernel.reading import count_digests, read
from hanse.kernel.refusal import Refused
from hanse.record import merkle
from hanse.standards import sdjwt


class Line(Part, frozen=True, kw_only=True):
    offer: str
    each: Each
    item: Commercial[str] = WITHHELD


class Place(Fact, frozen=True, kw_only=True):
    kind: ClassVar[str] = "test.place"
    circle: Id
    lines: list[Line]
    po_number: Commercial[Text] = WITHHELD
    contact: Personal[Text] = WITHHELD


class Pay(Fact, frozen=True, kw_only=True):
    kind: ClassVar[str] = "test.pay"
    single: ClassVar[bool] = True
    each: Each


KINDS: dict[str, type[Fact]] = {"test.place": Place, "test.pay": Pay}
ORDER = Place(
    circle="c1",
    lines=[Line(offer="o1", each=3, item="bearing"), Line(offer="o2", each=1, item="seal")],
    po_number="PO 7",
    contact="Anna",
)
KEY = SigningKey(bytes(range(32)))
KID = thumbprint(bytes(KEY.verify_key))


def _sign(fact: Fact, **rest: Any) -> tuple[bytes, list[bytes]]:
    salts = iter(range(1000))
    given_fields = {"net": "n", "iss": "a", "kid": KID, "nonce": 1, "exp": 99} | rest
    text, disclosures = payload(fact, salt=lambda: f"salt-{next(salts):018d}", **given_fields)
    return sdjwt.sign(HEADER, text, lambda m: bytes(KEY.sign(m).signature)), disclosures


def test_private_fields_stand_on_the_wire_as_digests_only() -> None:
    jwt, disclosures = _sign(ORDER)
    clear = sdjwt.unb64(jwt.split(b".")[1])
    for secret in (b"bearing", b"seal", b"PO 7", b"Anna"):
        assert secret not in clear
    assert len(disclosures) == 4
    assert count_digests(read(KINDS, jwt).fact, layout(Place)) == 4


def test_a_reader_with_all_disclosures_reads_what_was_signed_and_one_without_reads_none() -> None:
    jwt, disclosures = _sign(ORDER)
    signed = read(KINDS, jwt, reversed(disclosures))
    assert signed.full == ORDER
    assert isinstance(signed.fact, Place)
    assert signed.fact.po_number is UNSET and signed.fact.lines[0].item is UNSET
    assert read(KINDS, jwt).full is None
    assert read(KINDS, jwt, disclosures[1:]).full is None


def test_an_erased_personal_field_leaves_the_rest_readable() -> None:
    jwt, disclosures = _sign(ORDER)
    named = {sdjwt.read_disclosure(d)[1]: d for d in disclosures}
    kept = [ERASED + sdjwt.digest(d).encode() if d == named["contact"] else d for d in disclosures]
    full = read(KINDS, jwt, kept).full
    assert isinstance(full, Place)
    assert full.contact is UNSET and full.po_number == "PO 7"


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_another_library_verifies_a_fact_as_an_ordinary_jws() -> None:
    jwt, _ = _sign(ORDER)
    key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": sdjwt.b64(bytes(KEY.verify_key)).decode()})
    assert b'"kind":"test.place"' in jws.deserialize_compact(jwt, key, algorithms=["EdDSA", "Ed25519"]).payload


def _code(jwt: bytes, disclosures: list[bytes] | None = None) -> str:
    try:
        read(KINDS, jwt, disclosures or [])
    except Refused as refused:
        return refused.code
    return "read"


def _with_body(body: bytes, kind: str = "test.place") -> bytes:
    text = b'{"net":"n","iss":"a","kid":"k","nonce":1,"exp":9,"kind":"%b","body":%b}' % (kind.encode(), body)
    return sdjwt.sign(HEADER, text, lambda _: bytes(64))


def test_what_does_not_read_is_refused_in_order_of_precedence() -> None:
    jwt, disclosures = _sign(ORDER)
    other = sdjwt.disclose("salt", "po_number", "PO 8")
    table = [
        (b"x" * 70_000, None, "fact.too_large"),
        (b"no jwt", None, "fact.not_a_jwt"),
        (b"e30." + jwt.split(b".", 1)[1], None, "fact.not_a_jwt"),
        (HEADER + b".!!.sig", None, "fact.bad_envelope"),
        (HEADER + b"." + sdjwt.b64(b'{"net":"n"}') + b".sig", None, "fact.bad_envelope"),
        (_with_body(b"{}", "no.such"), None, "fact.unknown_kind"),
        (_with_body(b'{"circle":"c1"}'), None, "fact.bad_body"),
        (_with_body(b'{"circle":"c1","lines":[],"extra":1}'), None, "fact.bad_body"),
        (_with_body(b'{"circle":"c1","lines":[{"offer":"o","each":-1}]}'), None, "fact.bad_body"),
        (_with_body(b'{"circle":"c1","lines":[],"po_number":"clear"}'), None, "fact.clear_private_field"),
        (jwt, [*disclosures, other], "fact.bad_disclosure"),
        (jwt, [*disclosures, disclosures[0]], "fact.bad_disclosure"),
        (jwt, [b"!!!"], "fact.bad_disclosure"),
    ]
    assert [_code(jwt, given_d) for jwt, given_d, _ in table] == [code for _, _, code in table]
    assert _code(jwt, disclosures) == "read"


def test_a_nonce_out_of_range_is_refused() -> None:
    assert _code(_sign(ORDER, nonce=-1)[0]) == "fact.bad_envelope"
    assert _code(_sign(ORDER, nonce=2**62 + 1)[0]) == "fact.bad_envelope"


@given(st.binary(max_size=400))
def test_no_bytes_make_reading_fail_otherwise_than_by_a_refusal(data: bytes) -> None:
    assert _code(data) != "read"
    assert _code(HEADER + b"." + sdjwt.b64(data) + b".x") != "read"


@given(st.integers(1, 40))
def test_a_batch_is_an_rfc_6962_tree_and_covers_each_of_its_facts_alone(count: int) -> None:
    jwts = [HEADER + b"." + sdjwt.b64(b"%d" % i) for i in range(count)]
    root, paths = batch_tree(jwts)
    frontier = merkle.Frontier()
    frontier.append(merkle.leaf_hashes(jwts))
    assert root == frontier.root()
    for i, jwt in enumerate(jwts):
        merkle.verify_inclusion(merkle.leaf_hash(jwt), i, count, paths[i], root)


def _batch(facts: list[Fact]) -> list[tuple[bytes, list[bytes], Any]]:
    texts = [
        payload(fact, net="n", iss="a", kid=KID, nonce=i, exp=99, salt=lambda: "salt") for i, fact in enumerate(facts)
    ]
    jwts = [HEADER + b"." + sdjwt.b64(text) for text, _ in texts]
    root, paths = batch_tree(jwts)
    sign = lambda text: sdjwt.sign(BATCH_HEADER, text, lambda m: bytes(KEY.sign(m).signature))  # noqa: E731
    proofs = prove_batch("n", "a", KID, root, paths, sign)
    return [(jwt, d, proof) for jwt, (_, d), proof in zip(jwts, texts, proofs, strict=True)]


def test_a_batched_fact_stands_on_the_batch_signature_and_no_fact_can_take_anothers_place() -> None:
    batch = _batch([ORDER, ORDER, ORDER])
    for jwt, disclosures, proof in batch:
        message, signature = signed_part(read(KINDS, jwt, disclosures, proof))
        KEY.verify_key.verify(message, signature)
    with pytest.raises(Refused, match="bad_batch_path"):
        signed_part(read(KINDS, batch[0][0], batch[0][1], batch[1][2]))


def test_a_fact_that_binds_money_is_refused_in_a_batch() -> None:
    jwt, disclosures, proof = _batch([Pay(each=1), Pay(each=2)])[0]
    with pytest.raises(Refused, match="single_only"):
        signed_part(read(KINDS, jwt, disclosures, proof))


def test_entries_read_back_as_written() -> None:
    jwt, disclosures, proof = _batch([ORDER, ORDER])[1]
    entry = read_entry(fact_entry("orders.late", jwt, proof))
    assert (entry.form, entry.outcome, entry.body, entry.batch) == ("batched", "orders.late", jwt, proof)
    assert read_entry(timer_entry("ok", "due-1")).body == b"due-1"
    assert disclosures


@given(st.binary(max_size=200))
def test_no_bytes_make_an_entry_fail_otherwise_than_by_value_error(data: bytes) -> None:
    for leaf in (data, b"hanse/1 fact\n" + data, b"hanse/1 batched\nok\nx\n" + data):
        try:
            read_entry(leaf)
        except ValueError:
            continue
    with pytest.raises(ValueError):
        read_entry(b"hanse/2 fact\nok\nx")


def test_the_signed_bytes_of_a_leaf_are_those_that_reading_it_gives():
    proof = BatchProof(b"head.statement.sig", 3, (bytes(32), b"\x01" * 32))
    for code in ("ok", "orders.unknown"):
        for batch in (None, proof):
            leaf = fact_entry(code, b"head.body.sig", batch)
            entry = read_entry(leaf)
            assert (
                signed_bytes(leaf) == (b"head.body.sig", batch) == (entry.body, entry.batch) and entry.outcome == code
            )


@pytest.mark.parametrize(
    "leaf",
    [
        b"", b"hanse/1 fact", b"hanse/1 fact\nok", b"hanse/1 fact\nok\na.b.c\nmore", b"hanse/2 fact\nok\na.b.c",
        b"hanse/1 batched\nok\na.b", b"hanse/1 batched\nok\na.b\n0 AA\nsaid", b"hanse/1 batched\nok\na.b\nx \nsaid",
        b"hanse/1 batched\nok\na.b\n0 \nsaid\nmore", b"hanse/1 fact\n\xff\na.b.c", b"hanse/1 letter\nok\nbody",
    ],
)  # fmt: skip
def test_what_is_no_leaf_is_told_so(leaf):
    with pytest.raises(ValueError, match="not an entry"):
        read_entry(leaf)

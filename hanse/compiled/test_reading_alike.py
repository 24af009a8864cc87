"""Whatever somebody sends ends the same whether reading runs compiled or interpreted: read alike, or refused alike."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from itertools import count
from types import ModuleType
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanse import compiled
from hanse.kernel import batches, opened, reading
from hanse.kernel.entries import BatchProof
from hanse.kernel.facts import BATCH_HEADER, ERASED, HEADER, Signed, payload
from hanse.kernel.refusal import Refused
from hanse.node.parts import rulebook
from hanse.rooms.orders.delivery_facts import Ship, ShipLine
from hanse.rooms.orders.facts import DeliverTo, PlaceLine, PlaceOrder
from hanse.standards import sdjwt

pytestmark = pytest.mark.skipif(
    not compiled.in_use() and os.environ.get("CI") != "true", reason=f"rules run interpreted: {compiled.why_not()}"
)
KINDS = rulebook().kinds
LINES = [PlaceLine(line=k, each=2, offer=f"o-{k}", item="i", unit_price_minor=5, requested_at=9) for k in (1, 2)]
PLACE = PlaceOrder(
    circle="c", order="o", buyer_party="b", seller_party="s", currency="EUR", confirm_by=9, po_number="PO é",
    deliver_to=DeliverTo(site="b-1"), lines=LINES,
)  # fmt: skip
SHIP = Ship(circle="c", order="o", shipment="sh", arrive_by=9, lines=[ShipLine(line=1, each=2)], carrier="C")
ABOUT: dict[str, Any] = {"net": "n", "iss": "i", "kid": "k", "nonce": 7, "exp": 99}
SALTS = (f"salt {n}" for n in count())
SENT = [payload(fact, **ABOUT, salt=lambda: next(SALTS)) for fact in (PLACE, SHIP)]


def interpreted() -> dict[str, ModuleType]:
    """The modules of reading, run from their sources beside the compiled ones."""
    found: dict[str, ModuleType] = {}
    for module in (sdjwt, reading, opened, batches):
        short = module.__name__.rpartition(".")[2]
        source = compiled.SOURCES / f"{module.__name__.replace('.', '/')}.py"
        spec = importlib.util.spec_from_file_location(f"interpreted_{short}", source)
        assert spec is not None and spec.loader is not None
        found[short] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(found[short])
        if short != "sdjwt":
            found[short].sdjwt = found["sdjwt"]  # type: ignore[attr-defined]
    return found


COMPILED = {"sdjwt": sdjwt, "reading": reading, "opened": opened, "batches": batches}
BESIDE = interpreted()
Sent = tuple[bytes, list[bytes], BatchProof | None]


def end_of(modules: dict[str, ModuleType], sent: Sent) -> Any:
    """What becomes of it: a refusal's code, or what was read, taken up elsewhere, and what its signature is of."""
    try:
        signed = modules["reading"].read(KINDS, *sent)
    except Refused as refused:
        return refused.code
    carried = msgspec.msgpack.decode(msgspec.msgpack.encode(modules["opened"].opened(signed)), type=opened.Opened)
    taken: Signed = modules["opened"].take_up(KINDS, carried, *sent)
    assert taken == signed and type(taken.fact) is type(signed.fact)
    try:
        return signed, modules["batches"].signed_part(signed)
    except Refused as refused:
        return signed, refused.code


def ends_alike(sent: Sent) -> Any:
    end = end_of(COMPILED, sent)
    assert end == end_of(BESIDE, sent)
    return end


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["_sd", "line", "x"]), inner),
    max_leaves=4,
)


def put_elsewhere(draw: Callable[[Any], Any], tree: Any) -> Any:
    """One place of a tree of JSON taken out, replaced, or put in a second time under another name."""
    if not isinstance(tree, dict | list) or not tree:
        return draw(JSON)
    key = draw(st.sampled_from(sorted(tree) if isinstance(tree, dict) else range(len(tree))))
    how = draw(st.integers(0, 6))
    if how > 3:
        tree[key] = put_elsewhere(draw, tree[key])
    elif how == 3:
        del tree[key]
    elif how == 2 and isinstance(tree, dict):
        tree[draw(st.sampled_from(["_sd", "item", "po_number", "lines"]))] = draw(st.just("x") | st.just(tree[key]))
    elif how == 1 and isinstance(tree, list):
        tree.append(tree[key])
    else:
        tree[key] = draw(JSON)
    return tree


def change_claims(draw: Callable[[Any], Any], text: bytes) -> bytes:
    """One place of the claims changed, mostly of the body."""
    claims = msgspec.json.decode(text)
    if isinstance(claims, dict) and draw(st.integers(0, 3)):
        claims["body"] = put_elsewhere(draw, claims.get("body"))
    else:
        claims = put_elsewhere(draw, claims)
    return msgspec.json.encode(claims)


def put_wrong(draw: Callable[[Any], Any], data: bytes) -> bytes:
    """One byte of it changed, taken out or put in."""
    at = draw(st.integers(0, len(data)))
    return data[:at] + draw(st.binary(max_size=2)) + data[at + draw(st.integers(0, 2)) :]


def change_disclosures(draw: Callable[[Any], Any], disclosures: list[bytes]) -> None:
    """One of them changed, left out, sent twice, erased, or a foreign one put before it."""
    at = draw(st.integers(0, max(len(disclosures) - 1, 0)))
    how = draw(st.sampled_from(["wrong", "drop", "again", "erase", "foreign"]))
    if how == "foreign" or not disclosures:
        disclosures.insert(at, sdjwt.b64(msgspec.json.encode(draw(JSON | st.tuples(st.text(), st.text(), JSON)))))
    elif how == "wrong":
        disclosures[at] = put_wrong(draw, disclosures[at])
    elif how == "again":
        disclosures.append(disclosures[at])
    elif how == "erase":
        digest = sdjwt.digest(disclosures[at]).encode()
        disclosures[at] = ERASED + (digest if draw(st.booleans()) else put_wrong(draw, digest))
    else:
        del disclosures[at]


@st.composite
def tokens(draw: Callable[[Any], Any]) -> Sent:
    """A fact as signed, with its claims, disclosures or text changed."""
    text, disclosures = draw(st.sampled_from(SENT))
    disclosures = list(disclosures)
    for _ in range(draw(st.integers(0, 2))):
        text = change_claims(draw, text)
    for _ in range(draw(st.integers(0, 2))):
        change_disclosures(draw, disclosures)
    if draw(st.integers(0, 3)) == 0:
        text = put_wrong(draw, text)
    jwt = HEADER + b"." + sdjwt.b64(text) + b"." + sdjwt.b64(bytes(64))
    return (jwt if draw(st.integers(0, 3)) else put_wrong(draw, jwt)), disclosures, None


@settings(max_examples=400, deadline=None)
@given(tokens())
def test_a_token_that_somebody_changed_ends_alike(sent: Sent) -> None:
    ends_alike(sent)


def test_what_was_signed_is_read_by_both() -> None:
    for (text, disclosures), fact in zip(SENT, (PLACE, SHIP), strict=True):
        signed, part = ends_alike((HEADER + b"." + sdjwt.b64(text) + b"." + sdjwt.b64(bytes(64)), disclosures, None))
        assert signed.full == fact and part[1] == bytes(64)


@st.composite
def batched(draw: Callable[[Any], Any]) -> Sent:
    """A fact of a batch, its statement, its place or its path changed."""
    jwts = [HEADER + b"." + sdjwt.b64(SENT[0][0])] * draw(st.integers(1, 9))
    root, paths = batches.batch_tree(jwts)
    proofs = batches.prove_batch("n", "i", "k", root, paths, lambda text: sdjwt.sign(BATCH_HEADER, text, lambda _: b""))
    at = draw(st.integers(0, len(jwts) - 1))
    statement, index, path = proofs[at].statement, proofs[at].index, list(proofs[at].path)
    how = draw(st.sampled_from(["", "statement", "size", "index", "longer", "shorter", "other", "jwt"]))
    if how == "statement":
        statement = put_wrong(draw, statement)
    elif how == "size":
        claims = msgspec.json.decode(sdjwt.unb64(statement.split(b".")[1]))
        claims["size"] = draw(st.integers(-1, 12) | st.just(2**70))
        statement = sdjwt.sign(BATCH_HEADER, msgspec.json.encode(claims), lambda _: b"")
    elif how == "index":
        index = draw(st.integers(-2, 12) | st.integers())
    elif how == "longer":
        path.append(bytes(32))
    elif path and how in ("shorter", "other"):
        path[-1:] = [] if how == "shorter" else [bytes(32)]
    return (
        put_wrong(draw, jwts[at]) if how == "jwt" else jwts[at],
        SENT[0][1],
        BatchProof(statement, index, tuple(path)),
    )


@settings(max_examples=200, deadline=None)
@given(batched())
def test_a_place_in_a_batch_that_somebody_changed_ends_alike(sent: Sent) -> None:
    ends_alike(sent)

"""What is looked at before a fact is ordered, and what need not be."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec import Struct

from hanse.kernel.facts import HEADER, WITHHELD, Commercial, Fact, Id, Part, layout, payload
from hanse.kernel.reading import digests, doubled, read
from hanse.node.admission import is_shallow
from hanse.node.parts import rulebook
from hanse.standards import sdjwt


class Line(Part, frozen=True):
    name: Commercial[str] = WITHHELD


class Flat(Fact, frozen=True, kw_only=True):
    kind = "test.flat"
    circle: Id = "c"
    lines: list[Line]
    note: Commercial[str] = WITHHELD


class Open(Flat, frozen=True, kw_only=True):
    kind = "test.open"
    values: dict[str, Any]


class Tree(Part, frozen=True):
    branches: list[Tree] = []


class Grown(Flat, frozen=True, kw_only=True):
    kind = "test.grown"
    tree: Tree


class Loose(Struct, frozen=True):
    known: int


class Unknown(Flat, frozen=True, kw_only=True):
    kind = "test.unknown"
    loose: Loose


@pytest.mark.parametrize("kind", [Open, Grown, Unknown])
def test_a_kind_with_a_place_that_takes_anything_is_looked_at_for_its_depth(kind: type[Fact]) -> None:
    assert is_shallow(Flat) and not is_shallow(kind)


def test_daily_trade_says_itself_how_deep_it_is_and_contracts_are_looked_at() -> None:
    kinds = rulebook().kinds
    assert not is_shallow(kinds["contracts.propose"])
    assert all(is_shallow(kind) for name, kind in kinds.items() if name.startswith(("orders.", "inventory.")))


@pytest.mark.parametrize("sent", [0, 1, 3])
@pytest.mark.parametrize("twice", ["", "in one list", "in two lists"])
def test_a_digest_that_stands_twice_is_found_with_all_disclosures_and_without(sent: int, twice: str) -> None:
    fact = Flat(lines=[Line(name="a"), Line(name="b")], note="n")
    salts = iter(["1", "2", "3"])
    text, disclosures = payload(fact, net="n", iss="i", kid="k", nonce=1, exp=1, salt=lambda: next(salts))
    claims = msgspec.json.decode(text)
    first, second = (line["_sd"] for line in claims["body"]["lines"])
    if twice == "in two lists":
        second[:] = first
        disclosures.pop()
    elif twice:
        first *= 2
    jwt = HEADER + b"." + sdjwt.b64(msgspec.json.encode(claims)) + b".x"
    if twice == "in one list":  # more digests than private fields, or a field that is there already
        with pytest.raises(Exception, match="more digests"):
            read({"test.flat": Flat}, jwt, disclosures[:sent])
        return
    signed = read({"test.flat": Flat}, jwt, disclosures[:sent])
    listed = digests(signed.fact, layout(Flat))
    assert doubled(signed) == (len(set(listed)) < len(listed)) == bool(twice)
    assert (signed.full is None) == (sent < 2 or (sent < 3 and not twice))

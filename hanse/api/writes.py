"""Writing through the API: the body is read as the fact's own type, the desk decides, the node signs and submits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from hanse.api.calls import Calls
from hanse.kernel.facts import Fact
from hanse.kernel.refusal import Refused
from hanse.node.desk import Desk
from hanse.node.node import WAIT_SECONDS
from hanse.node.wallet import Presentation
from hanse.node.write_path import Receipt
from hanse.standards import sdjwt

BULK_FACTS_MAX = 5_000
_DOES_NOT_READ = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What a body raises that is no JSON, no UTF-8, or nests too deeply."""


class Written(Struct):
    """The receipt of one fact, as programs get it. `proof`: where its proof is served."""

    position: int
    height: int
    time: int
    code: str
    repeated: bool
    proof: str


class Asked(Struct, forbid_unknown_fields=True):
    """One line of a bulk call."""

    kind: str
    body: msgspec.Raw


class BadLine(Struct):
    """Why one line of a bulk call was refused. `line`: counted from 1."""

    line: int
    code: str
    message: str
    got: str
    expected: str
    next: str


def written(receipt: Receipt) -> Written:
    at = receipt.position
    return Written(at, receipt.height, receipt.time, receipt.code, receipt.repeated, f"/api/v1/entries/{at}/proof")


def read_fact(kinds: dict[str, type[Fact]], kind: str, body: bytes) -> Fact:
    """A fact of a JSON body, private fields in clear. Refuses, in order: fact.unknown_kind, fact.bad_body."""
    cls = kinds.get(kind)
    if cls is None:
        raise Refused("fact.unknown_kind", "no kind is called so", got=kind[:80], next="see /api/v1/kinds")
    try:
        return msgspec.json.decode(body, type=cls)
    except _DOES_NOT_READ as error:
        raise Refused("fact.bad_body", str(error), got=kind, next="see /api/v1/kinds") from None


def write(desk: Desk, calls: Calls, facts: Sequence[Fact], *, key: str, request: bytes) -> list[Receipt]:
    """Sign and submit facts once, however often the call comes.

    Refuses, in order: as `Calls.earlier`; as `Desk.check`; what a rule, tried first, says of any of them.
    """
    party, node = desk.who.party, desk.node
    signed: list[Presentation] | None = calls.earlier(party, key, request) if key else None
    if signed is None:
        signed = desk.sign(facts)
        for presentation in signed:
            if refusal := node.path.trial(presentation):
                raise Refused.of(refusal)
        if key:
            signed = calls.keep(party, key, request, signed, int(node.clock()))
    return desk.submit(signed)


def read_bulk(kinds: dict[str, type[Fact]], body: bytes) -> tuple[list[Fact], list[BadLine]]:
    """Facts of NDJSON, and every line that does not read. Refuses: api.too_many, api.empty."""
    lines = [line for line in body.splitlines() if line.strip()]
    if len(lines) > BULK_FACTS_MAX:
        raise Refused("api.too_many", "a call has at most 5,000 facts", got=len(lines), next="send it in parts")
    if not lines:
        raise Refused("api.empty", "the call has no facts", next="send one JSON object a line")
    facts: list[Fact] = []
    bad: list[BadLine] = []
    for number, line in enumerate(lines, 1):
        try:
            asked = msgspec.json.decode(line, type=Asked)
            facts.append(read_fact(kinds, asked.kind, asked.body))
        except _DOES_NOT_READ as error:
            bad.append(BadLine(number, "api.bad_line", str(error), "", '{"kind": ..., "body": {...}}', ""))
        except Refused as refused:
            bad.append(bad_line(number, refused))
    return facts, bad


def bad_line(number: int, refused: Refused) -> BadLine:
    return BadLine(number, refused.code, refused.message, refused.got, refused.expected, refused.next)


def check_all(desk: Desk, facts: Sequence[Fact]) -> list[BadLine]:
    """Every fact of a bulk call that the desk or a rule would refuse, each tried against the state as it stands."""
    bad = []
    for number, fact in enumerate(facts, 1):
        try:
            desk.check(fact)
            if refusal := desk.node.path.trial(desk.node.wallet.sign(desk.who.party, fact)):
                raise Refused.of(refusal)
        except Refused as refused:
            bad.append(bad_line(number, refused))
    return bad


def may_write(desk: Desk) -> None:
    """Refuses: desk.not_permitted, where the token reads only."""
    if "write" not in desk.who.scopes:
        step = "make a token in Settings that may submit"
        raise Refused("desk.not_permitted", "this token may not write", got=", ".join(desk.who.scopes), next=step)


def write_signed(desk: Desk, text: bytes) -> Receipt:
    """Submit a fact that was signed elsewhere (`jwt~disclosure~...~`).

    Refuses, in order: fact.not_a_jwt, desk.not_permitted, as `WritePath.submit`.
    """
    try:
        jwt, disclosures = sdjwt.split(text.strip())
    except ValueError as error:
        raise Refused("fact.not_a_jwt", str(error)) from None
    may_write(desk)
    receipt: Receipt = desk.node.path.submit(Presentation(jwt, disclosures)).result(WAIT_SECONDS)
    if receipt.first_refusal:
        raise Refused.of(receipt.first_refusal)
    return receipt


def kinds_schema(kinds: dict[str, type[Fact]]) -> dict[str, Any]:
    """kind -> what it is for and its JSON schema (2020-12), as the API takes it: private fields in clear."""
    schemas, components = msgspec.json.schema_components(kinds.values(), ref_template="#/components/schemas/{name}")
    out = {}
    for (kind, cls), schema in zip(kinds.items(), schemas, strict=True):
        out[kind] = {"about": (cls.__doc__ or "").strip().partition("\n")[0], "schema": schema}
    for component in components.values():
        component.get("properties", {}).pop("_sd", None)
    return {"kinds": out, "components": {"schemas": components}}

"""Happenings: what clauses hear of, from wherever it comes, with who signed it and where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from hanse.rooms.contracts.terms import Attest
from hanse.rooms.contracts.terms.kinds import Kind
from hanse.rooms.contracts.terms.values import read

By = Literal["signed", "own", "ledger"]


class Happening(Struct, frozen=True, kw_only=True):
    """One event.

    Attributes:
        event: as templates name it. id: unique within its event. agreement: "" for every one that reads it.
        at: when it occurred; ledger_at: when the record first had it; UTC seconds.
        keys: what it is about. fields: its values, base units or as written.
        signers: (party, entry). by: signed by parties, told by a clause, or by the ledger's time.
        one_sided: one firm signed for all.
    """

    event: str
    id: str
    at: int
    ledger_at: int
    keys: dict[str, str] = {}
    fields: dict[str, Any] = {}
    signers: tuple[tuple[str, int], ...] = ()
    by: By = "signed"
    agreement: str = ""
    one_sided: bool = False

    @property
    def parties(self) -> set[str]:
        """Who signed it."""
        return {party for party, _ in self.signers}

    @property
    def evidence(self) -> tuple[int, str]:
        """(entry that completed it, its signers), as an explanation names them."""
        if not self.signers:
            return 0, "ledger"
        return max(at for _, at in self.signers), "+".join(sorted(self.parties))


class Context(Struct, frozen=True):
    """A trigger and the happenings that came with it, as kept with a run that waits."""

    trigger: Happening
    near: tuple[Happening, ...] = ()


encode = msgspec.json.Encoder(order="sorted").encode
decode = msgspec.json.Decoder(Context).decode


def is_attested(attest: Attest, names: Mapping[str, str], happening: Happening) -> bool:
    """Whether those who must have signed a happening have.

    Args:
        names: each name under `attest` -> the party behind it.
    """
    if happening.by != "signed":
        return happening.by == "ledger"
    if happening.one_sided:
        return bool(happening.signers)
    parties = happening.parties
    all_of = all(names.get(name) in parties for name in attest.all_of)
    return all_of and (not attest.any_of or any(names.get(name) in parties for name in attest.any_of))


def fits(found: Mapping[str, str], wanted: Mapping[str, str]) -> int:
    """How many keys two happenings share; -1 where one differs.

    >>> fits({"order": "p1"}, {"order": "p1", "line": "1"}), fits({"order": "p2"}, {"order": "p1"}), fits({}, {})
    (1, -1, 0)
    """
    shared = 0
    for name, value in found.items():
        if name in wanted:
            if wanted[name] != value:
                return -1
            shared += 1
    return shared


def best(found: Iterable[Happening], wanted: Mapping[str, str]) -> Happening | None:
    """The happening that fits a trigger's keys most closely, of equals the latest on the record."""
    best_rank, hit = (-1, -1), None
    for happening in found:
        rank = (fits(happening.keys, wanted), happening.evidence[0])
        if rank[0] >= 0 and rank > best_rank:
            best_rank, hit = rank, happening
    return hit


SUBJECTS = ("order", "delivery", "sale", "purchase_order", "item", "document")


def subject_of(keys: Mapping[str, str]) -> str:
    """What an event is looked up by: the first that it has of `SUBJECTS`, else its first key by name, else "".

    >>> subject_of({"line": "1", "order": "po1"}), subject_of({"year": "2024"}), subject_of({})
    ('po1', '2024', '')
    """
    name = next((name for name in SUBJECTS if name in keys), min(keys, default=""))
    return keys.get(name, "")


def value_of(happening: Happening, name: str, field: str, kind: Kind, decimals: int) -> Any:
    """A field in base units; None where the happening does not have it. Raises: TermsRefused.

    A value that was written for people ("12.50", "3d") is read as a parameter is.
    """
    raw = happening.at if field == "occurred_at" else happening.fields.get(field)
    if isinstance(raw, str) and kind.base not in ("text", "enum"):
        return read(name, kind, raw, decimals)
    if isinstance(raw, list):
        return read(name, kind, raw, decimals)
    return raw


__all__ = ["Context", "Happening", "best", "decode", "encode", "fits", "is_attested", "subject_of", "value_of"]

"""History: one entry of the record, as one reader may see it."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Struct

from hanse.kernel.entries import Entry
from hanse.kernel.facts import ERASED, layout
from hanse.kernel.kept import BLOCKS, META, Placed
from hanse.kernel.leaves import read_entry, read_header
from hanse.kernel.reading import count_digests, read
from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node.node import Node
from hanse.rooms.parties.facts import KEYS, MEMBERS, PARTIES


class Figure(Struct, frozen=True):
    """One field of a fact. `state`: "public", "proven" (disclosed to the reader and fits a signed digest), "erased"."""

    name: str
    value: Any
    state: str


class Told(Struct, frozen=True):
    """One entry, read for a reader.

    Attributes:
        position: in the record. form: "fact", "batched", "timer" or "block". outcome: "ok" or a refusal's code.
        height, time: of its block; time in UTC seconds. kind, about: of a fact, and what that kind says, in a sentence.
        signer: the party or alias that signed; signer_name: who that is, where the reader knows, else "".
        circle: whose private matter it is, "" for none; mine: whether the reader is in it.
        figures: what the reader may read of it. withheld: how many fields are not disclosed to the reader.
        bytes_text: the entry itself.
    """

    position: int
    form: str
    outcome: str
    height: int
    time: int
    kind: str = ""
    about: str = ""
    signer: str = ""
    signer_name: str = ""
    kid: str = ""
    circle: str = ""
    mine: bool = False
    figures: list[Figure] = []
    withheld: int = 0
    bytes_text: str = ""


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def size_of(view: View) -> int:
    """Entries of the record that the state has; the record itself may have more already, which nobody sees yet."""
    meta = view.get(META, 1)
    return meta.size if meta else 0


def _block_of(view: View, position: int) -> Placed:
    """The block that an entry is in. Refuses: record.unknown_entry, also where the state does not have it yet."""
    within = abs(position) < 2**63  # the database takes no other number
    found = view.rows(BLOCKS, "first <= ?", (position,), order="first DESC", limit=1) if within else []
    if found and position < found[0].stop:
        return found[0]
    raise Refused(
        "record.unknown_entry", "the record has no such entry", got=position, expected=f"0 .. {size_of(view) - 1}"
    )


def told(node: Node, view: View, position: int, block: Placed | None = None) -> Told:
    """One entry. block: the one that it is in, where that is known. Refuses: record.unknown_entry."""
    block = block or _block_of(view, position)
    leaf = node.log.entry(position)
    entry = read_entry(leaf)
    base = Told(position, entry.form, entry.outcome, block.height, block.time, bytes_text=leaf.decode())
    if entry.form in ("fact", "batched"):
        return _fact(node, view, base, entry)
    if entry.form == "timer":
        return msgspec.structs.replace(base, about="A wait has ended.", kind=entry.body.decode())
    header = read_header(entry)
    about = f"Block {header.height}: {_count(header.facts, 'fact')}, {_count(header.timers, 'wait')}."
    return msgspec.structs.replace(base, about=about)


def _fact(node: Node, view: View, base: Told, entry: Entry) -> Told:
    public = read(node.applier.book.kinds, entry.body, batch=entry.batch)
    cls, envelope = type(public.fact), public.envelope
    circle = getattr(public.fact, "circle", "")
    mine = bool(circle) and circle in view.circles
    figures = _figures(public.fact, "", "public")
    withheld = count_digests(public.fact, layout(cls))
    if mine:
        stored = node.disclosures.of(base.position)
        erased = sum(d.startswith(ERASED) for d in stored)
        opened = read(node.applier.book.kinds, entry.body, stored, entry.batch)
        if opened.full is not None:
            shown = {(f.name, repr(f.value)) for f in figures}
            proven = [f for f in _figures(opened.full, "", "proven") if (f.name, repr(f.value)) not in shown]
            figures = figures + proven + [Figure("(personal)", None, "erased")] * erased
            withheld -= len(stored)
    return msgspec.structs.replace(
        base,
        kind=envelope.kind,
        about=(cls.__doc__ or "").strip().partition("\n")[0],
        signer=envelope.iss,
        signer_name=_name(view, circle, envelope.iss),
        kid=envelope.kid,
        circle=circle,
        mine=mine,
        figures=figures,
        withheld=withheld,
    )


def _name(view: View, circle: str, signer: str) -> str:
    """Who signed, where the reader knows: a party by its name, an alias by its circle."""
    member = view.get(MEMBERS, circle, signer) if circle else None
    party = view.get(PARTIES, member.party if member else signer)
    return party.name if party else ""


def _figures(part: Any, prefix: str, state: str) -> list[Figure]:
    """The fields of a struct that have a value, nested ones by dotted names (`lines.1.each`)."""
    out: list[Figure] = []
    for field in part.__struct_fields__:
        value = getattr(part, field)
        if field == "sd_" or value is UNSET or value is None:
            continue
        name = prefix + field
        if isinstance(value, Struct):
            out += _figures(value, f"{name}.", state)
        elif isinstance(value, list) and value and isinstance(value[0], Struct):
            for i, child in enumerate(value, 1):
                out += _figures(child, f"{name}.{i}.", state)
        else:
            out.append(Figure(name, value, state))
    return out


def key_of(view: View, kid: str) -> str:
    """The public key (base64url) of a kid. Refuses: parties.unknown_key."""
    key = view.get(KEYS, kid)
    if key is None:
        raise Refused("parties.unknown_key", "no such key", got=kid)
    return key.public_key


def recent(node: Node, view: View, *, before: int | None = None, limit: int = 50) -> list[Told]:
    """The newest entries before a position, newest first, block headers left out."""
    size = size_of(view)
    at = (size if before is None else min(before, size)) - 1
    out: list[Told] = []
    block: Placed | None = None
    while at >= 0 and len(out) < min(limit, 200):
        if block is None or at < block.first:
            block = _block_of(view, at)
        entry = told(node, view, at, block)
        if entry.form != "block":
            out.append(entry)
        at -= 1
    return out

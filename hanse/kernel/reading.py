"""Reading facts: from their bytes, by way of JSON and digests, to typed structs. Functions only, so that they can be
compiled (docs/decisions/0023)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec import UNSET

from hanse.kernel.facts import (
    ERASED,
    HEADER,
    LEAF_BYTES_MAX,
    NONCE_MAX,
    Envelope,
    Fact,
    Layout,
    Signed,
    body_decoder,
    layout,
)
from hanse.kernel.refusal import Refused
from hanse.standards import sdjwt

_PREFIX: Final = HEADER + b"."
_plain: Final = msgspec.json.Decoder().decode
_envelope: Final = msgspec.json.Decoder(Envelope).decode
_convert: Final = msgspec.convert
_START: Final = len(_PREFIX)


def read(kinds: dict[str, type[Fact]], jwt: bytes, disclosures: Iterable[bytes] = (), batch: Any = None) -> Signed:
    """Read a fact from its bytes; no signature is checked here.

    Args:
        kinds: kind -> fact type. disclosures: any part of them, in any order; one that belongs nowhere is refused.
    Refuses, in order: fact.too_large, fact.not_a_jwt, fact.bad_envelope, fact.unknown_kind, fact.bad_body,
        fact.clear_private_field, fact.bad_disclosure.
    """
    if len(jwt) > LEAF_BYTES_MAX:
        raise Refused(
            "fact.too_large", "a fact is at most 65,000 bytes", got=len(jwt), next="refer to larger content by its hash"
        )
    if not jwt.startswith(_PREFIX) or (end := _payload_end(jwt, batch is not None)) < 0:
        raise Refused("fact.not_a_jwt", f"the protected header must be exactly {HEADER.decode()}")
    try:
        envelope: Envelope = _envelope(sdjwt.unb64(jwt[_START:end]))
    except (ValueError, msgspec.DecodeError) as error:
        raise Refused("fact.bad_envelope", f"the payload does not read: {error}") from None
    if not 0 <= envelope.nonce <= NONCE_MAX:
        raise Refused("fact.bad_envelope", "nonce is out of range", got=envelope.nonce, expected="0 .. 2^62")
    kind = envelope.kind
    cls = kinds.get(kind)
    if cls is None:
        raise Refused("fact.unknown_kind", f"no kind is called {kind[:80]}", next="see `hanse kinds`")
    try:
        fact = body_decoder(cls)(envelope.body)
    except (ValueError, msgspec.DecodeError) as error:
        raise Refused("fact.bad_body", f"{kind}: {error}") from None
    where = layout(cls)
    empty = where.empty
    if (not empty or fact.sd_ is not UNSET) and (wrong := misplaced(fact, where)):
        raise Refused("fact.clear_private_field", wrong, next="send a private field as a disclosure")
    listed = list(disclosures)
    full = fact if empty and not listed else _open(cls, envelope, where, listed)
    return Signed(jwt, listed, envelope, fact, full, batch, hashlib.sha256(jwt).digest())


def _payload_end(jwt: bytes, unsigned: bool) -> int:
    """Where the payload behind the header ends: at the one dot that follows it, or where it stands unsigned, at the
    end. Below 0 where there are other dots."""
    dot = jwt.find(b".", _START)
    if unsigned:
        return len(jwt) if dot < 0 else -1
    return dot if dot < 0 or jwt.find(b".", dot + 1) < 0 else -1


def count_digests(part: Any, where: Layout) -> int:
    """How many private fields a publicly read struct commits to, all depths."""
    count = 0 if part.sd_ is UNSET else len(part.sd_)
    for name, is_list, below in where.children:
        value = getattr(part, name)
        if value is not None:
            count += sum(count_digests(child, below) for child in (value if is_list else (value,)))
    return count


def doubled(signed: Signed) -> bool:
    """Whether a digest stands twice in a fact that was read."""
    fact = signed.fact
    where = layout(type(fact))
    if where.empty:
        return False  # it has none
    if signed.full is not None:
        return count_digests(fact, where) > len(signed.disclosures)  # each disclosure is of one, none is left
    listed = digests(fact, where)
    return len(set(listed)) < len(listed)


def digests(part: Any, where: Layout) -> list[str]:
    """Those of a publicly read struct, all depths."""
    found = [] if part.sd_ is UNSET else list(part.sd_)
    for name, is_list, below in where.children:
        value = getattr(part, name)
        if value is not None:
            for child in value if is_list else (value,):
                found += digests(child, below)
    return found


def left_out(part: Any, where: Layout) -> list[str]:
    """The private fields of a disclosed struct that have no value, all depths: `lines.item`, each name once."""
    found = [name for name in where.private if getattr(part, name) is UNSET]
    for name, is_list, below in where.children:
        value = getattr(part, name)
        if value is not None:
            for child in value if is_list else (value,):
                found += [f"{name}.{inner}" for inner in left_out(child, below)]
    return list(dict.fromkeys(found))


def misplaced(part: Any, where: Layout) -> str:
    """What is wrong with a publicly read struct, all depths: a private field in clear, or digests without a field."""
    for name in where.private:
        if getattr(part, name) is not UNSET:
            return f"{name} is private and stands in clear"
    if part.sd_ is not UNSET and len(part.sd_) > len(where.private):
        return "there are more digests than private fields"
    for name, is_list, below in where.children:
        value = getattr(part, name)
        if value is not None:
            for child in value if is_list else (value,):
                if found := misplaced(child, below):
                    return found
    return ""


def _open(cls: type[Fact], envelope: Envelope, where: Layout, disclosures: list[bytes]) -> Fact | None:
    """The fact with its disclosures put back; None where a digest stayed closed."""
    used = set[str]()
    try:
        found = _by_digest(disclosures)
        body = _plain(envelope.body)
        closed = _fill(body, where, found, used)
    except (ValueError, msgspec.DecodeError, KeyError, TypeError) as error:
        raise Refused("fact.bad_disclosure", f"a disclosure does not read: {error}") from None
    if len(used) != len(disclosures):
        raise Refused("fact.bad_disclosure", "a disclosure belongs to no digest of this fact, or stands twice")
    if closed:
        return None
    try:
        return _convert(body, cls)
    except msgspec.ValidationError as error:
        raise Refused("fact.bad_disclosure", f"{envelope.kind}: {error}") from None


def _by_digest(disclosures: list[bytes]) -> dict[str, tuple[str, Any]]:
    """Digest -> (name, value); the name is "" where a disclosure was erased. Raises: ValueError where one does not
    read."""
    found: dict[str, tuple[str, Any]] = {}
    digests_of = sdjwt.digests(disclosures)
    for at, disclosure in enumerate(disclosures):
        if disclosure.startswith(ERASED):
            found[disclosure[len(ERASED) :].decode()] = ("", None)
        else:
            _, name, value = sdjwt.read_disclosure(disclosure)
            found[digests_of[at]] = (name, value)
    return found


def _fill(body: dict[str, Any], where: Layout, found: dict[str, tuple[str, Any]], used: set[str]) -> bool:
    """Put disclosed fields back into `body`; whether a digest stayed closed. An erased one stays withheld."""
    closed = False
    for text in body.pop("_sd", ()):
        hit = found.get(text)
        if hit is None:
            closed = True
            continue
        used.add(text)
        name, value = hit
        if name == "":
            continue
        if name not in where.private or name in body:
            raise ValueError(f"{name} is not a private field here")
        body[name] = value
    for name, is_list, below in where.children:
        if name in body:
            for child in body[name] if is_list else (body[name],):
                closed |= _fill(child, below, found, used)
    return closed

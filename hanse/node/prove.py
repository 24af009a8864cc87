"""Proofs to hand over: that an entry is on the record, and one private figure of it, nothing more.

A proof stands alone: whoever knows the record's public key checks it without a node, here or in a browser (its members
are those of the page's proof view). A presentation is an SD-JWT (RFC 9901) that any such tool checks.
"""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from hanse.kernel.entries import Entry
from hanse.kernel.facts import ERASED, Envelope, Fact, layout
from hanse.kernel.leaves import read_entry, read_header
from hanse.kernel.reading import read
from hanse.kernel.refusal import Refused, require
from hanse.node.admission import introduced_key
from hanse.node.disclosures import open_unchanged
from hanse.node.node import Node, read_about
from hanse.node.parts import rulebook
from hanse.node.read_path import STATE
from hanse.node.stored import RECORD
from hanse.record import ed25519
from hanse.record.damage import Damaged
from hanse.record.log import KEY, PUBLIC, read_keys
from hanse.record.merkle import ProofError, leaf_hash, verify_inclusion
from hanse.record.note import Checkpoint, NoteError, VerifierKey, open_checkpoint
from hanse.record.reader import LogReader
from hanse.record.tiles import CHECKPOINT
from hanse.rooms.parties.facts import KEYS
from hanse.standards import sdjwt

FindKey = Callable[[str], bytes | None]


class SignedPart(Struct, frozen=True):
    """The signature that the entry's fact stands on. `jws`: the fact's own, or its batch's statement.

    public_key: base64 of 32 bytes; "" where it is not known here. signer: the party or alias. batched: see `jws`.
    """

    jws: str
    public_key: str
    signer: str
    batched: bool = False


class Proof(Struct, frozen=True):
    """That an entry is on a record. All bytes are base64.

    Attributes:
        index, size: the entry's position in the tree of `size` entries. leaf: the entry. proof: the RFC 6962 inclusion
        path, from the leaf upwards. root: of the tree. note: the checkpoint, signed and cosigned. vkeys: the log's keys
        as the record has them; trust those that you know from elsewhere. sentence: what is proven. fact: None for an
        entry that nobody signs (a block's header, a timer).
    """

    index: int
    size: int
    leaf: str
    proof: list[str]
    root: str
    note: str
    vkeys: list[str]
    sentence: str
    fact: SignedPart | None = None


class Disclosed(Struct, frozen=True):
    """One private figure, disclosed with its fact's public part.

    Attributes:
        presentation: SD-JWT, `jwt~disclosure~`; of a batched fact the jwt is unsigned, and `proof` has its signature.
        field, value: what it discloses. circle: whose private matter it was. proof: that the fact is on the record.
    """

    presentation: str
    field: str
    value: Any
    circle: str
    proof: Proof


def prove(source: Node | Path | str, position: int) -> Proof:
    """The proof of one entry, from a running node or a copy of its directory; needs no private key.

    Refuses, in order: as `read_about`; record.unknown_entry (also where no checkpoint covers it yet), node.damaged.
    """
    if isinstance(source, Node):
        if source.log.published_size <= position < source.log.size:
            source.publish()
        return _prove_running(source, position)
    directory = Path(source)
    return _prove(directory, read_about(directory).net, position)


def _prove_running(node: Node, position: int) -> Proof:
    """From the log that the node has open: the path leads to the root that the checkpoint signs, or there is none."""
    note = node.log.checkpoint
    if note is None:
        raise Refused("record.unknown_entry", "nothing is published here")
    with _damage_refused():
        keys = read_keys((node.directory / RECORD / PUBLIC / KEY).read_bytes())
        checkpoint, _ = open_checkpoint(note, keys, node.net)
        _require_covered(position, checkpoint.size)
        leaf, path = node.log.entry(position), node.log.inclusion(position, checkpoint.size)
        verify_inclusion(leaf_hash(leaf), position, checkpoint.size, path, checkpoint.root)
    return _proof(checkpoint, position, leaf, path, note, keys, node.read.find_key)


def _prove(directory: Path, net: str, position: int) -> Proof:
    """From a copy, of which nothing is believed."""
    record = directory / RECORD
    with _damage_refused():
        keys = read_keys((record / PUBLIC / KEY).read_bytes())
        reader = LogReader.open(record, net, keys)
        _require_covered(position, reader.checkpoint.size)
        leaf, path = reader.entry(position), reader.inclusion(position)
        note = (record / PUBLIC / CHECKPOINT).read_bytes()
        verify_inclusion(leaf_hash(leaf), position, reader.checkpoint.size, path, reader.checkpoint.root)
        open_checkpoint(note, keys, net)
    return _proof(reader.checkpoint, position, leaf, path, note, keys, lambda kid: _find_key(directory, kid))


@contextmanager
def _damage_refused() -> Iterator[None]:
    """Refuses: record.unknown_entry (a file is missing), node.damaged."""
    try:
        yield
    except FileNotFoundError as error:
        raise Refused("record.unknown_entry", "nothing is published here", got=error.filename) from None
    except (Damaged, NoteError, ProofError) as error:
        raise Refused(
            "node.damaged", f"the record is damaged: {error}", next="see all of it with `hanse verify`"
        ) from None


def _require_covered(position: int, size: int) -> None:
    if not 0 <= position < size:
        raise Refused(
            "record.unknown_entry", "no checkpoint covers such an entry", got=position, expected=f"0 .. {size - 1}"
        )


def _proof(
    checkpoint: Checkpoint, position: int, leaf: bytes, path: list[bytes], note: bytes, keys: list[VerifierKey],
    find_key: FindKey,
) -> Proof:  # fmt: skip
    return Proof(
        position, checkpoint.size, _b64(leaf), [_b64(step) for step in path], _b64(checkpoint.root), note.decode(),
        [str(key) for key in keys], _sentence(leaf, position, checkpoint.size, checkpoint.origin),
        _signed_part(leaf, find_key),
    )  # fmt: skip


def check_proof(proof: Proof, vkey: str | None = None) -> str:
    """What a proof proves, in a sentence.

    Args:
        vkey: the record's key as known from elsewhere; without it the proof's own shows damage, not forgery.
    Refuses, in order: proof.bad_form, proof.bad_checkpoint, proof.bad_path, proof.bad_signature, proof.bad_sentence.
    """
    try:
        keys = [VerifierKey.parse(text) for text in ([vkey] if vkey else proof.vkeys)]
        leaf, root = _unb64(proof.leaf), _unb64(proof.root)
        path = [_unb64(step) for step in proof.proof]
    except ValueError as error:
        raise Refused("proof.bad_form", f"the proof does not read: {error}") from None
    try:
        checkpoint, signers = open_checkpoint(proof.note.encode(), keys, proof.note.partition("\n")[0])
        require(
            (checkpoint.size, checkpoint.root) == (proof.size, root) and signers[0].name == checkpoint.origin,
            "proof.bad_checkpoint",
            "the checkpoint is of another record, size or root",
            got=proof.size,
            expected=checkpoint.size,
        )
    except NoteError as error:
        raise Refused("proof.bad_checkpoint", f"the checkpoint does not hold: {error}") from None
    try:
        verify_inclusion(leaf_hash(leaf), proof.index, proof.size, path, root)
    except ProofError as error:
        raise Refused("proof.bad_path", f"the entry does not lead to the root: {error}") from None
    _check_signed_part(proof.fact, leaf)
    sentence = _sentence(leaf, proof.index, proof.size, checkpoint.origin)
    require(sentence == proof.sentence, "proof.bad_sentence", "the sentence says something else", expected=sentence)
    return sentence


def _check_signed_part(part: SignedPart | None, leaf: bytes) -> None:
    if part is None:
        return
    jws = part.jws.encode()
    message, _, signature = jws.rpartition(b".")
    require(jws in leaf.split(b"\n"), "proof.bad_signature", "the signed part is not the entry's")
    try:
        good = not part.public_key or ed25519.verify(_unb64(part.public_key), message, sdjwt.unb64(signature))
    except ValueError:
        good = False
    require(good, "proof.bad_signature", "the fact's signature does not verify", got=part.signer)


def disclose(node: Node, party: str, position: int, field: str) -> Disclosed:
    """One private field of a fact, for a party of its circle to hand to a third: that field, and nothing more.

    Args:
        field: its name, with the way to it in dots: `name`, `lines.1.unit_price_minor`.
    Refuses, in order: record.unknown_entry (also what the party has no right to), disclose.unknown_field,
        disclose.not_held (erased, or kept by others), as `prove`.
    """
    entry = read_entry(node.log.entry(position)) if 0 <= position < node.log.size else None
    signed = None
    if entry is not None and entry.form in ("fact", "batched"):
        signed = read(rulebook().kinds, entry.body, (), entry.batch)
    circle = getattr(signed.fact, "circle", "") if signed else ""
    if signed is None or circle not in node.view(party).circles:
        raise Refused(
            "record.unknown_entry",
            "there is no such entry among those that you may read",
            got=position,
            next="ask a party of its circle",
        )
    digests = _digests_at(signed.envelope, type(signed.fact), field)
    for disclosure in node.disclosures.of(position):
        if disclosure.startswith(ERASED) or sdjwt.digest(disclosure) not in digests:
            continue
        _, name, value = sdjwt.read_disclosure(disclosure)
        if name == field.rpartition(".")[2]:
            text = sdjwt.join(signed.jwt, [disclosure]).decode()
            return Disclosed(text, field, value, circle, prove(node, position))
    raise Refused("disclose.not_held", "this node does not hold that figure: erased, or never given", got=field)


def check_disclosed(disclosed: Disclosed, vkey: str | None = None) -> str:
    """What a presentation proves, in a sentence: that this field of this entry has this value, and who signed it.

    Args:
        vkey: as `check_proof`.
    Refuses, in order: as `check_proof`; disclose.other_entry (the presentation is not the entry's fact),
        disclose.not_one_field, disclose.not_signed (the entry's fact does not commit to it), disclose.other_value.
    """
    sentence = check_proof(disclosed.proof, vkey)
    entry = _read(_unb64(disclosed.proof.leaf))
    jwt, *parts = disclosed.presentation.encode().split(b"~")
    if entry is None or entry.form not in ("fact", "batched") or entry.body != jwt:
        raise Refused("disclose.other_entry", "the presentation is not of the fact that the proof proves")
    shown = [part for part in parts if part]
    require(len(shown) == 1, "disclose.not_one_field", "a presentation shows one field", got=len(shown))
    signed = read(rulebook().kinds, entry.body, (), entry.batch)
    digests = _digests_at(signed.envelope, type(signed.fact), disclosed.field)
    try:
        _, name, value = sdjwt.read_disclosure(shown[0])
    except ValueError as error:
        raise Refused("disclose.not_signed", f"the disclosure does not read: {error}") from None
    named = name == disclosed.field.rpartition(".")[2]
    require(
        named and sdjwt.digest(shown[0]) in digests, "disclose.not_signed", "the fact does not commit to this",
        got=disclosed.field,
    )  # fmt: skip
    require(value == disclosed.value, "disclose.other_value", "it says another value", got=disclosed.value,
            expected=value)  # fmt: skip
    return f"{sentence} Its {disclosed.field} is {msgspec.json.encode(value).decode()}."


def _digests_at(envelope: Envelope, cls: type[Fact], field: str) -> list[str]:
    """The digests in the object that a field's name leads to. Refuses: disclose.unknown_field."""
    unknown = Refused("disclose.unknown_field", f"{envelope.kind} has no such private field", got=field)
    *way, name = field.split(".")
    body, where = msgspec.json.decode(envelope.body), layout(cls)
    for step in way:
        if isinstance(body, list):
            if not step.isdecimal() or int(step) >= len(body):
                raise unknown
            body = body[int(step)]
            continue
        below = next((child for child, _, child_layout in where.children if child == step), None)
        if below is None or step not in body:
            raise unknown
        where = next(child_layout for child, _, child_layout in where.children if child == step)
        body = body[step]
    if not isinstance(body, dict) or name not in where.private:
        raise unknown
    return list(body.get("_sd", ()))


def _signed_part(leaf: bytes, find_key: FindKey) -> SignedPart | None:
    entry = _read(leaf)
    if entry is None or entry.form not in ("fact", "batched"):
        return None
    signed = read(rulebook().kinds, entry.body, (), entry.batch)
    jws = entry.batch.statement if entry.batch else entry.body
    key = introduced_key(signed) if signed.fact.introduces else find_key(signed.envelope.kid)
    return SignedPart(jws.decode(), _b64(key) if key else "", signed.envelope.iss, entry.batch is not None)


def _find_key(directory: Path, kid: str) -> bytes | None:
    """A key as the state beside the record has it, where there is one."""
    if not (directory / STATE).exists():
        return None
    try:
        with closing(open_unchanged(directory / STATE, live=(directory / (STATE + "-wal")).exists())) as conn:
            found = conn.execute(f"SELECT public_key FROM {KEYS.name} WHERE kid = ?", (kid,)).fetchone()
    except sqlite3.Error:
        return None
    return sdjwt.unb64(found[0].encode()) if found else None


def _read(leaf: bytes) -> Entry | None:
    try:
        return read_entry(leaf)
    except ValueError:
        return None


def _sentence(leaf: bytes, position: int, size: int, origin: str) -> str:
    entry = _read(leaf)
    what = "bytes of another version"
    if entry is not None and entry.form == "block":
        header = read_header(entry)
        what = f"the header of block {header.height}"
    elif entry is not None and entry.form == "timer":
        what = f"the end of the wait {entry.body.decode()!r}, outcome {entry.outcome}"
    elif entry is not None:
        claims = msgspec.json.decode(sdjwt.unb64(entry.body.split(b".")[1]), type=Envelope)
        what = f"the fact {claims.kind} signed by {claims.iss}, outcome {entry.outcome}"
    return (
        f"Entry {position} of {origin}, {what}, is among the first {size} entries, which the record's key has signed."
    )


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unb64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)

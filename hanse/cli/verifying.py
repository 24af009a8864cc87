"""`hanse verify`, `prove`, `disclose`: what stands on the record, shown and proven; no running node is needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from hanse.cli.shell import DONE, HERE, WRONG, Answer, Data, progress
from hanse.kernel.refusal import Refused
from hanse.node import prove as proving
from hanse.node import verify as verifying
from hanse.node.node import Node
from hanse.record.note import NoteError, VerifierKey


def mount(app: App) -> None:
    """Add this file's commands."""
    for command in (verify, prove, check, disclose):
        app.command(command)


def verify(
    directory: Path | None = None, /, *, data: Data = HERE, key: Annotated[tuple[str, ...], Parameter(negative="")] = ()
) -> Answer:
    """Prove everything again that a data directory, or a copy of it, says.

    Every signature, every outcome, every disclosed figure and the whole state are recomputed; nothing is changed. A
    running node is verified as it stood when this began. Exit code 1 where anything is wrong.

    Parameters
    ----------
    directory
        What to verify; the same as --data.
    key
        The record's public key (vkey) as you know it from elsewhere: then forgery shows too, not only damage.
    """
    with progress() as step:
        found = verifying.verify(directory or data, _keys(key), step)
    return Answer({**msgspec.to_builtins(found), "ok": found.ok}, _told(found), DONE if found.ok else WRONG)


def _told(found: verifying.Verified) -> str:
    figures = found.figures
    lines = [
        f"{found.entries:,} entries in {found.blocks:,} blocks: {found.facts:,} facts ({found.refused:,} refused), "
        f"{found.timers:,} timers; {found.signatures:,} signatures verified",
        f"the signed checkpoint covers {found.checkpoint:,} entries, root {found.root}",
        f"private figures: {figures.proven:,} proven, {figures.not_disclosed:,} not disclosed to you, "
        f"{figures.erased:,} erased, {figures.wrong:,} wrong",
        f"state: {found.state}" + (f", at entry {found.state_size:,}" if found.state_size else ""),
    ]
    if found.own_key:
        lines.append("the record's own key was used: this shows damage, not forgery; give the known one with --key")
    for one in found.findings:
        lines.append(
            f"WRONG  {one.where}" + ("" if one.position is None else f", entry {one.position}") + f": {one.what}"
        )
    if found.more:
        lines.append(f"WRONG  and {found.more} more")
    lines.append("nothing is wrong" if found.ok else f"{len(found.findings) + found.more} findings")
    return "\n".join(lines)


def _keys(texts: Sequence[str]) -> list[VerifierKey]:
    try:
        return [VerifierKey.parse(text) for text in texts]
    except NoteError as error:
        raise Refused("verify.bad_key", f"the key does not read: {error}", expected="name+hash+base64") from None


def prove(position: int, *, data: Data = HERE) -> Answer:
    """Print the proof that an entry is on the record, for anybody to check without a node.

    Parameters
    ----------
    position
        The entry's number.
    """
    proof = proving.prove(data, position)
    return Answer(proof)


def check(proof: Path, *, key: str = "") -> Answer:
    """Check a proof that `hanse prove` printed. Exit code 2 where it does not hold.

    Parameters
    ----------
    proof
        The file.
    key
        The record's public key (vkey) as you know it from elsewhere.
    """
    try:
        read = msgspec.json.decode(proof.read_bytes(), type=proving.Proof)
    except (OSError, msgspec.DecodeError) as error:
        raise Refused("proof.bad_form", f"the proof does not read: {error}", got=proof) from None
    sentence = proving.check_proof(read, key or None)
    return Answer({"ok": True, "sentence": sentence}, sentence)


def disclose(position: int, field: str, *, party: Annotated[str, Parameter(name="--as")], data: Data = HERE) -> Answer:
    """Disclose one private figure of an entry as an SD-JWT: that field, and nothing more.

    Parameters
    ----------
    position
        The entry's number.
    field
        Its name, with the way to it in dots: lines.1.unit_price_minor
    party
        For which party of its circle; the node must hold that party's keys.
    """
    with Node(data, helper=False) as node:
        if node.wallet.key_of(party) is None:
            raise Refused("node.no_key", "this node holds no key of that party", got=party)
        return Answer(proving.disclose(node, party, position, field))

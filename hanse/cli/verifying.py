"""`hanse verify`, `prove`, `disclose`: what stands on the record, shown and proven; no running node is needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter
from rich.console import Group

from hanse.cli.shell import DONE, HERE, WRONG, Answer, Data, progress, table
from hanse.kernel.refusal import Refused
from hanse.node import prove as proving
from hanse.node import verify as verifying
from hanse.node.node import Node
from hanse.node.recomputing import HAS_ERASED, NOT_DISCLOSED, PROVEN, Figure
from hanse.node.recomputing import WRONG as WRONG_FIGURE
from hanse.record.note import NoteError, VerifierKey


def mount(app: App) -> None:
    """Add this file's commands."""
    for command in (verify, prove, check, disclose):
        app.command(command)


def verify(
    directory: Path | None = None,
    /,
    *,
    data: Data = HERE,
    key: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    recompute: Annotated[bool, Parameter(negative="")] = False,
) -> Answer:
    """Prove everything again that a data directory, or a copy of it, says.

    Every signature, every outcome, every disclosed figure and the whole state are recomputed, and whether the books
    balance; nothing is changed. A running node is verified as it stood when this began. No private key is needed. Exit
    code 1 where anything is wrong.

    Parameters
    ----------
    directory
        What to verify; the same as --data. A file is checked as `hanse check` does.
    key
        The record's public key (vkey) as you know it from elsewhere: then forgery shows too, not only damage.
    recompute
        Run every clause result again, and say of each figure: proven, not disclosed to you, erased, or wrong.
    """
    if directory is not None and directory.is_file():
        return check(directory, key=key[0] if key else "")
    with progress() as step:
        found = verifying.verify(directory or data, _keys(key), step, figures=recompute)
    text = Group(_figures(found.recomputed), _told(found)) if recompute else _told(found)
    return Answer({**msgspec.to_builtins(found), "ok": found.ok}, text, DONE if found.ok else WRONG)


def _figures(figures: Sequence[Figure]) -> Group:
    """The figures summed by what they are under, the largest first, and how many came out how."""
    from hanse.web.formats import money  # the web is not loaded for what prints no amount

    sums: dict[tuple[str, str, str, str, str], list[int]] = {}
    for one in figures:
        group = one.group or one.name
        found = sums.setdefault((one.what, one.circle, group, one.currency, one.outcome), [0, 0])
        found[0] += 1
        found[1] += one.amount_minor
    ordered = sorted(sums.items(), key=lambda pair: (pair[0][0], -abs(pair[1][1]), pair[0]))
    rows = [
        (what, circle, group, count, money(amount, currency) if currency else "", outcome)
        for (what, circle, group, currency, outcome), (count, amount) in ordered
    ]
    counts = Counter(one.outcome for one in figures)
    totals = Counter[tuple[str, str]]()
    for one in figures:
        if one.outcome == PROVEN and one.currency:
            totals[one.what, one.currency] += one.amount_minor
    said = [f"{counts[outcome]:,} {outcome}" for outcome in (PROVEN, NOT_DISCLOSED, HAS_ERASED, WRONG_FIGURE)]
    return Group(
        table("what", "circle", "of", "figures", "amount", "outcome", rows=rows),
        *(f"proven in all, {what}: {money(amount, currency)}" for (what, currency), amount in sorted(totals.items())),
        f"figures computed again: {', '.join(said)}\n",
    )


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
    if missing := found.files_missing:
        lines.append("1 file that the record names is not here" if missing == 1 else
                     f"{missing:,} files that the record names are not here")  # fmt: skip
    if found.own_key:
        lines.append("the record's own key was used: this shows damage, not forgery; give the known one with --key")
    for one in found.findings:
        lines.append(
            f"WRONG  {one.where}" + ("" if one.position is None else f", entry {one.position}") + f": {one.what}"
        )
    if found.more:
        lines.append(f"WRONG  and {found.more} more")
    found_n = len(found.findings) + found.more
    lines.append("nothing is wrong" if found.ok else "1 finding" if found_n == 1 else f"{found_n} findings")
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
    """Check what `hanse prove` or `hanse disclose` printed (with --json). Exit code 2 where it does not hold.

    Parameters
    ----------
    proof
        The file.
    key
        The record's public key (vkey) as you know it from elsewhere.
    """
    try:
        data = proof.read_bytes()
        read: proving.Proof | proving.Disclosed
        if b'"presentation"' in data:
            read = msgspec.json.decode(data, type=proving.Disclosed)
        else:
            read = msgspec.json.decode(data, type=proving.Proof)
    except (OSError, msgspec.DecodeError) as error:
        raise Refused("proof.bad_form", f"the proof does not read: {error}", got=proof) from None
    if isinstance(read, proving.Disclosed):
        sentence = proving.check_disclosed(read, key or None)
    else:
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

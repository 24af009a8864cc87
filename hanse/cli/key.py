"""`hanse key`: the signing keys of parties that this node hosts; the node must be stopped."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from hanse.cli.shell import HERE, Answer, Data, NotNegative, table
from hanse.kernel.refusal import Refused
from hanse.node import keys
from hanse.node.node import Node
from hanse.rooms.parties.facts import FOREVER, PARTIES


def mount(app: App) -> None:
    """Add this file's commands."""
    group = App(name="key", help="Signing keys: listed, changed, declared compromised, handed over.")
    for command in (show, rotate, compromise, export):
        group.command(command, name="list" if command is show else command.__name__)
    app.command(group)


def show(party: str, *, data: Data = HERE) -> Answer:
    """List the keys of a party, and those of its aliases that are held here."""
    with Node(data, helper=False) as node:
        if node.view().get(PARTIES, party) is None:
            raise Refused(
                "key.unknown_party", "the network has no such party", got=party, next="see `hanse party list`"
            )
        owners = [party, *(alias for _, alias in node.wallet.circles_of(party))]
        found = [card for owner in owners for card in keys.cards(node, owner)]
    rows = [(c.kid, c.owner, c.state, _date(c.from_at), _date(c.until_at), c.held) for c in found]
    return Answer(found, table("key", "owner", "state", "from", "until", "held here", rows=rows))


def _date(at: int) -> str:
    return "" if at in (0, FOREVER) else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def rotate(party: str, *, aliases: bool = False, overlap_days: NotNegative = 7, data: Data = HERE) -> Answer:
    """Change a party's key: a new one signs from now on, the old one stays good until the overlap is over.

    Parameters
    ----------
    aliases
        Change the keys of its aliases too.
    overlap_days
        How long what was signed with the old key may still arrive.
    """
    with Node(data, helper=False) as node:
        owners = [party, *(alias for _, alias in node.wallet.circles_of(party) if aliases)]
        made = keys.rotate_all(node, owners, overlap_seconds=overlap_days * 86_400)
    return Answer(made, table("owner", "new key", rows=list(made.items())))


def compromise(kid: Annotated[str, Parameter(allow_leading_hyphen=True)], *, data: Data = HERE) -> Answer:
    """Declare that a key may be in other hands: nothing that it signs counts from now on. This cannot be undone."""
    with Node(data, helper=False) as node:
        instead = keys.compromise(node, kid)
    return Answer({"compromised": kid, "instead": instead}, f"{kid} counts no more; {instead} signs instead")


def export(party: str, target: Path, *, data: Data = HERE) -> Answer:
    """Write a party's private key to a file that only you can read, as a JWK (RFC 8037).

    Parameters
    ----------
    target
        A file that does not exist yet. Whoever has it can sign as the party.
    """
    with Node(data, helper=False) as node:
        made = keys.export(node, party)
    try:
        fd = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        raise Refused("key.no_file", f"the file cannot be made: {error.strerror}", got=target) from None
    with os.fdopen(fd, "wb") as file:
        file.write(msgspec.json.encode(made) + b"\n")
    return Answer({"kid": made["kid"], "file": str(target)}, f"the key {made['kid']} is in {target}")

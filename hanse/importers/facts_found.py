"""A firm alone: the first import into an empty directory founds a network of one."""

from __future__ import annotations

from pathlib import Path

from hanse.importers.facts_ids import plain_id
from hanse.kernel.refusal import Refused
from hanse.node import joining
from hanse.node.desk import Desk, Who
from hanse.node.node import Node
from hanse.rooms.parties.facts import NETWORK, PARTIES

NAME = "My firm"


def desk_for(node: Node, party: str = "", name: str = "", *, country: str = "DE", city: str = "") -> Desk:
    """The desk of the party that imports.

    In a directory without a network one is founded, with this party as its first: nothing has to be asked. Else the
    named party, or the only one that this node hosts.
    Refuses, in order: import.which_party, import.not_hosted.
    """
    if node.view().get(NETWORK, 1) is None:
        party = party or plain_id((name or NAME).lower().replace(" ", "-"))
        joining.found(
            node, party, network=name or party, name=name or party, kind="distributor", country=country, city=city
        )
        return Desk(node, Who(party))
    hosted = [owner for owner in node.wallet.hosted() if node.view().get(PARTIES, owner) is not None]
    if not party and len(hosted) != 1:
        raise Refused(
            "import.which_party", "several parties are here", got=", ".join(hosted), next="name one by --party"
        )
    party = party or hosted[0]
    if party not in hosted:
        message = "this node holds no keys of that party"
        raise Refused(
            "import.not_hosted", message, got=party, expected=", ".join(hosted), next="see `hanse party list`"
        )
    joining.open_home(node, party)
    return Desk(node, Who(party))


def fresh(directory: Path) -> bool:
    """Whether a directory is still to become a node's."""
    return not directory.exists() or not any(directory.iterdir())

"""At whose desk a command sits: the hosted party that `--as` names."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from hanse.kernel.refusal import Refused
from hanse.node.desk import Desk, Who
from hanse.node.node import Node

Party = Annotated[str, Parameter(name="--as", help="The hosted party that asks; not needed where there is one alone.")]


def desk_of(node: Node, party: str) -> Desk:
    """The desk of a hosted party; of the only one where none is named. Refuses: order.which_party."""
    hosted = [owner for owner in node.wallet.hosted() if node.view(owner).home]
    if not party and len(hosted) == 1:
        party = hosted[0]
    if party not in hosted:
        raise Refused(
            "order.which_party",
            "name a party that this node hosts",
            got=party,
            expected=", ".join(hosted[:10]),
            next="--as",
        )
    return Desk(node, Who(party))

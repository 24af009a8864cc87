"""The desk of a page: whoever is looking, as the node knows them."""

from __future__ import annotations

from hanse.node.desk import Desk, Who
from hanse.node.node import Node
from hanse.web.site import Session


def desk(node: Node, session: Session) -> Desk:
    """The desk at which a page reads and writes: the reader's party, person (the account's number), role and limit."""
    who = Who(
        party=session.party,
        person=str(session.user),
        role=session.role,
        approval_limit_minor=session.approval_limit_minor,
    )
    return Desk(node, who)

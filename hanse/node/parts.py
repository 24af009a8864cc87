"""Parts: what the rooms offer, collected in the order of ROOMS."""

from __future__ import annotations

import hashlib
from functools import cache

from hanse.kernel.rules import Rulebook
from hanse.rooms import RULE_PARTS, modules


@cache
def rulebook() -> Rulebook:
    """The rules in force, version 1."""
    return Rulebook(modules(*RULE_PARTS))


def schema(book: Rulebook) -> str:
    """A hash of all tables as declared: a state of another schema is built anew."""
    text = "\n".join(statement for table in book.tables for statement in table.ddl())
    return hashlib.sha256(text.encode()).hexdigest()

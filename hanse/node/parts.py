"""Parts: what the rooms offer, collected in the order of ROOMS."""

from __future__ import annotations

import hashlib
from functools import cache

from hanse.kernel.rules import Rulebook
from hanse.rooms import RULE_PARTS, modules

REVISION = 6
"""Of what rules write into a state: raise it with every change of it that gives the same outcomes. A state of another
revision is built anew from the record; a change that gives other outcomes needs another `Rulebook.version`."""


@cache
def rulebook() -> Rulebook:
    """The rules in force, version 1."""
    return Rulebook(modules(*RULE_PARTS))


def schema(book: Rulebook) -> str:
    """A hash of all tables as declared and of the rules' revision: a state of another schema is built anew."""
    text = "\n".join([f"rules {REVISION}", *(statement for table in book.tables for statement in table.ddl())])
    return hashlib.sha256(text.encode()).hexdigest()

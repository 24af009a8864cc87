"""`hanse kinds`: what parties can sign."""

from __future__ import annotations

import inspect

from cyclopts import App

from hanse.cli.shell import Answer, table
from hanse.kernel.facts import layout
from hanse.kernel.refusal import Refused
from hanse.node.parts import rulebook


def mount(app: App) -> None:
    """Add this file's command."""
    app.command(kinds)


def kinds(kind: str = "") -> Answer:
    """List the kinds of facts that parties sign, or the fields of one.

    Parameters
    ----------
    kind
        As in orders.place
    """
    book = rulebook()
    if not kind:
        rows = [(name, _about(cls)) for name, cls in sorted(book.kinds.items())]
        return Answer(dict(rows), table("kind", "what it says", rows=rows))
    cls = book.kinds.get(kind)
    if cls is None:
        raise Refused("fact.unknown_kind", "no kind is called so", got=kind, next="see `hanse kinds`")
    private = layout(cls).private
    fields = {name: private.get(name, "public") for name in cls.__struct_fields__ if name != "sd_"}
    return Answer(
        {"kind": kind, "about": _about(cls), "fields": fields}, table("field", "read by", rows=fields.items())
    )


def _about(cls: type) -> str:
    return (inspect.getdoc(cls) or "").split("\n\n")[0].replace("\n", " ")

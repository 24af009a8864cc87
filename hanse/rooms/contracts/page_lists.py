"""Parameters that are lists or tiers, as tables: a price list in one sentence is read by nobody."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from hanse.kernel.view import View
from hanse.rooms.catalog.queries import short_name
from hanse.rooms.contracts.page_params import in_order, label_of, told_params
from hanse.rooms.contracts.terms import Param, Terms, show
from hanse.rooms.contracts.terms.kinds import Kind
from hanse.rooms.contracts.terms.prose import say

SHORT = 3
"""So many rows still read well in a sentence."""
ITEM = "item"
WORDS = {"moq": "Minimum quantity", "at": "From", "gives": "Then"}


class Listed(Struct, frozen=True):
    """A list as a table: every row has as many texts as the head. numbers: which columns are set flush right. named:
    the first column is an item, the second its name."""

    label: str
    head: tuple[str, ...]
    numbers: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    named: bool = False


class Told(Struct, frozen=True):
    """What surrounds sentences: pairs of (label, value), and long lists as tables."""

    pairs: tuple[tuple[str, str], ...]
    lists: tuple[Listed, ...]


def told(view: View, terms: Terms) -> Told:
    """Every parameter of terms: short ones as pairs, long lists as tables."""
    long = {label_of(one.name) for one in _long(terms)}
    lists = tuple(_listed(view, one, terms) for one in _long(terms))
    return Told(tuple(pair for pair in told_params(terms) if pair[0] not in long), lists)


def shortened(terms: Terms, text: str) -> str:
    """A clause's sentence in which a long list is not spelled out again, but named."""
    for param in _long(terms):
        value = terms.params[param.name]
        name = f"the {_count(param, value):,} rows of the table “{label_of(param.name)}”"
        for currency in (terms.currency, ""):  # a sentence that names the currency itself has amounts without
            text = text.replace(say(param, value, currency, terms.decimals), name)
    return text


def goods_words(view: View, scope: Iterable[str]) -> str:
    """What an agreement is about, by names.

    Args:
        scope: see `scope`.
    """
    words = []
    for one in scope:
        kind, _, value = one.partition(":")
        words.append("all" if one == "*" else short_name(view, value) or value if kind == ITEM else f"{kind} {value}")
    return ", ".join(words)


def _long(terms: Terms) -> list[Param]:
    return [param for param in in_order(terms.template) if _count(param, terms.params[param.name]) > SHORT]


def _count(param: Param, value: Any) -> int:
    if param.kind.base == "tiers":
        return len(value[0])
    return len(value) if param.kind.base == "list" else 0


def _listed(view: View, param: Param, terms: Terms) -> Listed:
    value, kind = terms.params[param.name], param.kind
    fields: tuple[tuple[str, Kind], ...]
    if kind.base == "tiers":
        fields, rows = tuple(zip(("at", "gives"), kind.items, strict=True)), list(zip(*value, strict=True))
    elif kind.items[0].base == "row":
        fields, rows = kind.items[0].fields, list(value)
    else:
        name = param.name.removesuffix("s")
        fields, rows = ((name, kind.items[0]),), [(one,) for one in value]
    head, numbers = [WORDS.get(name, label_of(name)) for name, _ in fields], [one.base == "number" for _, one in fields]
    told = [[show(part, cell, terms.currency, terms.decimals) for (_, part), cell in zip(fields, row, strict=True)]
            for row in rows]  # fmt: skip
    names = [name for name, _ in fields]
    if named := ITEM in names:
        at = names.index(ITEM)
        head = [head.pop(at), "Name", *head]
        numbers = [numbers.pop(at), False, *numbers]
        told = [[item := row.pop(at), short_name(view, item) or "–", *row] for row in told]
    return Listed(label_of(param.name), tuple(head), tuple(numbers), tuple(tuple(row) for row in told), named)

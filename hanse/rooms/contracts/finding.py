"""Which agreements a list shows, and in which order: sorted and filtered where they lie, so that a page of ten thousand
reads its own rows alone. What a list says of them is asked afterwards, for the page at once (`queries.cards_of`)."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from hanse.kernel.rows import SqlValue
from hanse.kernel.tables import Table
from hanse.kernel.view import View
from hanse.rooms.contracts.private_rows import AGREEMENTS, AWARDS, PENDING, STANDING, VERSIONS
from hanse.rooms.contracts.rows import TEMPLATES
from hanse.rooms.parties.facts import PARTIES

Order = Literal["partner", "from_at", "until_at", "pending", "standing"]
STATES = ("in_force", "coming", "ended")
_STATE = (
    "CASE WHEN a.until_at > 0 AND a.until_at <= (SELECT now FROM reader) THEN 'ended'"
    " WHEN json_extract(a.versions, '$[0][1]') > (SELECT now FROM reader) THEN 'coming' ELSE 'in_force' END"
)
_OTHER = "(SELECT MIN(o.value) FROM json_each(a.parties) o WHERE o.value <> (SELECT party FROM reader))"
_ALONE = "(SELECT COUNT(*) FROM json_each(a.parties) o WHERE o.value <> (SELECT party FROM reader)) = 1"
_NUMBER = (
    "coalesce((SELECT MAX(json_extract(n.value, '$[0]')) FROM json_each(a.versions) n"
    " WHERE json_extract(n.value, '$[1]') <= (SELECT now FROM reader)), 1)"
)
_SIGNED = (
    "CASE WHEN receiver = (SELECT party FROM reader) THEN amount_minor"
    " WHEN sender = (SELECT party FROM reader) THEN -amount_minor ELSE 0 END"
)
_JOINS = {
    "version": (
        f"JOIN {{{VERSIONS.name}}} v ON v.circle = a.circle AND v.agreement = a.agreement AND v.version = {_NUMBER}"
    ),
    "template": f"LEFT JOIN {{{TEMPLATES.name}}} t ON t.sha256 = json_extract(v.content, '$.template')",
    "party": f"LEFT JOIN {{{PARTIES.name}}} p ON p.party = {_OTHER}",
    "sums": (
        f"LEFT JOIN (SELECT circle, agreement, SUM(CASE WHEN state = '{PENDING}' THEN {_SIGNED} ELSE 0 END) AS pending,"
        f" SUM(CASE WHEN state = '{STANDING}' THEN {_SIGNED} ELSE 0 END) AS standing FROM {{{AWARDS.name}}}"
        f" WHERE kind = 'pay' AND state IN ('{PENDING}', '{STANDING}') GROUP BY circle, agreement) s"
        " ON s.circle = a.circle AND s.agreement = a.agreement"
    ),
}
_TABLES: dict[str, Table[Any]] = {"version": VERSIONS, "template": TEMPLATES, "party": PARTIES, "sums": AWARDS}
_NAME = f"coalesce(p.name, {_OTHER}, '')"
_CURRENCY = "coalesce(json_extract(json_extract(v.content, '$.params'), '$.currency'), '')"
_ORDERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "partner": (("party",), (f"{_NAME} COLLATE NOCASE",)),
    "from_at": (("version",), ("v.from_at",)),
    "until_at": ((), ("a.until_at = 0", "a.until_at")),
    "pending": (("version", "sums"), (_CURRENCY, "coalesce(s.pending, 0)")),
    "standing": (("version", "sums"), (_CURRENCY, "coalesce(s.standing, 0)")),
}
"""Key -> (joins that it needs, what to order by). What ends nowhere comes last."""


class Wanted(Struct, frozen=True, kw_only=True):
    """Which agreements. words: in title, partner's name or number. named: in the partner's name. partner: its id.

    states: of STATES, none for all. sort: (key, descending), most important first; then those in force first, by circle
    and number. limit: 1..5000.
    """

    words: str = ""
    named: str = ""
    partner: str = ""
    states: tuple[str, ...] = ()
    sort: tuple[tuple[str, bool], ...] = ()
    limit: int = 50
    offset: int = 0


def find(view: View, wanted: Wanted) -> list[tuple[str, str]]:
    """(circle, agreement) of one page, in order. Raises ValueError for a sort key that is none."""
    joins: list[str] = []
    order: list[str] = []
    for key, descending in wanted.sort:
        if key not in _ORDERS:
            raise ValueError(f"no order by {key}")
        needs, parts = _ORDERS[key]
        joins += needs
        order += [f"{part} {'DESC' if descending else 'ASC'}" for part in parts]
    rank = " ".join(f"WHEN '{state}' THEN {n}" for n, state in enumerate(STATES))
    order += [f"CASE {_STATE} {rank} END", "a.circle", "a.agreement"]
    where, values, more = _where(wanted, wanted.states)
    sql = (
        f"SELECT a.circle, a.agreement {_from(joins + more)} WHERE {where} ORDER BY {', '.join(order)} LIMIT ? OFFSET ?"
    )
    return [(row[0], row[1]) for row in _run(view, sql, [*values, wanted.limit, wanted.offset], joins + more)]


def count(view: View, wanted: Wanted) -> dict[str, int]:
    """State -> how many agreements fit all but the wanted states."""
    where, values, joins = _where(wanted, ())
    rows = _run(view, f"SELECT {_STATE}, COUNT(*) {_from(joins)} WHERE {where} GROUP BY 1", values, joins)
    found = {row[0]: row[1] for row in rows}
    return {state: found[state] for state in STATES if state in found}


def _where(wanted: Wanted, states: tuple[str, ...]) -> tuple[str, list[SqlValue], list[str]]:
    """(condition, its values, joins that it needs)."""
    parts, joins = ["1"], []
    values: list[SqlValue] = []
    if states:
        parts.append(f"{_STATE} IN ({', '.join('?' * len(states))})")
        values += list(states)
    if wanted.partner:
        parts.append(f"{_ALONE} AND {_OTHER} = ?")
        values.append(wanted.partner)
    if wanted.named:
        parts.append(f"{_NAME} LIKE ? ESCAPE '\\'")
        values.append(_like(wanted.named))
        joins.append("party")
    if wanted.words:
        parts.append(f"(t.title LIKE ? ESCAPE '\\' OR {_NAME} LIKE ? ESCAPE '\\' OR a.agreement LIKE ? ESCAPE '\\')")
        values += [_like(wanted.words)] * 3
        joins += ["version", "template", "party"]
    return " AND ".join(parts), values, joins


def _like(text: str) -> str:
    r"""A text as it stands anywhere in another.

    >>> print(_like("50%_a"))
    %50\%\_a%
    """
    plain = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{plain}%"


def _from(joins: list[str]) -> str:
    return " ".join([f"FROM {{{AGREEMENTS.name}}} a", *(text for name, text in _JOINS.items() if name in joins)])


def _run(view: View, sql: str, values: list[SqlValue], joins: list[str]) -> list[tuple[Any, ...]]:
    tables: list[Table[Any]] = [AGREEMENTS, *(table for name, table in _TABLES.items() if name in joins)]
    reader = "WITH reader AS (SELECT ? AS party, ? AS now) "
    return view.sql(reader + sql, [view.party, view.now, *values], tables=tables)

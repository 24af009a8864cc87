"""Suppliers' terms: rows of `terms` as quotes in the firm's home, one for each supplier and currency.

A quote binds nobody who has not signed it: like every one-sided fact it is the firm's own note of what was agreed.
"""

from __future__ import annotations

import msgspec

from hanse.importers.facts_ids import hidden_id
from hanse.importers.facts_orders import each_per_unit
from hanse.importers.facts_plan import DAY, Plan, divide, seconds
from hanse.importers.facts_store import Staged
from hanse.rooms.orders.facts import LINES_MAX, Quote, QuoteLine
from hanse.rooms.orders.rows import QUOTES

VALID_SECONDS = 2 * 365 * DAY
"""How long terms stand whose file names no end: what the record takes."""
_STANDING = ("asked", "quoted")


def plan_terms(plan: Plan) -> None:
    """Terms that are new or changed; a supplier's terms are written anew as a whole."""
    for grp in plan.store.groups("terms"):
        rows = plan.store.group("terms", grp)
        (supplier,) = msgspec.json.decode(grp)
        for row in rows:
            ends = seconds(row.values.get("valid_to"), end_of_day=True)
            if 0 < ends <= plan.now:
                plan.wrong([row], "valid_to", "terms.ended", row.values["valid_to"], "a date ahead", "leave it out")
        live = [row for row in rows if not 0 < seconds(row.values.get("valid_to"), end_of_day=True) <= plan.now]
        by_currency: dict[str, list[Staged]] = {}
        for row in live:
            by_currency.setdefault(row.values.get("currency") or plan.currency, []).append(row)
        for currency, same in by_currency.items():
            for part in range(0, len(same), LINES_MAX):
                _quote(plan, supplier, currency, part // LINES_MAX, same[part : part + LINES_MAX])


def _quote(plan: Plan, supplier: str, currency: str, part: int, rows: list[Staged]) -> None:
    ends = [end for row in rows if (end := seconds(row.values.get("valid_to"), end_of_day=True))]
    lines, packs = [], []
    for number, row in enumerate(rows, 1):
        values = row.values
        unit = values.get("unit", "")
        per_unit = each_per_unit(plan, values["item"], unit)
        if not per_unit:
            packs.append(f"line {number} per {unit}, of unknown content")
        line = QuoteLine(
            line=number,
            each=values.get("quantity_min", 1) * (per_unit or 1),
            item=plan.linked_item(values["item"]) or values["item"],
            unit_price_minor=divide(values.get("price_minor", 0), values.get("price_per", 1) * (per_unit or 1)),
            lead_time_days=values.get("lead_time_days", 0),
        )
        lines.append(line)
    said = "; ".join([f"terms of {plan.partner(supplier)}, as the firm has them", *packs])
    fact = Quote(
        circle=plan.home,
        quote=_name(plan, supplier, currency, part),
        valid_until_at=min([*ends, plan.now + VALID_SECONDS]),
        lines=lines,
        currency=currency,
        note=said[:8_000],
    )
    plan.add(fact, rows)


def _name(plan: Plan, supplier: str, currency: str, part: int) -> str:
    """The name of a supplier's terms: the same as long as they stand, a new one after they have ended."""
    for again in range(1_000):
        name = hidden_id(plan.store.salt, "q", supplier, currency, part, again)
        row = plan.view.get(QUOTES, name)
        if row is None or row.state in _STANDING:
            return name
    raise AssertionError("terms end at most once in two years")

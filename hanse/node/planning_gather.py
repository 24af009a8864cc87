"""A firm's own demand, stock and suppliers, by own number, site and week, from its own movements and orders."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from hanse.kernel.view import View
from hanse.node.planning_shelf import MONDAY, WEEK, Assumed, Bin, Given, Number, Supplier
from hanse.rooms.catalog.facts import OWN_ITEMS
from hanse.rooms.group.rows import COMMITMENTS, OPEN, ROUND_TERMS, ROUNDS
from hanse.rooms.inventory.facts import MOVEMENTS, STOCK, TOTALS
from hanse.rooms.orders.private_rows import MINE, Mine
from hanse.rooms.orders.rows import LIVE_STATES, ORDERS
from hanse.rooms.parties.facts import PARTIES, SITES

WEEKS_MAX = 104
WEEKS_MIN = 8
ITEMS_MAX = 20_000
STOCK_WEEKS = 26
PURCHASES_READ_MAX = 20_000
OUT_REASONS = ("sold", "consumed")
Weekly = npt.NDArray[np.float64]
Place = tuple[str, str]
"""(own number, site)"""


class Demand(Struct, frozen=True):
    """first: week number, since MONDAY, of the first week; weeks: whole ones; by[own number, site] -> [week], each."""

    first: int
    weeks: int
    by: dict[Place, Weekly]


def demand(view: View) -> Demand | None:
    """What left the firm's own stock for use, whole weeks only; None where less than eight weeks are known."""
    first_of_now = (view.now - MONDAY) // WEEK
    sql = (
        "SELECT own_number, site, (made_at - ?) / ? AS week, SUM(-each) FROM {inventory_movement} WHERE circle = ?"
        f" AND owner = '' AND each < 0 AND reason IN ({', '.join('?' * len(OUT_REASONS))}) AND made_at >= ?"
        " GROUP BY own_number, site, week ORDER BY own_number, site, week"
    )
    since = (first_of_now - WEEKS_MAX) * WEEK + MONDAY
    found = view.sql(sql, (MONDAY, WEEK, view.home, *OUT_REASONS, since), tables=(MOVEMENTS,))
    rows = [(number, site, week, each) for number, site, week, each in found if week < first_of_now]
    if not rows:
        return None
    first = min(week for _, _, week, _ in rows)
    weeks = first_of_now - first
    if weeks < WEEKS_MIN:
        return None
    by: dict[Place, Weekly] = {}
    for number, site, week, each in rows:
        by.setdefault((number, site), np.zeros(weeks))[week - first] = each
    return Demand(first, weeks, by)


def gather(view: View, assumed: Assumed | None = None) -> Given | None:
    """What the levels are computed from; None where less than eight weeks of sales are known."""
    asked = demand(view)
    if asked is None:
        return None
    numbers = sorted({number for number, _ in asked.by})[:ITEMS_MAX]
    at = {number: k for k, number in enumerate(numbers)}
    bought = purchases(view)
    free = free_now(view)
    sites = {row.site: row.name for row in view.rows(SITES, "circle = ?", (view.home,), limit=10_000)}
    used = sorted({site for (number, site) in (*asked.by, *free) if number in at})
    site_at = {site: k for k, site in enumerate(used)}
    history = np.zeros((len(numbers), asked.weeks))
    for (number, _), weekly in asked.by.items():
        if number in at:
            history[at[number]] += weekly
    none = np.zeros(asked.weeks)
    places = sorted({place for place in (*asked.by, *free) if place[0] in at and place[1] in site_at})
    bins = [
        Bin(
            number=at[number],
            site=site_at[site],
            history=asked.by.get((number, site), none).tolist(),
            free_each=free.get((number, site), 0),
            position_each=free.get((number, site), 0) + bought.coming.get((number, site), 0),
        )
        for number, site in places
    ]
    return Given(
        numbers=[
            _number(view, number, bought, level) for number, level in zip(numbers, _past(view, numbers), strict=True)
        ],
        history=history.tolist(),
        first_week=asked.first * WEEK + MONDAY,
        sites=[(site, sites.get(site, site)) for site in used],
        bins=bins,
        assumed=assumed or Assumed(),
    )


def _number(view: View, number: str, bought: Purchases, stock: list[float]) -> Number:
    own, total = view.get(OWN_ITEMS, view.home, number), view.get(TOTALS, view.home, number)
    free = total.on_hand_each - total.allocated_each - total.set_aside_each - total.short_each if total else 0
    return Number(
        own_number=number,
        description=own.description if own else "",
        item=own.item if own else "",
        currency=(own.currency if own else "") or "EUR",
        pack_each=max(1, own.pack_each) if own else 1,
        cost_minor=max(1, own.cost_minor) if own else 1,
        on_hand_each=total.on_hand_each if total else 0,
        free_each=free,
        position_each=free + bought.coming_of.get(number, 0),
        stock=stock,
        supplier=bought.last.get(number),
    )


def free_now(view: View) -> dict[Place, int]:
    """(own number, site) -> free of the firm's own goods, each."""
    sql = (
        "SELECT own_number, site, SUM(on_hand_each - allocated_each - set_aside_each - short_each)"
        " FROM {inventory_stock} WHERE circle = ? AND owner = '' GROUP BY own_number, site"
    )
    return {(number, site): each for number, site, each in view.sql(sql, (view.home,), tables=(STOCK,))}


def _past(view: View, numbers: list[str]) -> list[list[float]]:
    """On hand of own goods at the end of each of the last 26 weeks, [number][week], the current week last."""
    now = (view.now - MONDAY) // WEEK
    first = now - STOCK_WEEKS + 1
    sql = (
        "SELECT own_number, (made_at - ?) / ? AS week, SUM(each) FROM {inventory_movement}"
        " WHERE circle = ? AND owner = '' AND made_at >= ? GROUP BY own_number, week"
    )
    since = first * WEEK + MONDAY
    changed: dict[str, dict[int, int]] = {}
    for number, week, each in view.sql(sql, (MONDAY, WEEK, view.home, since), tables=(MOVEMENTS,)):
        changed.setdefault(number, {})[week] = each
    out = []
    for number in numbers:
        total = view.get(TOTALS, view.home, number)
        level, levels = total.on_hand_each if total else 0, []
        for week in range(now, first - 1, -1):
            levels.append(float(level))
            level -= changed.get(number, {}).get(week, 0)
        out.append(levels[::-1])
    return out


class Purchases(Struct, frozen=True):
    """coming, coming_of: each ordered for stock and not received. last: own number -> its last supplier."""

    coming: dict[Place, int]
    coming_of: dict[str, int]
    last: dict[str, Supplier]


def purchases(view: View) -> Purchases:
    """The firm's purchases for its own stock: what is under way, and from whom it bought what."""
    numbers = _own_numbers(view)
    last: dict[str, Supplier] = {}
    names: dict[str, Supplier | None] = {}
    where = "circle = ? AND side = 'buy' AND drop_ship = 0 AND loan = 0"
    for mine in view.rows(MINE, where, (view.home,), order="placed_at DESC, order_id", limit=PURCHASES_READ_MAX):
        for line in mine.lines:
            number = line.own_number or numbers.get(line.item, "")
            if number and number not in last and line.unit_price_minor:
                last[number] = _supplier(view, mine, line.unit_price_minor, names)
    coming = under_way(view, numbers)
    coming_of: dict[str, int] = {}
    for (number, _), each in coming.items():
        coming_of[number] = coming_of.get(number, 0) + each
    return Purchases(coming, coming_of, last)


def under_way(view: View, numbers: dict[str, str] | None = None) -> dict[Place, int]:
    """(own number, site) -> each ordered for the firm's stock and not received. numbers: item -> own number.

    What it committed to rounds that are open counts, at site ""; what is lent to it does not.
    """
    numbers = _own_numbers(view) if numbers is None else numbers
    coming = _committed(view, numbers)
    states = ", ".join("?" * (len(LIVE_STATES) + 1))
    sql = (
        "SELECT m.order_id FROM {orders_mine} m CROSS JOIN {orders_order} o ON o.order_id = m.order_id"
        f" WHERE m.circle = ? AND m.side = 'buy' AND m.drop_ship = 0 AND o.state IN ({states})"
    )
    for (name,) in view.sql(sql, (view.home, *LIVE_STATES, "shipped"), tables=(MINE, ORDERS)):
        row, order = view.get(MINE, view.home, name), view.get(ORDERS, name)
        if row is None or order is None or row.loan:
            continue
        named = {line.line: line.own_number or numbers.get(line.item, "") for line in row.lines}
        for one in order.lines:
            left = max(0, one.ordered - one.cancelled - one.received - one.damaged - one.short)
            place = (named.get(one.line, ""), row.site)
            coming[place] = coming.get(place, 0) + left
    return coming


def _committed(view: View, numbers: dict[str, str]) -> dict[Place, int]:
    """(own number, "") -> each that the firm has committed to rounds which are still open."""
    found: dict[Place, int] = {}
    for word in view.rows(COMMITMENTS, "party = ?", (view.party,), limit=10_000):
        row = view.get(ROUNDS, word.round)
        terms = view.get(ROUND_TERMS, row.circle, word.round) if row is not None and row.state == OPEN else None
        if terms is not None and (number := numbers.get(terms.item)):
            found[number, ""] = found.get((number, ""), 0) + word.each
    return found


class Loan(Struct, frozen=True):
    """One line of a loan to the firm, each. here: received and not given back, of the lender's goods still in stock.

    owed: received and not given back; coming: not received yet. order: where it is given back.
    """

    order: str
    own_number: str
    lender: str
    here: int
    owed: int
    coming: int


def loans(view: View) -> list[Loan]:
    """What is lent to the firm and not given back, the newest first."""
    numbers = _own_numbers(view)
    found: list[Loan] = []
    kept: dict[tuple[str, str], int] = {}
    for row in view.rows(STOCK, "circle = ? AND owner != ''", (view.home,), limit=10_000):
        kept[row.own_number, row.owner] = kept.get((row.own_number, row.owner), 0) + row.on_hand_each
    where = "circle = ? AND side = 'buy' AND loan = 1"
    for mine in view.rows(MINE, where, (view.home,), order="placed_at DESC, order_id", limit=PURCHASES_READ_MAX):
        order = view.get(ORDERS, mine.order_id)
        for known, line in zip(mine.lines, order.lines, strict=True) if order is not None else ():
            number = known.own_number or numbers.get(known.item, "")
            owed = max(0, line.received - line.returned)
            coming = line.ordered - line.cancelled - line.received - line.damaged - line.short
            coming = max(0, coming) if order is not None and order.state in (*LIVE_STATES, "shipped") else 0
            here = min(owed, kept.get((number, mine.partner[:80]), 0))
            kept[number, mine.partner[:80]] = kept.get((number, mine.partner[:80]), 0) - here
            if owed or coming:
                found.append(Loan(mine.order_id, number, mine.partner, here, owed, coming))
    return found


def _own_numbers(view: View) -> dict[str, str]:
    """item -> the firm's first own number of it."""
    sql = "SELECT item, MIN(own_number) FROM {catalog_own_item} WHERE circle = ? AND item != '' GROUP BY item"
    return dict(view.sql(sql, (view.home,), tables=(OWN_ITEMS,)))


def _supplier(view: View, mine: Mine, price_minor: int, names: dict[str, Supplier | None]) -> Supplier:
    if mine.partner not in names:
        row = view.get(PARTIES, mine.partner)
        names[mine.partner] = Supplier(mine.partner, row.name, 0, "") if row else None
    known = names[mine.partner]
    party, name = (known.party, known.name) if known else ("", mine.partner)
    return Supplier(party, name, price_minor, mine.currency)

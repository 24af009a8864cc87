"""Questions about a firm's own stock: where it stands, what it is promised to, how old the figure is, what it is worth.

Everything here reads the reader's home; a reader without one finds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from hanse.kernel.rows import SqlValue
from hanse.kernel.view import View
from hanse.rooms.catalog.facts import OWN_ITEMS, OwnItem
from hanse.rooms.inventory.facts import (
    HELD,
    HOLDS,
    MOVEMENTS,
    POLICIES,
    SERIALS,
    STOCK,
    TOTALS,
    Held,
    Hold,
    Movement,
    Policy,
    Serial,
    Total,
)
from hanse.rooms.inventory.offer_facts import EARMARKS, EarmarkRow
from hanse.rooms.parties.facts import SITES
from hanse.rooms.parties.queries import like_text, read_as

DAY = 86_400


class StockRow(Struct, frozen=True):
    """One lot at one site, for pages and files. Times: UTC seconds; `counted_at` 0: never counted.

    `unit_cost_minor`: of one each, in `currency` ("": the own number's).
    """

    site: str
    site_name: str
    own_number: str
    lot: str
    owner: str
    on_hand_each: int
    allocated_each: int
    set_aside_each: int
    short_each: int
    unit_cost_minor: int
    currency: str
    counted_at: int
    moved_at: int
    unvalued_each: int
    position: int

    @property
    def free_each(self) -> int:
        return max(0, self.on_hand_each - self.allocated_each - self.set_aside_each)


class StockLine(Struct, frozen=True):
    """One own number over all sites, of the firm's own title. `item`: "" where unmatched."""

    own_number: str
    description: str
    item: str
    on_hand_each: int
    allocated_each: int
    set_aside_each: int
    short_each: int
    position: int

    @property
    def free_each(self) -> int:
        return max(0, self.on_hand_each - self.allocated_each - self.set_aside_each)


class StockCard(Struct, frozen=True):
    """All about one own number. `counted_days`: age of the oldest count among stock that is there, -1: never counted.
    `earmarks`, `movements`: the newest first."""

    own: OwnItem
    total: Total | None
    stock: list[StockRow]
    holds: list[Hold]
    earmarks: list[EarmarkRow]
    policy: Policy | None
    serials: int
    counted_days: int
    movements: list[Movement]


class DeadStock(Struct, frozen=True):
    """Stock that has not moved. `idle_days`: since its last receipt or issue. `value_minor`: on hand x unit cost."""

    own_number: str
    description: str
    item: str
    site: str
    lot: str
    on_hand_each: int
    idle_days: int
    value_minor: int
    currency: str


class Money(Struct, frozen=True):
    """A sum of one currency, and over how many lines.

    unvalued_each: what came at a cost in another currency, and is not in the sum. uncosted_each: what has no cost yet,
    and counts as 0; of on_hand_each.
    """

    currency: str
    value_minor: int
    lines: int
    unvalued_each: int = 0
    uncosted_each: int = 0
    on_hand_each: int = 0


class WorkLine(Struct, frozen=True):
    """An own number that no item is linked to, with the money that lies in it."""

    own_number: str
    description: str
    brand: str
    part_number: str
    gtin: str
    on_hand_each: int
    value_minor: int
    currency: str


class MoneyMatched(Struct, frozen=True):
    """Of the money in stock of one currency, how much lies in own numbers that are linked to items."""

    currency: str
    value_minor: int
    matched_minor: int

    @property
    def matched_ppm(self) -> int:
        """Parts per million; 0 for no money."""
        return self.matched_minor * 1_000_000 // self.value_minor if self.value_minor else 0


class SiteStock(Struct, frozen=True):
    """A site of the reader's for the map, with what stands there (lines with goods on hand)."""

    site: str
    name: str
    site_kind: str
    country: str
    city: str
    latitude_microdeg: int
    longitude_microdeg: int
    lines: int
    on_hand_each: int


_COST = "(k.on_hand_each - k.unvalued_each) * k.unit_cost_minor"
_CURRENCY = "coalesce(nullif(k.currency, ''), o.currency, '')"
_STOCK = (
    "k.site, coalesce(s.name, k.site), k.own_number, k.lot, k.owner, k.on_hand_each, k.allocated_each, "
    "k.set_aside_each, k.short_each, k.unit_cost_minor, k.currency, k.counted_at, k.moved_at, k.unvalued_each, "
    "k.position "
    f"FROM {{{STOCK.name}}} k LEFT JOIN {{{SITES.name}}} s ON s.circle = k.circle AND s.site = k.site"
)


def _stock(view: View, where: str, values: tuple[SqlValue, ...], limit: int) -> list[StockRow]:
    order = f"k.site, k.own_number, k.lot, k.owner LIMIT {int(limit)}"
    sql = f"SELECT {_STOCK} WHERE k.circle = ? AND {where} ORDER BY {order}"
    return read_as(StockRow, view.sql(sql, (view.home, *values), tables=(STOCK, SITES)))


def stock_at(view: View, site: str, *, after: tuple[str, str, str] = ("", "", ""), limit: int = 200) -> list[StockRow]:
    """What stands at a site, after a cursor (own number, lot, owner)."""
    return _stock(view, "k.site = ? AND (k.own_number, k.lot, k.owner) > (?, ?, ?)", (site, *after), limit)


def stock_of_number(view: View, own_number: str) -> list[StockRow]:
    """Where an own number stands, others' goods included."""
    return _stock(view, "k.own_number = ?", (own_number,), 1_000)


def cost_of_one(stock: Sequence[StockRow], currency: str) -> tuple[int, str]:
    """The highest cost of one each of the firm's own title, and its currency.

    Args:
        currency: the own number's. A cost in it goes before those in others, and is (0, currency) where there is none
            at all; of several other currencies the first by name.
    """
    costs: dict[str, int] = {}
    for row in stock:
        known = row.currency or currency
        if not row.owner and row.unit_cost_minor:
            costs[known] = max(row.unit_cost_minor, costs.get(known, 0))
    found = currency if currency in costs or not costs else min(costs)
    return costs.get(found, 0), found


def kept_for_others(view: View, limit: int = 500) -> list[StockRow]:
    """Goods in the reader's custody that others own."""
    return _stock(view, "k.owner <> '' AND k.on_hand_each > 0", (), limit)


def held_elsewhere(view: View, limit: int = 500) -> list[Held]:
    """Goods that the reader owns and others keep."""
    return view.rows(HELD, "circle = ?", (view.home,), limit=limit)


def stock_list(view: View, *, search: str = "", after: str = "", limit: int = 100, only: str = "") -> list[StockLine]:
    """Own numbers with their stock, in order of number, after a cursor.

    Args:
        search: within number or description. only: "short" or "free", else all.
    """
    where, values = ["t.circle = ?", "t.own_number > ?"], [view.home, after]
    if search:
        where.append("(o.own_number LIKE ? ESCAPE '~' OR o.description LIKE ? ESCAPE '~')")
        values += [f"%{like_text(search)}%"] * 2
    if only == "short":
        where.append("t.short_each > 0")
    if only == "free":
        where.append("t.on_hand_each > t.allocated_each + t.set_aside_each")
    sql = f"""
        SELECT t.own_number, coalesce(o.description, ''), coalesce(o.item, ''), t.on_hand_each, t.allocated_each,
               t.set_aside_each, t.short_each, t.position
        FROM {{{TOTALS.name}}} t
        LEFT JOIN {{{OWN_ITEMS.name}}} o ON o.circle = t.circle AND o.own_number = t.own_number
        WHERE {" AND ".join(where)} ORDER BY t.own_number LIMIT {int(limit)}"""
    return read_as(StockLine, view.sql(sql, values, tables=(TOTALS, OWN_ITEMS)))


def stock_card(view: View, own_number: str, *, movements_max: int = 50) -> StockCard | None:
    """All about one own number of the reader's, None where it has no such number."""
    own = view.get(OWN_ITEMS, view.home, own_number)
    if own is None:
        return None
    mine = (view.home, own_number)
    where = "circle = ? AND own_number = ?"
    stock = stock_of_number(view, own_number)
    there = [row.counted_at for row in stock if row.on_hand_each] or [row.counted_at for row in stock]
    age = -1 if not there or not min(there) else (view.now - min(there)) // DAY
    return StockCard(
        own=own,
        total=view.get(TOTALS, *mine),
        stock=stock,
        holds=view.rows(HOLDS, where, mine, limit=500),
        earmarks=view.rows(EARMARKS, where, mine, order="position DESC, offer", limit=100),
        policy=view.get(POLICIES, *mine),
        serials=view.count(SERIALS, where + " AND here", mine),
        counted_days=age,
        movements=movements(view, own_number, limit=movements_max),
    )


def movements(view: View, own_number: str, *, before: tuple[int, int] = (2**62, 0), limit: int = 100) -> list[Movement]:
    """The journal of an own number, newest first, before a cursor (entry, n)."""
    where = "circle = ? AND own_number = ? AND (entry < ? OR (entry = ? AND n < ?))"
    values = (view.home, own_number, before[0], before[0], before[1])
    return view.rows(MOVEMENTS, where, values, order="entry DESC, n DESC", limit=limit)


def serials(view: View, own_number: str, *, after: str = "", limit: int = 200) -> list[Serial]:
    """Serial numbers of an own number, gone ones included, in order, after a cursor."""
    where = "circle = ? AND own_number = ? AND serial > ?"
    return view.rows(SERIALS, where, (view.home, own_number, after), limit=limit)


def dead_stock(view: View, idle_days_min: int = 180, *, limit: int = 200) -> list[DeadStock]:
    """The reader's own goods that have neither come nor gone for that many days, the most money first."""
    sql = f"""
        SELECT k.own_number, coalesce(o.description, ''), coalesce(o.item, ''), k.site, k.lot, k.on_hand_each,
               (? - k.moved_at) / {DAY}, {_COST} AS value, {_CURRENCY}
        FROM {{{STOCK.name}}} k
        LEFT JOIN {{{OWN_ITEMS.name}}} o ON o.circle = k.circle AND o.own_number = k.own_number
        WHERE k.circle = ? AND k.moved_at <= ? AND k.owner = '' AND k.on_hand_each > 0
        ORDER BY value DESC, k.own_number, k.site, k.lot LIMIT {int(limit)}"""
    values = (view.now, view.home, view.now - idle_days_min * DAY)
    return read_as(DeadStock, view.sql(sql, values, tables=(STOCK, OWN_ITEMS)))


def dead_stock_value(view: View, idle_days_min: int = 180) -> list[Money]:
    """The money in dead stock, by currency."""
    return _value(view, "AND k.moved_at <= ?", (view.now - idle_days_min * DAY,))


def stock_value(view: View) -> list[Money]:
    """The money in the reader's own stock at unit cost, by currency."""
    return _value(view, "", ())


def _value(view: View, where: str, values: tuple[SqlValue, ...]) -> list[Money]:
    sql = f"""
        SELECT {_CURRENCY}, SUM({_COST}), COUNT(*), SUM(k.unvalued_each),
               SUM(CASE k.unit_cost_minor WHEN 0 THEN k.on_hand_each - k.unvalued_each ELSE 0 END), SUM(k.on_hand_each)
        FROM {{{STOCK.name}}} k
        LEFT JOIN {{{OWN_ITEMS.name}}} o ON o.circle = k.circle AND o.own_number = k.own_number
        WHERE k.circle = ? AND k.owner = '' AND k.on_hand_each > 0 {where} GROUP BY 1 ORDER BY 1"""
    return read_as(Money, view.sql(sql, (view.home, *values), tables=(STOCK, OWN_ITEMS)))


_WORTH = f"""
    FROM {{{OWN_ITEMS.name}}} o
    LEFT JOIN (SELECT k.own_number, SUM(k.on_hand_each) AS on_hand,
                      SUM(CASE WHEN k.currency IN ('', w.currency) THEN {_COST} ELSE 0 END) AS value
               FROM {{{STOCK.name}}} k
               JOIN {{{OWN_ITEMS.name}}} w ON w.circle = k.circle AND w.own_number = k.own_number
               WHERE k.circle = ? AND k.owner = '' GROUP BY k.own_number) k
           ON k.own_number = o.own_number
    WHERE o.circle = ?"""


def worklist(view: View, *, limit: int = 100, offset: int = 0) -> list[WorkLine]:
    """The reader's own numbers that wait for a match, the most money first."""
    sql = f"""
        SELECT o.own_number, o.description, o.brand, o.part_number, o.gtin, coalesce(k.on_hand, 0),
               coalesce(k.value, 0) AS worth, o.currency
        {_WORTH} AND o.item = '' ORDER BY worth DESC, o.own_number LIMIT {int(limit)} OFFSET {int(offset)}"""
    return read_as(WorkLine, view.sql(sql, (view.home, view.home), tables=(OWN_ITEMS, STOCK)))


def money_matched(view: View) -> list[MoneyMatched]:
    """The share of the money in stock that is matched, by currency; of lines: `catalog.queries.matching`."""
    sql = f"""
        SELECT o.currency, coalesce(SUM(k.value), 0), coalesce(SUM(CASE WHEN o.item <> '' THEN k.value END), 0)
        {_WORTH} GROUP BY o.currency ORDER BY o.currency"""
    return read_as(MoneyMatched, view.sql(sql, (view.home, view.home), tables=(OWN_ITEMS, STOCK)))


def site_stock(view: View) -> list[SiteStock]:
    """The reader's sites for the map, with what stands there."""
    sql = f"""
        SELECT s.site, s.name, s.site_kind, s.country, s.city, s.latitude_microdeg, s.longitude_microdeg,
               COUNT(k.own_number), coalesce(SUM(k.on_hand_each), 0)
        FROM {{{SITES.name}}} s
        LEFT JOIN {{{STOCK.name}}} k ON k.circle = s.circle AND k.site = s.site AND k.on_hand_each > 0
        WHERE s.circle = ? GROUP BY s.site ORDER BY s.site"""
    return read_as(SiteStock, view.sql(sql, (view.home,), tables=(SITES, STOCK)))

"""Questions about items: by any number, what came after, what may stand in, what is not matched yet."""

from __future__ import annotations

from msgspec import Struct

from hanse.kernel.view import View
from hanse.rooms.catalog.facts import (
    ITEM_NUMBERS,
    ITEMS,
    JUDGEMENTS,
    NUMBER_OF_ITEM,
    OWN_ITEMS,
    SUBSTITUTES,
    Item,
    OwnItem,
)
from hanse.rooms.catalog.rules import CHAIN_ITEMS_MAX, part_key
from hanse.rooms.parties.queries import like_text, read_as
from hanse.standards.gtin import GtinError, normalise


class Found(Struct, frozen=True):
    """One line of a search. `own_number`: the reader's, "" where it has none for the item; `item` "" for unmatched."""

    item: str
    own_number: str
    description: str
    brand: str
    part_number: str
    gtin: str
    category: str


class SubstituteCard(Struct, frozen=True):
    """`approved`: by the item's steward. `judged`: "yes" or "no" where the reader has said so, else ""."""

    item: str
    description: str
    brand: str
    part_number: str
    approved: bool
    judged: str


class Matching(Struct, frozen=True):
    """How much of a firm's own numbers is matched. `by_method`: lines by how they were matched."""

    lines: int
    lines_matched: int
    by_method: dict[str, int]

    @property
    def lines_matched_ppm(self) -> int:
        """Matched lines of all, parts per million; 0 for none."""
        return self.lines_matched * 1_000_000 // self.lines if self.lines else 0


def item(view: View, item: str) -> Item | None:
    return view.get(ITEMS, item)


def short_name(view: View, item: str) -> str:
    """An item by brand and part number, else by what it is; "" where the catalogue does not have it."""
    row = view.get(ITEMS, item)
    return (f"{row.brand} {row.part_number}".strip() or row.description) if row else ""


def own_item(view: View, own_number: str) -> OwnItem | None:
    """The reader's own item."""
    return view.get(OWN_ITEMS, view.home, own_number)


def own_number_of(view: View, item: str) -> str:
    """The reader's own number that an item's goods are received under, "" for none."""
    found = view.get(NUMBER_OF_ITEM, view.home, item)
    return found.own_number if found else ""


def item_by_part(view: View, brand: str, part_number: str) -> Item | None:
    """The item of a brand and part number, however they are written."""
    key = part_key(brand, part_number)
    number = view.get(ITEM_NUMBERS, f"part:{key}") if key else None
    return view.get(ITEMS, number.item) if number else None


def item_by_gtin(view: View, gtin: str) -> Item | None:
    """The item of a GTIN of any length; None also for what is no GTIN."""
    try:
        number = view.get(ITEM_NUMBERS, f"gtin:{normalise(gtin)}")
    except GtinError:
        return None
    return view.get(ITEMS, number.item) if number else None


def item_by_any(view: View, number: str) -> Item | None:
    """The item that a number means to this reader: its own number first, then the item's id, then a GTIN, then a brand
    and part number in one text, split at any blank."""
    own = own_item(view, number)
    found = view.get(ITEMS, own.item if own and own.item else number) or item_by_gtin(view, number)
    if found:
        return found
    words = number.split()
    for cut in range(1, len(words)):
        found = item_by_part(view, " ".join(words[:cut]), " ".join(words[cut:]))
        if found:
            return found
    return None


def chain(view: View, item: str) -> list[str]:
    """The items that came before, the item, and those that came after, oldest first; where several were followed by
    the same one, the first by id is named."""
    before: list[str] = []
    after: list[str] = []
    at = item
    while len(before) < CHAIN_ITEMS_MAX:
        earlier = view.rows(ITEMS, "superseded_by = ?", (at,), limit=1)
        if not earlier:
            break
        at = earlier[0].item
        before.append(at)
    at = item
    while len(after) < CHAIN_ITEMS_MAX:
        row = view.get(ITEMS, at)
        if row is None or not row.superseded_by:
            break
        at = row.superseded_by
        after.append(at)
    return [*reversed(before), item, *after]


def current(view: View, item: str) -> str:
    """The last of the items that came after, or the item itself."""
    at = item
    for _ in range(CHAIN_ITEMS_MAX):
        row = view.get(ITEMS, at)
        if row is None or not row.superseded_by:
            break
        at = row.superseded_by
    return at


def substitutes(view: View, item: str) -> list[SubstituteCard]:
    """What may stand in for an item: approved by its steward, or judged by the reader; the refused ones last."""
    sql = f"""
        SELECT i.item, i.description, i.brand, i.part_number, a.item IS NOT NULL,
               CASE j.allow WHEN 1 THEN 'yes' WHEN 0 THEN 'no' ELSE '' END AS judged
        FROM (SELECT substitute FROM {{{SUBSTITUTES.name}}} WHERE item = ?
              UNION SELECT substitute FROM {{{JUDGEMENTS.name}}} WHERE circle = ? AND item = ?) s
        JOIN {{{ITEMS.name}}} i ON i.item = s.substitute
        LEFT JOIN {{{SUBSTITUTES.name}}} a ON a.item = ? AND a.substitute = s.substitute
        LEFT JOIN {{{JUDGEMENTS.name}}} j ON j.circle = ? AND j.item = ? AND j.substitute = s.substitute
        ORDER BY judged = 'no', i.item"""
    values = (item, view.home, item, item, view.home, item)
    return read_as(SubstituteCard, view.sql(sql, values, tables=(SUBSTITUTES, JUDGEMENTS, ITEMS)))


def may_substitute(view: View, item: str, substitute: str) -> bool:
    """Whether the reader takes a substitute: its own word first, else the steward's."""
    judged = view.get(JUDGEMENTS, view.home, item, substitute)
    return judged.allow if judged else view.get(SUBSTITUTES, item, substitute) is not None


def search(view: View, text: str, *, category: str = "", limit: int = 50) -> list[Found]:
    """Items and the reader's own numbers that contain every word of a text, exact numbers first.

    Words are sought in own number, item, GTIN, brand, part number and description; ASCII case is ignored. An item
    that the reader has linked stands once, under the own number that its goods are received under.
    """
    words = text.split()[:8]
    if not words and not category:
        return []
    found: dict[tuple[str, str], Found] = {}
    exact = item_by_any(view, text.strip()) if words else None
    if exact is not None:
        number = own_number_of(view, exact.item)
        found[exact.item, ""] = Found(
            exact.item, number, exact.description, exact.brand, exact.part_number, exact.gtin, exact.category
        )
    for line in [*_own(view, words, category, limit), *_items(view, words, category, limit)]:
        found.setdefault((line.item, "") if line.item else ("", line.own_number), line)
    return list(found.values())[:limit]


def _matching_sql(columns: str, words: list[str], category: str) -> tuple[str, list[str]]:
    clauses = [f"({columns}) LIKE ? ESCAPE '~'" for _ in words] + ["category = ?"] * bool(category)
    return " AND ".join(clauses), [f"%{like_text(word)}%" for word in words] + [category] * bool(category)


def _own(view: View, words: list[str], category: str, limit: int) -> list[Found]:
    text = "own_number || ' ' || description || ' ' || brand || ' ' || part_number || ' ' || gtin"
    where, values = _matching_sql(text, words, category)
    rows = view.rows(OWN_ITEMS, f"circle = ? AND {where}", (view.home, *values), limit=limit)
    return [Found(o.item, o.own_number, o.description, o.brand, o.part_number, o.gtin, o.category) for o in rows]


def _items(view: View, words: list[str], category: str, limit: int) -> list[Found]:
    text = "i.item || ' ' || i.description || ' ' || i.brand || ' ' || i.part_number || ' ' || i.gtin"
    where, values = _matching_sql(text, words, category)
    sql = f"""
        SELECT i.item, coalesce(n.own_number, ''), i.description, i.brand, i.part_number, i.gtin, i.category
        FROM {{{ITEMS.name}}} i LEFT JOIN {{{NUMBER_OF_ITEM.name}}} n ON n.circle = ? AND n.item = i.item
        WHERE {where.replace("category = ?", "i.category = ?")} ORDER BY i.item LIMIT ?"""
    return read_as(Found, view.sql(sql, (view.home, *values, limit), tables=(ITEMS, NUMBER_OF_ITEM)))


def own_items(view: View, *, after: str = "", limit: int = 100, unmatched: bool = False) -> list[OwnItem]:
    """The reader's own items after a cursor, in order of number; or only those that are linked to no item."""
    where = "circle = ? AND own_number > ?" + (" AND item = ''" if unmatched else "")
    return view.rows(OWN_ITEMS, where, (view.home, after), limit=limit)


def matching(view: View) -> Matching:
    """How much of the reader's own numbers is linked to items; the share of money is `inventory.queries.worklist`'s."""
    sql = f"SELECT method, item <> '', COUNT(*) FROM {{{OWN_ITEMS.name}}} WHERE circle = ? GROUP BY method, item <> ''"
    lines = matched = 0
    by_method: dict[str, int] = {}
    for method, linked, count in view.sql(sql, (view.home,), tables=(OWN_ITEMS,)):
        lines += count
        if linked:
            matched += count
            by_method[method] = count
    return Matching(lines, matched, by_method)


def categories(view: View) -> list[tuple[str, int]]:
    """The categories of published items and how many items each has, by name."""
    sql = f"SELECT category, COUNT(*) FROM {{{ITEMS.name}}} WHERE category <> '' GROUP BY category ORDER BY category"
    return [(name, count) for name, count in view.sql(sql, tables=(ITEMS,))]

"""What `hanse study` reads: folders of members' own exports, one firm's tables to be split."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from hanse.importers import MappingFile, Sheet, apply
from hanse.importers.facts_choose import choose_mapping, files_of, is_table, named_mapping, sheets_of
from hanse.importers.refusal import ImportRefused
from hanse.kernel.refusal import Refused
from hanse.planning.matching.exact import join, keys
from hanse.planning.matching.items import Item
from hanse.planning.study import History, from_frame, split_balanced

MAPPING = "mapping.toml"
COST_SHARE_PPM = 700_000
"""An item without a cost is taken to have cost this share of its mean selling price."""
WIDE_COLUMNS_MIN = 5
ITEMS_MAX = 400
GOODS = {"online_retail": r"^\d{5}"}
"""mapping -> the form of own numbers that are goods: the others are postage, fees, samples and corrections."""
GOODS_WORDS = {r"^\d{5}": "postage, fees, samples, corrections: numbers that do not begin with five digits"}
PERIOD_DAYS = {"week": 7, "day": 1}
Told = Callable[[str, int, int], None]


@dataclass
class Member:
    """One firm's tables as read: sales (item, day, quantity, price_minor, customer, country, site), stock, places.

    items: own number -> what the firm says of it. keys: own number -> what the item is called across firms. costs: own
    number -> minor units. rejected: wrong rows.
    """

    name: str
    sales: list[dict[str, Any]] = field(default_factory=list)
    stock: list[dict[str, Any]] = field(default_factory=list)
    places: list[dict[str, Any]] = field(default_factory=list)
    items: dict[str, Item] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    costs: dict[str, int] = field(default_factory=dict)
    how: str = ""
    rejected: int = 0
    currency: str = ""


def members_of(folder: Path, mapping: str, told: Told) -> list[Member]:
    """The members of a folder: its sub-folders, or where it has none the folder itself as one firm.

    Refuses, in order: import.no_file, and what reading and mapping refuse, with the member's name in front.
    """
    if not folder.is_dir():
        if folder.is_file():
            return [read_member(folder.name.partition(".")[0], [folder], folder.parent, mapping)]
        raise Refused("study.no_folder", "there is no such folder", got=folder, next="name a folder of exports")
    inside = sorted(one for one in folder.iterdir() if one.is_dir() and any(is_table(file) for file in one.iterdir()))
    if not inside:
        return [read_member(folder.name, files_of([folder]), folder, mapping)]
    found = []
    for at, one in enumerate(inside):
        told("reading exports", at, len(inside))
        try:
            found.append(read_member(one.name, files_of([one]), one, mapping))
        except ImportRefused as refused:
            raise ImportRefused(refused.code, f"{one.name}: {refused.message}", refused.got, refused.expected,
                                refused.next) from refused  # fmt: skip
    return found


def read_member(name: str, files: Sequence[Path], folder: Path, mapping: str) -> Member:
    """One firm's tables, by `mapping.toml` in its folder, a named mapping, or a guess that is sure."""
    member = Member(name)
    sheets = []
    for sheet in sheets_of(files):
        if _is_wide(sheet):
            _read_wide(member, sheet)
        else:
            sheets.append(sheet)
    if sheets:
        chosen, member.how = _mapping(sheets, folder, mapping)
        for result in apply(chosen, sheets):
            member.rejected += len(result.bad_cells)
            _take(member, result.section.target, [row.values for row in result.good])
    if not member.sales:
        got = f"{name}: {member.rejected:,} rows that do not read" if member.rejected else name
        raise Refused(
            "study.no_sales",
            "no table of orders or sales was found",
            got=got,
            next="export sales with item, date and quantity; see `hanse import --template orders`",
        )
    return member


def _mapping(sheets: Sequence[Sheet], folder: Path, mapping: str) -> tuple[MappingFile, str]:
    own = folder / MAPPING
    if own.is_file():
        return named_mapping(str(own), folder), f"its {MAPPING}"
    if mapping:
        return named_mapping(mapping, folder), f"the mapping {mapping}"
    return choose_mapping(sheets, folder)


def _take(member: Member, what: str, rows: Iterable[dict[str, Any]]) -> None:
    if what == "items":
        for row in rows:
            member.keys[row["item"]] = item_key(row)
            member.items[row["item"]] = Item(row["item"], row.get("gtin") or "", row.get("brand") or "",
                                             row.get("part_number") or "", row.get("description") or "")  # fmt: skip
            if row.get("cost_minor"):
                member.costs[row["item"]] = int(row["cost_minor"] // max(1, row.get("price_per") or 1))
    elif what == "stock":
        member.stock += [{"item": r["item"], "site": r["site"], "quantity": r["quantity_each"]} for r in rows]
    elif what == "sites":
        member.places += [
            {"site": r["site"], "latitude": r["latitude_e6"] / 1e6, "longitude": r["longitude_e6"] / 1e6}
            for r in rows
            if r.get("latitude_e6") is not None and r.get("longitude_e6") is not None and not r.get("party")
        ]
    elif what == "orders":
        for row in rows:
            day, kind = row.get("ordered_on") or row.get("shipped_on"), row.get("kind") or "sale"
            if day is None or kind == "purchase":
                continue
            member.currency = member.currency or row.get("currency") or ""
            member.sales.append({
                "item": row["item"], "day": date.fromisoformat(day),
                "quantity": row["quantity_ordered"] * (-1 if kind == "return" else 1),
                "price_minor": (row.get("price_minor") or 0) / max(1, row.get("price_per") or 1),
                "customer": row.get("customer"), "country": row.get("ship_country"), "site": row.get("ship_from"),
            })  # fmt: skip


def item_key(row: dict[str, Any]) -> str:
    """What an item is called across firms: its GTIN, else brand and part number, else the own number.

    >>> item_key({"item": "A 1", "brand": "SKF", "part_number": "6204-2RSH"})
    'SKF 62042RSH'
    """
    if row.get("gtin"):
        return f"GTIN {str(row['gtin']).lstrip('0')}"
    part = re.sub(r"[^0-9A-Z]", "", str(row.get("part_number") or "").upper())
    brand = str(row.get("brand") or "").strip().upper()
    return f"{brand} {part}" if brand and part else str(row["item"])


def join_items(members: Sequence[Member]) -> int:
    """Call one item alike at all members: equal GTIN, or equal brand and part number, also by way of a third firm that
    knows both. How many own numbers stand for an item that another firm has too.

    What is only alike by its words stays apart: a person would have to accept it.
    """
    numbers = [(member, number) for member in members for number in sorted(member.items)]
    known = [keys(member.items[number]) for member, number in numbers]
    shared = 0
    for group in join(known).groups:
        if len(group) > 1:
            name = min(member.keys[number] for member, number in (numbers[at] for at in group))
            for member, number in (numbers[at] for at in group):
                member.keys[number] = name
            firms = {numbers[at][0].name for at in group}
            shared += len(group) if len(firms) > 1 else 0
    return shared


def _is_wide(sheet: Sheet) -> bool:
    """Whether a table has a date first and a column of quantities for each item."""
    head = sheet.head(5)
    if len(sheet.columns) <= WIDE_COLUMNS_MIN or not head:
        return False
    try:
        for row in head:
            date.fromisoformat(row[0][:10])
            [float(cell or 0) for cell in row[1:]]
    except ValueError:
        return False
    return True


def _read_wide(member: Member, sheet: Sheet) -> None:
    """Sales from a table of days by items; an item's name is its column's."""
    member.how = "a table of days by items"
    for chunk in sheet.chunks():
        for row in chunk.cells:
            day = date.fromisoformat(row[0][:10])
            member.sales += [
                {"item": item, "day": day, "quantity": round(float(cell)), "price_minor": 0.0, "customer": None,
                 "country": None, "site": None}
                for item, cell in zip(sheet.columns[1:], row[1:], strict=False)
                if cell and round(float(cell))
            ]  # fmt: skip


# -- to a study ----------------------------------------------------------------------------------------------------


@dataclass
class Made:
    """A history and how it was made, for the report and the screen."""

    history: History
    notes: list[str]
    currency: str


def history_of(
    members: Sequence[Member],
    *,
    by: str,
    split: int = 0,
    split_by: str = "customer",
    items: int = ITEMS_MAX,
    seed: int = 0,
    goods: str = "",
) -> Made:  # fmt: skip
    """Members' sales on common items and periods; of what two or more sell, the `items` that sell for most are kept.

    Args:
        by: day, week or month. split: simulate so many members of one firm. split_by: customer (dealt evenly), or
            country (those that buy most). goods: a regular expression of own numbers that are goods, "" for all.
    Refuses: study.one_member (one firm, and no split).
    """
    notes: list[str] = []
    if goods:
        rows = sum(len(member.sales) for member in members)
        for member in members:
            member.sales = [row for row in member.sales if re.search(goods, row["item"])]
        gone = rows - sum(len(member.sales) for member in members)
        what = GOODS_WORDS.get(goods, f"own numbers not of the form {goods}")
        notes.append(f"{gone:,} sales rows are of no goods ({what}) and are left out")
    if len(members) > 1 and (shared := join_items(members)):
        every = sum(len(member.items) for member in members)
        notes.append(f"{shared:,} of {every:,} own numbers are an item that another member has too, by GTIN or by "
                     "brand and part number; what is alike by its words alone is not joined")  # fmt: skip
    frame = _frame(members, by)
    origin = f"sales exports of {len(members)} members"
    if split:
        firm = members[0].name if len(members) == 1 else "several firms"
        frame = _split(frame, split, split_by, seed)
        named = any(row["customer"] for member in members for row in member.sales)
        evenly = "customers dealt evenly" if named else "units dealt at random: the table names no customers"
        how = evenly if split_by == "customer" else "by country of delivery"
        origin = f"simulated split of {firm} over {frame['member'].n_unique()} members, {how}"
        notes.append(f"SIMULATED SPLIT: the sales of {firm} are spread over made-up members ({how}); no such firms "
                     "exist, and firms with ranges of their own would gain less")  # fmt: skip
    elif len(members) < 2:
        raise Refused("study.one_member", "a study needs two members", got=members[0].name,
                      next="add a sub-folder for each member, or simulate some with --split 8")  # fmt: skip
    frame, kept = _common(frame, items)
    notes.append(kept)
    if not split and (gone := len(members) - frame["member"].n_unique()):
        notes.append(f"{gone} members sell none of these items and are left out")
    unpriced = sum(1 for m in members for item in {row["item"] for row in m.sales} if item not in m.costs)
    if unpriced:
        notes.append(f"{unpriced:,} own numbers have no cost: taken at {COST_SHARE_PPM // 10_000}% of the mean price, "
                     "or 1.00 where there is no price either")  # fmt: skip
    rejected = sum(member.rejected for member in members)
    if rejected:
        notes.append(f"{rejected:,} rows could not be read and are left out; `hanse import --dry-run` lists them")
    stock, places = (None, None) if split else (_stock(members, frame), _places(members))
    notes.append("present stock is not part of the exports: opening stock is each policy's own level" if stock is None
                 else "present stock is compared; opening stock is each policy's own level")  # fmt: skip
    currency = next((m.currency for m in members if m.currency), "EUR")
    return Made(from_frame(frame, stock=stock, places=places, origin=origin, notes=notes), notes, currency)


def _frame(members: Sequence[Member], by: str) -> pl.DataFrame:
    """[member, site, item, period, quantity, value_minor, customer, country] of all members."""
    parts = []
    for member in members:
        rows = pl.DataFrame(member.sales, infer_schema_length=None)
        price = rows.filter(pl.col("quantity") > 0).group_by("item").agg(pl.col("price_minor").mean())
        value = {
            item: float(member.costs.get(item) or mean * COST_SHARE_PPM / 1e6 or 100.0)
            for item, mean in price.iter_rows()
        }
        keys = {item: member.keys.get(item, item) for item in rows["item"].unique()}
        parts.append(
            rows.select(
                member=pl.lit(member.name),
                site=pl.lit(member.name),
                item=pl.col("item").replace_strict(keys, default=None, return_dtype=pl.String),
                period=_period(by),
                quantity=pl.col("quantity").cast(pl.Int64),
                value_minor=pl.col("item").replace_strict(value, default=100.0, return_dtype=pl.Float64),
                customer=pl.col("customer").cast(pl.String),
                country=pl.col("country").cast(pl.String),
            )
        )
    frame = pl.concat(parts)
    # a first and a last period that are not whole would look like a fall in sales
    return frame.filter(pl.col("period").is_between(_first(frame), _last(frame)))


def _first(frame: pl.DataFrame) -> int:
    return int(frame["period"].min()) + 1  # type: ignore[arg-type]


def _last(frame: pl.DataFrame) -> int:
    return int(frame["period"].max()) - 1  # type: ignore[arg-type]


def _period(by: str) -> pl.Expr:
    day = pl.col("day")
    if by == "month":
        return (day.dt.year().cast(pl.Int64) * 12 + day.dt.month().cast(pl.Int64)).alias("period")
    days = (day - date(1970, 1, 5)).dt.total_days()  # a Monday
    return (days // PERIOD_DAYS[by]).alias("period")


def _split(frame: pl.DataFrame, split: int, split_by: str, seed: int) -> pl.DataFrame:
    if split_by == "country":
        most = (
            frame.filter(pl.col("country").is_not_null())
            .group_by("country")
            .agg((pl.col("quantity") * pl.col("value_minor")).sum().alias("sold"))
            .sort(["sold", "country"], descending=[True, False])
            .head(split)["country"]
        )
        rows = frame.filter(pl.col("country").is_in(most.to_list()))
        return rows.with_columns(member=pl.col("country"), site=pl.col("country"))
    return split_balanced(frame.drop("member", "site"), split, "customer", "member", seed)


def _common(frame: pl.DataFrame, items: int) -> tuple[pl.DataFrame, str]:
    """The items that two members or more sell, the ones that sell for most first; then what one sells alone."""
    ranked = (
        frame.group_by("item")
        .agg(pl.col("member").n_unique().alias("members"),
             (pl.col("quantity").clip(lower_bound=0) * pl.col("value_minor")).sum().alias("sold"))
        .sort([pl.col("members") > 1, "sold", "item"], descending=[True, True, False])
    )  # fmt: skip
    kept = ranked.head(items)
    share = float(kept["sold"].sum()) / max(1.0, float(ranked["sold"].sum()))
    shared = ranked.filter(pl.col("members") > 1).height
    words = (
        f"{kept.height:,} of {ranked.height:,} items studied ({share:.0%} of what was sold, at cost); "
        f"{shared:,} are sold by two members or more"
    )
    return frame.filter(pl.col("item").is_in(kept["item"].to_list())), words


def _stock(members: Sequence[Member], frame: pl.DataFrame) -> pl.DataFrame | None:
    """All of a member's sites together: sales exports seldom say which site shipped."""
    rows = [
        {"member": m.name, "site": m.name, "item": m.keys.get(r["item"], r["item"]), "quantity": r["quantity"]}
        for m in members
        for r in m.stock
    ]
    sellers = set(frame["member"].unique())
    if not rows or not sellers <= {row["member"] for row in rows}:
        return None
    return pl.DataFrame([row for row in rows if row["member"] in sellers])


def _places(members: Sequence[Member]) -> pl.DataFrame | None:
    """The first site of each member that has a place."""
    rows = [{"member": m.name, **m.places[0], "site": m.name} for m in members if m.places]
    return pl.DataFrame(rows) if rows else None

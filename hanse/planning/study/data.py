"""What a pooling study is made from, and labelled simulated splits of one firm's sales over several members."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class History:
    """Members' own exports, brought to common items and periods.

    Args:
        sales: [site, item, period], each, oldest first; NaN = no record, negative = returns (counted as 0).
        owner: [site], index into members.
        members, sites, items: names; a firm with one site may have the same name twice.
        value_minor: [item], minor units per each at cost, > 0.
        distance_km: [site, site], or None where unknown.
        stock: [site, item], each on hand at the end, or None where unknown.
        origin: what the figures are, for the report ("sales exports of the members", "simulated split of ...").
        notes: what was left out, taken or joined to get there, a sentence each.
    """

    sales: Floats
    owner: Ints
    members: tuple[str, ...]
    sites: tuple[str, ...]
    items: tuple[str, ...]
    value_minor: Floats
    distance_km: Floats | None = None
    stock: Floats | None = None
    origin: str = "sales exports of the members"
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError, in order: axes unlike; an owner out of range; a value not above 0."""
        if self.sales.ndim != 3:
            raise ValueError("sales must be [site, item, period]")
        sites, items, _ = self.sales.shape
        if len(self.owner) != sites or len(self.sites) != sites:
            raise ValueError(f"{sites} sites of sales, {len(self.owner)} owners, {len(self.sites)} site names")
        if len(self.items) != items or len(self.value_minor) != items:
            raise ValueError(f"{items} items of sales, {len(self.items)} names, {len(self.value_minor)} values")
        for name, found, shape in (
            ("distance_km", self.distance_km, (sites, sites)),
            ("stock", self.stock, (sites, items)),
        ):
            if found is not None and found.shape != shape:
                raise ValueError(f"{name} has the shape {found.shape}; expected {shape}")
        if len(self.owner) and (self.owner.min() < 0 or self.owner.max() >= len(self.members)):
            raise ValueError("an owner lies outside the members")
        if not (self.value_minor > 0).all():
            raise ValueError("every item needs a value above 0")


def from_frame(
    sales: pl.DataFrame,
    *,
    stock: pl.DataFrame | None = None,
    places: pl.DataFrame | None = None,
    periods: int | None = None,
    origin: str | None = None,
    notes: Sequence[str] = (),
) -> History:
    """History of long tables.

    What is not in the sales table was not sold (0) once a site has sold anything; before a site's first record it is
    unknown (NaN). An item's value is the quantity-weighted mean of its rows.

    Args:
        sales: member, site, item, period (whole number, ascending in time), quantity (each), value_minor (per each).
        stock: member, site, item, quantity (each on hand now); other sites and items are left out, the rest is 0.
        places: member, site, latitude, longitude in degrees; distances are used when every site has a place.
        periods: keep only the first so many periods; origin, notes: what the figures are, for the report.
    Raises ValueError, in order: a missing column; no rows.
    """
    wanted = ["member", "site", "item", "period", "quantity", "value_minor"]
    for table, names in ((sales, wanted), (stock, ["member", "site", "item", "quantity"])):
        missing = [name for name in names if table is not None and name not in table.columns]
        if missing:
            raise ValueError(f"the {'sales' if table is sales else 'stock'} table lacks {', '.join(missing)}")
    if sales.height == 0:
        raise ValueError("the sales table has no rows")
    sites = sales.select("member", "site").unique().sort("member", "site")
    members, items = sites["member"].unique().sort(), sales["item"].unique().sort()
    first = int(sales["period"].min())  # type: ignore[arg-type]
    count = periods or int(sales["period"].max()) - first + 1  # type: ignore[arg-type]
    rows = _indexed(sales, sites, items).with_columns(t=pl.col("period") - first).filter(pl.col("t") < count)
    out = np.zeros((sites.height, len(items), count))
    np.add.at(out, (rows["s"].to_numpy(), rows["i"].to_numpy(), rows["t"].to_numpy()), rows["quantity"].to_numpy())
    for s, t in rows.group_by("s").agg(pl.col("t").min()).sort("s").iter_rows():
        out[s, :, :t] = np.nan
    weight = pl.col("quantity").abs() + 1e-9
    value = np.ones(len(items))
    known = rows.group_by("i").agg((pl.col("value_minor") * weight).sum() / weight.sum())
    value[known["i"].to_numpy()] = np.maximum(known["value_minor"].to_numpy().astype(np.float64), 1.0)
    place = {name: k for k, name in enumerate(members)}
    return History(
        out,
        np.array([place[name] for name in sites["member"]], dtype=np.int64),
        tuple(str(m) for m in members),
        tuple(str(s) for s in sites["site"]),
        tuple(str(i) for i in items),
        value,
        distance_km=_distances(places, sites),
        stock=None if stock is None else _on_hand(_indexed(stock, sites, items), sites.height, len(items)),
        origin=origin or "sales exports of the members",
        notes=tuple(notes),
    )


def _indexed(table: pl.DataFrame, sites: pl.DataFrame, items: pl.Series) -> pl.DataFrame:
    """The table's rows of known sites and items, with their positions s and i."""
    named = pl.DataFrame({"item": items}).with_row_index("i")
    return table.join(sites.with_row_index("s"), on=["member", "site"]).join(named, on="item")


def _on_hand(rows: pl.DataFrame, sites: int, items: int) -> Floats:
    out = np.zeros((sites, items))
    np.add.at(out, (rows["s"].to_numpy(), rows["i"].to_numpy()), rows["quantity"].to_numpy())
    return out


def _distances(places: pl.DataFrame | None, sites: pl.DataFrame) -> Floats | None:
    """Great-circle kilometres [site, site] on a sphere of 6,371 km; None unless every site has a place."""
    if places is None:
        return None
    found = sites.join(places.unique(["member", "site"], keep="first"), on=["member", "site"], how="left")
    degrees = found.select("latitude", "longitude").to_numpy().astype(np.float64)
    if np.isnan(degrees).any():
        return None
    lat, lon = np.radians(degrees).T
    half = np.sin((lat[:, None] - lat) / 2) ** 2 + np.cos(lat[:, None]) * np.cos(lat) * (
        np.sin((lon[:, None] - lon) / 2) ** 2
    )
    return np.asarray(2 * 6371.0 * np.arcsin(np.sqrt(np.clip(half, 0, 1))), dtype=np.float64)


def split_balanced(rows: pl.DataFrame, members: int, by: str, what: str, seed: int = 0) -> pl.DataFrame:
    """A *simulated split*: the customers (column `by`) of one firm dealt to `members` members, evenly by sales.

    Customers are drawn in an order fixed by the seed and each goes to the member with the least so far; order lines of
    unnamed customers among them are dealt line by line. A table that names no customer holds totals of many orders:
    there units are dealt one by one, each as likely to any member. Dealt whole, a day's total would be one member's,
    and pooling would even out what the split alone had made uneven. Adds the columns member and site. `what` names the
    firm in the report.
    """
    rng = np.random.default_rng(seed)
    totals = (
        rows.group_by(by).agg(pl.col("quantity").clip(lower_bound=0).sum().alias("units")).sort(by, nulls_last=True)
    )
    totals = totals.filter(pl.col(by).is_not_null())
    order = rng.permutation(totals.height)
    size = totals["units"].to_numpy()[order]
    load = np.zeros(members)
    dealt = np.zeros(totals.height, dtype=np.int64)
    for k, units in zip(order, size, strict=True):
        dealt[k] = int(np.argmin(load))
        load[dealt[k]] += float(units) + 1e-6
    width = len(str(members))
    names = [f"{what} {m + 1:0{width}d}" for m in range(members)]
    table = totals.select(by).with_columns(member=pl.Series([names[m] for m in dealt], dtype=pl.String))
    if totals.height == 0:
        return _dealt_by_unit(rows, names, rng).with_columns(site=pl.col("member"))
    loose = pl.Series("loose", [names[m] for m in rng.integers(0, members, rows.height)])
    joined = rows.with_columns(loose).join(table, on=by, how="left")
    return joined.with_columns(member=pl.coalesce("member", "loose")).drop("loose").with_columns(site=pl.col("member"))


def _dealt_by_unit(rows: pl.DataFrame, names: list[str], rng: np.random.Generator) -> pl.DataFrame:
    """Rows once for each member that gets units of them; a return's units go the same way."""
    units = rows["quantity"].to_numpy().astype(np.int64)
    parts = np.sign(units)[:, None] * rng.multinomial(np.abs(units), np.full(len(names), 1 / len(names)))
    made = [
        rows.with_columns(quantity=pl.Series(parts[:, m], dtype=pl.Int64), member=pl.lit(name))
        for m, name in enumerate(names)
    ]
    return pl.concat(made).filter(pl.col("quantity") != 0)

"""What makes a sourcing problem valid: types, shapes, ranges, references, duplicates, size, in this order."""

from __future__ import annotations

from typing import Any

import numpy as np

from hanse.planning.sourcing.problem import MONEY_MAX, QTY_MAX, Problem

_LINE = ("line_order", "line_item", "line_qty_each", "line_penalty_minor", "line_whole")


def build(cls: type[Problem], given: dict[str, Any]) -> Problem:
    """Arrays of any integer kind to a checked Problem; see `Problem.of` for the faults."""
    faults: list[str] = []
    a = {name: _integers(name, value, faults) for name, value in given.items() if value is not None}
    _stop(faults)
    _shapes(a, faults)
    _stop(faults)
    _ranges(a, faults)
    _stop(faults)
    arrays: dict[str, Any] = {
        k: np.ascontiguousarray(v, np.uint8 if k == "line_whole" else np.int64) for k, v in a.items()
    }
    problem = cls(**arrays)
    _references(problem, faults)
    _stop(faults)
    if problem.money_max >= MONEY_MAX:
        faults.append(f"the dearest conceivable plan is {problem.money_max} minor units; the limit is {MONEY_MAX - 1}")
    _stop(faults)
    return problem


def _stop(faults: list[str]) -> None:
    if faults:
        raise ValueError("; ".join(faults))


def _integers(name: str, value: Any, faults: list[str]) -> Any:
    array = np.asarray(value)
    if array.size == 0 and array.dtype.kind == "f":
        array = array.astype(np.int64)  # an empty list has no kind of its own
    if array.dtype.kind == "b" or (name == "line_whole" and array.dtype.kind in "iu"):
        if name != "line_whole":
            faults.append(f"{name}: integers expected, got booleans")
        return array.astype(np.int64)
    if array.dtype.kind == "u" and array.size and int(array.max()) > np.iinfo(np.int64).max:
        faults.append(f"{name}: a value beyond 64-bit integers")
        return array
    if array.dtype.kind not in "iu":
        faults.append(f"{name}: integers expected, got {array.dtype} (amounts in minor units, quantities in each)")
        return array
    return array.astype(np.int64)


def _shapes(a: dict[str, Any], faults: list[str]) -> None:
    lines = a["line_order"].size
    for name in _LINE:
        a[name] = _spread(name, a[name], lines, "line", faults)
    if "cand_ptr" not in a:
        place, cost = a["cand_place"], a["cand_cost_minor"]
        if lines == 0:
            place, cost = place.reshape(0, 0), cost.reshape(0, 0)
        if place.ndim != 2 or place.shape != cost.shape or place.shape[0] != lines:
            faults.append(
                f"cand_place and cand_cost_minor: without cand_ptr both are [line={lines}, width],"
                f" got {place.shape}, {cost.shape}"
            )
            return
        used = place >= 0
        a["cand_ptr"] = np.concatenate([[0], np.cumsum(used.sum(axis=1))]).astype(np.int64)
        a["cand_place"], a["cand_cost_minor"] = place[used], cost[used]
    ptr = a["cand_ptr"]
    cands = a["cand_place"].size
    if ptr.shape != (lines + 1,) or ptr[0] != 0 or ptr[-1] != cands or (np.diff(ptr) < 0).any():
        faults.append(f"cand_ptr: [line + 1] rising from 0 to {cands} expected")
    if a["cand_cost_minor"].shape != (cands,) or a["cand_place"].shape != (cands,):
        faults.append("cand_cost_minor: as long as cand_place expected")
    stock = a["stock_site"].size
    a.setdefault("stock_foreign_each", a["stock_total_each"])
    for name in ("stock_site", "stock_item", "stock_total_each", "stock_foreign_each"):
        a[name] = _spread(name, a[name], stock, "stock", faults)
    if faults:
        return
    _sizes(a, faults)


def _sizes(a: dict[str, Any], faults: list[str]) -> None:
    """Defaults whose length follows from the others: orders, places, sites, pairs."""
    orders = int(a["order_owner"].size) if a.get("order_owner") is not None and a["order_owner"].ndim else 0
    orders = max(orders, 1 + int(a["line_order"].max(initial=-1)))
    a["order_owner"] = _spread("order_owner", a.get("order_owner", np.int64(-1)), orders, "order", faults)
    a["order_shipments_max"] = _spread("order_shipments_max", a["order_shipments_max"], orders, "order", faults)
    cost = a["open_cost_minor"]
    places = 1 + int(a["cand_place"].max(initial=-1))
    if "open_order" not in a and cost.ndim:
        places = max(places, int(cost.shape[-1]))
    if a["place_capacity_orders"].ndim:
        places = max(places, int(a["place_capacity_orders"].size))
    if "open_place" in a:
        places = max(places, 1 + int(a["open_place"].max(initial=-1)))
    if "place_site" in a:
        places = max(places, int(a["place_site"].size))
    else:
        places = max(places, 1 + int(a["stock_site"].max(initial=-1)))
        a["place_site"] = np.arange(places, dtype=np.int64)
    a["place_site"] = _spread("place_site", a["place_site"], places, "place", faults)
    a["place_capacity_orders"] = _spread("place_capacity_orders", a["place_capacity_orders"], places, "place", faults)
    owners = a.get("site_owner", np.int64(-1))
    sites = 1 + int(max(a["place_site"].max(initial=-1), a["stock_site"].max(initial=-1)))
    a["site_owner"] = _spread("site_owner", owners, max(sites, owners.size if owners.ndim else 0), "site", faults)
    if faults:
        return
    _pairs(a, orders, places, faults)


def _pairs(a: dict[str, Any], orders: int, places: int, faults: list[str]) -> None:
    cost = a["open_cost_minor"]
    if ("open_order" in a) != ("open_place" in a):
        faults.append("open_order and open_place: give both or neither")
        return
    if "open_order" in a:
        if not a["open_order"].shape == a["open_place"].shape == cost.shape or cost.ndim != 1:
            faults.append("open_order, open_place, open_cost_minor: one length expected")
        return
    line = np.repeat(np.arange(a["line_order"].size), np.diff(a["cand_ptr"]))
    if (a["line_order"] < 0).any() or (a["cand_place"] < 0).any():
        a["open_order"] = a["open_place"] = a["open_cost_minor"] = np.zeros(0, np.int64)
        return  # told by the ranges
    key = np.unique(a["line_order"][line] * max(places, 1) + a["cand_place"])
    a["open_order"], a["open_place"] = key // max(places, 1), key % max(places, 1)
    if cost.shape == (orders, places) and cost.ndim == 2:
        a["open_cost_minor"] = cost[a["open_order"], a["open_place"]]
    elif cost.ndim == 0 or cost.shape == (places,):
        a["open_cost_minor"] = np.broadcast_to(cost, (places,))[a["open_place"]]
    else:
        faults.append(
            f"open_cost_minor: one number, [place={places}] or [order={orders}, place] expected, got {cost.shape}"
        )


def _spread(name: str, array: Any, size: int, axis: str, faults: list[str]) -> Any:
    if array.ndim == 0:
        return np.full(size, array, np.int64)
    if array.shape != (size,):
        faults.append(f"{name}: [{axis}={size}] expected, got {array.shape}")
    return array


def _ranges(a: dict[str, Any], faults: list[str]) -> None:
    sites, orders, places = a["site_owner"].size, a["order_owner"].size, a["place_site"].size
    wide = 2**31 - 1
    for name, low, high in (
        ("line_order", 0, orders - 1),
        ("line_item", 0, wide),
        ("line_qty_each", 1, QTY_MAX),
        ("line_penalty_minor", 0, MONEY_MAX),
        ("line_whole", 0, 1),
        ("cand_place", 0, places - 1),
        ("cand_cost_minor", -MONEY_MAX, MONEY_MAX),
        ("open_order", 0, orders - 1),
        ("open_place", 0, places - 1),
        ("open_cost_minor", 0, MONEY_MAX),
        ("stock_site", 0, sites - 1),
        ("stock_item", 0, wide),
        ("stock_total_each", 0, QTY_MAX),
        ("stock_foreign_each", 0, QTY_MAX),
        ("site_owner", -1, wide),
        ("order_owner", -1, wide),
        ("order_shipments_max", 1, wide),
        ("place_site", 0, sites - 1),
        ("place_capacity_orders", -1, QTY_MAX),
    ):
        bad = np.flatnonzero((a[name] < low) | (a[name] > high))
        if bad.size:
            more = f" and {bad.size - 1} more" if bad.size > 1 else ""
            faults.append(f"{name}[{bad[0]}] = {a[name][bad[0]]}{more}: {low}..{high} expected")


def _references(p: Problem, faults: list[str]) -> None:
    over = np.flatnonzero(p.stock_foreign_each > p.stock_total_each)
    if over.size:
        faults.append(f"stock_foreign_each[{over[0]}] is above stock_total_each")
    stock = p.stock_site * (2**31) + p.stock_item
    if np.unique(stock).size != stock.size:
        faults.append("stock: one row per (site, item) expected, some occur twice")
    pair = p.open_order * p.places + p.open_place
    if np.unique(pair).size != pair.size:
        faults.append("open: one pair per (order, place) expected, some occur twice")
    cand = p.cand_line * p.places + p.cand_place
    values, counts = np.unique(cand, return_counts=True)
    if values.size != cand.size:
        worst = int(values[np.argmax(counts)])
        faults.append(f"candidates: line {worst // p.places} names place {worst % p.places} twice")
    lost = np.flatnonzero(p.cand_pair < 0)
    if lost.size:
        line = int(p.cand_line[lost[0]])
        faults.append(f"open: no pair for order {p.line_order[line]} at place {p.cand_place[lost[0]]} (line {line})")

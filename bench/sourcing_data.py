"""Instances for `bench.sourcing`: a synthetic network of owners, and the Brunel outbound logistics data over
several days."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from pathlib import Path

import numpy as np

from hanse.planning.sourcing import Problem

SITES, MEMBERS = 50, 25


def synthetic(lines: int, seed: int, width: int = 16, shipments_max: int = 3, lumpy: bool = False) -> Problem:
    """A network of 50 sites in 25 firms with `lines` open order lines, three an order on average.

    Demand by Zipf over lines/100 items (at least 20), quantities log-normal about 3. An item lies at 8 to 21 sites,
    unevenly; one item in five is scarce: at some 60% of those sites, 50-90% of what is asked in the whole network
    (the others 600-1500%). 5-30% of each stock row is the owner's safety stock, open to its own orders alone; one in
    ten (firm, brand) pairs is not authorised. Money in cents, all that a decision can change: a shipment's fixed cost
    (10 to 24), freight by weight and distance, lateness by distance against the date asked, the price an owner asks
    above the item's worth (0-27% of it), and per unit left short 25.00 and twice the item's worth, times a factor of
    the customer (log-normal, 25%). The worth itself is paid in any plan and counted in none. Each line keeps the
    `width` cheapest places by its own cost with half a shipment's opening.

    lumpy: four lines an order, lines/25 items (at least 40), scarce 70-110%, others 200-500%, one shortage price:
    remnants smaller than a line are many, so the best bound lies a percent below any plan.
    """
    rng = np.random.default_rng(seed)
    items = max(40, lines // 25) if lumpy else max(20, lines // 100)
    at = rng.random((SITES, 2)) * 1000.0
    owner = np.arange(SITES) % MEMBERS
    brand = rng.integers(0, 40, items)
    blocked = rng.random((MEMBERS, 40)) < 0.1
    weight = np.exp(rng.normal(1.2, 0.9, items))  # kg per each
    value = np.exp(rng.normal(6.0, 0.8, items))  # cents per each
    zipf = 1.0 / np.arange(1, items + 1) ** 0.8
    orders = max(1, lines // (4 if lumpy else 3))
    line_order = np.sort(np.concatenate([np.arange(orders), rng.integers(0, orders, lines - orders)]))
    item = rng.choice(items, lines, p=zipf / zipf.sum())
    qty = np.ceil(np.exp(rng.normal(1.2, 1.0, lines))).astype(np.int64)
    where = at[rng.integers(0, SITES, orders)] + rng.normal(0, 60, (orders, 2))
    party = owner[np.argmin(((where[:, None] - at[None]) ** 2).sum(2), axis=1)]
    stock = _stock(rng, items, item, qty, lumpy)
    foreign = np.floor(stock * rng.uniform(0.7, 0.95, stock.shape)).astype(np.int64)
    opening, parts = _costs(rng, at, where, line_order, weight, value)
    blocks = []
    for lo in range(0, lines, 20_000):  # [line, site] in blocks: a million lines fit in a few gigabytes
        some = slice(lo, min(lines, lo + 20_000))
        allowed = (stock[:, item[some]].T > 0) & ~blocked[owner[None, :], brand[item[some]][:, None]]
        allowed &= (owner[None, :] == party[line_order[some]][:, None]) | (foreign[:, item[some]].T > 0)
        unit = _units(parts, rng, line_order[some], item[some], owner)
        rank = np.where(allowed, unit * qty[some][:, None] + opening[line_order[some]] // 2, np.iinfo(np.int64).max)
        keep = np.argsort(rank, axis=1, kind="stable")[:, :width]
        ok = np.take_along_axis(allowed, keep, axis=1)
        blocks.append((np.where(ok, keep, -1).astype(np.int16), np.take_along_axis(unit, keep, axis=1)))
    site, sku = np.nonzero(stock)
    asks = 1.0 if lumpy else np.exp(rng.normal(0.0, 0.25, lines))
    return Problem.of(
        line_order=line_order,
        line_item=item,
        line_qty_each=qty,
        line_penalty_minor=((2500 + 2 * value[item]) * asks).astype(np.int64),
        cand_place=np.concatenate([place for place, _ in blocks]),
        cand_cost_minor=np.concatenate([cost for _, cost in blocks]),
        open_cost_minor=opening,
        stock_site=site,
        stock_item=sku,
        stock_total_each=stock[site, sku],
        stock_foreign_each=foreign[site, sku],
        site_owner=owner,
        order_owner=party,
        order_shipments_max=shipments_max,
    )


def _stock(rng, items, item, qty, lumpy):
    """stock[site, item]: shares of what the network holds, by gamma."""
    asked = np.bincount(item, weights=qty, minlength=items)
    scarce = rng.random(items) < 0.2
    low, plenty = ((0.7, 1.1), (2.0, 5.0)) if lumpy else ((0.5, 0.9), (6.0, 15.0))
    level = np.where(scarce, rng.uniform(*low, items), rng.uniform(*plenty, items))
    held = rng.random((SITES, items)) < rng.uniform(0.15, 0.42, items)[None, :]
    share = rng.gamma(1.0, 1.0, (SITES, items)) * held * np.where(scarce, rng.random((SITES, items)) < 0.6, 1)
    share /= np.maximum(share.sum(axis=0), 1e-9)
    return np.round(share * (level * np.maximum(asked, 4.0))[None, :]).astype(np.int64)


def _costs(rng, at, where, line_order, weight, value):
    """(opening[order, site] in cents, what unit costs are made of)."""
    km = np.sqrt(((where[:, None] - at[None]) ** 2).sum(2))
    opening = (1000 + 0.8 * km + rng.uniform(0, 300, SITES)[None, :]).astype(np.int64)
    premium = rng.normal(1.0, 0.04, (MEMBERS, value.size)).clip(0.88, 1.15) - 0.88
    days = np.ceil(km / 300.0) + rng.integers(0, 2, SITES)[None, :]
    return opening, (km, premium * value[None, :], days, weight)


def _units(parts, rng, line_order, item, owner):
    """unit[line, site] in cents per each: premium, freight, lateness (0.20 to 1.19 a day)."""
    km, premium, days, weight = parts
    due = rng.integers(1, 5, line_order.size)
    late = np.maximum(0, days[line_order] - due[:, None]) * rng.integers(20, 120, line_order.size)[:, None]
    freight = weight[item][:, None] * (15 + 0.12 * km[line_order])
    return (premium[owner][:, item].T + freight + late).astype(np.int64)


DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "brunel_logistics"
HUNDREDTHS = 100


def brunel(days: int, folder: Path = DATA, vmi: bool = True, late_minor: int = 500) -> Problem | None:
    """The Brunel outbound logistics data over several days; None where the files are missing.

    9,215 orders of one day, one line each; a place is (plant, day), its capacity WhCapacities orders. Cost of an
    order at a plant:
    units x WhCosts, plus the cheapest rate over the plant's ports for its weight band (at least the band's
    minimum); orders whose
    customer arranges freight (service level CRF) pay no freight. A day later costs `late_minor` an order. vmi: a
    plant that
    VmiCustomers names serves the customers named there alone. Left unserved: ten times the dearest way, at least
    1,000.00. Stock is not limited.
    """
    if not folder.exists():
        return None
    names = ("OrderList", "FreightRates", "ProductsPerPlant", "PlantPorts", "VmiCustomers", "WhCosts", "WhCapacities")
    read = {f: _table(folder / f"{f}.csv.gz") for f in names}
    plants = sorted({r["Plant ID"] for r in read["WhCapacities"]})
    number = {p: k for k, p in enumerate(plants)}
    make, ports, named = defaultdict(set), defaultdict(set), defaultdict(set)
    for r in read["ProductsPerPlant"]:
        make[r["Product ID"]].add(r["Plant Code"])
    for r in read["PlantPorts"]:
        ports[r["Plant Code"]].add(r["Port"])
    for r in read["VmiCustomers"]:
        named[r["Plant Code"]].add(r["Customers"])
    capacity = {r["Plant ID"]: int(r["Daily Capacity"]) for r in read["WhCapacities"]}
    store = {r["WH"]: float(r["Cost/unit"]) for r in read["WhCosts"]}
    rates = defaultdict(list)
    for r in read["FreightRates"]:
        band = (float(r["minm_wgh_qty"]), float(r["max_wgh_qty"]), float(r["minimum cost"]), float(r["rate"]))
        rates[r["orig_port_cd"]].append(band)
    orders = read["OrderList"]
    products = {p: k for k, p in enumerate(sorted({r["Product ID"] for r in orders}))}
    cand_place, cand_cost, ptr, penalty = [], [], [0], []
    for r in orders:
        here = []
        for plant in sorted(make[r["Product ID"]] & set(number)):
            if vmi and plant in named and r["Customer"] not in named[plant]:
                continue
            freight = 0.0 if r["Service Level"] == "CRF" else _freight(ports[plant], rates, float(r["Weight"]))
            if freight is not None:
                here.append((number[plant], round(HUNDREDTHS * (float(r["Unit quantity"]) * store[plant] + freight))))
        for day in range(days):
            for plant, cost in here:
                cand_place.append(day * len(plants) + plant)
                cand_cost.append(cost + day * late_minor)
        ptr.append(len(cand_place))
        penalty.append(max([10 * c for _, c in here] + [100_000]))
    stock = [(n, i) for i in products.values() for n in range(len(plants))]
    return _brunel_problem(orders, products, penalty, ptr, cand_place, cand_cost, stock, plants, capacity, days)


def _brunel_problem(orders, products, penalty, ptr, cand_place, cand_cost, stock, plants, capacity, days):
    return Problem.of(
        line_order=np.arange(len(orders)),
        line_item=[products[r["Product ID"]] for r in orders],
        line_qty_each=np.ones(len(orders), np.int64),
        line_penalty_minor=penalty,
        cand_ptr=ptr,
        cand_place=cand_place,
        cand_cost_minor=cand_cost,
        open_cost_minor=0,
        stock_site=[n for n, _ in stock],
        stock_item=[i for _, i in stock],
        stock_total_each=len(orders),
        place_site=np.tile(np.arange(len(plants)), days),
        place_capacity_orders=[capacity[p] for _ in range(days) for p in plants],
    )


def _table(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


def _freight(ports, rates, weight):
    """Cheapest rate for this weight from any of the ports; None when no carrier takes it."""
    fits = [
        max(least, rate * weight)
        for port in ports
        for low, high, least, rate in rates[port]
        if low <= weight <= high + 0.01
    ]
    return min(fits) if fits else None

"""AdventureWorks' purchase orders under agreements made from its vendors' terms: minimums, lead times, rejects.

The data (a published sample of a fictional firm: 4,012 purchase orders, 8,845 lines, 86 vendors, 2011 to 2014) holds
for each vendor and product an average lead time, a minimum and a maximum, and for each line what was received and
rejected. *Assumed*, and said so: that these terms bind (nobody signed them), what lateness costs, and that goods
arrive on the order's ship date, since the data has no date of receipt. Every line is the buyer's word alone: unproven.

Unit prices have four decimals: a line counts at its quantity times its price, rounded once to the cent, half to even.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

from msgspec import Struct

from hanse.importers.jobs.replaying import (
    DAY_SECONDS,
    Amount,
    Progress,
    Stopwatch,
    agree,
    amounts,
    day_at,
    day_text,
    grouped,
    ranked,
    state,
    template_for,
)
from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node import joining
from hanse.node.node import Node
from hanse.rooms.contracts.facts import Said
from hanse.rooms.contracts.library import text_of
from hanse.rooms.contracts.private_rows import DONE, RESULTS

NEEDED: Mapping[str, tuple[str, ...]] = {
    "Vendor": ("BusinessEntityID", "Name"),
    "ProductVendor": ("ProductID", "BusinessEntityID", "AverageLeadTime", "MinOrderQty", "MaxOrderQty"),
    "PurchaseOrderHeader": ("PurchaseOrderID", "VendorID", "OrderDate", "ShipDate"),
    "PurchaseOrderDetail": (
        *("PurchaseOrderID", "PurchaseOrderDetailID", "ProductID"),
        *("OrderQty", "UnitPrice", "ReceivedQty", "RejectedQty"),
    ),
}
"""table -> the columns that are read."""
ASSUMED: Mapping[str, Any] = {"currency": "USD", "period": "7d", "rate": "0.5%", "cap": "5%", "handling": "0%"}
"""0.5% of what arrived per whole week beyond the lead time, at most 5%; rejects at their price, no charge: assumed."""
LATE, REJECTS, QUANTITY = "late", "rejects", "quantity"


class Line(Struct, frozen=True):
    """One ordered line. Quantities each; value_minor: of the whole line, US cents; times: 00:00 UTC of the day."""

    line: str
    order: str
    vendor: str
    item: str
    ordered: int
    received: int
    rejected: int
    value_minor: int
    ordered_at: int
    shipped_at: int
    lead_time_days: int
    minimum: int
    maximum: int

    @property
    def late_days(self) -> int:
        """Whole days beyond the vendor's lead time; 0 for in time."""
        return max(0, (self.shipped_at - self.ordered_at) // DAY_SECONDS - self.lead_time_days)


class VendorFigures(Struct, frozen=True):
    """One vendor under its assumed agreement, US cents. refused_lines: outside minimum or maximum. rejected_lines,
    short_lines: with rejects, with less than ordered. damages_minor: of lateness; credit_minor: of rejects."""

    vendor: str
    agreement: str
    orders: int
    lines: int
    value_minor: int
    refused_lines: int
    late_lines: int
    damages_minor: int
    rejected_lines: int
    credit_minor: int
    short_lines: int

    @property
    def owed_minor(self) -> int:
        """What the vendor owes in all."""
        return self.damages_minor + self.credit_minor


class Owed(Struct, frozen=True):
    """One amount, with what opens it: its clause, award, entries, record's digest and steps."""

    vendor: str
    clause: str
    award: str
    order: str
    line: str
    ordered_on: str
    shipped_on: str
    rejected: int
    value_minor: int
    owed_minor: int
    entries: tuple[int, ...]
    sha256: str
    why: tuple[tuple[str, str], ...]


class Replayed(Struct, frozen=True):
    """What `hanse replay adventureworks` found. terms: as assumed. seconds: of each step, by the clock on the wall."""

    terms: dict[str, Any]
    assumed: bool
    party: str
    circle: str
    vendors: tuple[VendorFigures, ...]
    owed: tuple[Owed, ...]
    seconds: dict[str, float]

    @property
    def owed_minor(self) -> int:
        """Over all vendors."""
        return sum(vendor.owed_minor for vendor in self.vendors)


def read(directory: Path) -> list[Line]:
    """The lines of the purchase orders, by number, each with its vendor's terms.

    Refuses, in order: adventureworks.no_file, adventureworks.other_columns, adventureworks.bad_line.
    """
    vendors = {row["BusinessEntityID"]: row["Name"] for row in _table(directory, "Vendor")}
    terms = {(row["BusinessEntityID"], row["ProductID"]): row for row in _table(directory, "ProductVendor")}
    orders = {row["PurchaseOrderID"]: row for row in _table(directory, "PurchaseOrderHeader")}
    lines = []
    for row in _table(directory, "PurchaseOrderDetail"):
        number = row["PurchaseOrderDetailID"]
        try:
            order = orders[row["PurchaseOrderID"]]
            lines.append(_line(row, order, vendors[order["VendorID"]], terms[order["VendorID"], row["ProductID"]]))
        except (KeyError, ValueError, ArithmeticError) as error:
            raise Refused("adventureworks.bad_line", f"line {number} does not read: {error}", got=number) from None
    return sorted(lines, key=lambda line: int(line.line))


def _table(directory: Path, name: str) -> Iterator[dict[str, str]]:
    path = directory / f"{name}.csv.gz"
    if not path.is_file():
        raise Refused("adventureworks.no_file", "there is no such file", got=path, next="name the data's directory")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        table = csv.DictReader(file)
        missing = [column for column in NEEDED[name] if column not in (table.fieldnames or ())]
        if missing:
            raise Refused("adventureworks.other_columns", "this is another table", got=missing, expected=NEEDED[name])
        yield from table


def _line(row: Mapping[str, str], order: Mapping[str, str], vendor: str, terms: Mapping[str, str]) -> Line:
    ordered = int(row["OrderQty"])
    value = (ordered * Decimal(row["UnitPrice"]) * 100).quantize(Decimal(1), ROUND_HALF_EVEN)
    return Line(
        line=row["PurchaseOrderDetailID"],
        order=row["PurchaseOrderID"],
        vendor=vendor,
        item=f"product-{row['ProductID']}",
        ordered=ordered,
        received=_whole(row["ReceivedQty"]),
        rejected=_whole(row["RejectedQty"]),
        value_minor=int(value),
        ordered_at=day_at(order["OrderDate"]),
        shipped_at=day_at(order["ShipDate"]),
        lead_time_days=int(terms["AverageLeadTime"]),
        minimum=int(terms["MinOrderQty"]),
        maximum=int(terms["MaxOrderQty"]),
    )


def _whole(text: str) -> int:
    number = Decimal(text)
    if number != int(number):
        raise ValueError("a part of a unit")
    return int(number)


def terms_of(lines: list[Line], params: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """vendor -> its agreement's parameters: the vendor's own terms by item, and what is assumed."""
    items: dict[str, dict[str, dict[str, Any]]] = {}
    for line in lines:
        row = {"lead_time": f"{line.lead_time_days}d", "moq": line.minimum, "maximum": line.maximum}
        items.setdefault(line.vendor, {})[line.item] = {"item": line.item, **row}
    return {
        vendor: {**ASSUMED, **params, "items": [rows[item] for item in sorted(rows)]} for vendor, rows in items.items()
    }


def replay(
    directory: Path,
    data: Path,
    *,
    params: Mapping[str, Any] | None = None,
    party: str = "adventureworks",
    progress: Progress = lambda what, done, all: None,
) -> Replayed:
    """Make a node in `directory`, state every line in the buyer's home, and let the vendors' agreements run.

    Args:
        directory: new or empty. data: where the tables are. params: over `ASSUMED`.
    Refuses, in order: as `read`, terms.* (parameters), as `Node` and `joining.found`, as the facts' rules.
    """
    watch = Stopwatch()
    lines = read(data)
    watch.lap("read")
    terms, text = terms_of(lines, params or {}), text_of("vendor-terms")
    template_for(text, terms.values())
    with Node(directory, create=True) as node:
        home = joining.found(node, party, network="AdventureWorks replay", name="AdventureWorks", kind="group")
        agreements = agree(node, party, home, text, terms, "terms")
        watch.lap("agreements")
        state(node, party, home, [said(line, agreements[line.vendor]) for line in lines], progress)
        watch.lap("record")
        vendors, owed = report(node.view(party), lines, agreements)
        watch.lap("report")
    watch.lap("close")
    return Replayed({**ASSUMED, **(params or {})}, True, party, home, vendors, owed, watch.seconds)


def said(line: Line, agreement: str) -> list[Said]:
    """A line as the buyer states it: placed, accepted, delivered as far as received, inspected where it rejected."""
    keys = {"order": line.order, "line": line.line}
    arrival = {**keys, "delivery": line.order}
    ordered, arrived = {"item": line.item, "quantity": line.ordered}, {"quantity": line.received}
    events: list[tuple[str, int, dict[str, str], dict[str, Any]]] = [
        ("order.placed", line.ordered_at, keys, ordered),
        ("order.accepted", line.ordered_at, keys, {**ordered, "total": line.value_minor}),
    ]
    if line.received:
        events.append(("delivery", line.shipped_at, arrival, arrived))
    if line.rejected:
        events.append(("inspection.reported", line.shipped_at, arrival, {**arrived, "rejected": line.rejected}))
    return [
        Said(id=line.line, event=event, agreement=agreement, occurred_at=at, keys=about, fields=fields)
        for event, at, about, fields in events
    ]


def report(
    view: View, lines: list[Line], agreements: Mapping[str, str]
) -> tuple[tuple[VendorFigures, ...], tuple[Owed, ...]]:
    """(vendors, the most owed first; amounts in their order, the largest of each vendor first)."""
    by_vendor = grouped(lines, lambda line: line.vendor)
    return ranked(
        agreements,
        lambda vendor, name: _owed(by_vendor[vendor], amounts(view, name)),
        lambda vendor, name, owed: _figures(vendor, name, by_vendor[vendor], owed, _refused(view, name)),
        lambda one: (one.line, one.clause),
    )


def _owed(lines: list[Line], found: Iterator[Amount]) -> Iterator[Owed]:
    known = {line.line: line for line in lines}
    for amount in found:
        line, award = known[amount.line], amount.award
        yield Owed(
            vendor=line.vendor,
            clause=award.clause,
            award=award.award,
            order=line.order,
            line=line.line,
            ordered_on=day_text(line.ordered_at),
            shipped_on=day_text(line.shipped_at),
            rejected=line.rejected,
            value_minor=line.value_minor,
            owed_minor=award.amount_minor,
            entries=award.evidence,
            sha256=award.sha256,
            why=amount.why,
        )


def _refused(view: View, agreement: str) -> int:
    """Lines that a closed gate would not have let through."""
    where = "circle = ? AND agreement = ? AND clause = ? AND state = ?"
    rows = view.rows(RESULTS, where, (view.home, agreement, QUANTITY, DONE), limit=1_000_000)
    return sum(any(kind == "gate" and value == str(False) for kind, value, *_ in row.actions) for row in rows)


def _figures(vendor: str, agreement: str, lines: list[Line], owed: list[Owed], refused: int) -> VendorFigures:
    return VendorFigures(
        vendor=vendor,
        agreement=agreement,
        orders=len({line.order for line in lines}),
        lines=len(lines),
        value_minor=sum(line.value_minor for line in lines),
        refused_lines=refused,
        late_lines=sum(line.late_days > 0 for line in lines),
        damages_minor=sum(one.owed_minor for one in owed if one.clause == LATE),
        rejected_lines=sum(line.rejected > 0 for line in lines),
        credit_minor=sum(one.owed_minor for one in owed if one.clause == REJECTS),
        short_lines=sum(line.received < line.ordered for line in lines),
    )

"""The SCMS delivery history under late-delivery agreements: per vendor what was late, what was owed and why.

The data (USAID, Supply Chain Management System, 10,324 delivered lines, 2006 to 2015) holds scheduled and delivered
dates, and no signed agreement: so every agreement here is the buyer's own, in its home, with *assumed* terms; each line
is stated by the buyer alone, and every result is unproven. 5,404 lines "From RDC" left the buyer's own distribution
centre; they owe nobody anything and are counted apart. Dates are whole days, taken as 00:00 UTC.

A line is taken as one unit at its stated value: 719 of the 4,920 lines of vendors do not multiply out, because the file
rounds prices per pack.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec import Struct

from hanse.importers.jobs.replaying import (
    DAY_SECONDS,
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

FILE = "scms_delivery_history.csv.gz"
OWN_CENTRE = "From RDC"
ASSUMED: Mapping[str, Any] = {
    "currency": "USD",
    "due_field": "promised_at",
    "period": "7d",
    "rate": "0.5%",
    "cap": "5%",
    "partial": "floor",
    "grace": "0d",
    "terminate_after": "60d",
    "pay_within": "30d",
    "force_majeure": False,
}
"""0.5% of a line's value per whole week of delay, at most 5%: assumed, nobody signed it."""
COLUMNS = (
    "ID",
    "PO / SO #",
    "ASN/DN #",
    "Country",
    "Fulfill Via",
    "Item Description",
    "Vendor",
    "Line Item Quantity",
    "Line Item Value",
    "scheduled_iso",
    "delivered_iso",
)


class Line(Struct, frozen=True):
    """One delivered line. value_minor: US cents. Times: 00:00 UTC of the day, UTC seconds. own: from the own centre."""

    line: str
    order: str
    delivery: str
    country: str
    item: str
    vendor: str
    packs: int
    value_minor: int
    scheduled_at: int
    delivered_at: int
    own: bool

    @property
    def late_days(self) -> int:
        """Whole days after schedule; 0 for in time."""
        return max(0, (self.delivered_at - self.scheduled_at) // DAY_SECONDS)


class VendorFigures(Struct, frozen=True):
    """One vendor under its assumed agreement. Money in US cents; `late_value_minor`: of lines after schedule.

    owing_lines: those for which the clause gave an amount; terminable: lines that the buyer might have ended.
    """

    vendor: str
    agreement: str
    lines: int
    late_lines: int
    value_minor: int
    late_value_minor: int
    owing_lines: int
    owed_minor: int
    terminable: int


class LateLine(Struct, frozen=True):
    """One amount, and what opens it: its award, the entries that it rests on, the digest of its record, its steps."""

    vendor: str
    award: str
    order: str
    line: str
    scheduled: str
    delivered: str
    late_days: int
    value_minor: int
    owed_minor: int
    entries: tuple[int, ...]
    sha256: str
    why: tuple[tuple[str, str], ...]


class Replayed(Struct, frozen=True):
    """What `hanse replay scms` found. terms: as assumed. seconds: of each step, by the clock on the wall."""

    terms: dict[str, Any]
    assumed: bool
    party: str
    circle: str
    vendors: tuple[VendorFigures, ...]
    late: tuple[LateLine, ...]
    own_centre: VendorFigures
    seconds: dict[str, float]

    @property
    def owed_minor(self) -> int:
        """Over all vendors."""
        return sum(vendor.owed_minor for vendor in self.vendors)


def read(path: Path) -> list[Line]:
    """The lines of the file (CSV, or CSV compressed with gzip), in its order.

    Refuses, in order: scms.no_file, scms.other_columns, scms.bad_line.
    """
    if not path.is_file():
        raise Refused("scms.no_file", "there is no such file", got=path, next=f"name the {FILE}")
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        table = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (table.fieldnames or ())]
        if missing:
            raise Refused("scms.other_columns", "this is another table", got=missing, expected=COLUMNS)
        return [_line(number, row) for number, row in enumerate(table, 2)]


def _line(number: int, row: Mapping[str, str]) -> Line:
    try:
        value = Decimal(row["Line Item Value"]) * 100
        if value != int(value):
            raise ValueError("fractions of a cent")
        return Line(
            line=row["ID"],
            order=row["PO / SO #"],
            delivery=row["ASN/DN #"],
            country=row["Country"],
            item=row["Item Description"],
            vendor=row["Vendor"],
            packs=int(row["Line Item Quantity"]),
            value_minor=int(value),
            scheduled_at=day_at(row["scheduled_iso"]),
            delivered_at=day_at(row["delivered_iso"]),
            own=row["Fulfill Via"] == OWN_CENTRE,
        )
    except (ValueError, ArithmeticError) as error:
        raise Refused("scms.bad_line", f"line {number} does not read: {error}", got=row.get("ID", "")) from None


def replay(
    directory: Path,
    path: Path,
    *,
    template: str = "",
    params: Mapping[str, Any] | None = None,
    party: str = "scms",
    progress: Progress = lambda what, done, all: None,
) -> Replayed:
    """Make a node in `directory`, state every vendor's line in the buyer's home, and let the agreements run.

    Args:
        directory: new or empty. path: the data. template: a template's text, "" the library's late-delivery; its first
            role is the vendor's. params: over `ASSUMED`.
    Refuses, in order: as `read`, terms.* (template or parameters), as `Node` and `joining.found`, as the facts' rules.
    """
    watch = Stopwatch()
    lines = read(path)
    watch.lap("read")
    text, terms = template or text_of("late-delivery"), {**ASSUMED, **(params or {})}
    template_for(text, [terms])
    stated = [line for line in lines if not line.own]
    with Node(directory, create=True) as node:
        home = joining.found(node, party, network="SCMS replay", name="SCMS", kind="group")
        agreements = agree(node, party, home, text, {line.vendor: terms for line in stated}, "late")
        watch.lap("agreements")
        state(node, party, home, [said(line, agreements[line.vendor]) for line in stated], progress)
        watch.lap("record")
        found = report(node.view(party), lines, agreements)
        watch.lap("report")
    watch.lap("close")
    return Replayed(dict(terms), True, party, home, *found, watch.seconds)


def said(line: Line, agreement: str) -> list[Said]:
    """A line as the buyer states it: accepted for its scheduled day, delivered, completed."""
    keys = {"order": line.order, "delivery": line.delivery, "line": line.line}
    about = {"item": line.item, "country": line.country, "packs": line.packs}
    accepted = {"promised_at": line.scheduled_at, "requested_at": line.scheduled_at, "unit_price": line.value_minor}
    number, at = line.line, line.delivered_at
    return [
        Said(
            id=number,
            event="order.accepted",
            agreement=agreement,
            occurred_at=min(line.scheduled_at, at),
            keys={"order": line.order, "line": number},
            fields={**accepted, "quantity": 1, "total": line.value_minor, **about},
        ),
        Said(
            id=number,
            event="delivery",
            agreement=agreement,
            occurred_at=at,
            keys=keys,
            fields={"quantity": 1, "accepted": 1},
        ),
        Said(id=number, event="line.completed", agreement=agreement, occurred_at=at, keys=keys),
    ]


def report(
    view: View, lines: list[Line], agreements: Mapping[str, str]
) -> tuple[tuple[VendorFigures, ...], tuple[LateLine, ...], VendorFigures]:
    """(vendors, the most owed first; amounts, the latest lines of each vendor first; the own centre apart)."""
    by_vendor = grouped(lines, lambda line: "" if line.own else line.vendor)
    vendors, late = ranked(
        agreements,
        lambda vendor, name: late_lines(view, name, by_vendor[vendor]),
        lambda vendor, name, owed: _figures(vendor, name, by_vendor[vendor], owed, _terminable(view, name)),
        lambda one: one.line,
    )
    return vendors, late, _figures("(own distribution centre)", "", by_vendor.get("", []), [], 0)


def _figures(vendor: str, agreement: str, lines: list[Line], amounts: list[LateLine], terminable: int) -> VendorFigures:
    late = [line for line in lines if line.late_days]
    return VendorFigures(
        vendor=vendor,
        agreement=agreement,
        lines=len(lines),
        late_lines=len(late),
        value_minor=sum(line.value_minor for line in lines),
        late_value_minor=sum(line.value_minor for line in late),
        owing_lines=len(amounts),
        owed_minor=sum(amount.owed_minor for amount in amounts),
        terminable=terminable,
    )


def late_lines(view: View, agreement: str, lines: list[Line]) -> Iterator[LateLine]:
    """What one vendor owed, amount by amount, as the agreement's awards say."""
    known = {line.line: line for line in lines}
    for amount in amounts(view, agreement):
        line, award = known[amount.line], amount.award
        yield LateLine(
            vendor=line.vendor,
            award=award.award,
            order=line.order,
            line=line.line,
            scheduled=day_text(line.scheduled_at),
            delivered=day_text(line.delivered_at),
            late_days=line.late_days,
            value_minor=line.value_minor,
            owed_minor=award.amount_minor,
            entries=award.evidence,
            sha256=award.sha256,
            why=amount.why,
        )


def _terminable(view: View, agreement: str) -> int:
    """Lines for which the buyer might have ended the order."""
    where = "circle = ? AND agreement = ? AND clause = 'undelivered' AND state = ? AND record <> ''"
    return view.count(RESULTS, where, (view.home, agreement, DONE))


__all__ = ["ASSUMED", "FILE", "Replayed", "read", "replay", "report"]

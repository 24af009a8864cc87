"""Orders: rows of `orders` grouped by order, as one-sided orders in the firm's home (docs/decisions/0004).

The firm signs both sides, and everything that follows is marked unproven. An order of more than a hundred lines becomes
several. What the file says happened after the order (dispatch, receipt) is planned in `facts_deliveries`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from hanse.importers.facts_deliveries import plan_deliveries
from hanse.importers.facts_ids import hidden_id
from hanse.importers.facts_plan import DAY, Plan, divide, seconds, text_of
from hanse.importers.facts_stage import group_of
from hanse.importers.facts_store import Staged, remembered
from hanse.rooms.inventory.facts import STOCK
from hanse.rooms.orders.facts import LINES_MAX, CancelOrder, DeliverTo, PlaceLine, PlaceOrder
from hanse.rooms.orders.private_rows import MINE
from hanse.rooms.orders.rows import LIVE_STATES, ORDERS
from hanse.standards import units

SILENCE_SECONDS = 14 * DAY
_EACH_MAX = 10**15


class Line(Struct):
    """One line of an order under way. part, no: which order of the group, and its line there. rows: what said it."""

    part: int
    no: int
    file_line: int
    item: str
    each: int
    price_minor: int
    requested_at: int
    shipped_at: int = 0
    carrier: str = ""


class Document(Struct):
    """What is remembered of an imported order: which orders stand for it, and what it said when it was placed."""

    revision: int
    orders: list[str]
    placed: str


class Order(Struct):
    """An order of the file. side: of the firm. done: the file says that it has happened (a return)."""

    grp: str
    number: str
    kind: str
    side: str
    counterparty: str
    po_number: str
    currency: str
    ordered_at: int
    note: str
    lines: list[Line]
    deliver_to: DeliverTo
    done: bool = False


Fault = tuple[str, str, object, str, str]
_document = msgspec.json.Decoder(Document).decode


def plan_orders(plan: Plan) -> None:
    """Orders that are new or changed, and what happened to them since; then receipts of orders imported before."""
    known = _standing_orders(plan)
    for done, grp in enumerate(plan.store.groups("orders"), 1):
        _plan_order(plan, grp, known)
        plan.store.note("order", [grp])
        if done % 500 == 0:
            plan.told("orders", done, 0)
    for grp in plan.store.groups("receipts"):
        (number,) = msgspec.json.decode(grp)
        order = group_of("orders", {"kind": "purchase", "order": number})
        if plan.store.noted("order", order):
            continue
        if plan.store.group("orders", order):
            _plan_order(plan, order, known)
        else:
            rows = plan.store.group("receipts", grp)
            step = "import the purchase order first, or with them"
            plan.wrong(rows, "order", "orders.unknown_order", number, "an order that was imported", step)


def _standing_orders(plan: Plan) -> dict[tuple[str, str, str], list[str]]:
    """(side, partner, PO number) -> orders on the record, where nothing is remembered of imports; else nothing."""
    sql = "SELECT 1 FROM document WHERE party = ? LIMIT 1"
    if plan.store.conn.execute(sql, (plan.store.party,)).fetchone():
        return {}
    found: dict[tuple[str, str, str], list[str]] = {}
    text = "SELECT side, partner, po_number, order_id FROM {orders_mine} WHERE circle = ? ORDER BY position, order_id"
    for side, partner, po_number, order in plan.view.sql(text, (plan.home,), tables=(MINE,)):
        found.setdefault((side, partner, po_number), []).append(order)
    return found


def _plan_order(plan: Plan, grp: str, known: dict[tuple[str, str, str], list[str]]) -> None:
    rows = plan.store.group("orders", grp)
    order = read_order(plan, grp, rows)
    if isinstance(order, tuple):
        plan.wrong(rows, *order)
        return
    receipts = []
    if order.kind == "purchase":
        receipts = plan.store.group("receipts", group_of("receipts", {"order": order.number}))
        receipts = _that_fit(plan, order, receipts)
    kept = _kept(plan, order, rows, known)
    if kept is None:
        return
    drop_ship = order.done or _counted_since(plan, receipts)
    for part, name in enumerate(kept.orders):
        lines = [line for line in order.lines if line.part == part]
        if plan.view.get(ORDERS, name) is None and not _place(plan, order, name, lines, drop_ship):
            plan.wrong(rows, "", "row.does_not_fit", order.number, "shorter, or plain, values", "correct the values")
            return
        plan_deliveries(plan, order, name, lines, receipts)
    _mark(plan, rows + receipts)
    plan.store.keep("document", grp, msgspec.json.encode(kept).decode())


def _mark(plan: Plan, rows: list[Staged]) -> None:
    """The rows are done once the facts planned so far stand."""
    last = plan.store.conn.execute("SELECT coalesce(MAX(n), 0) FROM stage.fact").fetchone()[0]
    plan.store.conn.executemany("UPDATE stage.staged SET fact = ? WHERE n = ?", [(last, r.n) for r in rows if r.n])


# -- reading ---------------------------------------------------------------------------------------------------------


def read_order(plan: Plan, grp: str, rows: list[Staged]) -> Order | Fault:
    """The order that rows of one group say, or why they say none."""
    kind, number = msgspec.json.decode(grp)
    kind = kind or "sale"
    first = rows[0].values
    currencies = {row.values["currency"] for row in rows if "currency" in row.values}
    if len(currencies) > 1:
        return "currency", "orders.several_currencies", ", ".join(sorted(currencies)), "one currency", "split the order"
    lines = _lines(plan, rows)
    if isinstance(lines, tuple):
        return lines
    partner = str(first.get("supplier" if kind == "purchase" else "customer", ""))
    who = plan.partner(partner) if partner else "supplier not named" if kind == "purchase" else "customer not named"
    own = f"our number {number}"
    note = text_of({"own": own, **first}, "own", "status", "service")
    return Order(
        grp=grp,
        number=number,
        kind=kind,
        side="sell" if kind == "sale" else "buy",
        counterparty=who,
        po_number=str(first.get("customer_po") or number)[:400],
        currency=next(iter(currencies), plan.currency),
        ordered_at=seconds(first.get("ordered_on")),
        note=f"return: bought back; {note}" if kind == "return" else note,
        lines=lines,
        deliver_to=_deliver_to(plan, kind, first),
        done=kind == "return",
    )


def _lines(plan: Plan, rows: list[Staged]) -> list[Line] | Fault:
    numbers = [row.values.get("line") for row in rows]
    as_written = len(set(numbers)) == len(rows) and all(n is not None and 1 <= n <= 9_999 for n in numbers)
    lines = []
    for at, row in enumerate(rows):
        values = row.values
        per_unit = each_per_unit(plan, values["item"], values.get("unit", ""))
        if not per_unit:
            step = "say in the item how many each the pack holds, or give pieces"
            return "unit", "unit.pack_unknown", values.get("unit"), "a unit whose content is known", step
        each = values["quantity_ordered"] * per_unit
        if each > _EACH_MAX:
            return "quantity_ordered", "quantity.out_of_range", each, "below 10^15", "correct the number"
        net = values.get("price_minor", 0) * (1_000_000 - values.get("discount_ppm", 0))
        due = seconds(values.get("due_on"), end_of_day=True)
        if not due and "lead_time_days" in values and values.get("ordered_on"):
            due = seconds(values["ordered_on"], end_of_day=True) + values["lead_time_days"] * DAY
        part, place = divmod(at, LINES_MAX)
        line = Line(
            part=part,
            no=numbers[at] if as_written else place + 1,  # type: ignore[arg-type]
            file_line=numbers[at] or at + 1,
            item=values["item"],
            each=each,
            price_minor=divide(net, values.get("price_per", 1) * per_unit * 1_000_000),
            requested_at=due,
            shipped_at=seconds(values.get("shipped_on")),
            carrier=plan.partner(values["carrier"]) if values.get("carrier") else "",
        )
        lines.append(line)
    return lines


def each_per_unit(plan: Plan, number: str, code: str) -> int:
    """How many each of an own item one unit holds; 0 where nothing says it.

    A measure (kg, m) counts as the item's own unit where that is the same.
    """
    if code in ("", "C62", "EA", "H87"):
        return 1
    row = plan.store.one("items", msgspec.json.encode([number]).decode()) or {}
    own = plan.own_item(number)
    unit = row.get("unit") or (own.unit if own else "")
    pack = row.get("each_per_unit") or (own.pack_each if own else 1)
    try:
        known = units.unit(code)
    except units.UnitError:
        return 0
    if known.is_pack:
        return int(pack) if unit == code and pack > 1 else 0
    if known.dimension == "count" and known.denominator == 1:
        return known.numerator
    return 1 if unit == code else 0


def _deliver_to(plan: Plan, kind: str, values: dict[str, Any]) -> DeliverTo:
    """Where it goes: for a purchase an own site that the file names."""
    if kind == "purchase":
        there = values.get("ship_to", "")
        return DeliverTo(site=plan.site(there) if there and plan.knows_site(there) else "")
    mark = str(values.get("ship_name") or values.get("ship_to") or "")[:400]
    return DeliverTo(mark=mark, country=values.get("ship_country", ""), city=str(values.get("ship_city", ""))[:400])


def _that_fit(plan: Plan, order: Order, receipts: list[Staged]) -> list[Staged]:
    """The receipts that belong to a line of the order and add up; the others go to the fix list."""
    named = {line.file_line: line for line in order.lines}
    by_item: dict[str, list[Line]] = {}
    for line in order.lines:
        by_item.setdefault(line.item, []).append(line)
    good = []
    for row in receipts:
        values = row.values
        only = by_item.get(values["item"], [])
        found = named.get(values.get("line", 0)) or (only[0] if len(only) == 1 else None)
        rejected, received = values.get("rejected_each", 0), values["received_each"]
        if found is None or found.item != values["item"]:
            step = "correct the line or the item"
            plan.wrong([row], "line", "receipts.unknown_line", values.get("line", ""), "a line of the order", step)
        elif rejected + values.get("stocked_each", 0) > received or rejected > received:
            step = "correct the quantities"
            plan.wrong([row], "received_each", "receipts.do_not_add_up", received, "rejected and stocked within", step)
        else:
            values["line"] = found.file_line
            good.append(row)
    return good


# -- placing ---------------------------------------------------------------------------------------------------------


def _kept(
    plan: Plan, order: Order, rows: list[Staged], known: dict[tuple[str, str, str], list[str]]
) -> Document | None:
    """Which orders stand for this one. A changed order that has not shipped is cancelled and placed anew.

    None: it has shipped, and the rows are on the fix list.
    """
    placed = _placed(order)
    said = plan.store.said("document", order.grp)
    was = _document(said) if said else None
    parts = max(line.part for line in order.lines) + 1
    if was is not None and was.placed == placed:
        return was
    if was is None:
        standing = known.get((order.side, order.counterparty, order.po_number), [])
        if len(standing) == parts:
            return Document(0, standing, placed)
    for name in was.orders if was else ():
        row = plan.view.get(ORDERS, name)
        if row is not None and any(line.shipped for line in row.lines):
            step = "keep the order as it was shipped, and add a new one for the rest"
            plan.wrong(rows, "", "orders.shipped_already", order.number, "an order of which nothing has left", step)
            return None
        if row is not None and row.state in LIVE_STATES:
            plan.add(CancelOrder(circle=plan.home, order=name, reason="replaced: the order was changed"))
    revision = was.revision + 1 if was else 0
    names = [hidden_id(plan.store.salt, "i", order.grp, revision, part) for part in range(parts)]
    return Document(revision, names, placed)


def _placed(order: Order) -> str:
    """The content of an order as it is placed, in short: what else changes is no other order."""
    lines = [(x.file_line, x.item, x.each, x.price_minor, x.requested_at) for x in order.lines]
    whole = (order.counterparty, order.po_number, order.currency, order.ordered_at, sorted(lines))
    return hidden_id(b"", "p", msgspec.json.encode(whole).decode())


def _place(plan: Plan, order: Order, name: str, lines: list[Line], drop_ship: bool) -> bool:
    old = order.side == "sell" and all(0 < x.shipped_at < plan.now - SILENCE_SECONDS for x in lines)
    fact = PlaceOrder(
        circle=plan.home,
        order=name,
        receive_within_seconds=0 if old else SILENCE_SECONDS,
        lines=[_place_line(plan, order, line) for line in lines],
        side=order.side,
        counterparty=order.counterparty,
        po_number=order.po_number,
        currency=order.currency,
        deliver_to=order.deliver_to,
        drop_ship=drop_ship,
        ordered_at=min(order.ordered_at, plan.now),
        note=order.note,
    )
    return plan.add(fact)


def _place_line(plan: Plan, order: Order, line: Line) -> PlaceLine:
    """A line; fields that say nothing are not sent, for every one costs a digest on the record."""
    linked = plan.linked_item(line.item)
    more: dict[str, Any] = {"requested_at": line.requested_at} if line.requested_at else {}
    if linked or order.side == "buy":
        more["own_number"] = line.item
    return PlaceLine(line=line.no, each=line.each, item=linked or line.item, unit_price_minor=line.price_minor, **more)


def _counted_since(plan: Plan, receipts: list[Staged]) -> bool:
    """Whether all that arrived lies where it has been counted since: that count holds it already."""
    if not receipts or not all(row.values.get("site") and row.values.get("received_on") for row in receipts):
        return False
    for row in receipts:
        values = row.values
        at = seconds(values["received_on"])
        here = plan.store.group("stock", group_of("stock", values))
        counted = max((seconds(r.values.get("counted_at")) or plan.now for r in here), default=0)
        was = plan.view.get(STOCK, plan.home, plan.site(values["site"]), values["item"], "", "")
        if max(counted, was.counted_at if was else 0) < at or not (counted or was):
            return False
    return True


def imported_orders(directory: Path, party: str) -> dict[tuple[str, str], list[str]]:
    """(kind, the firm's own number) -> the orders on the record that stand for it, of all that a party has imported."""
    found = {}
    for grp, said in remembered(directory, party, "document"):
        kind, number = msgspec.json.decode(grp)
        found[kind or "sale", number] = _document(said).orders
    return found

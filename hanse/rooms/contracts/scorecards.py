"""Scorecards of partners, from what was signed: suppliers as they deliver, customers as they order and receive.

Definitions, as far as trades differ in them
    line OTIF       a closed line of which every ordered unit (less what was cancelled) came good and by its promise.
    order OTIF      an order all of whose lines are so.
    perfect order   an order OTIF, of which nothing was damaged, short, contested or returned.
    fill rate       good units received of units ordered, over closed lines; cancelled ones count as not filled.
    lead time       from the order to the arrival of each delivery.
    ppm             units damaged or short of units shipped.
    claim time      from a return's request to its answer, and of a dispute from its opening to its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

from hanse.kernel.view import View
from hanse.rooms.contracts.private_rows import DISPUTES
from hanse.rooms.contracts.scores import (
    DAY_SECONDS,
    PPM,
    Chart,
    Figure,
    Payment,
    Rated,
    Seen,
    entries,
    individuals,
    payer,
    proportions,
    quantile,
    satisfaction,
    share,
)
from hanse.rooms.contracts.terms.values import civil_from_days, days_from_civil
from hanse.rooms.orders.private_rows import ORDER_TERMS, RATINGS, SHIPMENT_TERMS, OrderTerms, Rating, ShipmentTerms
from hanse.rooms.orders.rows import DEEMED, ORDERS, RETURNS, SHIPMENTS, STEPS, Order, Shipment
from hanse.rooms.parties.facts import PARTIES

Side = Literal["buy", "sell"]
ORDERS_MAX = 200_000
CHUNK = 5_000


class Scorecard(Struct, frozen=True):
    """One partner. measured: what the ratings' own deliveries measured, to stand beside satisfaction: shares good and
    kept, ppm. charts: what changed. unproven: no order of it has a second side's signature."""

    side: Side
    partner: str
    partner_name: str
    figures: tuple[Figure, ...]
    measured: tuple[Figure, ...]
    charts: tuple[Chart, ...]
    orders: int
    unproven: bool

    def figure(self, name: str) -> Figure:
        """A figure by its name. Raises: KeyError."""
        found = next((figure for figure in (*self.figures, *self.measured) if figure.name == name), None)
        if found is None:
            raise KeyError(name)
        return found


class _Trade(Struct):
    """All that one partner's card is made of."""

    orders: list[tuple[Order, OrderTerms]]
    shipments: dict[str, list[tuple[Shipment, ShipmentTerms]]]
    ratings: list[Rating]


def scorecards(view: View, side: Side = "buy", *, since: int = 0, until: int = 2**40) -> tuple[Scorecard, ...]:
    """A card for every partner on one side, by partner. side: "buy" scores suppliers, "sell" customers.

    Args:
        since, until: UTC seconds of the orders.
    """
    trades = _gather(view, side, since, until, "")
    return tuple(_card(view, side, partner, trades[partner]) for partner in sorted(trades))


def scorecard(view: View, partner: str, side: Side = "buy", *, since: int = 0, until: int = 2**40) -> Scorecard | None:
    """One partner's card; None where there was no trade."""
    trades = _gather(view, side, since, until, partner)
    return _card(view, side, partner, trades[partner]) if partner in trades else None


def payer_card(view: View, partner: str, payments: Sequence[Payment]) -> tuple[tuple[Figure, ...], Chart]:
    """A customer as a payer, from invoices that a later room knows; as `scores.payer` at the view's time."""
    return payer(payments, view.now)


def _gather(view: View, side: Side, since: int, until: int, only: str) -> dict[str, _Trade]:
    trades: dict[str, _Trade] = {}
    by_order: dict[str, _Trade] = {}
    for terms in _all_terms(view, since, until):
        partner = _partner(view, side, terms)
        order = view.get(ORDERS, terms.order_id) if partner and partner == (only or partner) else None
        if order is not None:
            trade = trades.setdefault(partner, _Trade([], {}, []))
            trade.orders.append((order, terms))
            by_order[terms.order_id] = trade
    for trade in trades.values():
        for order, _ in trade.orders:
            pairs = []
            for row in view.rows(SHIPMENT_TERMS, "circle = ? AND order_id = ?", (order.circle, order.order_id)):
                public = view.get(SHIPMENTS, row.shipment)
                if public is not None:
                    pairs.append((public, row))
            if pairs:
                trade.shipments[order.order_id] = pairs
    for rating in view.rows(RATINGS, limit=ORDERS_MAX):
        if rating.order_id in by_order:
            by_order[rating.order_id].ratings.append(rating)
    return trades


def _all_terms(view: View, since: int, until: int) -> Iterable[OrderTerms]:
    after = ("", "")
    while True:
        where = "ordered_at >= ? AND ordered_at < ? AND (circle, order_id) > (?, ?)"
        rows = view.rows(ORDER_TERMS, where, (since, until, *after), limit=CHUNK)
        yield from rows
        if len(rows) < CHUNK:
            return
        after = (rows[-1].circle, rows[-1].order_id)


def _partner(view: View, side: Side, terms: OrderTerms) -> str:
    """Whom an order is with, where the reader is on that side of it; else ""."""
    if terms.side:
        return terms.counterparty if terms.side == side else ""
    mine, theirs = (terms.buyer, terms.seller) if side == "buy" else (terms.seller, terms.buyer)
    return theirs if mine == view.party else ""


def _card(view: View, side: Side, partner: str, trade: _Trade) -> Scorecard:
    whole = _completeness(trade)
    lead, late, bad = _deliveries(trade)
    claims = _claims(view, partner, trade)
    times = [value for _, value, _, _ in lead]
    found = entries([Seen(1, 1, entry) for _, _, entry, _ in lead])
    unproven = sum(flag for _, _, _, flag in lead)
    figures = (
        share("otif_lines", whole.lines),
        share("otif_orders", whole.orders),
        share("perfect_orders", whole.perfect),
        share("fill_rate", whole.fill),
        Figure("lead_time_median_seconds", quantile(times, 500_000), len(lead), unproven, found),
        Figure("lead_time_p10_seconds", quantile(times, 100_000), len(lead), unproven, found),
        Figure("lead_time_p90_seconds", quantile(times, 900_000), len(lead), unproven, found),
        share("defects_ppm", bad),
        Figure("claim_time_median_seconds", quantile([s for s, _ in claims], 500_000), len(claims), 0,
               entries([Seen(1, 1, entry) for _, entry in claims])),
        share("cancelled", _cancelled(trade)),
        satisfaction(_rated(trade), view.now),
    )  # fmt: skip
    name = view.get(PARTIES, partner)
    return Scorecard(
        side=side,
        partner=partner,
        partner_name=name.name if name else partner,
        figures=figures,
        measured=_measured(trade),
        charts=(individuals("days_late_hundredths", late), proportions("otif_lines_by_month", _by_month(whole.months))),
        orders=len(trade.orders),
        unproven=all(order.one_sided for order, _ in trade.orders),
    )


class _Complete(Struct):
    """Closed lines and finished orders: what was whole, in time, and clean."""

    lines: list[Seen]
    orders: list[Seen]
    perfect: list[Seen]
    fill: list[Seen]
    months: dict[int, list[Seen]]


def _completeness(trade: _Trade) -> _Complete:
    found = _Complete([], [], [], [], {})
    for order, terms in trade.orders:
        _add_order(found, order, terms, trade.shipments.get(order.order_id, []))
    return found


def _add_order(
    found: _Complete, order: Order, terms: OrderTerms, shipments: list[tuple[Shipment, ShipmentTerms]]
) -> None:
    """Count an order's closed lines and, where all are closed, the order."""
    in_time: dict[int, int] = {}
    for _, row in shipments:
        for part in row.slices:
            good = part.good if 0 < row.arrived_at <= part.promised_at else 0
            in_time[part.line] = in_time.get(part.line, 0) + good
    entry = max((row.position for _, row in shipments), default=order.position)
    month = _month(max((row.arrived_at for _, row in shipments), default=0) or terms.ordered_at)
    closed = [line for line in order.lines if not (line.open or line.to_ship or line.in_transit)]
    lines = []
    for line in closed:
        filled = min(line.ordered, line.received - line.over)
        found.fill.append(Seen(filled, line.ordered, entry, order.one_sided))
        wanted = line.ordered - line.cancelled
        if wanted:
            lines.append(Seen(int(in_time.get(line.line, 0) >= wanted), 1, entry, order.one_sided))
    found.lines += lines
    if lines:
        found.months.setdefault(month, []).extend(lines)
    if lines and len(closed) == len(order.lines):
        good = all(one.good for one in lines)
        clean = not any(line.damaged or line.short or line.returned or line.returning for line in order.lines)
        clean = clean and not any(public.contested_by for public, _ in shipments)
        found.orders.append(Seen(int(good), 1, entry, order.one_sided))
        found.perfect.append(Seen(int(good and clean), 1, entry, order.one_sided))


def _by_month(months: dict[int, list[Seen]]) -> list[tuple[int, int, int, int, bool]]:
    """(month, good lines, lines, latest entry, all unproven), for a chart of shares."""
    return [
        (at, sum(s.good for s in seen), len(seen), max(s.entry for s in seen), all(s.unproven for s in seen))
        for at, seen in sorted(months.items())
    ]


def _month(at: int) -> int:
    """The start of a time's month, UTC seconds."""
    year, month, _ = civil_from_days(at // DAY_SECONDS)
    return days_from_civil(year, month, 1) * DAY_SECONDS


Timed = list[tuple[int, int, int, bool]]


def _deliveries(trade: _Trade) -> tuple[Timed, Timed, list[Seen]]:
    """(lead times, hundredths of days after promise, units not good), delivery by delivery in order of arrival."""
    lead: Timed = []
    late: Timed = []
    bad: list[Seen] = []
    for order, terms in trade.orders:
        for public, row in trade.shipments.get(order.order_id, []):
            if not row.arrived_at:
                continue
            entry, unproven = row.position, order.one_sided or public.method == DEEMED
            lead.append((row.arrived_at, max(0, row.arrived_at - terms.ordered_at), entry, unproven))
            promised = [part.promised_at for part in row.slices if part.promised_at]
            if promised:
                hundredths = (row.arrived_at - min(promised)) * 100 // DAY_SECONDS
                late.append((row.arrived_at, hundredths, entry, unproven))
            each = sum(line.each for line in public.lines)
            lacking = sum(line.damaged + line.short for line in public.lines)
            bad.append(Seen(lacking, each, entry, unproven))
    return sorted(lead), sorted(late), bad


def _claims(view: View, partner: str, trade: _Trade) -> list[tuple[int, int]]:
    """(seconds, entry) of every claim that was answered: returns and disputes."""
    out = []
    for order, _ in trade.orders:
        if not any(line.returned or line.returning for line in order.lines):
            continue
        for row in view.rows(RETURNS, "order_id = ?", (order.order_id,)):
            steps = view.rows(STEPS, "order_id = ? AND subject = ?", (order.order_id, row.return_id), order="entry")
            if len(steps) > 1:
                out.append((steps[-1].at - steps[0].at, steps[-1].entry))
    for dispute in view.rows(DISPUTES, "ended_at > 0 AND ? IN (opened_by, against)", (partner,)):
        out.append((dispute.ended_at - dispute.opened_at, dispute.position))
    return out


def _cancelled(trade: _Trade) -> list[Seen]:
    return [
        Seen(sum(line.cancelled for line in order.lines), sum(line.ordered for line in order.lines), order.position,
             order.one_sided)
        for order, _ in trade.orders
    ]  # fmt: skip


def _rated(trade: _Trade) -> list[Rated]:
    proof = {
        public.shipment: PPM if public.method != DEEMED and not order.one_sided else PPM // 2
        for order, _ in trade.orders
        for public, _ in trade.shipments.get(order.order_id, [])
    }
    return [Rated(rating.score, rating.at, proof.get(rating.shipment, 0), rating.position) for rating in trade.ratings]


def _measured(trade: _Trade) -> tuple[Figure, ...]:
    """What the rated deliveries themselves measured: for reading satisfaction beside it."""
    good = [Seen(r.good_ppm, PPM, r.position) for r in trade.ratings if r.good_ppm >= 0]
    kept = [Seen(r.kept_ppm, PPM, r.position) for r in trade.ratings if r.kept_ppm >= 0]
    return share("rated_good", good), share("rated_kept", kept)


__all__ = ["Scorecard", "Side", "payer_card", "scorecard", "scorecards"]

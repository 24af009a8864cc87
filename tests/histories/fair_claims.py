"""What must hold at every position of a history over all rooms, whatever was asked of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Set
from typing import Any

from fair import FIRMS, Fair

from hanse.kernel.kept import TIMERS
from hanse.kernel.view import View
from hanse.rooms.accounts.proving import balanced
from hanse.rooms.accounts.rows import BALANCES, BILLED, ESCROWS, ITEMS, PAYMENTS
from hanse.rooms.contracts.private_rows import PROPOSALS
from hanse.rooms.inventory.facts import HELD, HOLDS, MOVEMENTS, STOCK, TOTALS, Count, CountLine, Stock
from hanse.rooms.inventory.offer_facts import EARMARKS, OFFERS, TRANSFERS
from hanse.rooms.orders.private_rows import MINE, ORDER_TERMS, RETURN_TERMS, SHIPMENT_TERMS
from hanse.rooms.orders.rows import HOLDS as KEPT
from hanse.rooms.orders.rows import LIVE_STATES, ORDERS, RETURNS, SHIPMENTS
from hanse.rooms.plans.rows import ASSIGNED, DRAWN, PLANS, SOURCES, WINDOWS


def all_hold(fair: Fair) -> None:
    """Every claim."""
    for claim in (
        no_stock_is_made_or_lost,
        on_hand_is_the_sum_of_its_movements,
        what_one_gives_another_gets,
        what_is_promised_is_there_or_is_called_short,
        every_quantity_has_one_owner,
        reservations_balance_with_demand,
        what_is_set_aside_follows_what_is_offered_and_drawn,
        every_line_balances,
        what_the_circle_knows_fits_what_everybody_sees,
        no_quantity_is_below_none,
        the_books_balance,
        every_plan_fits_what_was_open,
        what_comes_in_parts_counts_once_it_is_whole,
        every_proposal_has_one_answer,
        only_what_lives_waits,
    ):
        claim(fair)


def no_stock_is_made_or_lost(fair: Fair) -> None:
    """By party, site, own number, lot and owner: stock is what the plain model reads out of the facts."""
    found = Counter({
        (s.circle.removeprefix("home-"), s.site, s.own_number, s.lot, s.owner): s.on_hand_each
        for s in fair.rows(STOCK, "on_hand_each <> 0")
    })  # fmt: skip
    assert found == {key: each for key, each in fair.shelves.on_hand.items() if each}


def on_hand_is_the_sum_of_its_movements(fair: Fair) -> None:
    moved: Counter[tuple[str, ...]] = Counter()
    uncounted: Counter[tuple[str, ...]] = Counter()
    for m in fair.rows(MOVEMENTS):
        assert m.each, m
        key = (m.circle.removeprefix("home-"), m.site, m.own_number, m.lot, m.owner)
        moved[key] += m.each
        uncounted[key] += m.each if m.reason == "uncounted" else 0
    sums: dict[tuple[str, str], list[int]] = {}
    for s in fair.rows(STOCK):
        key = (s.circle.removeprefix("home-"), s.site, s.own_number, s.lot, s.owner)
        assert moved.pop(key, 0) == s.on_hand_each >= s.unvalued_each >= 0
        if not s.owner:
            total = sums.setdefault((s.circle, s.own_number), [0, 0, 0, 0])
            for at, each in enumerate((s.on_hand_each, s.allocated_each, s.set_aside_each, s.short_each)):
                total[at] += each
    assert not +moved and +uncounted == +fair.shelves.uncounted
    for t in fair.rows(TOTALS):
        kept = [t.on_hand_each, t.allocated_each, t.set_aside_each, t.short_each]
        assert kept == sums.pop((t.circle, t.own_number)), t
    assert not sums


def what_one_gives_another_gets(fair: Fair) -> None:
    """The journals of inventory and the deliveries of orders tell one story, order by order; transfers sum to none."""
    reasons: Counter[str] = Counter()
    by: Counter[tuple[str, str, str]] = Counter()
    for m in fair.rows(MOVEMENTS):
        reasons[m.reason] += m.each
        by[m.reason, m.circle.removeprefix("home-"), m.reference] += m.each
    assert reasons["moved"] == reasons["transferred"] == 0 and reasons["uncounted"] >= 0
    for order in fair.rows(ORDERS):
        known = fair.shelves.orders.get(order.order_id)
        buyer, seller = fair.shelves.sides(known) if known else ("", "")
        sold, got = by["sold", seller, order.order_id], by["received", buyer, order.order_id]
        assert sold == -fair.shelves.sold[seller, order.order_id]
        assert got == fair.shelves.received[buyer, order.order_id]
        assert -sold <= sum(line.shipped for line in order.lines)
        assert got <= sum(line.received for line in order.lines)


def what_is_promised_is_there_or_is_called_short(fair: Fair) -> None:
    held: Counter[tuple[str, ...]] = Counter()
    aside: Counter[tuple[str, ...]] = Counter()
    for h in fair.rows(HOLDS):
        assert h.each > 0, h
        held[h.circle, h.site, h.own_number, h.lot, h.owner] += h.each
    for e in fair.rows(EARMARKS):
        aside[e.circle, e.site, e.own_number, e.lot, e.owner] += e.set_aside_each
    for s in fair.rows(STOCK):
        key = (s.circle, s.site, s.own_number, s.lot, s.owner)
        assert (s.allocated_each, s.set_aside_each) == (held.pop(key, 0), aside.pop(key, 0)), s
        promised = s.allocated_each + s.set_aside_each
        assert s.short_each == max(0, promised - s.on_hand_each), s
        assert promised == s.on_hand_each + s.short_each - s.free_each, s
    assert not +held and not +aside


def every_quantity_has_one_owner(fair: Fair) -> None:
    """What firms keep for another is what that one holds elsewhere and has lent by order, but for what nobody had
    counted."""
    kept: Counter[tuple[str, str]] = Counter()
    for s in fair.rows(STOCK, "owner <> ''"):
        kept[s.owner, s.circle.removeprefix("home-")] += s.on_hand_each
    titles = Counter(fair.shelves.lent)
    for h in fair.rows(HELD):
        titles[h.circle.removeprefix("home-"), h.custodian] += h.each
    for (party, _, _, _, owner), each in fair.shelves.uncounted.items():
        if owner:
            titles[owner, party] += each
    for pair in kept | titles:
        beyond = fair.shelves.beyond[pair]
        assert kept[pair] == titles[pair] - beyond, pair


def reservations_balance_with_demand(fair: Fair) -> None:
    """Of every offer: reserved is what open lines and holds have on it, taken is what was shipped of it."""
    reserved: Counter[str] = Counter()
    taken: Counter[str] = Counter()
    for order in fair.rows(ORDERS):
        for line in order.lines:
            if line.offer:
                reserved[line.offer] += line.reserved
                taken[line.offer] += line.shipped
    for kept in fair.rows(KEPT, "ended = 0"):
        reserved[kept.offer] += kept.each
    for o in fair.rows(OFFERS):
        assert (o.reserved_each, o.taken_each) == (reserved.pop(o.offer, 0), taken.pop(o.offer, 0)), o
        assert 0 <= o.open_each <= o.each
    assert not +reserved and not +taken


def unheard_offers(fair: Fair) -> set[str]:
    """Offers that are drawn on where their owner's home does not hear of it: by an order that its circle has refused,
    or by a hold, in an order to another than the owner."""
    owner = {o.offer: fair.behind(o.alias) for o in fair.rows(OFFERS)}
    found = set()
    for order in fair.rows(ORDERS):
        known = fair.shelves.orders.get(order.order_id)
        seller = fair.shelves.sides(known)[1] if known else ""
        for line in order.lines:
            if line.offer and (owner[line.offer] != seller or order.order_id in fair.unheard):
                found.add(line.offer)
    return found


def what_is_set_aside_follows_what_is_offered_and_drawn(fair: Fair, counted: Set[str] = frozenset()) -> None:
    """Nothing stays set aside for what has ended, and a firm offer keeps all of it that is neither taken nor
    allocated. counted: homes that have counted their stock, for which that is so whatever they did not hear of."""
    unheard = unheard_offers(fair)
    allocated: Counter[tuple[str, str]] = Counter()
    for mine in fair.rows(MINE, "side = 'sell'"):
        order = fair.rows(ORDERS, "order_id = ?", mine.order_id)[0]
        for known, line in zip(mine.lines, order.lines, strict=True):
            if mine.order_id not in fair.unheard:
                assert known.allocated == (line.to_ship if line.offer else 0), (mine.order_id, known, line)
            allocated[mine.circle, line.offer] += known.allocated
    offers = {o.offer: o for o in fair.rows(OFFERS)}
    transfers = {t.transfer: t for t in fair.rows(TRANSFERS)}
    for mark in fair.rows(EARMARKS):
        if mark.offer in unheard and mark.circle not in counted:
            continue
        offer, transfer = offers.get(mark.offer), transfers.get(mark.offer)
        bound = 0
        if mark.audience and transfer is not None and transfer.state == "proposed":
            bound = transfer.each
        elif mark.audience and mark.firm and offer is not None:
            ended = offer.withdrawn or offer.expires_at <= fair.now
            bound = offer.reserved_each if ended else offer.each - offer.taken_each
        assert mark.set_aside_each == max(0, bound - mark.allocated_each), (mark, offer, transfer)
        if offer is not None and mark.audience and mark.offer not in unheard:
            assert mark.allocated_each == allocated[mark.circle, mark.offer], mark


def every_line_balances(fair: Fair) -> None:
    sums: Counter[tuple[str, int, str]] = Counter()
    for shipment in fair.rows(SHIPMENTS):
        for part in shipment.lines:
            if shipment.method:
                assert part.each == part.received - part.over + part.damaged + part.short, shipment
            assert part.returnable >= 0
            for name in ("each", "received", "damaged", "short", "over", "returning", "returned"):
                sums[shipment.order_id, part.line, name] += getattr(part, name)
    asked: Counter[tuple[str, int]] = Counter()
    for back in fair.rows(RETURNS):
        for one in back.lines:
            assert 0 <= one.accepted <= one.each
            asked[back.order_id, one.line] += one.each if back.state == "asked" else 0
    for order in fair.rows(ORDERS):
        for line in order.lines:
            assert line.ordered == line.open + line.to_ship + line.shipped + line.cancelled
            assert min(line.open, line.to_ship, line.shipped, line.cancelled, line.in_transit) >= 0, order
            assert 0 <= line.proposed <= line.open
            assert line.shipped == sums[order.order_id, line.line, "each"]
            for name in ("received", "damaged", "short", "over", "returning", "returned"):
                assert getattr(line, name) == sums[order.order_id, line.line, name], (order, name)
            assert line.returning == asked[order.order_id, line.line]
        live = any(line.open or line.to_ship for line in order.lines)
        assert live == (order.state in LIVE_STATES), order


def what_the_circle_knows_fits_what_everybody_sees(fair: Fair) -> None:
    orders = {order.order_id: order for order in fair.rows(ORDERS)}
    for terms in fair.rows(ORDER_TERMS):
        for line, known in zip(orders[terms.order_id].lines, terms.lines, strict=True):
            promised, changes = sum(p.each for p in known.promises), sum(p.each for p in known.changes)
            assert promised <= line.to_ship and changes <= line.proposed, (terms, line)
            if terms.order_id not in fair.unheard:
                assert (promised, changes) == (line.to_ship, line.proposed), (terms, line)
    shipments = {shipment.shipment: shipment for shipment in fair.rows(SHIPMENTS)}
    for row in fair.rows(SHIPMENT_TERMS):
        known: Counter[int] = Counter()
        good: Counter[int] = Counter()
        for part in row.slices:
            known[part.line] += part.each
            good[part.line] += part.good
            assert 0 <= part.returned <= part.each and 0 <= part.good <= part.each
        public = shipments[row.shipment]
        assert known == {line.line: line.each for line in public.lines}, row
        assert bool(row.slices_n) == bool(public.method), row
        if public.method:
            assert +good == +Counter({line.line: line.received - line.over for line in public.lines}), row
    returns = {back.return_id: back for back in fair.rows(RETURNS)}
    assert all(row.return_id in returns for row in fair.rows(RETURN_TERMS))


def no_quantity_is_below_none(fair: Fair) -> None:
    for table in fair.book.tables:
        for column in table.columns:
            if column.endswith("_each") or (column == "each" and table is not MOVEMENTS):
                low = fair.state.conn.execute(f"SELECT min({column}) FROM {table.name}").fetchone()[0]
                assert low is None or low >= 0, (table.name, column, low)


def everything(fair: Fair) -> View:
    """A view of all circles, as no party has it."""
    circles = [row[0] for row in fair.state.conn.execute("SELECT circle FROM parties_circle")]
    return View(fair.state.conn, party="", circles=circles, now=fair.now)


def the_books_balance(fair: Fair) -> None:
    """Debits are credits in every direction and currency; what is announced is in payments; escrow is what is held."""
    assert balanced(everything(fair)) == []
    announced: Counter[tuple[str, str]] = Counter()
    for payment in fair.rows(PAYMENTS):
        if payment.state in ("announced", "claimed"):
            for part in payment.allocations:
                announced[payment.circle, part.item] += part.amount_minor
    for item in fair.rows(ITEMS):
        assert item.announced_minor == announced[item.circle, item.item], item
        assert min(0, item.amount_minor) <= item.open_minor <= max(0, item.amount_minor), item
        assert bool(item.settled_at) == (not item.open_minor), item
    escrow: Counter[tuple[str, ...]] = Counter()
    for row in fair.rows(ESCROWS, "state = 'held'"):
        escrow[row.circle, row.currency, row.supplier, row.customer] += row.amount_minor
    for account in fair.rows(BALANCES, "account IN ('escrow', 'deposit')"):
        sign = 1 if account.account == "escrow" else -1
        key = (account.circle, account.currency, account.supplier, account.customer)
        assert account.balance_minor == sign * escrow[key], account
    received = {
        (shipment.shipment, line.line): line.received - line.over
        for shipment in fair.rows(SHIPMENTS)
        for line in shipment.lines
    }
    for billed in fair.rows(BILLED):
        assert 0 <= billed.each <= received[billed.shipment, billed.line], billed


def every_plan_fits_what_was_open(fair: Fair) -> None:
    there = {(source.window, source.offer): source.each for source in fair.rows(SOURCES)}
    windows = {plan.plan: plan.window for plan in fair.rows(PLANS)}
    assigned: Counter[tuple[str, str]] = Counter()
    for one in fair.rows(ASSIGNED):
        assigned[one.plan, one.offer] += one.each
    for drawn in fair.rows(DRAWN):
        assert drawn.each == assigned[drawn.plan, drawn.offer] <= there[windows[drawn.plan], drawn.offer], drawn


def what_comes_in_parts_counts_once_it_is_whole(fair: Fair) -> None:
    """A window takes plans, and a plan stands or wins, when all its parts are there and are what was announced."""
    for window in fair.rows(WINDOWS):
        assert 1 <= window.parts_in <= window.parts, window
        assert (window.parts_in == window.parts) == (window.state == "open") or window.state == "ended", window
    for plan in fair.rows(PLANS):
        assert 1 <= plan.parts_in <= plan.parts, plan
        whole = plan.parts_in == plan.parts and plan.running == plan.plan_hash
        assert whole or plan.state not in ("standing", "won"), plan
        assert not whole or plan.state != "filling", plan


def every_proposal_has_one_answer(fair: Fair) -> None:
    """One that was countered has one counter-proposal; one in force is signed by all its roles; no other is."""
    rows = fair.rows(PROPOSALS)
    counters = Counter((row.circle, row.counters) for row in rows if row.counters)
    assert counters == Counter((row.circle, row.proposal) for row in rows if row.state == "countered")
    for row in rows:
        signed = {party for party, _ in row.signed}
        roles = {party for _, party in row.content.roles}
        assert row.proposer in signed <= roles and (signed == roles) == (row.state == "signed"), row


def only_what_lives_waits(fair: Fair) -> None:
    """Nothing that is due has been passed over (what a wait's end has made due fires with the next block), and what
    waits in orders is what lives there."""
    before = fair.applier.meta.size - len(fair.blocks[-1].leaves)
    late = fair.rows(TIMERS, "due <= ? AND position < ?", fair.now, before)
    assert not late, late
    waiting = {row.id for row in fair.rows(TIMERS, "id LIKE 'orders.%'")}
    due: set[str] = set()
    for order in fair.rows(ORDERS):
        live = order.state in LIVE_STATES
        if live and order.state == "placed" and order.confirm_by:
            due.add(f"orders.unanswered/{order.order_id}")
        elif live and order.cancel_after_at and not (order.state == "placed" and order.confirm_by):
            due.add(f"orders.unshipped/{order.order_id}")
        if any(line.proposed for line in order.lines):
            due.add(f"orders.change_unanswered/{order.order_id}")
    due |= {f"orders.deemed_received/{s.shipment}" for s in fair.rows(SHIPMENTS, "method = ''")}
    due |= {f"orders.return_unanswered/{r.return_id}" for r in fair.rows(RETURNS, "state = 'asked'")}
    due |= {f"orders.hold_over/{h.hold}" for h in fair.rows(KEPT, "ended = 0")}
    assert {one for one in waiting if not one.startswith("orders.quote_over/")} == due


# -- at the end of a history --


def recounted(fair: Fair, stock: Stock) -> bool:
    """Stock is counted, and found as it stands; False where its owner has no key any more, or no such site."""
    line = CountLine(site=stock.site, own_number=stock.own_number, lot=stock.lot, owner=stock.owner,
                     each=stock.on_hand_each)  # fmt: skip
    outcome = fair.say(stock.circle.removeprefix("home-"), Count(circle=stock.circle, lines=[line], counted_at=0))
    return outcome is not None and outcome.code == "ok" and not outcome.private


def every_wait_ends(fair: Fair) -> None:
    """Left alone for four years, nothing waits any more, and all claims hold still."""
    for days in (1, 6, 30, 200, 400, 400, 430):
        fair.tick(days * 86_400)
    all_hold(fair)
    counted = {stock.circle for stock in fair.rows(STOCK) if recounted(fair, stock)}
    what_is_set_aside_follows_what_is_offered_and_drawn(fair, counted)
    all_hold(fair)
    for table, state in (
        ("orders_order", "state IN ('placed', 'confirmed', 'part_shipped')"),
        ("orders_shipment", "method = ''"),
        ("orders_return", "state = 'asked'"),
        ("orders_quote", "state IN ('asked', 'quoted')"),
        ("orders_hold", "ended = 0"),
        ("inventory_transfer", f"state = 'proposed' AND expires_at <= {fair.now}"),
        ("accounts_payment", "state IN ('announced', 'claimed')"),
        ("accounts_escrow", "state IN ('asked', 'held')"),
        ("accounts_cycle", "state IN ('collecting', 'closing', 'signing')"),
        ("group_round", "state IN ('open', 'deciding')"),
        ("plans_window", "state <> 'ended'"),
        ("contracts_award", "state IN ('pending', 'disputed')"),
        ("contracts_proposal", "state = 'open'"),
    ):
        found = fair.state.conn.execute(f"SELECT * FROM {table} WHERE {state}").fetchall()
        one_sided = [row for row in found if table == "orders_order" and any(str(c).startswith("home-") for c in row)]
        assert found == one_sided, (table, found)


def nobody_reads_anothers_words(fair: Fair) -> None:
    """What a firm may read holds none of the private words of circles that it was never in; a stranger reads none."""
    everywhere = [table for table in fair.book.tables if table.name != "kernel_seen"]
    public = "\n".join(repr(fair.view().rows(table)) for table in everywhere)
    for party in ("", *FIRMS):
        view = fair.view(party)
        text = "\n".join(repr(view.rows(table)) for table in everywhere if table.circle) if party else public
        numbers = set(re.findall(r"\d+", text))
        mine = {circle for who, circle in fair.aliases if who == party}
        told = [
            (circle, word)
            for circle, word in fair.words
            if circle not in mine and (word in numbers if word.isdigit() else word in text)
        ]
        assert not told, (party, told)


def of_all(fair: Fair) -> dict[str, Any]:
    """Figures of a history, to see that it did something."""
    return {table.name: len(fair.rows(table)) for table in fair.book.tables}
